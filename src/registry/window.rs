//! How many requests are under way at once.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Slots, of which some are taken away when the registry complains and come back one by one.
#[derive(Debug)]
pub(super) struct Window {
    most: usize,
    size: Mutex<Size>,
    permits: Arc<Semaphore>,
}

#[derive(Debug)]
struct Size {
    limit: usize,
    /// How many slots in use are not to be used again.
    surplus: usize,
    /// How many requests were taken well since the limit last changed.
    successes: usize,
}

/// One of a registry's slots, free again when dropped.
#[derive(Debug)]
pub(super) struct Slot {
    window: Arc<Window>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Window {
    /// This many slots, and at least one.
    pub(super) fn new(slots: usize) -> Arc<Self> {
        let most = slots.max(1);
        Arc::new(Self {
            most,
            size: Mutex::new(Size {
                limit: most,
                surplus: 0,
                successes: 0,
            }),
            permits: Arc::new(Semaphore::new(most)),
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
        size.successes += 1;
        if size.limit == self.most || size.successes < size.limit {
            return;
        }
        size.limit += 1;
        size.successes = 0;
        if size.surplus > 0 {
            size.surplus -= 1;
        } else {
            self.permits.add_permits(1);
        }
    }

    /// The registry complained: half of the slots are gone, those in use when they are free.
    pub(super) fn throttled(&self) {
        let mut size = self.size();
        let limit = 1.max(size.limit / 2);
        let gone = size.limit - limit;
        size.limit = limit;
        size.successes = 0;
        size.surplus += gone - self.permits.forget_permits(gone);
    }

    fn size(&self) -> std::sync::MutexGuard<'_, Size> {
        self.size.lock().unwrap_or_else(PoisonError::into_inner)
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
