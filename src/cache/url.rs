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
        return Ok(all.map(|rule| rule.url(registry, None, "")).collect());
    }
    let url = |image: &Reference| {
        let fitting = rules.iter().filter_map(|rule| {
            let name = rule_name(rule, image)?;
            Some((rule, name))
        });
        // Of several rules the one that is made for fewest names.
        let best = fitting.min_by_key(|(_, name)| name.len());
        let (rule, name) = best.ok_or_else(|| MissingRule {
            image: image.clone(),
            known: rules
                .iter()
                .map(|rule| rule.upstream.host.clone())
                .collect(),
        })?;
        let suffix = match (&image.tag, &image.digest) {
            (_, Some(digest)) => format!("@{digest}"),
            (Some(tag), None) => format!(":{tag}"),
            (None, None) => format!(":{}", Tag::latest()),
        };
        Ok(rule.url(registry, Some(image), &format!("{name}{suffix}")))
    };
    images.iter().map(url).collect()
}

/// The name below the rule's prefix.
fn rule_name<'a>(rule: &CacheRule, image: &'a Reference) -> Option<&'a str> {
    if rule.upstream.registry() != image.registry {
        return None;
    }
    let name = image.repository.as_str();
    match &rule.upstream_prefix {
        None => Some(name),
        Some(prefix) => name.strip_prefix(prefix.as_str())?.strip_prefix('/'),
    }
}

impl CacheRule {
    fn url(&self, registry: &Registry, image: Option<&Reference>, name: &str) -> CacheUrl {
        let folder = match self.prefix.as_str() {
            "ROOT" => String::new(),
            prefix => format!("{prefix}/"),
        };
        CacheUrl {
            prefix: self.prefix.clone(),
            upstream: self.upstream.host.clone(),
            image: image.cloned(),
            url: format!("{registry}/{folder}{name}"),
        }
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
