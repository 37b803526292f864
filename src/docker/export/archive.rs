//! The archive of `docker save`, in each of the three shapes that engines give it.
//!
//! Docker 20.10 writes a folder per layer with a `layer.tar`, in the order of meaningless names, and
//! says only at the end which layer is which (`manifest.json`). Newer engines write an OCI layout:
//! with the classic store its layers are uncompressed and named by what is in them, with the
//! containerd store they are the registry's own blobs.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use bytes::Bytes;
use serde::Deserialize;
use tar::{Archive, EntryType};

use super::layer::{LayerSettings, Spooled};
use super::{Export, ExportError};
use crate::image::Digest;

/// The largest JSON document that is kept, in bytes.
const MAX_DOCUMENT: u64 = 8 * 1024 * 1024;

/// What names the image's parts, at the end of the archive.
const TABLE_OF_CONTENTS: &str = "manifest.json";

/// One image in `manifest.json`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Contents {
    config: PathBuf,
    layers: Vec<PathBuf>,
}

/// What came so far.
#[derive(Default)]
struct Parts {
    documents: BTreeMap<PathBuf, Bytes>,
    layers: BTreeMap<PathBuf, Spooled>,
    /// A layer that is there twice is a link the second time, which may come first.
    links: BTreeMap<PathBuf, PathBuf>,
}

/// Reads the archive of one image, and keeps its configuration and the layers that come after its
/// base's. Layers that are `known` are not even kept for a moment where their name tells.
pub(super) fn read(
    archive: impl Read,
    base_layers: usize,
    known: &BTreeSet<Digest>,
    settings: LayerSettings,
) -> Result<Export, ExportError> {
    let mut parts = Parts::default();
    for entry in Archive::new(archive).entries()? {
        parts.take(entry?, known)?;
        if parts.documents.contains_key(Path::new(TABLE_OF_CONTENTS)) {
            break;
        }
    }
    parts.assemble(base_layers, settings)
}

impl Parts {
    fn take(
        &mut self,
        entry: tar::Entry<'_, impl Read>,
        known: &BTreeSet<Digest>,
    ) -> io::Result<()> {
        let path = entry.path()?.into_owned();
        match entry.header().entry_type() {
            EntryType::Symlink | EntryType::Link => {
                if let Some(target) = entry.link_name()? {
                    let folder = path.parent().unwrap_or(Path::new(""));
                    self.links.insert(path.clone(), plain(&folder.join(target)));
                }
                Ok(())
            }
            EntryType::Regular if named_by(&path).is_some_and(|digest| known.contains(&digest)) => {
                Ok(())
            }
            EntryType::Regular => self.take_file(path, entry, known),
            _ => Ok(()),
        }
    }

    fn take_file(
        &mut self,
        path: PathBuf,
        mut file: impl Read,
        known: &BTreeSet<Digest>,
    ) -> io::Result<()> {
        let mut beginning = Vec::new();
        (&mut file).take(512).read_to_end(&mut beginning)?;
        let is_document = matches!(beginning.first(), Some(b'{' | b'['));
        let file = beginning.as_slice().chain(file);
        if is_document && !is_archive(&beginning) {
            let mut document = Vec::new();
            file.take(MAX_DOCUMENT).read_to_end(&mut document)?;
            self.documents.insert(path, document.into());
        } else if path.ends_with("layer.tar") || named_by(&path).is_some() {
            let layer = Spooled::keep(file)?;
            if !known.contains(&layer.diff_id) {
                self.layers.insert(path, layer);
            }
        }
        Ok(())
    }

    fn assemble(self, base_layers: usize, settings: LayerSettings) -> Result<Export, ExportError> {
        let lacks = |what: &str| ExportError::Malformed {
            what: format!("it lacks {what}"),
        };
        let contents = self.documents.get(Path::new(TABLE_OF_CONTENTS));
        let contents = contents.ok_or_else(|| lacks(TABLE_OF_CONTENTS))?;
        let contents: Vec<Contents> =
            serde_json::from_slice(contents).map_err(|error| ExportError::Malformed {
                what: format!("{TABLE_OF_CONTENTS}: {error}"),
            })?;
        let image = contents.first().ok_or_else(|| lacks("the image"))?;
        let configuration = self.documents.get(&image.config);
        let configuration = configuration.ok_or_else(|| lacks("the configuration"))?;
        let layers = image.layers.iter().skip(base_layers).map(|path| {
            let path = self.links.get(path).unwrap_or(path);
            let layer = self.layers.get(path);
            let layer = layer.ok_or_else(|| lacks(&path.display().to_string()))?;
            Ok(layer.write(settings)?)
        });
        let layers: Result<_, ExportError> = layers.collect();
        Ok(Export {
            configuration: configuration.clone(),
            layers: layers?,
        })
    }
}

/// Whether a block is the first of a tar archive, whose first name may begin like a document.
fn is_archive(block: &[u8]) -> bool {
    block.get(257..262) == Some(b"ustar")
}

/// The digest that a file of an OCI layout is named by.
fn named_by(path: &Path) -> Option<Digest> {
    let hex = path.strip_prefix("blobs/sha256").ok()?.to_str()?;
    format!("sha256:{hex}").parse().ok()
}

