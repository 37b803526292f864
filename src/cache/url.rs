//! What to pull through the cache by.

use crate::config::CacheRule;
use crate::failure::{Failure, Kind};
use crate::image::{Reference, Registry, Tag};

/// What to pull by.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CacheUrl {
    /// The rule's prefix.
    pub prefix: String,
    /// The upstream's host.
    pub upstream: String,
    /// The image that is meant; absent for all that the rule caches.
    pub image: Option<Reference>,
    /// `HOST/PREFIX/NAME:TAG`, or `HOST/PREFIX/` for all.
    pub url: String,
}

/// No rule caches an image.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("no rule caches `{}`", image.familiar())]
pub struct MissingRule {
    image: Reference,
    known: Vec<String>,
}

/// What to pull these images by, or with no image what each rule's names begin with.
pub fn urls(
    rules: &[CacheRule],
    registry: &Registry,
    images: &[Reference],
) -> Result<Vec<CacheUrl>, MissingRule> {
    if images.is_empty() {
        let all = rules.iter();
        return Ok(all.map(|rule| all_of(rule, registry)).collect());
    }
    let url = |image: &Reference| {
        let (rule, url) = find(rules, registry, image)?;
        let url = match &image.digest {
            Some(digest) => url.by_digest(digest.clone()),
            None => url,
        };
        Ok(CacheUrl {
            prefix: rule.prefix.clone(),
            upstream: rule.upstream.host.clone(),
            image: Some(image.clone()),
            url: url.to_string(),
        })
    };
    images.iter().map(url).collect()
}

/// The rule that caches an image, and what to pull it by from the registry that does; the latest one
/// where nothing says which.
pub(super) fn find<'a>(
    rules: &'a [CacheRule],
    registry: &Registry,
    image: &Reference,
) -> Result<(&'a CacheRule, Reference), MissingRule> {
    let fitting = rules.iter().filter_map(|rule| {
        let detour = rule.detour();
        Some((rule, detour.repository(image)?, detour.rank()))
    });
    let best = fitting.min_by_key(|(.., rank)| *rank);
    let (rule, repository, _) = best.ok_or_else(|| MissingRule {
        image: image.clone(),
        known: rules
            .iter()
            .map(|rule| rule.upstream.host.clone())
            .collect(),
    })?;
    let default = (image.tag.is_none() && image.digest.is_none()).then(Tag::latest);
    let url = Reference {
        registry: registry.clone(),
        repository,
        tag: image.tag.clone().or(default),
        digest: image.digest.clone(),
    };
    Ok((rule, url))
}

fn all_of(rule: &CacheRule, registry: &Registry) -> CacheUrl {
    let folder = match rule.detour().prefix {
        None => String::new(),
        Some(prefix) => format!("{prefix}/"),
    };
    CacheUrl {
        prefix: rule.prefix.clone(),
        upstream: rule.upstream.host.clone(),
        image: None,
        url: format!("{registry}/{folder}"),
    }
}

impl Failure for MissingRule {
    fn kind(&self) -> Kind {
        Kind::Configuration
    }

    fn hint(&self) -> Option<String> {
        Some(match self.known.as_slice() {
            [] => "write its registry under `pull_through_cache`".to_owned(),
            known => format!(
                "the rules cache {}; write its registry under `pull_through_cache`",
                known.join(", ")
            ),
        })
    }
}
