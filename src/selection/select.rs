//! The selection of tags.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;

use super::order::Age;
use super::version::TagVersion;
use super::{TagPattern, VersionRange};
use crate::image::Tag;

/// Which tags of a repository are wanted.
///
/// A literal is wanted whatever the repository has, and neither `semver` nor `newest` judges it;
/// `exclude` does. Of what the patterns match, the other rules keep a part, in the order of the
/// fields.
#[derive(Clone, Debug, Default)]
pub struct TagSelection {
    /// Tags by name.
    pub literals: Vec<Tag>,
    /// What matches any of these.
    pub patterns: Vec<TagPattern>,
    /// Keeps the tags that name a version in this range: an optional `v`, one to three numbers, those
    /// that are missing count as 0. `latest` and `php8.2` name none.
    ///
    /// A suffix that is `alpha`, `beta`, `dev`, `pre` or `rc`, with or without a number, makes a
    /// pre-release. Any other suffix makes a variant: `1.2.3-alpine`. Variants are dropped, as they are
    /// not what a range of plain versions asks for, unless a pattern asks for them: one that matches
    /// the tag and would not match it without its suffix. So `*-alpine` with `>=1.13` gives the Alpine
    /// variants in the range, and `1.*` gives none.
    pub semver: Option<VersionRange>,
    /// Drops what matches any of these.
    pub exclude: Vec<TagPattern>,
    /// Keeps that many of the newest: by version where tags name one, before all that name none;
    /// those by name, whose numbers count as numbers. What is equal so far goes by name, too.
    pub newest: Option<NonZeroUsize>,
}

/// The tags that are wanted, and how they were found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Selected {
    /// Without repetition: literals in the order they were written, then the others, the oldest
    /// first.
    pub tags: Vec<Tag>,
    /// How many tags were left after each rule that the selection has, literals included.
    pub steps: Vec<StepCount>,
}

/// How many tags one rule left.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct StepCount {
    /// The rule as the file names it: `include`, `semver`, `exclude`, `newest`; `arguments` where the
    /// command line narrows them further.
    pub name: &'static str,
    /// How many tags were left.
    pub kept: usize,
}

