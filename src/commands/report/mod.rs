//! `longshore report`.

mod merge;

pub(super) use merge::merge;
