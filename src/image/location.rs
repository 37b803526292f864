//! Where an image is kept.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::{Digest, ParseReferenceError, Reference, Repository, Tag};

/// What an OCI layout's name begins with, as skopeo and regctl write it too.
const LAYOUT: &str = "oci:";

/// What the name of an image of the Docker daemon begins with, as skopeo writes it too.
const DAEMON: &str = "docker-daemon:";

/// Where an image is kept: in a registry (`mongo:7`, as Docker reads it), in an OCI layout on this
/// machine (`oci:DIR:TAG`) or in the Docker daemon (`docker-daemon:NAME:TAG`). It may carry a tag, a
/// digest, both or neither.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Location {
    /// In a registry.
    Registry(Reference),
    /// In an OCI layout.
    Layout(LayoutReference),
    /// In the Docker daemon, under the name of a registry's image, which it may never have been.
    /// The digest is the image's local ID.
    Daemon(Reference),
}

/// An image in an OCI layout, a folder with the files that the OCI image specification names.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct LayoutReference {
    /// The layout's folder.
    pub folder: PathBuf,
    /// The tag.
    pub tag: Option<Tag>,
    /// The digest. It decides where both are given.
    pub digest: Option<Digest>,
}

impl Location {
    /// The tag.
    pub fn tag(&self) -> Option<&Tag> {
        match self {
            Self::Registry(reference) | Self::Daemon(reference) => reference.tag.as_ref(),
            Self::Layout(layout) => layout.tag.as_ref(),
        }
    }

    /// The digest.
    pub fn digest(&self) -> Option<&Digest> {
        match self {
            Self::Registry(reference) | Self::Daemon(reference) => reference.digest.as_ref(),
            Self::Layout(layout) => layout.digest.as_ref(),
        }
    }

    /// The same place, with this tag and this digest.
    pub fn with(&self, tag: Option<Tag>, digest: Option<Digest>) -> Self {
        match self {
            Self::Registry(reference) => Self::Registry(Reference {
                tag,
                digest,
                ..reference.clone()
            }),
            Self::Layout(layout) => Self::Layout(LayoutReference {
                tag,
                digest,
                folder: layout.folder.clone(),
            }),
            Self::Daemon(reference) => Self::Daemon(Reference {
                tag,
                digest,
                ..reference.clone()
            }),
        }
    }

    /// The same place, without tag and digest.
    pub fn bare(&self) -> Self {
        self.with(None, None)
    }

    /// The same place, by this tag alone.
    pub fn by_tag(&self, tag: Tag) -> Self {
        self.with(Some(tag), None)
    }

    /// The same place, by this digest alone.
    pub fn by_digest(&self, digest: Digest) -> Self {
        self.with(None, Some(digest))
    }

    /// The same image, whatever its tag stands for.
    pub fn unpinned(&self) -> Self {
        self.with(self.tag().cloned(), None)
    }

    /// This location, its folder taken from another one where it is relative.
    pub fn below(self, folder: &Path) -> Self {
        match self {
            Self::Layout(layout) => Self::Layout(LayoutReference {
                folder: folder.join(&layout.folder),
                ..layout
            }),
            elsewhere @ (Self::Registry(_) | Self::Daemon(_)) => elsewhere,
        }
    }

    /// The reference in a registry, where the image is in one.
    pub fn reference(&self) -> Option<&Reference> {
        match self {
            Self::Registry(reference) => Some(reference),
            Self::Layout(_) | Self::Daemon(_) => None,
        }
    }

    /// The repository as Docker users write it; a layout's has the folder's name. `None` where no
    /// repository can be called so.
    pub fn familiar_repository(&self) -> Option<Repository> {
        match self {
            Self::Registry(reference) | Self::Daemon(reference) => {
                Some(reference.familiar_repository())
            }
            Self::Layout(layout) => layout.folder.file_name()?.to_str()?.parse().ok(),
        }
    }

    /// The location as users write it: `mongo:latest`, `oci:layouts/app:1`,
    /// `docker-daemon:myapp:dev`.
    pub fn familiar(&self) -> String {
        match self {
            Self::Registry(reference) => reference.familiar(),
            Self::Layout(_) | Self::Daemon(_) => self.to_string(),
        }
    }
}

impl From<Reference> for Location {
    fn from(reference: Reference) -> Self {
        Self::Registry(reference)
    }
}

impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry(reference) => reference.fmt(formatter),
            Self::Layout(layout) => layout.fmt(formatter),
            // No registry is meant, so none is named that the user did not name.
            Self::Daemon(reference) => write!(formatter, "{DAEMON}{}", reference.familiar()),
        }
    }
}

impl fmt::Display for LayoutReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{LAYOUT}{}", self.folder.display())?;
        if let Some(tag) = &self.tag {
            write!(formatter, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(formatter, "@{digest}"),
            None => Ok(()),
        }
    }
}

/// What begins with `oci:` is a layout, and with `docker-daemon:` an image of the daemon. Docker
/// Hub's repository `oci` is called `library/oci`.
impl FromStr for Location {
    type Err = ParseReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(rest) = text.strip_prefix(LAYOUT) {
            layout(text, rest).map(Self::Layout)
        } else if let Some(rest) = text.strip_prefix(DAEMON) {
            local(text, rest).map(Self::Daemon)
        } else {
            text.parse().map(Self::Registry)
        }
    }
}

