//! Which blob moves next, when more want to than may.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::oneshot;

use super::window::Limit;
use crate::image::Registry;

/// The largest blob that counts as small, in bytes: it costs round trips and hardly any time.
const SMALL: u64 = 1024 * 1024;

/// The blobs that move and those that wait, at all registries.
#[derive(Debug)]
pub(super) struct Transfers(Mutex<State>);

#[derive(Debug)]
struct State {
    /// How many may be under way at once at one registry.
    most: usize,
    registries: HashMap<Registry, Occupancy>,
    /// How many are under way for each reason.
    moving: HashMap<Reason, usize>,
    /// The oldest first.
    waiting: Vec<Waiting>,
}

#[derive(Debug)]
struct Occupancy {
    limit: Limit,
    used: usize,
}

#[derive(Debug)]
struct Waiting {
    ends: BTreeSet<Registry>,
    size: u64,
    ready: oneshot::Sender<Transfer>,
}

/// Why a blob's turn came.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Reason {
    /// It is small, and nothing small was moving.
    Small,
    /// None that waited was larger.
    Largest,
    /// None waited longer.
    Oldest,
}

/// The right to move a blob: one slot at each registry that takes part, free again when dropped.
#[derive(Debug)]
pub struct Transfer {
    transfers: Arc<Transfers>,
    ends: BTreeSet<Registry>,
    reason: Reason,
}

impl Transfers {
    /// This many slots at each registry, and at least one.
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State {
            most,
            registries: HashMap::new(),
            moving: HashMap::new(),
            waiting: Vec::new(),
        })))
    }

    /// Waits for a slot at each of these registries, all together, so that whoever has one end
    /// never waits for the other.
    pub(super) async fn slot(self: &Arc<Self>, ends: BTreeSet<Registry>, size: u64) -> Transfer {
        let (ready, turn) = oneshot::channel();
        self.state().waiting.push(Waiting { ends, size, ready });
        self.let_go();
        turn.await.expect("whoever waits is answered")
    }

    /// The registry took a request well.
    pub(super) fn succeeded(self: &Arc<Self>, registry: &Registry) {
        if self.state().occupancy(registry).limit.succeeded() {
            self.let_go();
        }
    }

    /// The registry complained: half of its slots are gone, those in use when they are free.
    pub(super) fn throttled(&self, registry: &Registry) {
        self.state().occupancy(registry).limit.throttled();
    }

    /// Lets all go whose turn it is.
    fn let_go(self: &Arc<Self>) {
        let mut state = self.state();
        // Whoever waits no longer is not asked.
        state.waiting.retain(|it| !it.ready.is_closed());
        let mut ready = Vec::new();
        while let Some((index, reason)) = state.next() {
            let Waiting {
                ends, ready: to, ..
            } = state.waiting.remove(index);
            for registry in &ends {
                state.occupancy(registry).used += 1;
            }
            *state.moving.entry(reason).or_default() += 1;
            let transfers = Arc::clone(self);
            ready.push((
                to,
                Transfer {
                    transfers,
                    ends,
                    reason,
                },
            ));
        }
        drop(state);
        for (to, transfer) in ready {
            // Whoever went away meanwhile gives it back by dropping it.
            let _ = to.send(transfer);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock()
    }
}

impl State {
    fn occupancy(&mut self, registry: &Registry) -> &mut Occupancy {
        let most = self.most;
        let new = || Occupancy {
            limit: Limit::new(most),
            used: 0,
        };
        self.registries.entry(registry.clone()).or_insert_with(new)
    }

