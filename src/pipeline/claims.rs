//! Who brings which blob where, so that each is read once from the source however many
//! repositories need it.
//!
//! Before a manifest's blobs move, it claims all of them at once and gets a number. Whoever has the
//! lowest number for a blob in its repository brings it there; whoever has the lowest of all reads
//! it from the source, and the others wait until it can be mounted. A claim so only ever waits for
//! claims with lower numbers, and the lowest of all waits for nobody: no two can wait for each
//! other. A claim that ends without a manifest makes room for the next one.

use std::collections::{BTreeMap, HashMap, HashSet};

use tokio::sync::watch;

use crate::image::{Digest, Repository};
use crate::registry::Uploaded;

/// The claims of a run, and what became of blobs in it.
#[derive(Debug, Default)]
pub(super) struct Claims(watch::Sender<State>);

/// What one manifest needs, until it stands in its repository or failed: dropping it gives it up.
#[derive(Debug)]
pub(super) struct Claim<'a> {
    claims: &'a Claims,
    number: u64,
    repository: Repository,
    /// The blobs with their sizes in bytes.
    pub(super) blobs: BTreeMap<Digest, u64>,
}

/// What a claim has to do for a blob now.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Turn {
    /// Nothing: it is there.
    Done,
    /// Take it from this other repository.
    Mount(Repository),
    /// Read it from the source.
    Send,
    /// Wait for whoever brings it into the same repository.
    Wait,
    /// Wait for another repository to have it, and take it from there.
    WaitForMount,
}

#[derive(Debug, Default)]
struct State {
    last_number: u64,
    /// Whoever needs a blob, by number.
    wanted: HashMap<Digest, BTreeMap<u64, Repository>>,
    /// What is there; not all of it hangs on a manifest.
    arrived: HashSet<(Repository, Digest)>,
    /// A repository in which a manifest holds the blob, so that it can be mounted from there: ECR
    /// mounts no blob that hangs on no manifest (containers-roadmap#2860).
    held: HashMap<Digest, Repository>,
    /// Whether the registry does not mount.
    is_mounting_hopeless: bool,
}

impl Claims {
    /// Claims all blobs of a manifest for a repository.
    pub(super) fn claim(&self, repository: &Repository, blobs: BTreeMap<Digest, u64>) -> Claim<'_> {
        let mut number = 0;
        self.0.send_modify(|state| {
            state.last_number += 1;
            number = state.last_number;
            for digest in blobs.keys() {
                let wanted = state.wanted.entry(digest.clone()).or_default();
                wanted.insert(number, repository.clone());
            }
        });
        Claim {
            claims: self,
            number,
            repository: repository.clone(),
            blobs,
        }
    }

    /// What became of a blob that the registry was asked to mount. Only one that had to be sent was
    /// refused; that a blob turned out to be there says nothing of mounting.
    pub(super) fn asked_to_mount(&self, became: Uploaded) {
        match became {
            Uploaded::Uploaded => self.give_up_mounting(),
            Uploaded::Mounted | Uploaded::Existed => {}
        }
    }

    /// The registry does not mount: nobody needs to wait for it any more.
    pub(super) fn give_up_mounting(&self) {
        self.0
            .send_modify(|state| state.is_mounting_hopeless = true);
    }
}

impl Claim<'_> {
    /// What to do for a blob now.
    pub(super) fn turn(&self, digest: &Digest) -> Turn {
        self.claims.0.borrow().turn(self, digest)
    }

    /// Waits until there is something to do for a blob, or nothing any more.
    pub(super) async fn wait(&self, digest: &Digest) -> Turn {
        let mut turn = Turn::Wait;
        let mut states = self.claims.0.subscribe();
        let is_over = |state: &State| {
            turn = state.turn(self, digest);
            !matches!(turn, Turn::Wait | Turn::WaitForMount)
        };
        let waited = states.wait_for(is_over).await.map(|_| ());
        waited.expect("the claims outlive their claim");
        turn
    }

    /// Blobs are there.
    pub(super) fn arrived<'a>(&self, digests: impl IntoIterator<Item = &'a Digest>) {
        self.claims.0.send_modify(|state| {
            let arrived = digests.into_iter();
            state
                .arrived
                .extend(arrived.map(|digest| (self.repository.clone(), digest.clone())));
        });
    }

    /// The manifest stands in the repository, and holds all of its blobs.
    pub(super) fn committed(self) {
        self.arrived(self.blobs.keys());
        self.claims.0.send_modify(|state| {
            for digest in self.blobs.keys() {
                let held = state.held.entry(digest.clone());
                held.or_insert_with(|| self.repository.clone());
            }
        });
    }

    /// Forgets what was known of the blobs: the registry lost some.
    pub(super) fn lost(&self) {
        self.claims.0.send_modify(|state| {
            for digest in self.blobs.keys() {
                state
                    .arrived
                    .remove(&(self.repository.clone(), digest.clone()));
                state.held.remove(digest);
            }
        });
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.claims.0.send_modify(|state| {
            for digest in self.blobs.keys() {
                if let Some(wanted) = state.wanted.get_mut(digest) {
                    wanted.remove(&self.number);
                    if wanted.is_empty() {
                        state.wanted.remove(digest);
                    }
                }
            }
        });
    }
}

