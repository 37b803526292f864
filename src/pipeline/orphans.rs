//! What stands under the namespace and is not named by the file.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::stream::{self, StreamExt, TryStreamExt};

use crate::config::Specification;
use crate::ecr::{Ecr, Inventory, PullThroughRule, ROOT};
use crate::event::Step;
use crate::image::{Digest, Repository, Tag};

use super::observe::PARALLEL_QUESTIONS;
use super::observe_destination::Repositories;
use super::{Access, OrphanError, StepError};

/// How many hexadecimal digits a temporary tag has: `longshore-9f86d081884c-linux-arm64`.
const UNIQUE_DIGITS: usize = 12;

/// What one repository under the namespace has that the file does not name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Orphan {
    /// The repository.
    pub repository: Repository,
    /// The tags and what they hold.
    pub tags: BTreeMap<Tag, Digest>,
    /// Whether the file names nothing of the repository, so that all of it goes.
    pub is_whole: bool,
    /// All images of the repository, those without a tag among them.
    pub(super) digests: BTreeSet<Digest>,
}

/// What a file names, and where it cannot say.
pub(super) struct Claim {
    namespace: Repository,
    named: BTreeMap<Repository, BTreeSet<Tag>>,
    /// Repositories of which nobody knows what belongs there.
    open: BTreeSet<Repository>,
    /// Prefixes that the file gives to the pull-through cache.
    cached: Vec<String>,
}

impl Claim {
    /// What a specification whose patterns were replaced names; `None` without a namespace.
    pub(super) fn of(specification: &Specification, open: BTreeSet<Repository>) -> Option<Self> {
        let mut named: BTreeMap<Repository, BTreeSet<Tag>> = BTreeMap::new();
        for image in &specification.images {
            let tags = named.entry(image.repository.clone()).or_default();
            tags.insert(image.tag.clone());
        }
        let cache = specification.cache.iter();
        let rules = cache.flat_map(|cache| &cache.rules);
        Some(Self {
            namespace: specification.namespace.clone()?,
            named,
            open,
            cached: rules.map(|rule| rule.prefix.clone()).collect(),
        })
    }

    /// Looks at everything under the namespace. Whatever cannot be seen makes all of it unknown:
    /// what is deleted must not depend on what was not seen.
    pub(super) async fn find_orphans(
        mut self,
        seen: &Repositories<'_>,
        access: &Access,
    ) -> Result<Vec<Orphan>, StepError> {
        let Some(ecr) = access.destination.image_api() else {
            return Err(StepError::new(Step::FindOrphans, OrphanError::Elsewhere));
        };
        let find = || StepError::at(Step::FindOrphans);
        let rules = ecr.pull_through_rules().await.map_err(find())?;
        self.spare(rules)
            .map_err(StepError::at(Step::FindOrphans))?;
        let found = ecr.repositories().await.map_err(find())?;
        let names = found.into_iter().filter_map(|it| it.name.parse().ok());
        let names = names.filter(|name| self.is_ours(name));
        let orphans: Vec<Option<Orphan>> = stream::iter(names)
            .map(async |name: Repository| {
                let inventory = match seen.get(&name) {
                    Some(Ok(Some(state))) => state.inventory().cloned(),
                    _ => None,
                };
                let inventory = match inventory {
                    Some(inventory) => inventory,
                    None => list(&name, ecr).await?,
                };
                Ok::<_, StepError>(self.orphan(name, inventory))
            })
            .buffered(PARALLEL_QUESTIONS)
            .try_collect()
            .await?;
        Ok(orphans.into_iter().flatten().collect())
    }

    /// Leaves what the pull-through cache may have made alone.
    fn spare(&mut self, rules: Vec<PullThroughRule>) -> Result<(), OrphanError> {
        self.cached
            .extend(rules.into_iter().map(|rule| rule.prefix));
        let mut cached = self.cached.iter();
        match cached.find(|prefix| covers(prefix, &self.namespace)) {
            None => Ok(()),
            Some(prefix) => Err(OrphanError::Covered {
                namespace: self.namespace.clone(),
                prefix: prefix.clone(),
            }),
        }
    }

    /// Whether the file alone says what a repository holds.
    fn is_ours(&self, repository: &Repository) -> bool {
        let is_below = *repository != self.namespace && covers(self.namespace.as_str(), repository);
        let mut cached = self.cached.iter();
        is_below
            && !self.open.contains(repository)
            && !cached.any(|prefix| covers(prefix, repository))
    }

    fn orphan(&self, repository: Repository, inventory: Inventory) -> Option<Orphan> {
        let Inventory { mut tags, digests } = inventory;
        let named = self.named.get(&repository);
        if let Some(named) = named {
            tags.retain(|tag, _| !named.contains(tag) && !belongs_to_others(tag, &digests));
            if tags.is_empty() {
                return None;
            }
        }
        Some(Orphan {
            repository,
            tags,
            is_whole: named.is_none(),
            digests,
        })
    }
}

async fn list(name: &Repository, ecr: &Ecr) -> Result<Inventory, StepError> {
    let inventory = ecr.list_images(name).await;
    inventory.map_err(StepError::at(Step::FindOrphans))
}

/// Whether a repository stands at or below a prefix.
fn covers(prefix: &str, repository: &Repository) -> bool {
    let rest = repository.as_str().strip_prefix(prefix);
    prefix == ROOT || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether a tag is not the file's to name: it refers to an image that is there, as the OCI
/// distribution specification's `sha256-HEX` and cosign's `sha256-HEX.sig` do, or one platform of a
/// build travels under it.
fn belongs_to_others(tag: &Tag, digests: &BTreeSet<Digest>) -> bool {
    let tag = tag.as_str();
    let refers = |digest: &Digest| {
        let rest = tag.strip_prefix(digest.referrers_tag().as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let travels = tag.strip_prefix("longshore-").is_some_and(|rest| {
        let unique = rest.split_once('-').map_or("", |(unique, _)| unique);
        unique.len() == UNIQUE_DIGITS && unique.bytes().all(|byte| byte.is_ascii_hexdigit())
    });
    travels || tag.starts_with("sha") && digests.iter().any(refers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_covers_whole_parts_of_names() {
        for (prefix, name, expected) in [
            ("mine", "mine/redis", true),
            ("mine", "mine", true),
            ("mine", "mine-too/redis", false),
            ("mine/hub", "mine/redis", false),
            ("ROOT", "mine/redis", true),
        ] {
            let repository = name.parse().unwrap();
            assert_eq!(covers(prefix, &repository), expected, "{prefix} {name}");
        }
    }

    #[test]
    fn what_refers_to_an_image_or_travels_is_not_the_files_to_name() {
        let held = Digest::of(b"held");
        let reference = held.referrers_tag();
        let gone = Digest::of(b"gone").referrers_tag();
        for (tag, expected) in [
            (reference.to_string(), true),
            (format!("{reference}.sig"), true),
            (format!("{reference}-sig"), false),
            (format!("{gone}.sig"), false),
            ("longshore-9f86d081884c-linux-arm64".to_owned(), true),
            ("longshore-9f86d081884c".to_owned(), false),
            ("longshore-edge-linux".to_owned(), false),
            ("7".to_owned(), false),
        ] {
            let digests = [held.clone()].into();
            let parsed = tag.parse().unwrap();
            assert_eq!(belongs_to_others(&parsed, &digests), expected, "{tag}");
        }
    }
}
