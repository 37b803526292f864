//! The settings of a repository.

use std::collections::BTreeMap;
use std::fmt;

use crate::image::Tag;

/// How a repository is created.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RepositorySettings {
    /// Whether tags can be overwritten.
    pub tag_mutability: TagMutability,
    /// Whether ECR scans each pushed image.
    pub scan_on_push: bool,
    /// How ECR encrypts the repository.
    pub encryption: Encryption,
    /// A lifecycle policy, as ECR's own JSON text.
    pub lifecycle_policy: Option<String>,
    /// A repository policy, as ECR's own JSON text.
    pub policy: Option<String>,
    /// Resource tags.
    pub tags: BTreeMap<String, String>,
}

/// What somebody says of a repository's settings. What is left out is open: longshore's defaults
/// decide it where the repository is created, and whatever it is stays where it exists.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct StatedSettings {
    /// Whether tags can be overwritten.
    pub tag_mutability: Option<TagMutability>,
    /// Whether ECR scans each pushed image.
    pub scan_on_push: Option<bool>,
    /// How ECR encrypts the repository.
    pub encryption: Option<Encryption>,
    /// A lifecycle policy, as ECR's own JSON text.
    pub lifecycle_policy: Option<String>,
    /// A repository policy, as ECR's own JSON text.
    pub policy: Option<String>,
    /// Resource tags. Others are open.
    pub tags: BTreeMap<String, String>,
}

impl StatedSettings {
    /// The settings of a new repository.
    pub fn with_defaults(self) -> RepositorySettings {
        let defaults = RepositorySettings::default();
        RepositorySettings {
            tag_mutability: self.tag_mutability.unwrap_or(defaults.tag_mutability),
            scan_on_push: self.scan_on_push.unwrap_or(defaults.scan_on_push),
            encryption: self.encryption.unwrap_or(defaults.encryption),
            lifecycle_policy: self.lifecycle_policy,
            policy: self.policy,
            tags: self.tags,
        }
    }
}

/// Whether tags can be overwritten.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TagMutability {
    /// Every tag can.
    Mutable,
    /// No tag can, but for those that match one of these patterns (at most five, `*` stands for
    /// any text).
    Immutable {
        /// Patterns of tags that stay mutable.
        except: Vec<String>,
    },
    /// Every tag can, but for those that match one of these patterns. Found on repositories that
    /// others made.
    MutableExcept {
        /// Patterns of tags that are immutable.
        immutable: Vec<String>,
    },
}

impl TagMutability {
    /// Whether both say the same; the order of patterns means nothing.
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.sorted() == other.sorted()
    }

    fn sorted(&self) -> Self {
        let mut sorted = self.clone();
        match &mut sorted {
            Self::Mutable => {}
            Self::Immutable { except: patterns }
            | Self::MutableExcept {
                immutable: patterns,
            } => patterns.sort_unstable(),
        }
        sorted
    }

    /// Whether this tag, once there, cannot be overwritten.
    pub fn is_immutable(&self, tag: &Tag) -> bool {
        let matches_one = |patterns: &[String]| {
            let mut patterns = patterns.iter();
            patterns.any(|pattern| matches(pattern, tag.as_str()))
        };
        match self {
            Self::Mutable => false,
            Self::Immutable { except } => !matches_one(except),
            Self::MutableExcept { immutable } => matches_one(immutable),
        }
    }
}

/// Whether the pattern, in which `*` stands for any text, describes the whole text.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((start, pattern)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut rest) = text.strip_prefix(start) else {
        return false;
    };
    let (middle, end) = pattern.rsplit_once('*').unwrap_or(("", pattern));
    for part in middle.split('*') {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(end)
}

/// How ECR encrypts a repository.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Encryption {
    /// With a key that S3 manages.
    Aes256,
    /// With a key in AWS KMS.
    Kms {
        /// The key's ARN.
        key_arn: String,
    },
}

/// As the file's `tag_immutability` is thought of: `true but for \`dev-*\``.
impl fmt::Display for TagMutability {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, patterns) = match self {
            Self::Mutable => ("false", &[][..]),
            Self::Immutable { except } => ("true", &except[..]),
            Self::MutableExcept { immutable } => ("false", &immutable[..]),
        };
        match patterns {
            [] => formatter.write_str(word),
            patterns => write!(formatter, "{word} but for `{}`", patterns.join("`, `")),
        }
    }
}

impl fmt::Display for Encryption {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Aes256 => formatter.write_str("AES256"),
            Self::Kms { key_arn } if key_arn.is_empty() => {
                formatter.write_str("the KMS key of AWS")
            }
            Self::Kms { key_arn } => write!(formatter, "the KMS key `{key_arn}`"),
        }
    }
}

impl Default for RepositorySettings {
    fn default() -> Self {
        Self {
            tag_mutability: TagMutability::Mutable,
            scan_on_push: true,
            encryption: Encryption::Aes256,
            lifecycle_policy: None,
            policy: None,
            tags: BTreeMap::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, expected) in [
            ("latest", "latest", true),
            ("latest", "latest-1", false),
            ("*", "anything", true),
            ("dev-*", "dev-", true),
            ("dev-*", "dev-1", true),
            ("dev-*", "my-dev-1", false),
            ("*-rc", "1.0-rc", true),
            ("*-rc", "1.0-rc1", false),
            ("1.*-rc*", "1.2-rc3", true),
            ("1.*-rc*", "2.1-rc", false),
            ("a*b*c", "a-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("a*a", "a", false),
            ("a**b", "ab", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn exceptions_turn_the_rule_round() {
        let patterns = || vec!["latest".to_owned(), "dev-*".to_owned()];
        let rules = [
            TagMutability::Mutable,
            TagMutability::Immutable { except: Vec::new() },
            TagMutability::Immutable { except: patterns() },
            TagMutability::MutableExcept {
                immutable: patterns(),
            },
        ];
        for (tag, expected) in [
            ("latest", [false, true, false, true]),
            ("dev-3", [false, true, false, true]),
            ("1.0", [false, true, true, false]),
        ] {
            let tag = tag.parse().unwrap();
            let answers = rules.each_ref().map(|rule| rule.is_immutable(&tag));
            assert_eq!(answers, expected, "{tag}");
        }
    }
}