/// A path without `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                plain.pop();
            }
            Component::Normal(name) => plain.push(name),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::write::GzEncoder;

    use super::super::{Compression, Layer};
    use super::*;

    const SETTINGS: LayerSettings = LayerSettings {
        latest: Some(1_000),
        compression: Compression::Gzip,
    };

    /// A layer as a build leaves it: with the time of the build.
    fn layer(name: &str, built_at: u64) -> Vec<u8> {
        let mut archive = tar::Builder::new(Vec::new());
        add(&mut archive, name, built_at, name.as_bytes());
        archive.into_inner().unwrap()
    }

    fn add(archive: &mut tar::Builder<Vec<u8>>, name: &str, mtime: u64, content: &[u8]) {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mtime(mtime);
        archive.append_data(&mut header, name, content).unwrap();
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// Docker 20.10: folders, a layer that is there twice as a link, the contents at the end.
    fn folders(base: &[u8], new: &[u8]) -> Vec<u8> {
        let mut archive = tar::Builder::new(Vec::new());
        let mut link = tar::Header::new_ustar();
        link.set_entry_type(EntryType::Symlink);
        link.set_size(0);
        let target = "../2new/layer.tar";
        archive
            .append_link(&mut link, "1again/layer.tar", target)
            .unwrap();
        add(&mut archive, "2new/VERSION", 0, b"1.0");
        add(&mut archive, "2new/json", 0, b"{}");
        add(&mut archive, "2new/layer.tar", 0, new);
        add(&mut archive, "3base/layer.tar", 0, base);
        add(&mut archive, "c.json", 0, b"{\"os\":\"linux\"}");
        let contents = br#"[{"Config":"c.json","RepoTags":null,
            "Layers":["3base/layer.tar","2new/layer.tar","1again/layer.tar"]}]"#;
        add(&mut archive, "manifest.json", 0, contents);
        archive.into_inner().unwrap()
    }

    /// Newer engines: an OCI layout whose layers are files of these bytes.
    fn layout(base: &[u8], new: &[u8]) -> Vec<u8> {
        let mut archive = tar::Builder::new(Vec::new());
        let configuration = br#"{"os":"linux"}"#.as_slice();
        let mut names = Vec::new();
        for bytes in [configuration, base, new] {
            let name = format!("blobs/sha256/{}", Digest::of(bytes).hex());
            add(&mut archive, &name, 0, bytes);
            names.push(name);
        }
        let [configuration, base, new] = &names[..] else {
            unreachable!()
        };
        add(&mut archive, "index.json", 0, b"{}");
        let contents = serde_json::json!([{"Config": configuration, "Layers": [base, new, new]}]);
        add(
            &mut archive,
            "manifest.json",
            0,
            contents.to_string().as_bytes(),
        );
        archive.into_inner().unwrap()
    }

    fn parts(archive: &[u8], known: &[u8]) -> Vec<(Digest, Digest, u64)> {
        let known = BTreeSet::from([Digest::of(known)]);
        let export = read(archive, 1, &known, SETTINGS).unwrap();
        assert_eq!(export.configuration, r#"{"os":"linux"}"#);
        let parts = |layer: Layer| (layer.diff_id, layer.digest, layer.size);
        export.layers.into_iter().map(parts).collect()
    }

    #[test]
    fn every_engine_s_archive_gives_the_same_layers() {
        let (base, new) = (layer("bin/sh", 5), layer("etc/vault", 2_000));
        let expected = parts(&folders(&base, &new), &base);
        assert_eq!(expected.len(), 2);
        assert_eq!(expected[0], expected[1]);
        assert_eq!(expected[0].0, Digest::of(&layer("etc/vault", 1_000)));
        assert_eq!(parts(&layout(&base, &new), &base), expected);
        let (base, new) = (gzip(&base), gzip(&layer("etc/vault", 3_000)));
        assert_eq!(parts(&layout(&base, &new), &base), expected);
    }

    #[test]
    fn a_whole_image_keeps_every_byte() {
        let (base, new) = (layer("bin/sh", 5), layer("etc/vault", 2_000));
        let whole = |archive: &[u8]| {
            let settings = LayerSettings {
                latest: None,
                ..SETTINGS
            };
            let export = read(archive, 0, &BTreeSet::new(), settings).unwrap();
            let parts = |layer: &Layer| (layer.diff_id.clone(), layer.digest.clone());
            export.layers.iter().map(parts).collect::<Vec<_>>()
        };
        let diff_ids = [&base, &new, &new].map(|layer| Digest::of(layer));
        let compressed = whole(&folders(&base, &new));
        let found: Vec<_> = compressed
            .iter()
            .map(|(diff_id, _)| diff_id.clone())
            .collect();
        assert_eq!(found, diff_ids);
        assert_eq!(whole(&layout(&base, &new)), compressed);
        // What the daemon keeps compressed is somebody's blob already.
        let [base, new] = [&base, &new].map(|layer| gzip(layer));
        let blobs = [&base, &new, &new].map(|blob| Digest::of(blob));
        let kept = diff_ids.into_iter().zip(blobs).collect::<Vec<_>>();
        assert_eq!(whole(&layout(&base, &new)), kept);
    }

    #[test]
    fn what_is_missing_is_named() {
        let mut archive = tar::Builder::new(Vec::new());
        add(&mut archive, "c.json", 0, b"{}");
        let says = |archive: Vec<u8>| {
            let error = read(&archive[..], 0, &BTreeSet::new(), SETTINGS).unwrap_err();
            error.to_string()
        };
        let nothing = archive.get_ref().clone();
        assert_eq!(says(nothing), "it is malformed: it lacks manifest.json");
        let contents = br#"[{"Config":"c.json","Layers":["a/layer.tar"]}]"#;
        add(&mut archive, "manifest.json", 0, contents);
        let no_layer = archive.into_inner().unwrap();
        assert_eq!(says(no_layer), "it is malformed: it lacks a/layer.tar");
    }
}
