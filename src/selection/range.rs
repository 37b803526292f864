//! Ranges of versions.

use std::fmt;
use std::str::FromStr;

use semver::{Comparator, Op, Prerelease, Version, VersionReq};

use super::SelectionError;
use super::version::{number, prerelease};

/// A range of versions: `>=1.13 <2`, `^1.2 || ~2.0.3`.
///
/// Spaces or commas mean and, `||` means or. The comparisons are `=`, `>`, `>=`, `<`, `<=`, `~` and
/// `^`. A version may be shorter than three numbers and may begin with `v`: `=1.2` and `1.2` alone
/// mean all of 1.2, as `1.2.x` and `1.2.*` do. Pre-releases are in the range only where a
/// comparison names one of the same version: `>=2.0.0-rc1` holds `2.0.0-rc2`, not `2.1.0-rc1`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct VersionRange {
    text: String,
    alternatives: Vec<VersionReq>,
}

impl VersionRange {
    pub(super) fn contains(&self, version: &Version) -> bool {
        self.alternatives
            .iter()
            .any(|alternative| alternative.matches(version))
    }
}

impl FromStr for VersionRange {
    type Err = SelectionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = |Wrong { reason, hint }| SelectionError::Range {
            range: text.to_owned(),
            reason,
            hint,
        };
        let alternatives: Result<_, _> = text.split("||").map(comparisons).collect();
        Ok(Self {
            text: text.to_owned(),
            alternatives: alternatives.map_err(fail)?,
        })
    }
}

impl fmt::Display for VersionRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

struct Wrong {
    reason: String,
    hint: Option<String>,
}

impl Wrong {
    fn new(reason: String) -> Self {
        Self { reason, hint: None }
    }

    fn with_hint(reason: String, hint: &str) -> Self {
        Self {
            hint: Some(hint.to_owned()),
            ..Self::new(reason)
        }
    }
}

/// All comparisons of one alternative.
fn comparisons(text: &str) -> Result<VersionReq, Wrong> {
    let separates = |c: char| c.is_whitespace() || c == ',';
    let mut rest = text.trim_matches(separates);
    if rest.is_empty() {
        return Err(Wrong::with_hint(
            "a comparison is missing".to_owned(),
            "write it as `>=1.13 <2`",
        ));
    }
    let mut comparators = Vec::new();
    while !rest.is_empty() {
        let end = rest.find(|c: char| !"=<>~^!".contains(c));
        let (op, after) = rest.split_at(end.unwrap_or(rest.len()));
        let after = after.trim_start();
        let end = after.find(|c: char| separates(c) || "=<>~^!".contains(c));
        let (version, after) = after.split_at(end.unwrap_or(after.len()));
        comparators.extend(comparator(op, version)?);
        rest = after.trim_start_matches(separates);
    }
    Ok(VersionReq { comparators })
}

/// One comparison; none for `*`, which every version passes.
fn comparator(op: &str, version: &str) -> Result<Option<Comparator>, Wrong> {
    let op = match op {
        "" | "=" => Op::Exact,
        ">" => Op::Greater,
        ">=" => Op::GreaterEq,
        "<" => Op::Less,
        "<=" => Op::LessEq,
        "~" => Op::Tilde,
        "^" => Op::Caret,
        "!=" => {
            let hint = "name under `exclude` what is not wanted";
            return Err(Wrong::with_hint("`!=` is no comparison".to_owned(), hint));
        }
        other => {
            let hint = "the comparisons are `=`, `>`, `>=`, `<`, `<=`, `~` and `^`";
            let reason = format!("`{other}` is no comparison");
            return Err(Wrong::with_hint(reason, hint));
        }
    };
    if version == "-" {
        let hint = "write a range from 1.2 to 1.4 as `>=1.2 <=1.4`";
        return Err(Wrong::with_hint("`-` is no comparison".to_owned(), hint));
    }
    if version.is_empty() {
        return Err(Wrong::new("a comparison has no version".to_owned()));
    }
    if op == Op::Exact && matches!(version, "*" | "x" | "X") {
        return Ok(None);
    }
    let not_a_version = || Wrong::new(format!("`{version}` is not a version"));
    let text = version.strip_prefix(['v', 'V']).unwrap_or(version);
    let (numbers, rest) = numbers(text).ok_or_else(not_a_version)?;
    let [Some(major), mut minor, mut patch] = numbers else {
        return Err(not_a_version());
    };
    let mut pre = Prerelease::EMPTY;
    if !rest.is_empty() {
        let suffix = rest.strip_prefix('-').unwrap_or(rest);
        let Some((found, "")) = prerelease(suffix) else {
            if rest.starts_with('-') {
                let reason = format!("`{rest}` is a variant, which no range compares");
                let hint = format!("ask for the variants by a pattern: `include: [\"*{rest}\"]`");
                return Err(Wrong::with_hint(reason, &hint));
            }
            return Err(not_a_version());
        };
        pre = found;
        minor = minor.or(Some(0));
        patch = patch.or(Some(0));
    }
    Ok(Some(Comparator {
        op,
        major,
        minor,
        patch,
        pre,
    }))
}

