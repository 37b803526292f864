//! Docker Hub's budget of pulls, held against what a plan needs of it.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::time::Duration;

use crate::config::Platforms;
use crate::event::{Event, Step};
use crate::failure::{Failure, Kind};
use crate::image::{Content, Digest, Manifest, Reference, Registry, Repository};
use crate::registry::{Client, RateLimit};

use super::part::Part;
use super::{Access, Base, ImagePlan, Plan, StepError, Work};

/// Indexes read together to learn how many pulls their images need. What is read beyond the budget
/// is wasted, and no more than this.
const READ_TOGETHER: usize = 4;

/// The budget does not suffice.
#[derive(Debug, thiserror::Error)]
enum BudgetError {
    #[error(
        "`{registry}` allows {} more pulls of {} in {} h{}, too few for this image and those \
         before it", limit.remaining, limit.limit, hours(limit.window), to_each(*sharers)
    )]
    Short {
        registry: Registry,
        limit: RateLimit,
        sharers: NonZeroUsize,
        /// How to be allowed more.
        remedy: String,
    },
    #[error(
        "it needs {needed} pulls of `{registry}`, which never allows more than {} in {} h{}",
        limit.limit, hours(limit.window), to_each(*sharers)
    )]
    Never {
        registry: Registry,
        needed: u64,
        limit: RateLimit,
        sharers: NonZeroUsize,
        /// How to be allowed more.
        remedy: String,
    },
}

impl Failure for BudgetError {
    fn kind(&self) -> Kind {
        match self {
            Self::Short { .. } => Kind::Exhausted,
            Self::Never { .. } => Kind::Permanent,
        }
    }

    fn hint(&self) -> Option<String> {
        let fewer = |otherwise, sharers| match sharers {
            NonZeroUsize::MIN => otherwise,
            _ => "use fewer partitions",
        };
        Some(match self {
            Self::Short {
                remedy, sharers, ..
            } => format!(
                "{remedy}, wait as `--wait` does, or {}",
                fewer("name fewer images", *sharers)
            ),
            Self::Never {
                remedy, sharers, ..
            } => format!(
                "{remedy}, or {}",
                fewer("choose fewer `platforms`", *sharers)
            ),
        })
    }
}

/// One manifest that is read once.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Pull {
    repository: Repository,
    digest: Digest,
    by: Puller,
}

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Puller {
    Longshore,
    Docker,
}

/// The pulls that one image still needs.
#[derive(Clone, Debug, Default)]
struct Need {
    pulls: BTreeSet<Pull>,
    /// Whether the Docker daemon pulls. It may have the base already, so a build begins in any case.
    by_docker: bool,
}

/// Tells that a plan cannot be applied within the budget, as far as that is known without reading
/// anything.
pub fn foresee(plan: &Plan, access: &Access) {
    let client = &access.upstreams.client;
    let needs: Vec<Need> = plan.images.iter().map(|plan| need(plan, client)).collect();
    let needed = total(&needs);
    if let Some(limit) = client.pulls(&Registry::docker_hub())
        && needed > limit.remaining
    {
        let images = fits(&needs, limit.remaining);
        tell(access, needed, limit, &images, false);
    }
}

/// Takes out of a plan what the budget does not suffice for, so that it fails before anything of it
/// moves, and says so. Returns how many pulls the plan needed.
pub(super) async fn ration(plan: &mut Plan, access: &Access, waits: bool) -> u64 {
    let client = &access.upstreams.client;
    if learn(plan, client).await.is_none() {
        return 0;
    }
    let mut tried = BTreeSet::new();
    let (needs, limit) = loop {
        let needs: Vec<Need> = plan.images.iter().map(|plan| need(plan, client)).collect();
        let Some(limit) = client.pulls(&Registry::docker_hub()) else {
            return 0;
        };
        if total(&needs) > limit.remaining || !read_more(plan, client, &mut tried).await {
            break (needs, limit);
        }
    };
    let needed = total(&needs);
    if needed <= limit.remaining {
        return needed;
    }
    let fits = fits(&needs, limit.remaining);
    tell(access, needed, limit, &fits, waits);
    for ((plan, need), fits) in plan.images.iter_mut().zip(&needs).zip(fits) {
        if !fits {
            let refusal = refusal(need, limit, client);
            plan.decision = Err(StepError::new(Step::Read, refusal));
        }
    }
    needed
}

