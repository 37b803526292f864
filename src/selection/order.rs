//! From the oldest tag to the newest.

use std::cmp::Ordering;

use semver::Version;

use super::version::TagVersion;
use crate::image::Tag;

/// A tag's place among others: tags that name no version first, then by version, variants of a
/// version before the version itself, then by name. Numbers in names count as numbers: `r9` comes
/// before `r10`.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Age<'a> {
    /// The version, and whether it is plain.
    version: Option<(Version, bool)>,
    name: &'a str,
}

impl<'a> Age<'a> {
    pub(super) fn of(tag: &'a Tag) -> Self {
        let name = tag.as_str();
        let version = TagVersion::of(name).map(|found| (found.version, !found.is_variant));
        Self { version, name }
    }
}

impl Ord for Age<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.version
            .cmp(&other.version)
            .then_with(|| natural(self.name, other.name))
            .then_with(|| self.name.cmp(other.name))
    }
}

impl PartialOrd for Age<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Compares texts by their bytes, and runs of digits by the number they are, however large.
fn natural(mut one: &str, mut other: &str) -> Ordering {
    loop {
        let order = match (one.bytes().next(), other.bytes().next()) {
            (Some(first), Some(second)) if first.is_ascii_digit() && second.is_ascii_digit() => {
                let (left, right);
                (left, one) = digits(one);
                (right, other) = digits(other);
                left.len().cmp(&right.len()).then_with(|| left.cmp(right))
            }
            (Some(first), Some(second)) => {
                (one, other) = (&one[1..], &other[1..]);
                first.cmp(&second)
            }
            (first, second) => return first.cmp(&second),
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// The digits at the beginning without leading zeros, and what follows them.
fn digits(text: &str) -> (&str, &str) {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    (text[..end].trim_start_matches('0'), &text[end..])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_newest_comes_last() {
        let sorted = [
            "20240115T0900",
            "build-9",
            "build-010",
            "build-11",
            "build-11-x",
            "latest",
            "php7.4-apache",
            "php8.0-apache",
            "0.9",
            "1",
            "v1.2",
            "1.3.0-dev",
            "1.3.0-rc2",
            "1.3.0-rc10",
            "1.3.0-alpine3.9",
            "1.3.0-alpine3.10",
            "1.3.0",
            "1.10",
            "20240115",
        ];
        let mut tags: Vec<Tag> = sorted
            .iter()
            .rev()
            .map(|tag| tag.parse().unwrap())
            .collect();
        tags.sort_by(|one, other| Age::of(one).cmp(&Age::of(other)));
        let names: Vec<&str> = tags.iter().map(Tag::as_str).collect();
        assert_eq!(names, sorted);
    }

    proptest! {
        #[test]
        fn is_an_order(names in proptest::array::uniform3("[a01v][a01.-]{0,5}")) {
            let tags = names.map(|name| name.parse::<Tag>().unwrap());
            let [a, b, c] = [0, 1, 2].map(|index| Age::of(&tags[index]));
            prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
            prop_assert_eq!(a.cmp(&b).is_eq(), tags[0] == tags[1]);
            if a <= b && b <= c {
                prop_assert!(a <= c);
            }
        }
    }
}
