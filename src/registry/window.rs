//! How many requests are under way at once.

use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many at once: halved when the registry complains, and one more after as many successes.
#[derive(Debug)]
pub(super) struct Limit {
    most: usize,
    now: usize,
    /// How many requests were taken well since the limit last changed.
    successes: usize,
}

/// Slots, of which some are taken away when the registry complains and come back one by one.
#[derive(Debug)]
pub(super) struct Window {
    size: Mutex<Size>,
    permits: Arc<Semaphore>,
}

#[derive(Debug)]
struct Size {
    limit: Limit,
    /// How many slots in use are not to be used again.
    surplus: usize,
}

/// One of a registry's slots, free again when dropped.
#[derive(Debug)]
pub(super) struct Slot {
    window: Arc<Window>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Limit {
    /// This many, and at least one.
    pub(super) fn new(most: usize) -> Self {
        let most = most.max(1);
        Self {
            most,
            now: most,
            successes: 0,
        }
    }

    pub(super) fn now(&self) -> usize {
        self.now
    }

    /// The registry took a request well. Returns whether there may be one more now.
    pub(super) fn succeeded(&mut self) -> bool {
        self.successes += 1;
        let grows = self.now < self.most && self.successes >= self.now;
        if grows {
            self.now += 1;
            self.successes = 0;
        }
        grows
    }

    /// The registry complained. Returns how many fewer there may be now.
    pub(super) fn throttled(&mut self) -> usize {
        let now = 1.max(self.now / 2);
        let gone = self.now - now;
        self.now = now;
        self.successes = 0;
        gone
    }
}

impl Window {
    /// This many slots, and at least one.
    pub(super) fn new(slots: usize) -> Arc<Self> {
        let limit = Limit::new(slots);
        Arc::new(Self {
            permits: Arc::new(Semaphore::new(limit.now())),
            size: Mutex::new(Size { limit, surplus: 0 }),
        })
    }

    /// Waits for a slot.
    pub(super) async fn slot(self: &Arc<Self>) -> Slot {
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        Slot {
            window: Arc::clone(self),
            permit: permit.ok(),
        }
    }

    /// The registry took a request well.
    pub(super) fn succeeded(&self) {
        let mut size = self.size();
        if !size.limit.succeeded() {
            return;
        }
        if size.surplus > 0 {
            size.surplus -= 1;
        } else {
            self.permits.add_permits(1);
        }
    }

    /// The registry complained: half of the slots are gone, those in use when they are free.
    pub(super) fn throttled(&self) {
        let mut size = self.size();
        let gone = size.limit.throttled();
        size.surplus += gone - self.permits.forget_permits(gone);
    }

    fn size(&self) -> MutexGuard<'_, Size> {
        self.size.lock()
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut size = self.window.size();
        if size.surplus > 0
            && let Some(permit) = self.permit.take()
        {
            size.surplus -= 1;
            permit.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn complaints_halve_it_and_it_recovers() {
        let window = Window::new(4);
        let free = |window: &Window| window.permits.available_permits();
        let slots = [
            window.slot().await,
            window.slot().await,
            window.slot().await,
        ];
        window.throttled();
        assert_eq!(free(&window), 0, "the free one is gone, and one in use");
        drop(slots);
        assert_eq!(free(&window), 2);
        window.throttled();
        window.throttled();
        assert_eq!(free(&window), 1, "one always stays");
        for (successes, slots) in [(1, 2), (1, 2), (1, 3), (2, 3), (1, 4), (9, 4)] {
            for _ in 0..successes {
                window.succeeded();
            }
            assert_eq!(free(&window), slots);
        }
    }
}
