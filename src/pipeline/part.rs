//! Which part of a source is copied.

use crate::config::Platforms;
use crate::image::{Digest, Platform};

use super::marks::Marks;

/// Which part of a source is copied.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Part {
    /// All of it, byte for byte.
    Whole,
    /// One platform's image, byte for byte.
    One(Digest),
    /// Several platforms' images under an index of their own, which carries the marks.
    Several(Vec<Platform>, Marks),
}

/// What the user wants of a source, before it is known what the source offers.
pub(super) enum Wanted<'a> {
    Whole,
    One(&'a Platform),
    Several(&'a [Platform]),
}

impl<'a> Wanted<'a> {
    /// What a choice of platforms means for a copy, which needs no daemon.
    pub(super) fn of(platforms: &'a Platforms) -> Self {
        match platforms {
            Platforms::Only(list) => match &list[..] {
                [one] => Self::One(one),
                several => Self::Several(several),
            },
            Platforms::All | Platforms::Daemon => Self::Whole,
        }
    }
}
