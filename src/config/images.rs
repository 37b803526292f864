//! `images`: what goes where.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::check::Checker;
use super::mistakes::{Located, Place};
use super::options::Options;
use super::specification::{ImageSpecification, Platforms};
use super::written;
use crate::image::{Reference, Repository, Tag};

/// How long ECR's repository names are: botocore's `CreateRepository`.
const NAME_LENGTH: std::ops::RangeInclusive<usize> = 2..=256;

const NO_PATTERNS: &str = "name each tag; patterns are not accepted in this version";

pub(super) fn check(
    written: Vec<written::Image>,
    defaults: written::Options,
    namespace: Option<&Repository>,
    checker: &mut Checker<'_>,
) -> Vec<ImageSpecification> {
    let defaults = Options::check(defaults, checker);
    let mut images = Vec::new();
    let mut taken = HashMap::new();
    for written in written {
        let place = written.place.clone();
        for image in self::image(written, &defaults, namespace, checker) {
            let destination = (image.repository.clone(), image.tag.clone());
            match taken.entry(destination) {
                Entry::Vacant(free) => {
                    free.insert((image.source.clone(), place.clone()));
                }
                Entry::Occupied(taken) => {
                    let (source, other) = taken.get();
                    let message = format!(
                        "`{}:{}` would be written twice: from {} and from {}",
                        image.repository,
                        image.tag,
                        origin(source, other),
                        origin(&image.source, &place)
                    );
                    let hint = if *source == image.source {
                        "leave one of them out"
                    } else {
                        "give one of them a `repository` of its own"
                    };
                    checker.mistakes.add(&place, message, hint.to_owned());
                }
            }
            images.push(image);
        }
    }
    images
}

fn origin(source: &Reference, place: &Place) -> String {
    format!(
        "`{}` ({}, line {})",
        source.familiar(),
        place.path,
        place.line()
    )
}

/// One entry of the list: one image per tag.
fn image(
    written: written::Image,
    defaults: &Options,
    namespace: Option<&Repository>,
    checker: &mut Checker<'_>,
) -> Vec<ImageSpecification> {
    let options = Options::check(written.options, checker).or(defaults);
    let runs = options.try_template(checker);
    let Some(written_source) = &written.source else {
        return Vec::new();
    };
    let renamed = written
        .repository
        .as_ref()
        .map(|text| destination(text, checker));
    let renames_tag = matches!(renamed, Some(Some((_, Some(_)))));
    let sources = sources(
        written_source,
        written.tags.as_deref(),
        renames_tag,
        checker,
    );
    let (Some(sources), None | Some(Some(_))) = (sources, &renamed) else {
        return Vec::new();
    };
    if renames_tag && sources.len() > 1 {
        let message = format!("this names one tag, but the image has {}", sources.len());
        let hint = "leave the tag out here, or write an entry for each tag".to_owned();
        let place = written
            .repository
            .as_ref()
            .map_or(&written.place, |text| &text.place);
        checker.mistakes.add(place, message, hint);
        return Vec::new();
    }
    let (repository, tag) = match renamed.flatten() {
        Some((repository, tag)) => (Some(repository), tag),
        None => (None, None),
    };
    let place = written.repository.as_ref().unwrap_or(written_source);
    let mut images = Vec::new();
    for source in sources {
        let repository = repository
            .clone()
            .unwrap_or_else(|| source.familiar_repository());
        let Some(repository) = below(&repository, namespace, &place.place, checker) else {
            break;
        };
        let platforms = match &options.platforms {
            Some(platforms) => platforms.clone(),
            None if runs => Platforms::Daemon,
            None => Platforms::All,
        };
        images.push(ImageSpecification {
            line: written.place.line(),
            tag: tag
                .clone()
                .or_else(|| source.tag.clone())
                .unwrap_or_else(Tag::latest),
            source,
            repository,
            platforms,
            lines: options.lines.clone().unwrap_or_default(),
            template: options.template.clone().unwrap_or_default(),
            args: options.args.clone().unwrap_or_default(),
        });
    }
    images
}

