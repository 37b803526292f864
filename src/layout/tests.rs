use std::fs::File;
use std::io::Write as _;

use bytes::Bytes;
use futures_util::{TryStreamExt as _, stream};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Error, Layout};
use crate::failure::{Failure as _, chain};
use crate::image::{Digest, Manifest, Tag, media_type};

const CONTENT: &[u8] = b"content";

/// A layout with one image, whose only blob is [`CONTENT`].
async fn layout() -> (TempDir, Layout, Manifest) {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::at(&folder.path().join("some/layout"));
    put(&layout, CONTENT).await.unwrap();
    let manifest = manifest(1);
    tag(&layout, "1", &manifest).await;
    (folder, layout, manifest)
}

fn manifest(number: u8) -> Manifest {
    let blob = json!({
        "mediaType": media_type::OCI_CONFIGURATION,
        "digest": Digest::of(CONTENT),
        "size": CONTENT.len(),
    });
    let text = json!({"schemaVersion": 2, "config": blob, "layers": [], "x": number}).to_string();
    Manifest::new(media_type::OCI_MANIFEST, text.into())
}

async fn put(layout: &Layout, bytes: &'static [u8]) -> Result<(), Error> {
    let source = stream::iter([Ok(Bytes::from_static(bytes))]);
    let digest = Digest::of(bytes);
    layout.put_blob(&digest, bytes.len() as u64, source).await
}

async fn tag(layout: &Layout, tag: &str, manifest: &Manifest) {
    let tag: Tag = tag.parse().unwrap();
    let put = layout.put_manifest(manifest.digest(), manifest, Some(&tag));
    put.await.unwrap();
}

async fn tags(layout: &Layout) -> String {
    let tags = layout.list_tags().await.unwrap();
    let names: Vec<&str> = tags.iter().map(Tag::as_str).collect();
    names.join(" ")
}

async fn find(layout: &Layout, tag: &str) -> Result<Digest, Error> {
    layout.find(&tag.parse().unwrap()).await
}

async fn read(layout: &Layout, bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let digest = Digest::of(bytes);
    let blob = layout.open_blob(&digest, bytes.len() as u64);
    let pieces: Vec<Bytes> = blob.await?.try_collect().await?;
    Ok(pieces.concat())
}

fn edit(layout: &Layout, edit: impl FnOnce(&mut Value)) {
    let file = layout.folder().join("index.json");
    let mut index = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    edit(&mut index);
    std::fs::write(file, index.to_string()).unwrap();
}

/// An error without the folder of the test.
fn tell(folder: &TempDir, error: &Error) -> String {
    let hint = error.hint().unwrap_or_default();
    let text = format!("{}\n  {hint}", chain(error));
    text.replace(folder.path().to_str().unwrap(), "FOLDER")
}

#[tokio::test]
async fn what_is_written_can_be_read() {
    let (_folder, layout, manifest) = layout().await;
    assert_eq!(find(&layout, "1").await.unwrap(), *manifest.digest());
    let found = layout.get_manifest(manifest.digest()).await.unwrap();
    assert_eq!(found, manifest);
    assert_eq!(read(&layout, CONTENT).await.unwrap(), CONTENT);
    put(&layout, b"").await.unwrap();
    assert_eq!(read(&layout, b"").await.unwrap(), b"");
    let mut names: Vec<_> = std::fs::read_dir(layout.folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["blobs", "index.json", "oci-layout"]);
    let has = async |digest, size| layout.has_blob(&digest, size).await.unwrap();
    assert!(has(Digest::of(CONTENT), 7).await);
    assert!(!has(Digest::of(CONTENT), 8).await, "it was cut short");
    assert!(!has(Digest::of(b"other"), 5).await);
}

