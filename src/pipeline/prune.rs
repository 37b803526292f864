//! Deletes what the file no longer names.

use std::collections::BTreeSet;

use crate::ecr::{Ecr, ImageKept, Inventory};
use crate::event::{Event, Step};
use crate::failure::{Failure, chain};
use crate::image::{Digest, Repository, Tag};

use super::{Access, Orphan, OrphanError, StepError};

/// What became of a tag or repository that the file no longer names.
#[derive(Debug)]
pub struct Pruned {
    /// The repository.
    pub repository: Repository,
    /// The tag and what it held; absent for the repository itself.
    pub tag: Option<(Tag, Digest)>,
    /// What became of it.
    pub fate: Fate,
}

/// What became of something that the file no longer names.
#[derive(Debug)]
pub enum Fate {
    /// It is gone.
    Deleted,
    /// It stays, because something else failed.
    Left,
    /// It could not be deleted.
    Failed(StepError),
}

/// Leaves everything as it is.
pub(super) fn leave(orphans: Vec<Orphan>) -> Vec<Pruned> {
    let mut left = Vec::new();
    for orphan in orphans {
        let Orphan {
            repository,
            tags,
            is_whole,
            ..
        } = orphan;
        let row = |tag| Pruned {
            repository: repository.clone(),
            tag,
            fate: Fate::Left,
        };
        left.extend(tags.into_iter().map(|tag| row(Some(tag))));
        left.extend(is_whole.then(|| row(None)));
    }
    left
}

/// Leaves everything as it is, and says so, because not all that the file names is in place.
pub(super) fn keep(orphans: Vec<Orphan>, access: &Access) -> Vec<Pruned> {
    if !orphans.is_empty() {
        access.observer.observe(Event::OrphansKept);
    }
    leave(orphans)
}

/// Deletes tags, and repositories of which nothing stays, one after another, after naming each.
pub(super) async fn prune(orphans: Vec<Orphan>, access: &Access) -> Vec<Pruned> {
    let Some(ecr) = access.destination.image_api() else {
        return leave(orphans);
    };
    let mut pruned = Vec::new();
    for orphan in orphans {
        let pruning = Pruning {
            ecr,
            access,
            orphan: &orphan,
        };
        let rows = match pruning.prune().await {
            Ok(rows) => rows,
            Err(error) => {
                let failed = |row: Pruned| Pruned {
                    fate: Fate::Failed(error.clone()),
                    ..row
                };
                leave(vec![orphan]).into_iter().map(failed).collect()
            }
        };
        tell(&rows, access);
        pruned.extend(rows);
    }
    pruned
}

/// Tells each failure once: what failed together has one cause.
fn tell(rows: &[Pruned], access: &Access) {
    let mut told = BTreeSet::new();
    for row in rows {
        if let Fate::Failed(error) = &row.fate {
            let reason = chain(error);
            if told.insert(reason.clone()) {
                access.observer.observe(Event::RepositoryFailed {
                    repository: row.repository.clone(),
                    reason,
                    hint: error.hint(),
                    fails: true,
                });
            }
        }
    }
}

struct Pruning<'a> {
    ecr: &'a Ecr,
    access: &'a Access,
    orphan: &'a Orphan,
}

impl Pruning<'_> {
    async fn prune(&self) -> Result<Vec<Pruned>, StepError> {
        let Orphan {
            repository,
            tags,
            is_whole,
            ..
        } = self.orphan;
        // A tag that somebody wrote since the plan was made is not what the plan showed.
        let now = self.list().await?;
        let is_known = now.digests.is_subset(&self.orphan.digests);
        if *is_whole && !(is_known && now.tags.keys().all(|tag| tags.contains_key(tag))) {
            return Err(StepError::new(Step::Prune, OrphanError::NotEmpty));
        }
        let is_moved =
            |tag: &Tag, digest: &Digest| now.tags.get(tag).is_some_and(|it| it != digest);
        let going: Vec<Tag> = tags
            .iter()
            .filter(|(tag, digest)| !is_moved(tag, digest))
            .map(|(tag, _)| tag.clone())
            .collect();
        for tag in &going {
            self.announce(format!("{repository}:{tag}"), tags.get(tag));
        }
        if *is_whole {
            self.announce(repository.to_string(), None);
        }
        let kept = self.ecr.delete_tags(repository, &going).await;
        let kept = kept.map_err(StepError::at(Step::Prune))?;
        let fate = |tag: &Tag, digest: &Digest| {
            if is_moved(tag, digest) {
                return failed(OrphanError::Moved { tag: tag.clone() });
            }
            let kept = kept.iter().find(|kept| kept.name == tag.as_str());
            kept.map_or(Fate::Deleted, |kept| failed(kept_by_ecr(kept)))
        };
        let row = |(tag, digest): (&Tag, &Digest)| Pruned {
            repository: repository.clone(),
            fate: fate(tag, digest),
            tag: Some((tag.clone(), digest.clone())),
        };
        let mut rows: Vec<Pruned> = tags.iter().map(row).collect();
        if *is_whole {
            let fate = match self.delete_repository().await {
                Ok(()) => Fate::Deleted,
                Err(error) => Fate::Failed(error),
            };
            rows.push(Pruned {
                repository: repository.clone(),
                tag: None,
                fate,
            });
        }
        Ok(rows)
    }

    /// Deletes the images without tags that the plan knew, then the repository, and never by force:
    /// whatever arrives meanwhile keeps it. An index has to go before the images that it lists,
    /// which takes several rounds.
    async fn delete_repository(&self) -> Result<(), StepError> {
        let repository = &self.orphan.repository;
        loop {
            let now = self.list().await?;
            if !now.tags.is_empty() || !now.digests.is_subset(&self.orphan.digests) {
                return Err(StepError::new(Step::Prune, OrphanError::NotEmpty));
            }
            if now.digests.is_empty() {
                break;
            }
            let digests: Vec<Digest> = now.digests.into_iter().collect();
            let kept = self.ecr.delete_digests(repository, &digests).await;
            let kept = kept.map_err(StepError::at(Step::Prune))?;
            if let Some(first) = kept.first().filter(|_| kept.len() == digests.len()) {
                return Err(StepError::new(Step::Prune, kept_by_ecr(first)));
            }
        }
        let deleted = self.ecr.delete_repository(repository, false).await;
        deleted.map_err(StepError::at(Step::Prune))
    }

    async fn list(&self) -> Result<Inventory, StepError> {
        let inventory = self.ecr.list_images(&self.orphan.repository).await;
        inventory.map_err(StepError::at(Step::Prune))
    }

    fn announce(&self, name: String, digest: Option<&Digest>) {
        let digest = digest.cloned();
        self.access
            .observer
            .observe(Event::Deleting { name, digest });
    }
}

fn kept_by_ecr(kept: &ImageKept) -> OrphanError {
    OrphanError::Kept {
        name: kept.name.clone(),
        reason: kept.reason.clone(),
        is_listed: kept.is_listed,
    }
}

fn failed(error: OrphanError) -> Fate {
    Fate::Failed(StepError::new(Step::Prune, error))
}