impl State {
    fn turn(&self, claim: &Claim<'_>, digest: &Digest) -> Turn {
        let Claim {
            number, repository, ..
        } = claim;
        let key = (repository.clone(), digest.clone());
        if self.arrived.contains(&key) {
            return Turn::Done;
        }
        let wanted = self.wanted.get(digest).into_iter();
        let mut earlier = wanted.flat_map(|wanted| wanted.range(..number).map(|(_, it)| it));
        if earlier.clone().any(|other| other == repository) {
            return Turn::Wait;
        }
        if self.is_mounting_hopeless {
            return Turn::Send;
        }
        match self.held.get(digest) {
            Some(origin) if origin != repository => Turn::Mount(origin.clone()),
            _ if earlier.next().is_some() => Turn::WaitForMount,
            _ => Turn::Send,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn blob(name: u8) -> Digest {
        Digest::of(&[name])
    }

    fn claim<'a>(claims: &'a Claims, repository: &str, names: &[u8]) -> Claim<'a> {
        let blobs = names.iter().map(|&name| (blob(name), 1)).collect();
        claims.claim(&repository.parse().unwrap(), blobs)
    }

    fn turns(claim: &Claim<'_>, names: &[u8]) -> Vec<Turn> {
        let turns = names.iter().map(|&name| claim.turn(&blob(name)));
        turns.collect()
    }

    fn mount(repository: &str) -> Turn {
        Turn::Mount(repository.parse().unwrap())
    }

    #[test]
    fn the_first_sends_and_the_others_mount() {
        let claims = Claims::default();
        let first = claim(&claims, "a", &[1, 2]);
        let second = claim(&claims, "b", &[2, 3, 1]);
        let third = claim(&claims, "c", &[3, 1]);
        assert_eq!(turns(&first, &[1, 2]), [Turn::Send, Turn::Send]);
        assert_eq!(
            turns(&second, &[1, 2, 3]),
            [Turn::WaitForMount, Turn::WaitForMount, Turn::Send]
        );
        assert_eq!(
            turns(&third, &[1, 3]),
            [Turn::WaitForMount, Turn::WaitForMount]
        );
        first.arrived([&blob(1)]);
        // It hangs on no manifest yet.
        assert_eq!(second.turn(&blob(1)), Turn::WaitForMount);
        first.committed();
        assert_eq!(
            turns(&second, &[1, 2, 3]),
            [mount("a"), mount("a"), Turn::Send]
        );
        second.committed();
        assert_eq!(turns(&third, &[1, 3]), [mount("a"), mount("b")]);
    }

    #[test]
    fn within_a_repository_it_is_enough_that_a_blob_is_there() {
        let claims = Claims::default();
        let first = claim(&claims, "a", &[1]);
        let second = claim(&claims, "a", &[1]);
        assert_eq!(second.turn(&blob(1)), Turn::Wait);
        claims.give_up_mounting();
        assert_eq!(second.turn(&blob(1)), Turn::Wait);
        first.arrived([&blob(1)]);
        assert_eq!(second.turn(&blob(1)), Turn::Done);
        first.lost();
        assert_eq!(second.turn(&blob(1)), Turn::Wait);
        drop(first);
        assert_eq!(second.turn(&blob(1)), Turn::Send);
    }

    #[test]
    fn only_a_refusal_ends_mounting() {
        let claims = Claims::default();
        claim(&claims, "a", &[1]).committed();
        let second = claim(&claims, "b", &[1]);
        for (became, turn) in [
            (Uploaded::Mounted, mount("a")),
            (Uploaded::Existed, mount("a")),
            (Uploaded::Uploaded, Turn::Send),
        ] {
            claims.asked_to_mount(became);
            assert_eq!(second.turn(&blob(1)), turn, "{became:?}");
        }
    }

    #[tokio::test]
    async fn the_next_takes_over_from_who_failed() {
        let claims = Claims::default();
        let first = claim(&claims, "a", &[1]);
        let second = claim(&claims, "b", &[1]);
        let third = claim(&claims, "c", &[1]);
        first.arrived([&blob(1)]);
        let digest = blob(1);
        let fail = async { drop(first) };
        let (turn, ()) = tokio::join!(second.wait(&digest), fail);
        assert_eq!(turn, Turn::Send);
        assert_eq!(third.turn(&digest), Turn::WaitForMount);
        let give_up = async { claims.give_up_mounting() };
        let (turn, ()) = tokio::join!(third.wait(&digest), give_up);
        assert_eq!(turn, Turn::Send);
    }

    proptest! {
        /// Whatever happens in whatever order, somebody can go on.
        #[test]
        fn the_lowest_waits_for_nobody(
            wishes in prop::collection::vec(("[abc]", prop::collection::btree_set(0u8..6, 1..5)), 1..9),
            steps in prop::collection::vec((any::<prop::sample::Index>(), 0u8..6), 0..60),
        ) {
            let claims = Claims::default();
            let mut live: Vec<(Claim<'_>, Vec<u8>)> = wishes
                .into_iter()
                .map(|(repository, names)| {
                    let names: Vec<u8> = names.into_iter().collect();
                    (claim(&claims, &repository, &names), names)
                })
                .collect();
            for (index, step) in steps {
                let Some((lowest, names)) = live.first() else { break };
                for turn in turns(lowest, names) {
                    prop_assert!(!matches!(turn, Turn::Wait | Turn::WaitForMount));
                }
                let at = index.index(live.len());
                match step {
                    0 => live.remove(at).0.committed(),
                    1 => drop(live.remove(at)),
                    2 => live[at].0.lost(),
                    3 => claims.give_up_mounting(),
                    _ => live[at].0.arrived([&blob(live[at].1[0])]),
                }
            }
        }
    }
}
