//! `tags`: what an entry takes of its source.

use std::num::NonZeroUsize;
use std::str::FromStr;

use super::check::Checker;
use super::mistakes::{Located, Place};
use super::written;
use crate::failure::Failure as _;
use crate::image::{Digest, Tag};
use crate::selection::{SelectionError, TagPattern, TagSelection};

/// Tags by name, each perhaps with the digest that it is pinned to, and what selects the others.
#[derive(Debug, Default)]
pub(super) struct Tags {
    pub(super) named: Vec<(Tag, Option<Digest>)>,
    pub(super) selection: TagSelection,
}

impl Tags {
    pub(super) fn check(written: written::Tags, checker: &mut Checker<'_>) -> Self {
        let mut tags = Self::default();
        match written {
            written::Tags::List(list) => tags.include(&list, checker),
            written::Tags::Rules(rules) => tags.rules(*rules, checker),
        }
        let named = tags.named.iter().map(|(tag, _)| tag.clone());
        tags.selection.literals = named.collect();
        tags
    }

    fn include(&mut self, list: &[Located<String>], checker: &mut Checker<'_>) {
        for text in list {
            if TagPattern::is_meant(&text.value) {
                self.selection.patterns.extend(pattern(text, checker));
            } else {
                self.named.extend(tag(text, checker));
            }
        }
    }

    fn rules(&mut self, rules: Located<written::TagRules>, checker: &mut Checker<'_>) {
        let Located { value, place } = rules;
        let mut has_patterns = true;
        match &value.include {
            Some(list) if list.value.is_empty() => {
                let hint = "leave the key out for all tags";
                checker
                    .mistakes
                    .add(&list.place, "the list is empty", hint.to_owned());
            }
            Some(list) => {
                self.include(&list.value, checker);
                let mut texts = list.value.iter();
                has_patterns = texts.any(|text| TagPattern::is_meant(&text.value));
            }
            None => self.selection.patterns.push(TagPattern::any()),
        }
        if !has_patterns
            && (value.semver.is_some() || value.exclude.is_some() || value.newest.is_some())
        {
            let message = "there is nothing to choose from: `include` names each tag";
            let hint = "leave the other keys out, or add a pattern such as `\"*\"` to `include`";
            checker.mistakes.add(&place, message, hint.to_owned());
            return;
        }
        self.selection.semver = value.semver.and_then(|text| parse(&text, checker));
        self.selection.newest = value.newest.and_then(|text| number(&text, checker));
        if let Some(list) = value.exclude {
            self.exclude(&list, checker);
        }
    }

    fn exclude(&mut self, list: &Located<Vec<Located<String>>>, checker: &mut Checker<'_>) {
        if list.value.is_empty() {
            let hint = "leave the key out to drop nothing".to_owned();
            checker.mistakes.add(&list.place, "the list is empty", hint);
        }
        for text in &list.value {
            let Some(pattern) = parse::<TagPattern>(text, checker) else {
                continue;
            };
            if let Some((tag, _)) = self.named.iter().find(|(tag, _)| pattern.matches(tag)) {
                let message = format!("`{pattern}` drops `{tag}`, which `include` names");
                let hint = "leave one of them out".to_owned();
                checker.mistakes.add(&text.place, message, hint);
            }
            self.selection.exclude.push(pattern);
        }
    }
}

/// A pattern, which no digest can pin.
fn pattern(text: &Located<String>, checker: &mut Checker<'_>) -> Option<TagPattern> {
    if let Some((pattern, _)) = text.value.split_once('@') {
        let message = format!("`{pattern}` is a pattern, and a digest pins one tag");
        let hint = "leave the digest out, or name the tag".to_owned();
        checker.mistakes.add(&text.place, message, hint);
        return None;
    }
    parse(text, checker)
}

/// A tag: `7.2`, or `7.2@sha256:...`.
fn tag(text: &Located<String>, checker: &mut Checker<'_>) -> Option<(Tag, Option<Digest>)> {
    let (tag, digest) = match text.value.split_once('@') {
        Some((tag, digest)) => (tag, Some(digest)),
        None => (text.value.as_str(), None),
    };
    if tag.is_empty() || tag.starts_with("sha256:") {
        let message = "a digest alone says nothing about the tag at the destination";
        let hint = "write `TAG@sha256:...`".to_owned();
        checker.mistakes.add(&text.place, message, hint);
        return None;
    }
    if tag.starts_with(['<', '>', '=', '~', '^']) {
        let message = format!("`{tag}` is not a tag");
        let hint = format!("write a range of versions as `tags: {{semver: \"{tag}\"}}`");
        checker.mistakes.add(&text.place, message, hint);
        return None;
    }
    let tag = checker.parse(&part(tag, &text.place))?;
    match digest {
        Some(digest) => Some((tag, Some(checker.parse(&part(digest, &text.place))?))),
        None => Some((tag, None)),
    }
}

fn part(value: &str, place: &Place) -> Located<String> {
    Located {
        value: value.to_owned(),
        place: place.clone(),
    }
}

fn number(text: &Located<String>, checker: &mut Checker<'_>) -> Option<NonZeroUsize> {
    let number = text.value.parse().ok();
    if number.is_none() {
        let message = format!("`{}` is not a number of tags", text.value);
        let hint = "write a whole number from 1 on, such as `5`".to_owned();
        checker.mistakes.add(&text.place, message, hint);
    }
    number
}

/// Parses what selects tags. Its error knows a hint.
fn parse<T: FromStr<Err = SelectionError>>(
    text: &Located<String>,
    checker: &mut Checker<'_>,
) -> Option<T> {
    match text.value.parse() {
        Ok(value) => Some(value),
        Err(error) => {
            let error: SelectionError = error;
            checker
                .mistakes
                .add(&text.place, error.to_string(), error.hint());
            None
        }
    }
}
