//! `source` and `tags`: the upstream images of an entry.

use super::check::Checker;
use super::mistakes::Located;
use super::tags::Tags;
use super::written;
use crate::image::{Location, Tag};
use crate::selection::{TagPattern, TagSelection};

/// The upstream images of an entry.
pub(super) struct Sources {
    /// Those that are known by name. A tag is there unless the destination has its own.
    pub(super) named: Vec<Location>,
    /// The repository or layout whose tags must be listed to know the others, and which those are.
    pub(super) listed: Option<(Location, TagSelection)>,
}

impl Sources {
    /// `has_tag` says that the destination has a tag of its own.
    pub(super) fn check(
        source: &Located<String>,
        tags: Option<written::Tags>,
        has_tag: bool,
        checker: &mut Checker<'_>,
    ) -> Option<Self> {
        if TagPattern::is_meant(&source.value) && source.value.parse::<Location>().is_err() {
            let message = format!("`{}` is a pattern", source.value);
            let hint = instead_of_pattern(source);
            checker.mistakes.add(&source.place, message, hint);
            return None;
        }
        let location: Location = checker.parse(source)?;
        let location = location.below(checker.folder);
        match tags {
            Some(tags) => Self::tagged(source, &location, tags, checker),
            None => Self::single(source, location, has_tag, checker),
        }
    }

    fn single(
        source: &Located<String>,
        location: Location,
        has_tag: bool,
        checker: &mut Checker<'_>,
    ) -> Option<Self> {
        let location = match (location.tag(), location.digest()) {
            (None, None) => location.by_tag(Tag::latest()),
            (None, Some(digest)) if !has_tag => {
                let message = "a digest alone says nothing about the tag at the destination";
                let hint = format!("write `{}:TAG@{digest}`", location.bare().familiar());
                checker.mistakes.add(&source.place, message, hint);
                return None;
            }
            _ => location,
        };
        Some(Self {
            named: vec![location],
            listed: None,
        })
    }

    fn tagged(
        source: &Located<String>,
        location: &Location,
        tags: written::Tags,
        checker: &mut Checker<'_>,
    ) -> Option<Self> {
        let bare = location.bare();
        if *location != bare {
            let (tags, hint) = match source.place.position {
                Some(_) => ("tags", format!("write `source: {}`", bare.familiar())),
                None => ("--all-tags", format!("write `{}`", bare.familiar())),
            };
            let message = format!("`{}` and `{tags}` both name what to take", source.value);
            checker.mistakes.add(&source.place, message, hint);
            return None;
        }
        let Tags { named, selection } = Tags::check(tags, checker);
        if matches!(bare, Location::Daemon(_)) && !selection.is_literal() {
            let message = format!("`{}` has no list of tags to choose from", source.value);
            let hint = name_each(source).to_owned();
            checker.mistakes.add(&source.place, message, hint);
            return None;
        }
        let named = named
            .into_iter()
            .map(|(tag, digest)| bare.with(Some(tag), digest));
        Some(Self {
            named: named.collect(),
            listed: (!selection.is_literal()).then_some((bare, selection)),
        })
    }
}

/// What to do where there is nothing to choose from.
fn name_each(source: &Located<String>) -> &'static str {
    match source.place.position {
        Some(_) => "name each tag under `tags`; `docker images` lists those there are",
        None => "name one tag; `docker images` lists those there are",
    }
}

/// What to write where a pattern stands in `source`.
fn instead_of_pattern(source: &Located<String>) -> String {
    if source.place.position.is_none() {
        return "name one tag, or take all with `--all-tags`; patterns stand in a file, under \
                `tags`"
            .to_owned();
    }
    match source.value.rsplit_once(':') {
        Some((name, _)) if matches!(name.parse(), Ok(Location::Daemon(_))) => {
            name_each(source).to_owned()
        }
        Some((name, tag)) if name.parse::<Location>().is_ok() => {
            format!("write `source: {name}` and `tags: [\"{tag}\"]`")
        }
        _ => "patterns choose tags, and stand under `tags`; name each repository".to_owned(),
    }
}
