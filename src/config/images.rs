//! `images`: what goes where.

use std::collections::BTreeMap;

use super::check::Checker;
use super::collision::Collision;
use super::mistakes::{Located, Place};
use super::options::Options;
use super::sources::Sources;
use super::specification::{ImageSpecification, Platforms};
use super::{ImagePattern, through_cache, written};
use crate::image::{Location, Repository, Tag};
use crate::store::Detour;

/// How long ECR's repository names are: botocore's `CreateRepository`.
const NAME_LENGTH: std::ops::RangeInclusive<usize> = 2..=256;

/// What stands around the list and decides about every entry.
#[derive(Clone, Copy)]
struct Around<'a> {
    namespace: Option<&'a Repository>,
    detours: &'a [Detour],
}

/// The images that are known by name, and those whose tags must be listed first.
pub(super) fn check(
    written: Vec<Option<written::Image>>,
    defaults: written::Options,
    namespace: Option<&Repository>,
    detours: &[Detour],
    checker: &mut Checker<'_>,
) -> (Vec<ImageSpecification>, Vec<ImagePattern>) {
    let defaults = Options::check(defaults, checker);
    let around = Around { namespace, detours };
    let places: Vec<Option<Place>> = written
        .iter()
        .map(|written| Some(written.as_ref()?.place.clone()))
        .collect();
    let (mut images, mut patterns) = (Vec::new(), Vec::new());
    for (entry, written) in written.into_iter().enumerate() {
        let Some(written) = written else { continue };
        if let Some((named, pattern)) = image(entry, written, &defaults, around, checker) {
            images.extend(named);
            patterns.extend(pattern);
        }
    }
    for collision in Collision::all(&images) {
        if let Some(place) = &places[collision.second.entry] {
            let hint = collision.hint().to_owned();
            checker.mistakes.add(place, collision.to_string(), hint);
        }
    }
    (images, patterns)
}

/// One entry of the list.
fn image(
    entry: usize,
    written: written::Image,
    defaults: &Options,
    around: Around<'_>,
    checker: &mut Checker<'_>,
) -> Option<(Vec<ImageSpecification>, Option<ImagePattern>)> {
    let own_line = written.options.lines.as_ref();
    let own_line = own_line.and_then(|lines| Some(lines.first()?.place.clone()));
    let asks_for_referrers = written.options.referrers == Some(true);
    let options = Options::check(written.options, checker).or(defaults);
    let dockerfile = &options.dockerfile;
    let demands = dockerfile.try_template(&options.build, checker);
    options.check_engine(&demands, checker);
    let is_derived = dockerfile.is_derived(options.builder.unwrap_or_default(), checker);
    options.check_attestations(checker);
    let is_built = dockerfile.is_built();
    options.build.check_labels(is_built, checker);
    let context = dockerfile.context(&options.build, checker);
    let written_source = written.source?;
    let renamed = written
        .repository
        .as_ref()
        .map(|text| destination(text, checker));
    let renames_tag = matches!(renamed, Some(Some((_, Some(_)))));
    let sources = Sources::check(&written_source, written.tags, renames_tag, checker);
    let (Sources { named, listed }, None | Some(Some(_))) = (sources?, &renamed) else {
        return None;
    };
    let place = &written.repository.as_ref().unwrap_or(&written_source).place;
    if renames_tag && (named.len() > 1 || listed.is_some()) {
        let message = if listed.is_some() {
            "this names one tag, but those of the image are not known by name".to_owned()
        } else {
            format!("this names one tag, but the image has {}", named.len())
        };
        let hint = match place.position {
            Some(_) => "leave the tag out here, or write an entry for each tag",
            None => "leave the tag out here",
        };
        checker.mistakes.add(place, message, hint.to_owned());
        return None;
    }
    let (repository, tag) = renamed.flatten().unzip();
    let tag = tag.flatten();
    let first = named
        .first()
        .or(listed.as_ref().map(|(source, _)| source))?;
    let name = &written_source.value;
    if let (Location::Layout(_), true, false) = (first, dockerfile.is_built(), is_derived) {
        let message = format!("`{name}` takes no such lines: `FROM` names an image in a registry");
        let hint = "leave the lines out, push the image to a registry first, or write `builder: \
                    auto` where all lines are metadata";
        let place = own_line.as_ref().unwrap_or(&written_source.place);
        checker.mistakes.add(place, message, hint.to_owned());
        return None;
    }
    if let (Location::Daemon(_), true) = (first, asks_for_referrers) {
        let message = format!("`{name}` has no referrers, which only a registry keeps");
        let hint = match written_source.place.position {
            Some(_) => "leave `referrers` out",
            None => "leave `--referrers` out",
        };
        let place = &written_source.place;
        checker.mistakes.add(place, message, hint.to_owned());
    }
    let Some(repository) = repository.or_else(|| first.familiar_repository()) else {
        let message = format!("`{name}` gives the destination no name");
        let hint = match place.position {
            Some(_) => "name it with `repository`",
            None => "name it as `REPOSITORY`",
        };
        checker.mistakes.add(place, message, hint.to_owned());
        return None;
    };
    let repository = below(&repository, around.namespace, place, checker)?;
    let source_place = &written_source.place;
    let through_cache = through_cache::leads_to(first, around.detours, source_place, checker);
    let platforms = match options.platforms {
        Some(platforms) => platforms,
        None if demands.runs => Platforms::Daemon,
        None => Platforms::All,
    };
    let target = options.build.target.as_ref().map(|name| name.value.clone());
    let labels = options.build.labels.clone().unwrap_or_default();
    let secrets = options.build.secrets.clone();
    let image = |source: Location| ImageSpecification {
        entry,
        line: written.place.line(),
        tag: tag
            .clone()
            .or_else(|| source.tag().cloned())
            .unwrap_or_else(Tag::latest),
        source,
        through_cache,
        repository: repository.clone(),
        platforms: platforms.clone(),
        attestations: options.attestations.unwrap_or_default(),
        referrers: options.referrers.unwrap_or_default(),
        lines: dockerfile.lines(),
        template: dockerfile.template(),
        args: options.build.args.clone().unwrap_or_default(),
        builder: options.builder.unwrap_or_default(),
        builder_engine: options.builder_engine.unwrap_or_default(),
        source_date_epoch: checker.source_date_epoch,
        // What is copied has nothing of these, whatever `defaults` say.
        context: context.clone().filter(|_| is_built),
        target: target.clone().filter(|_| is_built),
        network: options.build.network.clone(),
        secrets: secrets.clone().filter(|_| is_built).unwrap_or_default(),
        labels: if is_built {
            labels.clone()
        } else {
            BTreeMap::new()
        },
        publish: options.publish.unwrap_or_default(),
        compression: options.compression.unwrap_or_default(),
    };
    let pattern = listed.map(|(source, tags)| ImagePattern::new(tags, image(source)));
    Some((named.into_iter().map(image).collect(), pattern))
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
    if checker.elsewhere.is_some() || NAME_LENGTH.contains(&length) {
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
