//! What work takes.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts what the clients that carry it do. See [`Client::metered`](super::Client::metered).
#[derive(Debug, Default)]
pub struct Meter {
    requests: AtomicU64,
}

impl Meter {
    /// HTTP requests as they went out: with repetitions and redirects, without those for a login,
    /// which all work at a registry shares.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    pub(super) fn request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }
}
