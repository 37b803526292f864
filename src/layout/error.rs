//! Why a layout cannot be read or written.

use std::io;
use std::path::PathBuf;

use crate::failure::{Failure, Kind};
use crate::image::{Digest, Tag};

/// A layout cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder does not exist, or is none.
    #[error("there is no folder `{}`", folder.display())]
    NoFolder {
        /// The layout's folder.
        folder: PathBuf,
    },
    /// A file that makes a folder a layout does not exist.
    #[error("`{}` is no OCI layout: it has no `{missing}`", folder.display())]
    NoLayout {
        /// The layout's folder.
        folder: PathBuf,
        /// The file.
        missing: &'static str,
    },
    /// Something else is where a layout was to be made.
    #[error("`{}` is no OCI layout, and not empty", folder.display())]
    Occupied {
        /// The layout's folder.
        folder: PathBuf,
    },
    /// The layout has another version.
    #[error("`{}` is an OCI layout of version `{version}`; the one known is `1.0.0`", folder.display())]
    Version {
        /// The layout's folder.
        folder: PathBuf,
        /// What it says of itself.
        version: String,
    },
    /// A file is no JSON, or not what it should be.
    #[error("`{}` is malformed", file.display())]
    Malformed {
        /// The file.
        file: PathBuf,
        /// What is wrong, and where.
        source: serde_json::Error,
    },
    /// The layout has no such tag.
    #[error("`oci:{}` has no tag `{tag}`; {}", folder.display(), offer(tags))]
    NoTag {
        /// The layout's folder.
        folder: PathBuf,
        /// The tag.
        tag: Tag,
        /// The tags that it has.
        tags: Vec<Tag>,
    },
    /// Several images have the same tag, as where `docker save` wrote those of two repositories.
    #[error("the tag `{tag}` stands for several images of `oci:{}`", folder.display())]
    Ambiguous {
        /// The layout's folder.
        folder: PathBuf,
        /// The tag.
        tag: Tag,
        /// What the tag stands for.
        digests: Vec<Digest>,
    },
    /// A blob that something names does not exist.
    #[error("`oci:{}` lacks `{digest}`", folder.display())]
    NoBlob {
        /// The layout's folder.
        folder: PathBuf,
        /// The digest of the blob or manifest.
        digest: Digest,
    },
    /// A descriptor names no digest that can be verified.
    #[error("a manifest of `oci:{}` names `{digest}`, which is no digest", folder.display())]
    UnknownDigest {
        /// The layout's folder.
        folder: PathBuf,
        /// What it names.
        digest: String,
    },
    /// A file does not hold what its name says.
    #[error("`{}` has {actual} instead of {expected}", file.display())]
    Mismatch {
        /// The file.
        file: PathBuf,
        /// The digest or size that it should have.
        expected: String,
        /// The digest or size that it has.
        actual: String,
    },
    /// What was to be written has another size than was said.
    #[error("what is written to `{}` has {actual} instead of {expected} bytes", file.display())]
    WrongLength {
        /// The file.
        file: PathBuf,
        /// The size that was said, in bytes.
        expected: u64,
        /// The size, in bytes.
        actual: u64,
    },
    /// There are more bytes than such a thing may have.
    #[error("`{}` is larger than {limit} bytes", file.display())]
    TooLarge {
        /// The file.
        file: PathBuf,
        /// The limit, in bytes.
        limit: u64,
    },
    /// A file cannot be read.
    #[error("cannot read `{}`", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write `{}`", file.display())]
    Unwritable {
        /// The file or folder.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
}

fn offer(tags: &[Tag]) -> String {
    if tags.is_empty() {
        return "it has none".to_owned();
    }
    let names: Vec<&str> = tags.iter().map(Tag::as_str).collect();
    format!("it has {}", names.join(", "))
}

impl Error {
    /// For `map_err`: a file that cannot be read.
    pub(super) fn unreadable(file: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let file = file.into();
        move |source| Self::Unreadable { file, source }
    }

    /// For `map_err`: a file that cannot be written.
    pub(super) fn unwritable(file: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let file = file.into();
        move |source| Self::Unwritable { file, source }
    }
}

impl Failure for Error {
    fn kind(&self) -> Kind {
        Kind::Permanent
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NoFolder { .. } => "check the path; one in a file starts at the file's folder",
            Self::NoLayout { .. } => {
                "name the folder that holds `oci-layout` and `index.json`; an archive has to be \
                 unpacked first"
            }
            Self::Occupied { .. } => "name an empty folder, a layout, or what does not exist yet",
            Self::NoTag { tags, .. } if tags.is_empty() => {
                "name an image as `oci:DIR:TAG@DIGEST`, by its digest in `index.json`"
            }
            Self::NoTag { .. } => "name one of them as `oci:DIR:TAG`",
            Self::Ambiguous { digests, .. } => {
                let names: Vec<String> = digests.iter().map(|it| format!("`{it}`")).collect();
                return Some(format!(
                    "name one by its digest, as `oci:DIR:TAG@DIGEST`: {}",
                    names.join(", ")
                ));
            }
            Self::NoBlob { .. } | Self::Mismatch { .. } => "the layout is not whole; make it again",
            Self::Version { .. }
            | Self::Malformed { .. }
            | Self::UnknownDigest { .. }
            | Self::WrongLength { .. }
            | Self::TooLarge { .. }
            | Self::Unreadable { .. }
            | Self::Unwritable { .. } => return None,
        };
        Some(hint.to_owned())
    }
}