/// What Docker Hub told of its budget. It tells so with every HEAD, so that nobody needs to ask
/// where a tag was resolved; for sources that are all pinned it is asked here.
async fn learn(plan: &Plan, client: &Client) -> Option<RateLimit> {
    let hub = Registry::docker_hub();
    let mut sources = plan.images.iter().filter_map(in_docker_hub);
    let is_asked = sources.any(|source| source.digest.is_none());
    let mut needed = plan.images.iter().filter(|plan| plan.work().is_some());
    if let Some(source) = needed.find_map(in_docker_hub)
        && client.rate_limit(&hub).is_none()
        && !is_asked
    {
        // An answer without a budget, or none at all, is no reason to do nothing.
        let _ = client.head_manifest(source).await;
    }
    client.rate_limit(&hub)
}

/// Reads some of the manifests whose children are not known and that were not tried before; false
/// where there are none. Who copies them finds them read, or finds out what is wrong with them.
async fn read_more(plan: &Plan, client: &Client, tried: &mut BTreeSet<Reference>) -> bool {
    let roots = plan.images.iter().filter_map(|plan| match plan.work()?.0 {
        Work::Copy {
            source,
            part: Part::Whole,
        } => Some(in_docker_hub(plan)?.by_digest(source.clone())),
        _ => None,
    });
    let unread: BTreeSet<Reference> = roots
        .filter(|root| client.counted_manifest(root).is_none() && !tried.contains(root))
        .take(READ_TOGETHER)
        .collect();
    let reads = unread.iter().map(|root| client.get_manifest(root));
    let _: Vec<_> = futures_util::future::join_all(reads).await;
    let has_tried = !unread.is_empty();
    tried.extend(unread);
    has_tried
}

/// An image's source, where reading it is counted.
fn in_docker_hub(plan: &ImagePlan) -> Option<&Reference> {
    let source = plan.image.source.reference()?;
    let is_counted = source.registry.is_docker_hub() && !plan.image.through_cache;
    is_counted.then_some(source)
}

fn need(plan: &ImagePlan, client: &Client) -> Need {
    let mut need = Need::default();
    let (Some(source), Some((work, _))) = (in_docker_hub(plan), plan.work()) else {
        return need;
    };
    let add = |need: &mut Need, digest: &Digest| {
        let known = client.counted_manifest(&source.by_digest(digest.clone()));
        if known.is_none() {
            need.pulls.insert(Pull {
                repository: source.repository.clone(),
                digest: digest.clone(),
                by: Puller::Longshore,
            });
        }
        known
    };
    match work {
        Work::Build { base, .. } => {
            need.by_docker = true;
            for digest in built_on(base, &plan.image.platforms) {
                add(&mut need, digest);
                need.pulls.insert(Pull {
                    repository: source.repository.clone(),
                    digest: digest.clone(),
                    by: Puller::Docker,
                });
            }
        }
        Work::Derive { base, .. } => {
            for digest in built_on(base, &plan.image.platforms) {
                add(&mut need, digest);
            }
        }
        Work::Copy { source: root, part } => {
            let root = match part {
                Part::Whole => add(&mut need, root),
                Part::One(digest) => add(&mut need, digest),
                Part::Planned(manifest) => Some(manifest.clone()),
            };
            for child in root.iter().flat_map(children) {
                add(&mut need, &child);
            }
        }
        // No registry's.
        Work::Export { .. } => {}
        Work::Refer { lacking, .. } => {
            for referrer in lacking {
                add(&mut need, referrer.digest());
            }
        }
    }
    need
}

