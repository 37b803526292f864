//! `repositories`: how a missing destination repository is created.

use std::collections::BTreeMap;

use super::check::Checker;
use super::hint::{suggest, suggest_or};
use super::mistakes::Located;
use super::reader::Table;
use super::shapes::is_kms_arn;
use super::specification::{OnConflict, Repositories};
use super::{policies, written};
use crate::ecr::{Encryption, StatedSettings, TagMutability};

/// How many patterns `imageTagMutabilityExclusionFilters` takes.
const PATTERNS: usize = 5;

/// How many tags a resource of AWS takes.
const TAGS: usize = 50;

pub(super) fn check(written: written::Repositories, checker: &mut Checker<'_>) -> Repositories {
    let on_conflict = written
        .on_conflict
        .map_or(OnConflict::default(), |text| on_conflict(&text, checker));
    let stated = StatedSettings {
        tag_mutability: written
            .tag_immutability
            .map(|written| tag_mutability(written, checker)),
        scan_on_push: written.scan_on_push,
        encryption: written
            .encryption
            .and_then(|written| encryption(written, checker)),
        lifecycle_policy: written
            .lifecycle_policy
            .and_then(|policy| policies::check(policy, &policies::LIFECYCLE, checker)),
        policy: written
            .policy
            .and_then(|policy| policies::check(policy, &policies::REPOSITORY, checker)),
        tags: written
            .tags
            .map_or_else(BTreeMap::new, |tags| resource_tags(tags, checker)),
    };
    Repositories {
        create: written.create.unwrap_or(true),
        on_conflict,
        overwrite: true,
        settings: stated.clone().with_defaults(),
        stated,
    }
}

fn on_conflict(text: &Located<String>, checker: &mut Checker<'_>) -> OnConflict {
    match text.value.as_str() {
        "fail" => OnConflict::Fail,
        "keep" => OnConflict::Keep,
        other => {
            let message = format!("`{other}` is no answer to a conflict");
            let hint = suggest(other, &["fail", "keep"], "write one of");
            checker.mistakes.add(&text.place, message, hint);
            OnConflict::default()
        }
    }
}

fn tag_mutability(written: written::TagImmutability, checker: &mut Checker<'_>) -> TagMutability {
    let patterns = match written {
        written::TagImmutability::Flag(false) => return TagMutability::Mutable,
        written::TagImmutability::Flag(true) => return TagMutability::Immutable { except: vec![] },
        written::TagImmutability::Except(patterns) => patterns,
    };
    TagMutability::Immutable {
        except: tag_patterns(patterns, checker),
    }
}

/// Patterns of tags that are exempt from a repository's tag mutability.
pub(super) fn tag_patterns(
    patterns: Located<Vec<Located<String>>>,
    checker: &mut Checker<'_>,
) -> Vec<String> {
    if patterns.value.len() > PATTERNS {
        let message = format!(
            "ECR exempts at most {PATTERNS} patterns of tags, here are {}",
            patterns.value.len()
        );
        checker.mistakes.add(&patterns.place, message, None);
    }
    let sound = |text: &str| {
        (1..=128).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._*-".contains(&byte))
    };
    let patterns = patterns.value.into_iter();
    patterns
        .filter_map(|text| checker.shaped(text, sound, "a pattern of tags", "dev-*"))
        .collect()
}

pub(super) fn encryption(
    written: written::Encryption,
    checker: &mut Checker<'_>,
) -> Option<Encryption> {
    match written {
        written::Encryption::Word(word) if word.value == "AES256" => Some(Encryption::Aes256),
        written::Encryption::Word(word) => {
            let message = format!("`{}` is no encryption of ECR", word.value);
            let otherwise = "write `AES256` or `{kms_key_arn: ARN}`";
            let hint = suggest_or(&word.value, &["AES256"], otherwise);
            checker.mistakes.add(&word.place, message, hint);
            None
        }
        written::Encryption::Key(key) => {
            let Some(arn) = key.value.kms_key_arn else {
                let message = "the key `kms_key_arn` is missing";
                checker.mistakes.add(&key.place, message, None);
                return None;
            };
            let example = "arn:aws:kms:eu-west-1:123456789012:key/...";
            let key_arn = checker.shaped(arn, is_kms_arn, "the ARN of a KMS key", example)?;
            Some(Encryption::Kms { key_arn })
        }
    }
}

/// AWS's rules for resource tags: `https://docs.aws.amazon.com/tag-editor/latest/userguide/reference.html`.
pub(super) fn resource_tags(
    written: Located<Table<Located<String>>>,
    checker: &mut Checker<'_>,
) -> BTreeMap<String, String> {
    if written.value.len() > TAGS {
        let message = format!(
            "AWS takes at most {TAGS} tags, here are {}",
            written.value.len()
        );
        checker.mistakes.add(&written.place, message, None);
    }
    let sound = |text: &str| {
        text.chars()
            .all(|c| c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c))
    };
    let mut tags = BTreeMap::new();
    for (key, value) in written.value {
        let length = key.value.chars().count();
        let reserved = key.value.to_lowercase().starts_with("aws:");
        if length == 0 || length > 128 || reserved || !sound(&key.value) {
            let message = format!("`{}` is not the key of an AWS tag", key.value);
            let hint = "a key has 1 to 128 letters, digits, spaces and `_.:/=+-@`, \
                        and does not begin with `aws:`";
            checker.mistakes.add(&key.place, message, hint.to_owned());
        }
        if value.value.chars().count() > 256 || !sound(&value.value) {
            let message = format!("`{}` is not the value of an AWS tag", value.value);
            let hint = "a value has at most 256 letters, digits, spaces and `_.:/=+-@`";
            checker.mistakes.add(&value.place, message, hint.to_owned());
        }
        tags.insert(key.value, value.value);
    }
    tags
}
