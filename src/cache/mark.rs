//! What says that something is longshore's.

/// The description of what longshore makes, by which it knows it again. Rules have none; a rule is
/// longshore's where the template of its prefix is.
pub(super) const MARK: &str = "Managed by longshore";

/// Whether a description is longshore's.
pub(super) fn is_ours(description: Option<&str>) -> bool {
    description.is_some_and(|text| text.starts_with(MARK))
}
