//! Images that are read through a cache instead of at their own registry.

use std::borrow::Cow;
use std::cmp::Reverse;

use crate::image::{Reference, Registry, Repository};

/// What a cache has of a registry, and under what names: a rule of ECR's pull-through cache.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Detour {
    /// The registry that images name.
    pub upstream: Registry,
    /// A prefix that the upstream's repositories have and the cache's do not; absent where all of
    /// the upstream is cached.
    pub upstream_prefix: Option<String>,
    /// A prefix that the cache's repositories have and the upstream's do not.
    pub prefix: Option<String>,
}

/// The ways that a run takes to images which it does not read where they are.
#[derive(Clone, Debug)]
pub struct Detours {
    /// The registry that caches.
    pub cache: Registry,
    /// What it has.
    pub list: Vec<Detour>,
}

impl Detour {
    /// The cache's repository that an image is in; `None` where the cache does not have it.
    pub fn repository(&self, image: &Reference) -> Option<Repository> {
        if image.registry != self.upstream {
            return None;
        }
        let name = image.repository.as_str();
        let name = match &self.upstream_prefix {
            None => name,
            Some(prefix) => name.strip_prefix(prefix.as_str())?.strip_prefix('/')?,
        };
        let name = match &self.prefix {
            None => name.to_owned(),
            Some(prefix) => format!("{prefix}/{name}"),
        };
        name.parse().ok()
    }

    /// Of several that have an image, the one that is made for fewest comes first.
    pub fn rank(&self) -> Reverse<usize> {
        Reverse(self.upstream_prefix.as_ref().map_or(0, String::len))
    }
}

impl Detours {
    /// Where an image is read.
    pub(super) fn of(&self, image: &Reference) -> Option<Reference> {
        let fitting = self.list.iter();
        let fitting = fitting.filter_map(|detour| Some((detour, detour.repository(image)?)));
        let (_, repository) = fitting.min_by_key(|(detour, _)| detour.rank())?;
        Some(Reference {
            registry: self.cache.clone(),
            repository,
            ..image.clone()
        })
    }
}

/// Where an image is read, which most are under their own name.
pub(super) fn read_at<'a>(detours: Option<&Detours>, image: &'a Reference) -> Cow<'a, Reference> {
    match detours.and_then(|detours| detours.of(image)) {
        Some(elsewhere) => Cow::Owned(elsewhere),
        None => Cow::Borrowed(image),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_special_way_is_taken() {
        let detour = |upstream_prefix: Option<&str>, prefix: Option<&str>| Detour {
            upstream: Registry::docker_hub(),
            upstream_prefix: upstream_prefix.map(str::to_owned),
            prefix: prefix.map(str::to_owned),
        };
        let detours = Detours {
            cache: "ecr.example".parse().unwrap(),
            list: vec![
                detour(None, Some("docker-hub")),
                detour(Some("grafana"), Some("graphs")),
                detour(Some("bitnami"), None),
            ],
        };
        for (image, read) in [
            ("alpine:3", "ecr.example/docker-hub/library/alpine:3"),
            ("grafana/loki", "ecr.example/graphs/loki"),
            ("grafanas/loki:1", "ecr.example/docker-hub/grafanas/loki:1"),
            ("bitnami/redis:7", "ecr.example/redis:7"),
            ("quay.io/org/app:1", "quay.io/org/app:1"),
        ] {
            let image: Reference = image.parse().unwrap();
            assert_eq!(read_at(Some(&detours), &image).to_string(), read);
            assert_eq!(*read_at(None, &image), image);
        }
    }
}
