//! Why something would be done to a destination tag, or not.

use std::fmt;

use crate::image::Digest;

use super::marks::Marks;

/// Why something would be done, or not.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Reason {
    /// The destination repository does not exist and is not to be created.
    NoRepository,
    /// The destination repository has to be created first.
    NewRepository,
    /// The destination tag does not exist yet.
    NewTag,
    /// The tag holds an image that longshore did not build.
    Foreign,
    /// The tag holds an image made from another source.
    SourceChanged {
        /// The source it was made from.
        from: String,
    },
    /// The upstream tag has another digest now.
    BaseMoved {
        /// The digest that the image was made from.
        from: String,
    },
    /// The tag holds other bytes than the source.
    OtherDigest {
        /// What it holds.
        held: Digest,
    },
    /// The lines, the template, the arguments, the platforms or what becomes of attestations changed.
    RecipeChanged,
    /// The tag holds what it should, and lacks what refers to it at the source.
    Unaccompanied {
        /// How many signatures, SBOMs and attestations.
        lacking: usize,
    },
    /// Base and recipe are what the tag already holds.
    Unchanged,
}

impl Reason {
    /// Compares what a tag's image was made from with what it should be made from.
    pub(super) fn compare(marks: &Marks, wanted: &Marks) -> Self {
        if marks.base_name != wanted.base_name {
            Self::SourceChanged {
                from: marks.base_name.clone(),
            }
        } else if marks.base_digest != wanted.base_digest {
            Self::BaseMoved {
                from: marks.base_digest.clone(),
            }
        } else if marks.recipe != wanted.recipe {
            Self::RecipeChanged
        } else {
            Self::Unchanged
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRepository => formatter.write_str("no repository"),
            Self::NewRepository => formatter.write_str("new repository"),
            Self::NewTag => formatter.write_str("new tag"),
            Self::Foreign => formatter.write_str("the tag holds an image not built by longshore"),
            Self::SourceChanged { from } => write!(formatter, "the source was {from}"),
            Self::BaseMoved { from } => write!(formatter, "upstream moved from {}", short(from)),
            Self::OtherDigest { held } => {
                write!(formatter, "the tag holds {}", short(held.as_str()))
            }
            Self::RecipeChanged => {
                formatter.write_str("lines, arguments, platforms or attestations changed")
            }
            Self::Unaccompanied { lacking: 1 } => formatter.write_str("lacks 1 referrer"),
            Self::Unaccompanied { lacking } => write!(formatter, "lacks {lacking} referrers"),
            Self::Unchanged => formatter.write_str("up to date"),
        }
    }
}

fn short(digest: &str) -> &str {
    digest.get(.."sha256:".len() + 12).unwrap_or(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(name: &str, digest: &str, recipe: &str) -> Marks {
        Marks {
            base_name: name.to_owned(),
            base_digest: Digest::of(digest.as_bytes()).to_string(),
            recipe: recipe.to_owned(),
        }
    }

    #[test]
    fn the_first_difference_is_the_reason() {
        let wanted = marks("docker.io/library/redis:7", "new", "recipe");
        let reasons = [
            marks("docker.io/library/redis:6", "old", "other"),
            marks("docker.io/library/redis:7", "old", "other"),
            marks("docker.io/library/redis:7", "new", "other"),
            wanted.clone(),
        ]
        .map(|held| Reason::compare(&held, &wanted).to_string());
        insta::assert_snapshot!(reasons.join("\n"));
    }
}
