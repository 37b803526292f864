//! `via`: upstreams that are read through a rule of ECR's pull-through cache.

use std::collections::BTreeMap;

use super::cache_specification::CacheRule;
use super::check::Checker;
use super::hint::suggest;
use super::mistakes::{Located, Place};
use super::reader::Table;
use super::single::{located, text};
use super::specification::Upstream;
use super::written;
use crate::ecr::{CacheUpstream, UpstreamAccess};
use crate::failure::Failure as _;
use crate::image::{Location, Registry};
use crate::store::Detour;

/// The only way around that there is.
pub(super) const WORD: &str = "pull_through_cache";

/// The registries that rules are written for.
pub(super) fn upstreams(rules: &Table<Located<written::CacheRule>>) -> Vec<Registry> {
    let hosts = rules
        .iter()
        .filter_map(|(_, rule)| rule.value.registry.as_ref());
    let upstreams = hosts.filter_map(|host| host.value.parse::<CacheUpstream>().ok());
    upstreams.map(|upstream| upstream.registry()).collect()
}

/// Whether a registry is read through the cache, which takes a rule.
pub(super) fn check(
    via: Option<Located<String>>,
    registry: &Registry,
    cached: &[Registry],
    checker: &mut Checker<'_>,
) -> bool {
    let Some(via) = via else {
        return false;
    };
    if via.value != WORD {
        let message = format!("`{}` is no way to a registry", via.value);
        let hint = suggest(&via.value, &[WORD], "write");
        checker.mistakes.add(&via.place, message, hint);
        return false;
    }
    if !cached.contains(registry) && via.place.position.is_some() {
        let message = format!("no rule of `pull_through_cache` caches `{registry}`");
        let hint = match registry.as_str().parse::<CacheUpstream>() {
            Ok(upstream) => Some(format!(
                "write one, as `pull_through_cache: {{PREFIX: {{registry: {upstream}}}}}`"
            )),
            Err(unknown) => unknown
                .hint()
                .map(|hint| format!("leave `via` out: {hint}")),
        };
        checker.mistakes.add(&via.place, message, hint);
    }
    true
}

/// The entry of `upstreams` that a registry has which is read through a rule.
pub(super) fn upstream(registry: &Registry) -> (Located<String>, written::Upstream) {
    let upstream = written::Upstream {
        via: Some(text("--via", WORD)),
        ..written::Upstream::default()
    };
    (text("SOURCE", registry.as_str()), upstream)
}

/// The rule of this prefix that a registry is read through, as far as reading goes.
pub(super) fn rule(
    prefix: &str,
    registry: &Registry,
) -> (Located<String>, Located<written::CacheRule>) {
    let known = registry.as_str().parse::<CacheUpstream>();
    let takes_secret = known.is_ok_and(|it| it.kind.access() == UpstreamAccess::Secret);
    let rule = written::CacheRule {
        registry: Some(text("SOURCE", registry.as_str())),
        // Whose secret it is matters to those who write rules.
        credential: takes_secret.then(|| text("--via", "manual")),
        ..written::CacheRule::default()
    };
    (text("--via", prefix), located("--via", rule))
}

/// The ways that lead through these rules.
pub(super) fn detours<'a>(
    rules: impl IntoIterator<Item = &'a CacheRule>,
    upstreams: &BTreeMap<Registry, Upstream>,
) -> Vec<Detour> {
    let detours = rules.into_iter().map(CacheRule::detour);
    detours
        .filter(|detour| is_taken(&detour.upstream, upstreams))
        .collect()
}

/// Whether a registry's images are read through a rule.
pub(super) fn is_taken(registry: &Registry, upstreams: &BTreeMap<Registry, Upstream>) -> bool {
    let upstream = upstreams.get(registry);
    upstream.is_some_and(|upstream| upstream.through_cache)
}

/// Whether an image is read through one of these ways. It is a mistake when its registry is, and
/// no rule has the image.
pub(super) fn leads_to(
    source: &Location,
    detours: &[Detour],
    place: &Place,
    checker: &mut Checker<'_>,
) -> bool {
    let Some(image) = source.reference() else {
        return false;
    };
    let ways = detours.iter();
    let ways: Vec<&Detour> = ways.filter(|way| way.upstream == image.registry).collect();
    if ways.is_empty() {
        return false;
    }
    if !ways.iter().any(|way| way.repository(image).is_some()) {
        let bare = source.bare().familiar();
        let message = format!("no rule of `pull_through_cache` caches `{bare}`");
        let prefixes = ways.iter().filter_map(|way| way.upstream_prefix.as_deref());
        let hint = format!(
            "those of `{}` cache what begins with {}; write one more",
            image.registry,
            prefixes
                .map(|prefix| format!("`{prefix}/`"))
                .collect::<Vec<_>>()
                .join(", ")
        );
        checker.mistakes.add(place, message, hint);
    }
    true
}
