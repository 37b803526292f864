//! Lists repositories for the entries of the file that select tags by patterns.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::stream::{self, StreamExt};

use crate::config::{Expansion, ImagePattern, LockedPattern, Mistakes, Specification};
use crate::event::{Event, Observer, Step};
use crate::image::{Location, Repository, Tag};

use super::observe::PARALLEL_QUESTIONS;
use super::{StepError, Upstreams};

/// A repository or layout that could not be listed: the tags that a pattern of the file selects from it are
/// not known.
#[derive(Clone, Debug)]
pub struct Unlisted {
    /// The repository.
    pub source: Location,
    /// Why.
    pub error: StepError,
}

/// A specification without patterns.
#[derive(Clone, Debug)]
pub struct Expanded {
    /// The specification with every pattern replaced by the tags that it selects.
    pub specification: Specification,
    /// What each pattern selected.
    pub chosen: Vec<LockedPattern>,
    /// Repositories that could not be listed. Each fails alone.
    pub unlisted: Vec<Unlisted>,
    /// The destination repositories of patterns that could not be seen with tags, or that no tag
    /// fits: nobody knows what belongs there.
    pub open: BTreeSet<Repository>,
}

/// Replaces every pattern by the tags that it selects, which takes a list of its repository.
pub async fn expand(
    specification: Specification,
    upstreams: &Upstreams,
    observer: &dyn Observer,
) -> Result<Expanded, Mistakes> {
    let mut sources: Vec<Location> = specification
        .patterns
        .iter()
        .map(ImagePattern::source)
        .collect();
    sources.sort_unstable();
    sources.dedup();
    let list = async |source: Location| {
        let tags = upstreams.store.list_tags(&source).await;
        (source, tags.map_err(StepError::at(Step::List)))
    };
    let listed: BTreeMap<Location, Result<Vec<Tag>, StepError>> = stream::iter(sources)
        .map(list)
        .buffer_unordered(PARALLEL_QUESTIONS)
        .collect()
        .await;

    let (mut images, mut chosen, mut open) = (Vec::new(), Vec::new(), BTreeSet::new());
    for pattern in &specification.patterns {
        let source = pattern.source();
        if let Some(Ok(tags)) = listed.get(&source) {
            let Expansion {
                images: selected,
                steps,
            } = pattern.expand(tags);
            if steps.last().is_some_and(|step| step.kept == 0) {
                open.insert(pattern.repository().clone());
            }
            let kept = steps.iter().map(|step| (step.name, step.kept)).collect();
            observer.observe(Event::Selected {
                source,
                repository: pattern.repository().clone(),
                listed: tags.len(),
                kept,
            });
            let tags = selected.iter().map(|image| image.tag.clone());
            chosen.push(LockedPattern::new(pattern, tags.collect()));
            images.extend(selected);
        } else {
            open.insert(pattern.repository().clone());
        }
    }
    let failed = listed.into_iter();
    let failed = failed.filter_map(|(source, tags)| {
        Some(Unlisted {
            source,
            error: tags.err()?,
        })
    });
    Ok(Expanded {
        specification: specification.expanded(images)?,
        chosen,
        unlisted: failed.collect(),
        open,
    })
}
