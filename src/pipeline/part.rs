//! Which part of a source is copied.

use crate::config::{Attestations, ImageSpecification, Platforms};
use crate::image::{Digest, Location, Manifest, Platform};

/// Which part of a source is copied.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Part {
    /// All of it, byte for byte.
    Whole,
    /// One platform's image, byte for byte.
    One(Digest),
    /// What this manifest names, and the manifest. It is the source's own, which the plan had to
    /// read, or an index that the plan made of it, which carries the marks.
    Planned(Manifest),
}

impl Part {
    /// The digest of the copy of this part of a source, which has this digest.
    pub(super) fn digest<'a>(&'a self, source: &'a Digest) -> &'a Digest {
        match self {
            Self::Whole => source,
            Self::One(digest) => digest,
            Self::Planned(manifest) => manifest.digest(),
        }
    }
}

/// What the user wants of a source, before it is known what the source offers.
pub(super) enum Wanted<'a> {
    Whole,
    One(&'a Platform),
    Chosen(Choice<'a>),
    /// What the Docker daemon has: one platform, whose manifest nobody has written yet.
    Local,
}

/// Some children of an index.
#[derive(Clone, Copy)]
pub(super) struct Choice<'a> {
    /// The platforms; all where absent.
    pub(super) platforms: Option<&'a [Platform]>,
    /// What becomes of the attestations of these platforms.
    pub(super) attestations: Attestations,
}

impl<'a> Wanted<'a> {
    /// What the choices of the user mean for a copy, which needs no daemon.
    pub(super) fn of(image: &'a ImageSpecification) -> Self {
        if matches!(image.source, Location::Daemon(_)) {
            return Self::Local;
        }
        let attestations = image.attestations;
        let platforms = match &image.platforms {
            Platforms::All | Platforms::Daemon => None,
            Platforms::Only(list) => match &list[..] {
                [one] => return Self::One(one),
                several => Some(several),
            },
        };
        match (platforms, attestations) {
            (None, Attestations::Keep) => Self::Whole,
            _ => Self::Chosen(Choice {
                platforms,
                attestations,
            }),
        }
    }
}