impl TagSelection {
    /// Whether all tags are known by name, so that nobody needs to list the repository.
    pub fn is_literal(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Picks from the tags that the repository has.
    pub fn select(&self, available: &[Tag]) -> Selected {
        let mut literals: Vec<&Tag> = Vec::new();
        for literal in &self.literals {
            if !literals.contains(&literal) {
                literals.push(literal);
            }
        }
        let matches = |tag: &&Tag| self.includes(tag) && !self.literals.contains(tag);
        let others: BTreeSet<&Tag> = available.iter().filter(matches).collect();
        let mut others: Vec<&Tag> = others.into_iter().collect();
        others.sort_by_cached_key(|tag| Age::of(tag));

        let mut steps = Vec::new();
        let mut count = |name, literals: &[&Tag], others: &[&Tag]| {
            let kept = literals.len() + others.len();
            steps.push(StepCount { name, kept });
        };
        count("include", &literals, &others);
        if let Some(range) = &self.semver {
            others.retain(|tag| self.is_in(range, tag));
            count("semver", &literals, &others);
        }
        if !self.exclude.is_empty() {
            literals.retain(|tag| !self.excludes(tag));
            others.retain(|tag| !self.excludes(tag));
            count("exclude", &literals, &others);
        }
        if let Some(newest) = self.newest {
            others.drain(..others.len().saturating_sub(newest.get()));
            count("newest", &literals, &others);
        }
        literals.append(&mut others);
        Selected {
            tags: literals.into_iter().cloned().collect(),
            steps,
        }
    }

    /// Whether a tag that the repository has could be selected. `newest` also depends on the others.
    pub fn may_select(&self, tag: &Tag) -> bool {
        let judged = || {
            let range = self.semver.as_ref();
            self.includes(tag) && range.is_none_or(|range| self.is_in(range, tag))
        };
        !self.excludes(tag) && (self.literals.contains(tag) || judged())
    }

    fn includes(&self, tag: &Tag) -> bool {
        self.patterns.iter().any(|pattern| pattern.matches(tag))
    }

    /// Whether a rule to leave out matches the tag.
    pub fn excludes(&self, tag: &Tag) -> bool {
        self.exclude.iter().any(|pattern| pattern.matches(tag))
    }

    fn is_in(&self, range: &VersionRange, tag: &Tag) -> bool {
        let Some(found) = TagVersion::of(tag.as_str()) else {
            return false;
        };
        let asks = |pattern: &TagPattern| pattern.matches(tag) && !pattern.accepts(found.stem);
        range.contains(&found.version) && (!found.is_variant || self.patterns.iter().any(asks))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tags(names: &str) -> Vec<Tag> {
        names
            .split_whitespace()
            .map(|name| name.parse().unwrap())
            .collect()
    }

    fn patterns(texts: &[&str]) -> Vec<TagPattern> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn told(selection: &TagSelection, available: &str) -> String {
        let Selected { tags, steps } = selection.select(&tags(available));
        let steps: Vec<String> = steps
            .iter()
            .map(|step| format!("{} {}", step.name, step.kept))
            .collect();
        let tags: Vec<&str> = tags.iter().map(Tag::as_str).collect();
        format!("{}: {}", steps.join(", "), tags.join(" "))
    }

    const AVAILABLE: &str = "1.10 1.12.9 1.13 1.13.1 1.13.1-alpine 1.13.1-slim 1.14.0-rc1 1.14.0-rc1-alpine \
        1.14.0 1.14.0-alpine 1.14.0-alpine3.20 1.9 2.0.0-rc1 2.0.0 2.0.0-alpine latest alpine stable 1.13.1";

    #[test]
    fn every_rule_keeps_a_part() {
        let all = TagSelection {
            patterns: vec![TagPattern::any()],
            ..TagSelection::default()
        };
        let range = TagSelection {
            semver: Some(">=1.13 <2".parse().unwrap()),
            ..all.clone()
        };
        let variants = TagSelection {
            patterns: patterns(&["*-alpine", "1.1*"]),
            ..range.clone()
        };
        let everything = TagSelection {
            literals: tags("latest 1.9 gone latest"),
            exclude: patterns(&["*.0"]),
            newest: NonZeroUsize::new(1),
            ..range.clone()
        };
        let candidates = TagSelection {
            semver: Some(">=1.14.0-rc1".parse().unwrap()),
            ..all.clone()
        };
        let newest = TagSelection {
            newest: NonZeroUsize::new(5),
            ..all.clone()
        };
        let literal = TagSelection {
            literals: tags("7.2 latest"),
            ..TagSelection::default()
        };
        assert!(literal.is_literal() && !everything.is_literal());
        let cases = [
            all, range, variants, everything, candidates, newest, literal,
        ];
        let told = cases.map(|selection| told(&selection, AVAILABLE));
        insta::assert_snapshot!(told.join("\n"), @r#"
include 18: alpine latest stable 1.9 1.10 1.12.9 1.13 1.13.1-alpine 1.13.1-slim 1.13.1 1.14.0-rc1-alpine 1.14.0-rc1 1.14.0-alpine 1.14.0-alpine3.20 1.14.0 2.0.0-rc1 2.0.0-alpine 2.0.0
include 18, semver 3: 1.13 1.13.1 1.14.0
include 12, semver 5: 1.13 1.13.1-alpine 1.13.1 1.14.0-alpine 1.14.0
include 19, semver 6, exclude 5, newest 4: latest 1.9 gone 1.13.1
include 18, semver 3: 1.14.0-rc1 1.14.0 2.0.0
include 18, newest 5: 1.14.0-alpine3.20 1.14.0 2.0.0-rc1 2.0.0-alpine 2.0.0
include 2: 7.2 latest
"#);
    }

    prop_compose! {
        fn any_tags()(names in prop::collection::vec("v?[0-2a](\\.[0-2]){0,2}(-(rc[01]|alpine))?", 0..12))
            -> Vec<Tag>
        {
            names.iter().map(|name| name.parse().unwrap()).collect()
        }
    }

    prop_compose! {
        fn any_selection()(
            literals in any_tags(),
            texts in prop::collection::vec("[v012.*?-]{1,4}", 0..3),
            semver in prop::option::of(prop::sample::select(vec![">=1", "<2 || 2.1", "~1.1", ">=1.0-rc1"])),
            newest in 0_usize..4,
        ) -> TagSelection {
            TagSelection {
                literals,
                patterns: texts.iter().map(|text| text.parse().unwrap()).collect(),
                semver: semver.map(|text| text.parse().unwrap()),
                exclude: Vec::new(),
                newest: NonZeroUsize::new(newest),
            }
        }
    }

    proptest! {
        #[test]
        fn literals_select_themselves(selection in any_selection(), available in any_tags()) {
            let selected = selection.select(&available).tags;
            prop_assert!(selection.literals.iter().all(|tag| selected.contains(tag)));
        }

        #[test]
        fn nothing_else_is_selected(selection in any_selection(), available in any_tags()) {
            for tag in selection.select(&available).tags {
                prop_assert!(selection.may_select(&tag));
                prop_assert!(available.contains(&tag) || selection.literals.contains(&tag));
            }
        }

        #[test]
        fn exclude_only_removes(
            mut selection in any_selection(),
            available in any_tags(),
            text in "[v012.*?-]{1,4}",
        ) {
            selection.newest = None;
            let mut expected = selection.select(&available).tags;
            selection.exclude = patterns(&[&text]);
            expected.retain(|tag| !selection.excludes(tag));
            prop_assert_eq!(selection.select(&available).tags, expected);
        }

        #[test]
        fn no_step_adds_and_the_last_counts_the_result(
            selection in any_selection(),
            available in any_tags(),
        ) {
            let Selected { tags, steps } = selection.select(&available);
            prop_assert!(steps.is_sorted_by(|one, next| one.kept >= next.kept));
            prop_assert_eq!(steps.last().unwrap().kept, tags.len());
        }

        #[test]
        fn the_order_of_the_listing_does_not_matter(
            selection in any_selection(),
            available in any_tags(),
        ) {
            let reversed: Vec<Tag> = available.iter().rev().cloned().collect();
            prop_assert_eq!(selection.select(&available), selection.select(&reversed));
        }
    }
}
