//! The source registries.

use std::collections::BTreeMap;

use futures_util::{StreamExt as _, stream};

use super::findings::{Findings, answer, in_time};
use super::span::span;
use super::{Check, Sources, Verdict};
use crate::config::{ImagePattern, Specification};
use crate::credentials::Who;
use crate::failure::{Failure as _, Kind, chain};
use crate::image::{Location, Reference, Registry};
use crate::registry::{Client, Error, RateLimit};

const NAME: &str = "upstream";
const PULLS: &str = "pulls";

/// How many are asked at once.
const TOGETHER: usize = 8;

pub(super) async fn examine(specification: &Specification, sources: &Sources) -> Findings {
    let (cached, read): (Vec<_>, Vec<_>) = registries(specification)
        .into_iter()
        .partition(|(registry, _)| is_only_cached(specification, registry));
    let mut findings = Findings::default();
    for (registry, _) in cached {
        let message = "read through ECR's pull-through cache, as `cache rule` says";
        findings.add(Check::not_checked(NAME, message).of(registry.to_string()));
    }
    let mut asked = stream::iter(read)
        .map(|(registry, image)| ask(registry, image, sources))
        .buffered(TOGETHER);
    while let Some(found) = asked.next().await {
        findings.extend(found);
    }
    findings
}

/// Whether nothing is asked of a registry itself: images are read through the cache, and no list of
/// tags or referrers is wanted.
fn is_only_cached(specification: &Specification, registry: &Registry) -> bool {
    let is_there =
        |source: &Location| (source.reference()).is_some_and(|image| image.registry == *registry);
    let mut patterns = specification.patterns.iter().map(ImagePattern::source);
    let mut images = specification.images.iter();
    specification.is_through_cache(registry)
        && !patterns.any(|source| is_there(&source))
        && !images.any(|image| image.referrers && is_there(&image.source))
}

/// Every registry that the file names, and the first of the images that it reads there.
fn registries(specification: &Specification) -> BTreeMap<Registry, Option<Reference>> {
    let known = specification
        .images
        .iter()
        .map(|image| image.source.clone());
    let listed = specification.patterns.iter().map(ImagePattern::source);
    let mut registries: BTreeMap<Registry, Option<Reference>> = specification
        .upstreams
        .keys()
        .map(|registry| (registry.clone(), None))
        .collect();
    for source in known.chain(listed) {
        if let Some(image) = source.reference() {
            registries
                .entry(image.registry.clone())
                .or_default()
                .get_or_insert_with(|| image.clone());
        }
    }
    registries
}

async fn ask(registry: Registry, image: Option<Reference>, sources: &Sources) -> Findings {
    let name = registry.to_string();
    let who = match answer(NAME, sources.keyring.identify(&registry)).await {
        Ok(who) => who,
        Err(check) => return check.of(name).into(),
    };
    let mut findings = Findings::default();
    let client = &sources.client;
    let reached = in_time(NAME, async {
        // A registry as a whole may refuse who may read its public repositories; and Docker Hub's
        // own answer for one costs nothing, but does not judge the login.
        match image.filter(|_| !registry.is_docker_hub()) {
            Some(image) => client.resolve(&image).await.map(|_| None),
            None => client.ping(&registry).await.map(|pong| pong.date),
        }
    });
    let check = match reached.await {
        Ok(Ok(date)) => {
            findings.see(format!("`{registry}`"), date);
            Check::ok(NAME, format!("reached {who}"))
        }
        Ok(Err(error)) => refused(&error, &who),
        Err(late) => late,
    };
    let is_reached = check.verdict == Verdict::Ok;
    findings.add(check.of(name.clone()));
    if registry.is_docker_hub() && is_reached {
        let left = in_time(PULLS, client.pulls_left()).await;
        let check = left.map_or_else(|late| late, |left| pulls(&left, client));
        findings.add(check.of(name));
    }
    findings
}

fn refused(error: &Error, who: &Who) -> Check {
    let check = Check::error(NAME, error);
    let message = format!("asked {who}: {}", check.message);
    Check { message, ..check }
}

fn pulls(left: &Result<Option<RateLimit>, Error>, client: &Client) -> Check {
    match left {
        Ok(None) => Check::ok(PULLS, "no limit is told"),
        Ok(Some(limit)) => {
            let RateLimit {
                limit,
                remaining,
                window,
            } = limit;
            let message = format!("{remaining} of {limit} left in {}", span(*window));
            if *remaining > 0 {
                return Check::ok(PULLS, message);
            }
            let remedy = client.limit_remedy(&Registry::docker_hub());
            Check::failed(PULLS, Kind::Exhausted, message).hint(format!(
                "{remedy}, or wait until the limit's window has passed, as `apply --wait` does"
            ))
        }
        Err(error) if error.kind() == Kind::Exhausted => Check::error(PULLS, error),
        // A mirror need not have the repository that Docker Hub tells it by.
        Err(error) => Check::not_checked(PULLS, chain(error)),
    }
}