/// One to three numbers, of which the last may be wildcards, and what follows them.
fn numbers(text: &str) -> Option<([Option<u64>; 3], &str)> {
    let mut numbers = [None; 3];
    let (major, mut rest) = number(text)?;
    numbers[0] = Some(major);
    let mut is_wild = false;
    for slot in &mut numbers[1..] {
        let Some(part) = rest.strip_prefix('.') else {
            break;
        };
        if let Some(after) = part.strip_prefix(['*', 'x', 'X']) {
            is_wild = true;
            rest = after;
        } else if is_wild {
            return None;
        } else {
            let (number, after) = number(part)?;
            *slot = Some(number);
            rest = after;
        }
    }
    (!is_wild || rest.is_empty()).then_some((numbers, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::version::TagVersion;
    use super::*;
    use crate::failure::Failure as _;

    #[test]
    fn holds_what_people_expect() {
        let tags = [
            "1",
            "1.2",
            "v1.2.9",
            "1.13",
            "1.13.4",
            "1.14-rc1",
            "1.14.0-rc2",
            "1.14.0",
            "1.15.0-rc1",
            "2.0.0-rc1",
            "2",
            "2.0.3",
            "2.1",
            "22.04",
        ];
        let told = |text: &str| {
            let range: VersionRange = text.parse().unwrap();
            let inside = |tag: &&str| range.contains(&TagVersion::of(tag).unwrap().version);
            let inside: Vec<&str> = tags.into_iter().filter(inside).collect();
            format!("{text}: {}", inside.join(" "))
        };
        let ranges = [
            ">=1.13 <2",
            ">= v1.13, < 2.0",
            ">=1.13<2",
            "1.13",
            "=1.13.0",
            "1.x",
            "1.13.*",
            "*",
            "^1.2",
            "~1.13",
            "~2.0.1 || 1.2",
            ">1.13",
            "<=1.13",
            "<=1",
            ">=1.14.0-rc1 <2",
            ">=1.14-rc2",
            ">=22.04",
        ];
        insta::assert_snapshot!(ranges.map(told).join("\n"), @r#"
>=1.13 <2: 1.13 1.13.4 1.14.0
>= v1.13, < 2.0: 1.13 1.13.4 1.14.0
>=1.13<2: 1.13 1.13.4 1.14.0
1.13: 1.13 1.13.4
=1.13.0: 1.13
1.x: 1 1.2 v1.2.9 1.13 1.13.4 1.14.0
1.13.*: 1.13 1.13.4
*: 1 1.2 v1.2.9 1.13 1.13.4 1.14.0 2 2.0.3 2.1 22.04
^1.2: 1.2 v1.2.9 1.13 1.13.4 1.14.0
~1.13: 1.13 1.13.4
~2.0.1 || 1.2: 1.2 v1.2.9 2.0.3
>1.13: 1.14.0 2 2.0.3 2.1 22.04
<=1.13: 1 1.2 v1.2.9 1.13 1.13.4
<=1: 1 1.2 v1.2.9 1.13 1.13.4 1.14.0
>=1.14.0-rc1 <2: 1.14-rc1 1.14.0-rc2 1.14.0
>=1.14-rc2: 1.14.0-rc2 1.14.0 2 2.0.3 2.1 22.04
>=22.04: 22.04
"#);
    }

    #[test]
    fn says_what_is_wrong() {
        let told = |text: &str| {
            let error = text.parse::<VersionRange>().unwrap_err();
            match error.hint() {
                Some(hint) => format!("{error}\n  {hint}"),
                None => error.to_string(),
            }
        };
        let texts = [
            "",
            " , ",
            "1 ||",
            ">=",
            "latest",
            ">=1.2 - 2",
            "!=1.3",
            "=>1",
            "1.2.3.4",
            "1.*.3",
            "1.x-rc1",
            ">=1.2-alpine",
            "1.2+build",
            "99999999999999999999",
        ];
        insta::assert_snapshot!(texts.map(told).join("\n"), @r#"
`` is not a range of versions: a comparison is missing
  write it as `>=1.13 <2`
` , ` is not a range of versions: a comparison is missing
  write it as `>=1.13 <2`
`1 ||` is not a range of versions: a comparison is missing
  write it as `>=1.13 <2`
`>=` is not a range of versions: a comparison has no version
`latest` is not a range of versions: `latest` is not a version
`>=1.2 - 2` is not a range of versions: `-` is no comparison
  write a range from 1.2 to 1.4 as `>=1.2 <=1.4`
`!=1.3` is not a range of versions: `!=` is no comparison
  name under `exclude` what is not wanted
`=>1` is not a range of versions: `=>` is no comparison
  the comparisons are `=`, `>`, `>=`, `<`, `<=`, `~` and `^`
`1.2.3.4` is not a range of versions: `1.2.3.4` is not a version
`1.*.3` is not a range of versions: `1.*.3` is not a version
`1.x-rc1` is not a range of versions: `1.x-rc1` is not a version
`>=1.2-alpine` is not a range of versions: `-alpine` is a variant, which no range compares
  ask for the variants by a pattern: `include: ["*-alpine"]`
`1.2+build` is not a range of versions: `1.2+build` is not a version
`99999999999999999999` is not a range of versions: `99999999999999999999` is not a version
"#);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".*") {
            let _ = text.parse::<VersionRange>();
        }

        #[test]
        fn no_nearly_sound_text_panics(text in "[<>=~^!|, 01.*xv-]{0,12}(rc1)?") {
            let _ = text.parse::<VersionRange>();
        }

        #[test]
        fn a_version_is_in_its_own_range(text in "v?[0-9]{1,3}(\\.[0-9]{1,3}){0,2}(-rc[0-9])?") {
            let range: VersionRange = text.parse().unwrap();
            prop_assert!(range.contains(&TagVersion::of(&text).unwrap().version));
        }
    }
}
