//! OCI layouts as sources and as destinations.

use std::fs;
use std::path::PathBuf;

use longshore::image::{Digest, media_type};
use serde_json::{Value, json};

use crate::harness::{Lab, Run, digest_of};

/// Brings an image of the upstream registry into a layout.
#[track_caller]
fn save(lab: &Lab, image: &str, layout: &str) -> Run {
    let source = format!("{}/{image}", lab.upstream());
    lab.longshore(&["mirror", &source, "--to", layout])
        .run()
        .exits(0)
}

fn index(lab: &Lab, layout: &str) -> Value {
    let text = fs::read_to_string(lab.folder().join(layout).join("index.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn blob(lab: &Lab, layout: &str, digest: &Digest) -> PathBuf {
    let folder = lab.folder().join(layout).join("blobs/sha256");
    folder.join(digest.hex())
}

#[test]
fn an_index_goes_through_a_layout_byte_for_byte() {
    let lab = Lab::new();
    let (text, children) = lab.offer_platforms("team/redis", "7");
    let digest = Digest::of(text.as_bytes());
    let run = save(&lab, "team/redis:7", "oci:out/redis");
    assert_eq!(run.stdout, format!("oci:out/redis:7@{digest}\n"));
    assert_eq!(
        fs::read(blob(&lab, "out/redis", &digest)).unwrap(),
        text.as_bytes()
    );
    let requests = lab.requests();
    assert!(
        !requests.iter().any(|line| line.starts_with("api ")),
        "{requests:?}"
    );

    save(&lab, "team/redis:7", "oci:out/redis");
    assert_eq!(lab.requests(), ["upstream HEAD team/redis manifest 7 200"]);

    lab.write("images: [{source: 'oci:out/redis:7', repository: cache}, 'oci:out/redis:7']\n");
    lab.applies(&["done", "done"]);
    for repository in ["cache", "redis"] {
        assert_eq!(
            lab.manifest(repository, "7").as_deref(),
            Some(text.as_str())
        );
    }
    for child in &children {
        let digest = digest_of(child);
        assert!(lab.manifest("cache", digest.as_str()).is_some(), "{child}");
    }
    lab.requests();
    lab.applies(&["in place", "in place"]);
    assert_eq!(
        lab.requests(),
        [
            "api DescribeRepositories 200",
            "api DescribeRepositories 200",
            "api ListImages 200",
            "api ListImages 200",
        ]
    );

    let run = lab
        .longshore(&["mirror", "oci:out/redis:7", "--to", "oci:again:8"])
        .run()
        .exits(0);
    assert_eq!(run.stdout, format!("oci:again:8@{digest}\n"));
    assert_eq!(lab.requests(), [""; 0]);
}

#[test]
fn a_tag_that_is_not_whole_is_not_in_place() {
    let lab = Lab::new();
    let (text, children) = lab.offer_platforms("team/redis", "7");
    let child = digest_of(&children[0]);
    let layer = lab.layer_of("team/redis", &child);
    save(&lab, "team/redis:7", "oci:out");
    for lost in [&layer, &child, &Digest::of(text.as_bytes())] {
        let lost = blob(&lab, "out", lost);
        let bytes = fs::read(&lost).unwrap();
        fs::remove_file(&lost).unwrap();
        save(&lab, "team/redis:7", "oci:out");
        assert_eq!(fs::read(&lost).unwrap(), bytes);
    }
    lab.requests();
    save(&lab, "team/redis:7", "oci:out");
    assert_eq!(lab.requests(), ["upstream HEAD team/redis manifest 7 200"]);
}

#[test]
fn a_layout_is_extended_by_what_is_new() {
    let lab = Lab::new();
    lab.offer("team/app", "1", b"shared");
    lab.offer("team/app", "2", b"shared");
    let other = lab.offer("team/app", "3", b"other");
    save(&lab, "team/app:1", "oci:out");
    lab.requests();
    save(&lab, "team/app:2", "oci:out");
    let requests = lab.requests();
    assert!(
        !requests.iter().any(|line| line.ends_with("blob 200")),
        "{requests:?}"
    );
    save(&lab, "team/app:3", "oci:out:latest");
    let entries = index(&lab, "out")["manifests"].clone();
    let names: Vec<&Value> = (0..3)
        .map(|entry| &entries[entry]["annotations"]["org.opencontainers.image.ref.name"])
        .collect();
    assert_eq!(names, ["1", "2", "latest"]);
    assert_eq!(entries[2]["digest"], other.as_str());

    // What another program left unfinished is written again.
    let layer = lab.layer_of("team/app", &other);
    fs::write(blob(&lab, "out", &layer), b"cut").unwrap();
    fs::remove_file(blob(&lab, "out", &other)).unwrap();
    save(&lab, "team/app:3", "oci:out:other");
    let whole = lab.upstream_bytes("team/app", &layer);
    assert_eq!(fs::read(blob(&lab, "out", &layer)).unwrap(), whole);
}

#[test]
fn platforms_are_chosen_from_a_layout() {
    let lab = Lab::new();
    let (_, children) = lab.offer_platforms("team/redis", "7");
    save(&lab, "team/redis:7", "oci:redis");
    lab.write(
        "images:\n\
         - {source: 'oci:redis:7', repository: one, platforms: [linux/arm64]}\n\
         - {source: 'oci:redis:7', repository: two, platforms: [linux/arm64, linux/amd64]}\n",
    );
    lab.applies(&["done", "done"]);
    let one = lab.digest("one", "7").unwrap();
    assert_eq!(children[1]["digest"], one.as_str());
    let two = lab.parsed("two", "7");
    assert_eq!(
        two["manifests"],
        json!([children[0], children[1], children[3]])
    );
    let name = &two["annotations"]["org.opencontainers.image.base.name"];
    assert_eq!(*name, "oci:redis:7");
    lab.applies(&["in place", "in place"]);
}

#[test]
fn all_tags_travel_both_ways() {
    let lab = Lab::new();
    for tag in ["1.0", "1.1", "2.0"] {
        lab.offer("team/app", tag, tag.as_bytes());
    }
    let source = format!("{}/team/app", lab.upstream());
    let run = lab
        .longshore(&["mirror", "-a", &source, "--to", "oci:out/app"])
        .run()
        .exits(0);
    assert_eq!(run.stdout.lines().count(), 3, "{}", run.stdout);
    lab.longshore(&["mirror", "--all-tags", "oci:out/app", "other"])
        .run()
        .exits(0);
    assert_eq!(lab.tags("other"), ["1.0", "1.1", "2.0"]);
    lab.write("images: [{source: 'oci:out/app', tags: ['1.*']}]\n");
    lab.applies(&["done", "done"]);
    assert_eq!(lab.tags("app"), ["1.0", "1.1"]);
}

#[test]
fn what_refers_to_an_image_comes_out_of_a_layout() {
    let lab = Lab::new();
    let app = lab.offer("team/app", "1", b"app");
    let subject = json!({
        "mediaType": media_type::OCI_MANIFEST,
        "digest": app,
        "size": lab.upstream_bytes("team/app", &app).len(),
    });
    let sbom = lab.offer_referrer("team/app", &subject, "application/spdx+json", "SBOM");
    // As regctl writes it.
    let list = json!({
        "schemaVersion": 2,
        "mediaType": media_type::OCI_INDEX,
        "manifests": [sbom],
    });
    let tag = app.referrers_tag();
    lab.offer_manifest("team/app", Some(tag.as_str()), &list);
    lab.write("images: [{source: 'oci:hub/team/app:1', referrers: true}]\n");
    lab.applies(&["done"]);
    assert_eq!(lab.digest("app", "1"), Some(app));
    assert!(lab.manifest("app", digest_of(&sbom).as_str()).is_some());
    lab.applies(&["in place"]);
}

#[test]
fn what_is_wrong_with_a_layout_is_told_and_stops_nothing_else() {
    let lab = Lab::new();
    let app = lab.offer("team/app", "1", b"app");
    let layer = lab.layer_of("team/app", &app);
    for folder in ["sound", "holed", "spoiled", "unnamed"] {
        save(&lab, "team/app:1", &format!("oci:{folder}"));
    }
    fs::remove_file(blob(&lab, "holed", &layer)).unwrap();
    let mut bytes = fs::read(blob(&lab, "spoiled", &layer)).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(blob(&lab, "spoiled", &layer), bytes).unwrap();
    fs::remove_file(blob(&lab, "unnamed", &app)).unwrap();
    lab.write(
        "images: ['oci:holed:1', 'oci:spoiled:1', 'oci:unnamed:1', 'oci:sound:2', \
         'oci:hub:1', 'oci:nowhere:1', {source: 'oci:nowhere', tags: ['*']}, 'oci:sound:1']\n",
    );
    lab.requests();
    let run = lab.longshore(&["apply", "--output", "json"]).run().exits(1);
    let statuses = run.each("status");
    assert_eq!(statuses[..6], ["failed"; 6]);
    assert_eq!(statuses[6], "done");
    assert_eq!(lab.digest("sound", "1"), Some(app));
    for repository in ["holed", "spoiled", "unnamed"] {
        assert_eq!(lab.tags(repository), [""; 0]);
    }
    let report = run.json();
    let failed = report["images"].as_array().unwrap().iter();
    let failed = failed.chain(report["unlisted"].as_array().unwrap());
    let told: Vec<String> = failed
        .filter(|image| image["error"].is_object())
        .map(|image| format!("{}: {}", image["source"], image["error"]))
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn a_folder_that_is_no_layout_is_left_alone() {
    let lab = Lab::new();
    lab.offer("team/app", "1", b"app");
    let source = format!("{}/team/app:1", lab.upstream());
    let run = lab
        .longshore(&["mirror", &source, "--to", "oci:hub"])
        .run()
        .exits(1);
    run.says(&[
        "`hub` is no OCI layout, and not empty",
        "name an empty folder",
    ]);
    let names: Vec<_> = fs::read_dir(lab.hub()).unwrap().collect();
    assert_eq!(names.len(), 1);

    let run = lab
        .longshore(&["mirror", &source, "--to", "oci:out", "--line", "ENV A=1"])
        .run()
        .exits(2);
    run.says(&["`oci:out:1` is in no registry, and Docker builds from registries"]);
}

#[test]
fn nothing_selected_is_told() {
    let lab = Lab::new();
    lab.offer("team/app", "1", b"layer");
    save(&lab, "team/app:1", "oci:out/app");
    lab.write("images: [{source: 'oci:out/app', tags: ['v*']}]\n");
    let warning =
        "warning: no tag is left: oci:out/app for app: 1 tag, of which `include` keeps 0\n";
    for command in ["plan", "apply"] {
        assert_eq!(lab.longshore(&[command]).run().exits(0).stderr, warning);
    }
}