#[tokio::test]
async fn a_tag_moves_and_nothing_else_changes() {
    let (_folder, layout, first) = layout().await;
    edit(&layout, |index| {
        index["annotations"] = json!({"kept": "yes"});
        let name = "docker.io/library/app:podman";
        let mut entry = index["manifests"][0].clone();
        entry["annotations"] = json!({"org.opencontainers.image.ref.name": name});
        index["manifests"].as_array_mut().unwrap().push(entry);
    });
    let second = manifest(2);
    tag(&layout, "2", &second).await;
    assert_eq!(tags(&layout).await, "1 2 podman");
    tag(&layout, "1", &second).await;
    assert_eq!(tags(&layout).await, "1 2 podman");
    assert_eq!(find(&layout, "1").await.unwrap(), *second.digest());
    assert_eq!(find(&layout, "podman").await.unwrap(), *first.digest());
    let index = std::fs::read_to_string(layout.folder().join("index.json")).unwrap();
    assert!(index.contains(r#""kept": "yes""#), "{index}");
}

#[tokio::test]
async fn many_tags_are_written_at_once() {
    let (_folder, layout, manifest) = layout().await;
    let names: Vec<String> = (10..40).map(|number| number.to_string()).collect();
    let writers = names.iter().map(|name| tag(&layout, name, &manifest));
    futures_util::future::join_all(writers).await;
    assert_eq!(tags(&layout).await, format!("1 {}", names.join(" ")));
}

/// In place and as if at the same moment, as nobody writes it.
fn replace_unnoticed(layout: &Layout, byte: u8) {
    let path = layout.folder().join("index.json");
    let mut file = File::options().read(true).write(true).open(path).unwrap();
    let metadata = file.metadata().unwrap();
    let length = usize::try_from(metadata.len()).unwrap();
    file.write_all(&vec![byte; length]).unwrap();
    file.set_modified(metadata.modified().unwrap()).unwrap();
}

#[tokio::test]
async fn the_index_is_parsed_once_and_again_when_it_changed() {
    let (_folder, layout, manifest) = layout().await;
    replace_unnoticed(&layout, b'x');
    assert_eq!(find(&layout, "1").await.unwrap(), *manifest.digest());
    tag(&layout, "2", &manifest).await;
    assert_eq!(tags(&layout).await, "1 2");

    // What another process writes is seen, and kept.
    let other = Layout::at(layout.folder());
    tag(&other, "3", &manifest).await;
    assert_eq!(tags(&layout).await, "1 2 3");
    tag(&layout, "4", &manifest).await;
    assert_eq!(tags(&other).await, "1 2 3 4");
    replace_unnoticed(&other, b'x');
    assert_eq!(tags(&other).await, "1 2 3 4");
    let error = find(&Layout::at(layout.folder()), "1").await.unwrap_err();
    assert!(matches!(error, Error::Malformed { .. }), "{error}");
}

#[tokio::test]
async fn tags_that_wait_are_written_together() {
    let (_folder, layout, manifest) = layout().await;
    let wish = |name: &str| layout.naming.wish(&name.parse().unwrap(), &manifest);
    let numbers = ["2", "3", "4"].map(wish);
    layout.fulfil(numbers[1]).unwrap();
    assert_eq!(tags(&layout).await, "1 2 3 4");
    std::fs::remove_dir_all(layout.folder()).unwrap();
    for number in numbers {
        layout.fulfil(number).unwrap();
    }
    let late = wish("5");
    assert!(layout.fulfil(late).is_err());
}

#[tokio::test]
async fn the_lock_is_one_that_nfs_grants() {
    let (_folder, layout, _) = layout().await;
    let lock = layout.lock().unwrap();
    // Only what can be written to can be cut.
    lock.set_len(lock.metadata().unwrap().len()).unwrap();
    let other = File::open(layout.folder().join("oci-layout")).unwrap();
    assert!(other.try_lock().is_err());
}

#[tokio::test]
async fn the_only_image_without_a_name_is_the_latest() {
    let (_folder, layout, manifest) = layout().await;
    edit(&layout, |index| {
        index["manifests"][0]["annotations"] = Value::Null;
    });
    assert_eq!(tags(&layout).await, "latest");
    assert_eq!(find(&layout, "latest").await.unwrap(), *manifest.digest());
}

#[tokio::test]
async fn says_what_is_no_layout() {
    let (folder, layout, _) = layout().await;
    let mut told = Vec::new();
    let nowhere = Layout::at(&folder.path().join("nowhere"));
    told.push(find(&nowhere, "1").await.unwrap_err());
    assert_eq!(nowhere.resolve(&Tag::latest()).await.unwrap(), None);

    let some = Layout::at(&folder.path().join("some"));
    told.push(find(&some, "1").await.unwrap_err());
    told.push(put(&some, CONTENT).await.unwrap_err());

    let file = Layout::at(&layout.folder().join("index.json"));
    told.push(find(&file, "1").await.unwrap_err());
    let written = put(&file, CONTENT).await.unwrap_err();
    assert!(matches!(written, Error::Unwritable { .. }), "{written}");

    told.push(find(&layout, "2").await.unwrap_err());
    let other = manifest(2);
    tag(&layout, "2", &other).await;
    edit(&layout, |index| {
        let first = index["manifests"][0]["annotations"].clone();
        index["manifests"][1]["annotations"] = first;
    });
    told.push(find(&layout, "1").await.unwrap_err());
    edit(&layout, |index| index["manifests"] = json!([]));
    told.push(find(&layout, "1").await.unwrap_err());
    std::fs::write(layout.folder().join("index.json"), "<html>").unwrap();
    told.push(find(&layout, "1").await.unwrap_err());
    std::fs::remove_file(layout.folder().join("index.json")).unwrap();
    told.push(find(&layout, "1").await.unwrap_err());
    let marker = layout.folder().join("oci-layout");
    std::fs::write(&marker, r#"{"imageLayoutVersion": "2.0.0"}"#).unwrap();
    told.push(find(&layout, "1").await.unwrap_err());
    told.push(put(&layout, CONTENT).await.unwrap_err());
    let told: Vec<String> = told.iter().map(|error| tell(&folder, error)).collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test]
async fn says_what_is_not_whole() {
    let (folder, layout, manifest) = layout().await;
    let mut told = Vec::new();
    told.push(read(&layout, b"missing").await.unwrap_err());
    let file = layout.path(&Digest::of(CONTENT));
    std::fs::write(&file, b"konten").unwrap();
    told.push(read(&layout, CONTENT).await.unwrap_err());
    std::fs::write(&file, b"kontent").unwrap();
    told.push(read(&layout, CONTENT).await.unwrap_err());
    std::fs::write(layout.path(manifest.digest()), b"{}").unwrap();
    let read = layout.get_manifest(manifest.digest()).await;
    told.push(read.unwrap_err());
    assert!(!layout.has_manifest(manifest.digest()).await.unwrap());
    assert!(!layout.has_manifest(&Digest::of(b"new")).await.unwrap());

    let cut = stream::iter([Ok(Bytes::from_static(b"con"))]);
    let put = layout.put_blob(&Digest::of(b"new"), 7, cut).await;
    told.push(put.unwrap_err());
    assert!(!layout.path(&Digest::of(b"new")).exists());
    let told: Vec<String> = told.iter().map(|error| tell(&folder, error)).collect();
    insta::assert_snapshot!(told.join("\n"));
}