/// `NAME`, `NAME:TAG`, `NAME@ID` or `NAME:TAG@ID`.
fn local(text: &str, rest: &str) -> Result<Reference, ParseReferenceError> {
    let fail = |reason| ParseReferenceError::new(text, "an image of the Docker daemon", reason);
    if rest.is_empty() {
        return Err(fail("write it as `docker-daemon:NAME:TAG`"));
    }
    if rest.parse::<Digest>().is_ok() {
        return Err(fail(
            "an ID alone has no name; write `docker-daemon:NAME:TAG@sha256:...`",
        ));
    }
    rest.parse()
        .map_err(|error: ParseReferenceError| fail(error.reason))
}

/// `DIR`, `DIR:TAG`, `DIR@DIGEST` or `DIR:TAG@DIGEST`. A folder's name may hold `:` and `@`, too,
/// which are no tag where a slash follows, and no digest where none does.
fn layout(text: &str, rest: &str) -> Result<LayoutReference, ParseReferenceError> {
    let fail = |reason| ParseReferenceError::new(text, "an OCI layout", reason);
    let (rest, digest) = match rest.rsplit_once('@') {
        Some((before, digest)) if digest.starts_with("sha256:") => {
            let digest = digest.parse().map_err(|_| {
                fail("what follows `@` must be `sha256:` and 64 lower-case hexadecimal digits")
            })?;
            (before, Some(digest))
        }
        _ => (rest, None),
    };
    let (folder, tag) = match rest.rsplit_once(':') {
        Some((folder, tag)) if !tag.contains(['/', '\\']) => {
            let tag = tag.parse();
            let tag = tag.map_err(|error: ParseReferenceError| fail(error.reason))?;
            (folder, Some(tag))
        }
        _ => (rest, None),
    };
    if folder.is_empty() {
        return Err(fail("write it as `oci:DIR` or `oci:DIR:TAG`"));
    }
    Ok(LayoutReference {
        folder: PathBuf::from(folder),
        tag,
        digest,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layout_is_a_folder_with_a_tag_and_a_digest() {
        let digest = Digest::of(b"x");
        let pinned = format!("oci:a@b/app:1@{digest}");
        for (text, folder, tag, repository) in [
            ("oci:app", "app", None, Some("app")),
            (
                "oci:./layouts/app:1.0",
                "./layouts/app",
                Some("1.0"),
                Some("app"),
            ),
            ("oci:/a:b/App", "/a:b/App", None, None),
            ("oci:..", "..", None, None),
            (r"oci:C:\app", r"C:\app", None, None),
            (pinned.as_str(), "a@b/app", Some("1"), Some("app")),
        ] {
            let location: Location = text.parse().unwrap();
            let Location::Layout(layout) = &location else {
                panic!("{text}")
            };
            assert_eq!(layout.folder, Path::new(folder));
            assert_eq!(layout.tag.as_ref().map(Tag::as_str), tag);
            assert_eq!(location.digest().is_some(), text.ends_with(digest.as_str()));
            let named = location.familiar_repository();
            assert_eq!(named.as_ref().map(Repository::as_str), repository);
            assert_eq!(location.to_string(), text);
        }
    }

    #[test]
    fn an_image_of_the_daemon_is_named_as_docker_names_it() {
        let id = Digest::of(b"x");
        let pinned = format!("docker-daemon:myapp:dev@{id}");
        for (text, name, repository) in [
            ("docker-daemon:myapp", "docker.io/library/myapp", "myapp"),
            (
                "docker-daemon:team/app:dev",
                "docker.io/team/app",
                "team/app",
            ),
            (
                "docker-daemon:h:5000/team/app:1",
                "h:5000/team/app",
                "team/app",
            ),
            (pinned.as_str(), "docker.io/library/myapp", "myapp"),
        ] {
            let location: Location = text.parse().unwrap();
            let Location::Daemon(reference) = &location else {
                panic!("{text}")
            };
            assert_eq!(reference.name(), name);
            assert_eq!(location.reference(), None);
            let named = location.familiar_repository().unwrap();
            assert_eq!(named.as_str(), repository);
            assert_eq!([location.to_string(), location.familiar()], [text, text]);
        }
    }

    #[test]
    fn everything_else_is_in_a_registry() {
        for text in ["mongo", "library/oci:1", "ghcr.io/org/oci:1"] {
            let location: Location = text.parse().unwrap();
            assert_eq!(location, Location::Registry(text.parse().unwrap()));
        }
    }

    #[test]
    fn says_what_is_wrong() {
        let messages = [
            "oci:",
            "oci::1",
            "oci:app:",
            "oci:app:a b",
            "oci:app@sha256:x",
            "docker-daemon:",
            "docker-daemon:MyApp:dev",
            "docker-daemon:myapp:",
            "docker-daemon:docker://myapp",
            "docker-daemon:sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        ]
        .map(|text| text.parse::<Location>().unwrap_err().to_string());
        insta::assert_snapshot!(messages.join("\n"));
    }

    #[test]
    fn a_relative_folder_starts_elsewhere() {
        let below = |text: &str| {
            let location: Location = text.parse().unwrap();
            location.below(Path::new("conf")).to_string()
        };
        assert_eq!(below("oci:app:1"), "oci:conf/app:1");
        assert_eq!(below("oci:/app:1"), "oci:/app:1");
    }
}
