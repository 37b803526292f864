//! What the user lets a run see and do beyond bringing images into place.

/// What the user lets a run see and do beyond bringing images into place.
#[derive(Clone, Copy, Debug, Default)]
pub struct Choices {
    /// What becomes of repositories that exist and are not what the file says.
    pub drift: Concern,
    /// What becomes of what stands under the namespace and is not named by the file.
    pub orphans: Concern,
}

/// How far a run goes in something that is not about its images.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Concern {
    /// Nobody looks.
    #[default]
    Ignored,
    /// It is shown.
    Shown,
    /// It is shown and changed.
    Changed,
}