    /// Whose turn it is. Something small always moves; it ends soon, and much may wait for it. Of
    /// the rest about half are the largest, so that none is left to travel alone at the end, and
    /// half the oldest, so that nobody waits for ever (regclient's rule).
    fn next(&self) -> Option<(usize, Reason)> {
        let has_room = |registry: &Registry| {
            let occupancy = self.registries.get(registry);
            occupancy.is_none_or(|it| it.used < it.limit.now())
        };
        let waiting = self.waiting.iter().enumerate();
        let mut free = waiting.filter(|(_, it)| it.ends.iter().all(has_room));
        let moving = |reason| self.moving.get(&reason).copied().unwrap_or_default();
        if moving(Reason::Small) == 0
            && let Some((index, _)) = free.clone().find(|(_, it)| it.size <= SMALL)
        {
            return Some((index, Reason::Small));
        }
        if moving(Reason::Largest) <= moving(Reason::Oldest) {
            // Of equals the oldest.
            let largest = free.rev().max_by_key(|(_, it)| it.size);
            return largest.map(|(index, _)| (index, Reason::Largest));
        }
        free.next().map(|(index, _)| (index, Reason::Oldest))
    }
}

impl Drop for Transfer {
    fn drop(&mut self) {
        let mut state = self.transfers.state();
        for registry in &self.ends {
            state.occupancy(registry).used -= 1;
        }
        if let Some(moving) = state.moving.get_mut(&self.reason) {
            *moving -= 1;
        }
        drop(state);
        self.transfers.let_go();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::FutureExt;
    use futures_util::stream::{FuturesUnordered, StreamExt};
    use tokio::time::timeout;

    use super::*;

    const MIB: u64 = 1024 * 1024;

    fn ends(registries: &[&str]) -> BTreeSet<Registry> {
        registries.iter().map(|it| it.parse().unwrap()).collect()
    }

    #[tokio::test]
    async fn both_ends_are_taken_together() {
        let transfers = Transfers::new(2);
        let is_free = async |registries: &[&str]| {
            let slot = transfers.slot(ends(registries), 1);
            timeout(Duration::from_millis(20), slot).await.is_ok()
        };
        let held = [
            transfers.slot(ends(&["a.example"]), 1).await,
            transfers.slot(ends(&["a.example"]), 1).await,
        ];
        assert!(!is_free(&["b.example", "a.example"]).await);
        assert!(is_free(&["b.example"]).await);
        drop(held);
        assert!(is_free(&["b.example", "a.example"]).await);
    }

    #[tokio::test]
    async fn a_small_one_always_moves_and_the_rest_are_the_largest_and_the_oldest() {
        let transfers = Transfers::new(3);
        let slot = |size: u64| {
            let slot = transfers.slot(ends(&["a.example"]), size * MIB);
            slot.map(move |transfer| (size, transfer))
        };
        let mut held = Vec::new();
        for size in [1, 3, 2] {
            held.push(slot(size).await);
        }
        let mut waiting: FuturesUnordered<_> =
            [30, 1, 20, 90, 1, 10, 80].map(slot).into_iter().collect();
        let mut order = Vec::new();
        while !waiting.is_empty() {
            assert!(waiting.next().now_or_never().is_none(), "{order:?}");
            // Each takes the place of the one that moves for the longest time.
            held.remove(0);
            held.push(waiting.next().await.unwrap());
            order.push(held[2].0);
        }
        assert_eq!(order, [1, 90, 30, 1, 80, 20, 10]);
    }

    #[tokio::test]
    async fn whoever_went_away_is_passed_over() {
        let transfers = Transfers::new(1);
        let slot = || transfers.slot(ends(&["a.example"]), MIB);
        let held = slot().await;
        let mut gone = Box::pin(slot());
        assert!((&mut gone).now_or_never().is_none());
        let mut next = Box::pin(slot());
        assert!((&mut next).now_or_never().is_none());
        drop((gone, held));
        assert!(next.now_or_never().is_some());
    }

    #[tokio::test]
    async fn complaints_take_slots_away_and_successes_bring_them_back() {
        let transfers = Transfers::new(4);
        let registry: Registry = "a.example".parse().unwrap();
        let slot = || transfers.slot(ends(&["a.example"]), MIB).now_or_never();
        transfers.throttled(&registry);
        let held = [slot().unwrap(), slot().unwrap()];
        assert!(slot().is_none());
        for _ in 0..2 {
            transfers.succeeded(&registry);
        }
        let third = slot().unwrap();
        assert!(slot().is_none());
        drop((held, third));
    }
}
