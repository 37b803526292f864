//! One image's way.

use crate::image::Reference;

use super::traffic::Tally;

/// One image's way: where it comes from, where it goes, whether anything can be there yet, and what
/// counts it.
#[derive(Clone, Copy)]
pub(super) struct Way<'a> {
    pub(super) source: &'a Reference,
    pub(super) destination: &'a Reference,
    pub(super) is_new_repository: bool,
    pub(super) tally: &'a Tally,
}

impl Way<'_> {
    /// The same way, when what seemed to be there was not.
    pub(super) fn again(self) -> Self {
        Self {
            is_new_repository: false,
            ..self
        }
    }
}
