//! One image's way.

use crate::image::Reference;

/// One image's way: where it comes from, where it goes, and whether anything can be there yet.
#[derive(Clone, Copy)]
pub(super) struct Way<'a> {
    pub(super) source: &'a Reference,
    pub(super) destination: &'a Reference,
    pub(super) is_new_repository: bool,
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