/// The manifests that `FROM` names. Which of them the daemon's own platform is only the daemon
/// knows; it is one.
fn built_on<'a>(base: &'a Base, platforms: &'a Platforms) -> impl Iterator<Item = &'a Digest> {
    let count = match platforms {
        Platforms::Daemon => 1,
        Platforms::All | Platforms::Only(_) => usize::MAX,
    };
    let bases = base.platforms.iter().filter(|base| match platforms {
        Platforms::Only(list) => list.contains(&base.platform),
        Platforms::All | Platforms::Daemon => true,
    });
    bases.map(|base| &base.digest).take(count)
}

fn children(manifest: &Manifest) -> Vec<Digest> {
    match manifest.content() {
        Ok(Content::Index(index)) => {
            let children = index.manifests().iter();
            children.flat_map(Digest::try_from).collect()
        }
        Ok(Content::Image(_)) | Err(_) => Vec::new(),
    }
}

/// How many pulls images need together.
fn total(needs: &[Need]) -> u64 {
    let pulls: BTreeSet<_> = needs.iter().flat_map(|need| &need.pulls).collect();
    pulls.len() as u64
}

/// Which images so many pulls suffice for: what the daemon builds takes its part first, then each
/// copy that still fits, in the file's order.
fn fits(needs: &[Need], mut left: u64) -> Vec<bool> {
    let mut taken: BTreeSet<&Pull> = BTreeSet::new();
    let mut fits: Vec<bool> = needs.iter().map(|need| need.by_docker).collect();
    for need in needs.iter().filter(|need| need.by_docker) {
        let before = taken.len();
        taken.extend(&need.pulls);
        left = left.saturating_sub((taken.len() - before) as u64);
    }
    for (need, fits) in needs.iter().zip(&mut fits) {
        let new = need.pulls.iter().filter(|pull| !taken.contains(pull));
        let cost = new.count() as u64;
        if !*fits && cost <= left {
            left -= cost;
            taken.extend(&need.pulls);
            *fits = true;
        }
    }
    fits
}

fn refusal(need: &Need, limit: RateLimit, client: &Client) -> BudgetError {
    let registry = Registry::docker_hub();
    let sharers = client.sharers();
    let remedy = client.limit_remedy(&registry);
    let needed = need.pulls.len() as u64;
    if needed > limit.limit {
        BudgetError::Never {
            registry,
            needed,
            limit,
            sharers,
            remedy,
        }
    } else {
        BudgetError::Short {
            registry,
            limit,
            sharers,
            remedy,
        }
    }
}

fn tell(access: &Access, needed: u64, limit: RateLimit, fits: &[bool], waits: bool) {
    let client = &access.upstreams.client;
    let registry = Registry::docker_hub();
    access.observer.observe(Event::PullsShort {
        needed,
        remaining: limit.remaining,
        sharers: client.sharers(),
        remedy: client.limit_remedy(&registry),
        registry,
        images: fits.iter().filter(|fits| !**fits).count(),
        waits,
    });
}

fn to_each(sharers: NonZeroUsize) -> String {
    match sharers {
        NonZeroUsize::MIN => String::new(),
        sharers => format!(" to each of {sharers} partitions"),
    }
}

fn hours(window: Duration) -> u64 {
    window.as_secs().div_ceil(3600)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn need(manifests: &[&str], by_docker: bool) -> Need {
        let repository: Repository = "library/redis".parse().unwrap();
        let pull = |text: &&str| Pull {
            repository: repository.clone(),
            digest: Digest::of(text.as_bytes()),
            by: Puller::Longshore,
        };
        Need {
            pulls: manifests.iter().map(pull).collect(),
            by_docker,
        }
    }

    #[test]
    fn what_fits_is_taken_in_order_and_nothing_is_counted_twice() {
        let needs = [
            need(&["a", "b", "c"], false),
            need(&["b", "d", "f", "g"], false),
            need(&[], false),
            need(&["a", "c"], false),
            need(&["e"], true),
        ];
        assert_eq!(total(&needs), 7);
        for (left, expected) in [
            (7, [true, true, true, true, true]),
            (6, [true, false, true, true, true]),
            (4, [true, false, true, true, true]),
            (3, [false, false, true, true, true]),
            (1, [false, false, true, false, true]),
            (0, [false, false, true, false, true]),
        ] {
            assert_eq!(fits(&needs, left), expected, "{left}");
        }
    }
}
