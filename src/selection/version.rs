//! The version that a tag names.

use semver::{BuildMetadata, Prerelease, Version};

/// The words that make a suffix a pre-release, whatever number follows them.
const PRERELEASES: [&str; 5] = ["alpha", "beta", "dev", "pre", "rc"];

/// A tag that names a version, taken apart.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct TagVersion<'a> {
    pub(super) version: Version,
    /// The tag without its variant.
    pub(super) stem: &'a str,
    /// Whether the tag names a variant: `-alpine`, `-slim-bookworm`, `_build5`.
    pub(super) is_variant: bool,
}

impl<'a> TagVersion<'a> {
    /// Takes a tag apart: an optional `v`, one to three numbers, and perhaps a pre-release and a
    /// variant. `None` where it names no version: `latest`, `php7.4`, a commit, four numbers.
    pub(super) fn of(tag: &'a str) -> Option<Self> {
        let (numbers, rest) = numbers(tag.strip_prefix(['v', 'V']).unwrap_or(tag))?;
        let (pre, variant) = match rest.strip_prefix(['-', '_', '.']) {
            None if rest.is_empty() => (Prerelease::EMPTY, ""),
            None => prerelease(rest)?,
            Some("") => return None,
            Some(_) if starts_with_fourth_number(rest) => return None,
            Some(suffix) => prerelease(suffix).unwrap_or((Prerelease::EMPTY, rest)),
        };
        let [major, minor, patch] = numbers.map(Option::unwrap_or_default);
        let version = Version {
            major,
            minor,
            patch,
            pre,
            build: BuildMetadata::EMPTY,
        };
        Some(Self {
            version,
            stem: &tag[..tag.len() - variant.len()],
            is_variant: !variant.is_empty(),
        })
    }
}

fn starts_with_fourth_number(rest: &str) -> bool {
    let mut bytes = rest.bytes();
    bytes.next() == Some(b'.') && bytes.next().is_some_and(|byte| byte.is_ascii_digit())
}

/// One to three numbers with dots between them, and what follows. Zeros may lead: Ubuntu has `22.04`.
fn numbers(text: &str) -> Option<([Option<u64>; 3], &str)> {
    let (major, mut rest) = number(text)?;
    let mut numbers = [Some(major), None, None];
    for slot in &mut numbers[1..] {
        let Some((next, after)) = rest.strip_prefix('.').and_then(number) else {
            break;
        };
        *slot = Some(next);
        rest = after;
    }
    Some((numbers, rest))
}

/// A number, and what follows it.
pub(super) fn number(text: &str) -> Option<(u64, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

/// A pre-release at the beginning of a suffix, and the variant that follows. `rc10` becomes
/// `rc.10`, so that it comes after `rc9`.
pub(super) fn prerelease(suffix: &str) -> Option<(Prerelease, &str)> {
    let is_end = |rest: &str| rest.is_empty() || rest.starts_with(['-', '_', '.']);
    let end = suffix
        .find(|c: char| !c.is_ascii_alphabetic())
        .unwrap_or(suffix.len());
    let word = suffix[..end].to_ascii_lowercase();
    if !PRERELEASES.contains(&word.as_str()) {
        return None;
    }
    let rest = &suffix[end..];
    let counted = number(rest.strip_prefix(['-', '.']).unwrap_or(rest));
    let (text, rest) = match counted {
        Some((count, after)) if is_end(after) => (format!("{word}.{count}"), after),
        _ if is_end(rest) => (word, rest),
        _ => return None,
    };
    Some((Prerelease::new(&text).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_tags_apart() {
        let told = |tag: &str| match TagVersion::of(tag) {
            None => format!("{tag}: no version"),
            Some(found) if found.is_variant => {
                format!("{tag}: {}, a variant of {}", found.version, found.stem)
            }
            Some(found) => format!("{tag}: {}", found.version),
        };
        let tags = [
            "1",
            "1.2",
            "v1.2",
            "V1.2.3",
            "22.04",
            "20240115",
            "1.2.3-alpine",
            "1.2-slim-bookworm",
            "1.2.3_build5",
            "17.0.1.Final",
            "1.2.3-1",
            "1.2.3-rc1",
            "1.2-RC.10",
            "1.2.3-beta-2",
            "1.2.3-rc",
            "1.21rc3",
            "1.2.3-rc1-alpine",
            "1.2.3-dev-7e3a1b2",
            "1.2.3-preview",
            "1.2.3-rc1a",
            "latest",
            "v",
            "vault",
            "7e3a1b2",
            "1.2.3.4",
            "1.2.",
            "1.2-",
            "99999999999999999999",
            "1.99999999999999999999",
        ];
        insta::assert_snapshot!(tags.map(told).join("\n"), @r#"
1: 1.0.0
1.2: 1.2.0
v1.2: 1.2.0
V1.2.3: 1.2.3
22.04: 22.4.0
20240115: 20240115.0.0
1.2.3-alpine: 1.2.3, a variant of 1.2.3
1.2-slim-bookworm: 1.2.0, a variant of 1.2
1.2.3_build5: 1.2.3, a variant of 1.2.3
17.0.1.Final: 17.0.1, a variant of 17.0.1
1.2.3-1: 1.2.3, a variant of 1.2.3
1.2.3-rc1: 1.2.3-rc.1
1.2-RC.10: 1.2.0-rc.10
1.2.3-beta-2: 1.2.3-beta.2
1.2.3-rc: 1.2.3-rc
1.21rc3: 1.21.0-rc.3
1.2.3-rc1-alpine: 1.2.3-rc.1, a variant of 1.2.3-rc1
1.2.3-dev-7e3a1b2: 1.2.3-dev, a variant of 1.2.3-dev
1.2.3-preview: 1.2.3, a variant of 1.2.3
1.2.3-rc1a: 1.2.3, a variant of 1.2.3
latest: no version
v: no version
vault: no version
7e3a1b2: no version
1.2.3.4: no version
1.2.: no version
1.2-: no version
99999999999999999999: no version
1.99999999999999999999: no version
"#);
    }
}