/// The upstream images of an entry. A tag is there unless the destination has its own.
fn sources(
    source: &Located<String>,
    tags: Option<&[Located<String>]>,
    has_tag: bool,
    checker: &mut Checker<'_>,
) -> Option<Vec<Reference>> {
    if is_pattern(&source.value) && source.value.parse::<Reference>().is_err() {
        let message = format!("`{}` is a pattern", source.value);
        checker
            .mistakes
            .add(&source.place, message, NO_PATTERNS.to_owned());
        return None;
    }
    let reference: Reference = checker.parse(source)?;
    let Some(tags) = tags else {
        return match (&reference.tag, &reference.digest) {
            (None, None) => Some(vec![reference.by_tag(Tag::latest())]),
            (None, Some(digest)) if !has_tag => {
                let message = "a digest alone says nothing about the tag in ECR";
                let hint = format!("write `{}:TAG@{digest}`", familiar_name(&reference));
                checker.mistakes.add(&source.place, message, hint);
                None
            }
            _ => Some(vec![reference]),
        };
    };
    if reference.tag.is_some() || reference.digest.is_some() {
        let message = format!("`{}` and `tags` both name what to take", source.value);
        let hint = format!("write `source: {}`", familiar_name(&reference));
        checker.mistakes.add(&source.place, message, hint);
        return None;
    }
    let pinned = |text| {
        self::tag(text, checker).map(|(tag, digest)| Reference {
            tag: Some(tag),
            digest,
            ..reference.clone()
        })
    };
    Some(tags.iter().filter_map(pinned).collect())
}

/// A tag: `7.2`, or `7.2@sha256:...`.
fn tag(
    text: &Located<String>,
    checker: &mut Checker<'_>,
) -> Option<(Tag, Option<crate::image::Digest>)> {
    let (tag, digest) = match text.value.split_once('@') {
        Some((tag, digest)) => (tag, Some(digest)),
        None => (text.value.as_str(), None),
    };
    let part = |value: &str| Located {
        value: value.to_owned(),
        place: text.place.clone(),
    };
    if is_pattern(tag) {
        let message = format!("`{tag}` is a pattern");
        checker
            .mistakes
            .add(&text.place, message, NO_PATTERNS.to_owned());
        return None;
    }
    if tag.is_empty() || tag.starts_with("sha256:") {
        let message = "a digest alone says nothing about the tag in ECR";
        let hint = "write `TAG@sha256:...`".to_owned();
        checker.mistakes.add(&text.place, message, hint);
        return None;
    }
    let tag = checker.parse(&part(tag))?;
    match digest {
        Some(digest) => Some((tag, Some(checker.parse(&part(digest))?))),
        None => Some((tag, None)),
    }
}

/// `NAME` or `NAME:TAG`.
fn destination(
    text: &Located<String>,
    checker: &mut Checker<'_>,
) -> Option<(Repository, Option<Tag>)> {
    let part = |value: &str| Located {
        value: value.to_owned(),
        place: text.place.clone(),
    };
    if text.value.contains(".dkr.ecr") || text.value.contains(".dkr-ecr") {
        let message = "a repository is named without its registry";
        let hint = "`destination` says which registry it is".to_owned();
        checker.mistakes.add(&text.place, message, hint);
        return None;
    }
    match text.value.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') && !name.contains('@') => {
            let name = checker.parse(&part(name))?;
            Some((name, Some(checker.parse(&part(tag))?)))
        }
        _ => Some((checker.parse(text)?, None)),
    }
}

fn below(
    repository: &Repository,
    namespace: Option<&Repository>,
    place: &Place,
    checker: &mut Checker<'_>,
) -> Option<Repository> {
    let repository = match namespace {
        Some(namespace) => repository.below(namespace),
        None => repository.clone(),
    };
    let length = repository.as_str().len();
    if NAME_LENGTH.contains(&length) {
        return Some(repository);
    }
    let (shortest, longest) = (NAME_LENGTH.start(), NAME_LENGTH.end());
    let wrong = if length < *shortest { "short" } else { "long" };
    let message = format!(
        "`{repository}` is too {wrong}: a repository of ECR has {shortest} to {longest} characters"
    );
    let hint = "name another with `repository`".to_owned();
    checker.mistakes.add(place, message, hint);
    None
}

fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '{', '}', '[', ']'])
}

/// The repository as Docker users write it, with its registry where that is not Docker Hub.
fn familiar_name(reference: &Reference) -> String {
    let bare = Reference {
        tag: None,
        digest: None,
        ..reference.clone()
    };
    bare.familiar()
}
