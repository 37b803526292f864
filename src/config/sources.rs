//! `source` and `tags`: the upstream images of an entry.

use super::check::Checker;
use super::mistakes::Located;
use super::tags::Tags;
use super::written;
use crate::image::{Reference, Tag};
use crate::selection::{TagPattern, TagSelection};

/// The upstream images of an entry.
pub(super) struct Sources {
    /// Those that are known by name. A tag is there unless the destination has its own.
    pub(super) named: Vec<Reference>,
    /// The repository whose tags must be listed to know the others, and which those are.
    pub(super) listed: Option<(Reference, TagSelection)>,
}

impl Sources {
    /// `has_tag` says that the destination has a tag of its own.
    pub(super) fn check(
        source: &Located<String>,
        tags: Option<written::Tags>,
        has_tag: bool,
        checker: &mut Checker<'_>,
    ) -> Option<Self> {
        if TagPattern::is_meant(&source.value) && source.value.parse::<Reference>().is_err() {
            let message = format!("`{}` is a pattern", source.value);
            let hint = instead_of_pattern(source);
            checker.mistakes.add(&source.place, message, hint);
            return None;
        }
        let reference: Reference = checker.parse(source)?;
        match tags {
            Some(tags) => Self::tagged(source, &reference, tags, checker),
            None => Self::single(source, reference, has_tag, checker),
        }
    }

    fn single(
        source: &Located<String>,
        reference: Reference,
        has_tag: bool,
        checker: &mut Checker<'_>,
    ) -> Option<Self> {
        let reference = match (&reference.tag, &reference.digest) {
            (None, None) => reference.by_tag(Tag::latest()),
            (None, Some(digest)) if !has_tag => {
                let message = "a digest alone says nothing about the tag in ECR";
                let hint = format!("write `{}:TAG@{digest}`", bare(&reference).familiar());
                checker.mistakes.add(&source.place, message, hint);
                return None;
            }
            _ => reference,
        };
        Some(Self {
            named: vec![reference],
            listed: None,
        })
    }

    fn tagged(
        source: &Located<String>,
        reference: &Reference,
        tags: written::Tags,
        checker: &mut Checker<'_>,
    ) -> Option<Self> {
        let bare = bare(reference);
        if *reference != bare {
            let message = format!("`{}` and `tags` both name what to take", source.value);
            let hint = format!("write `source: {}`", bare.familiar());
            checker.mistakes.add(&source.place, message, hint);
            return None;
        }
        let Tags { named, selection } = Tags::check(tags, checker);
        let named = named.into_iter().map(|(tag, digest)| Reference {
            digest,
            ..bare.by_tag(tag)
        });
        Some(Self {
            named: named.collect(),
            listed: (!selection.is_literal()).then_some((bare, selection)),
        })
    }
}

/// What to write where a pattern stands in `source`.
fn instead_of_pattern(source: &Located<String>) -> String {
    if source.place.position.is_none() {
        return "name one tag; patterns stand in a file, under `tags`".to_owned();
    }
    match source.value.rsplit_once(':') {
        Some((name, tag)) if name.parse::<Reference>().is_ok() => {
            format!("write `source: {name}` and `tags: [\"{tag}\"]`")
        }
        _ => "patterns choose tags, and stand under `tags`; name each repository".to_owned(),
    }
}

fn bare(reference: &Reference) -> Reference {
    Reference {
        tag: None,
        digest: None,
        ..reference.clone()
    }
}
