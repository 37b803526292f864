//! The time during which it is open whether a login is good.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{Mutex, MutexGuard};

/// Until a login was taken, requests go one at a time: a wrong one is then sent once, however many
/// requests wait, and locks no account.
#[derive(Default)]
pub(super) struct Trial {
    turn: Mutex<()>,
    is_over: AtomicBool,
}

impl Trial {
    /// Waits until this request may go; it has its turn for as long as it keeps what it gets.
    pub(super) async fn turn(&self) -> Option<MutexGuard<'_, ()>> {
        if self.is_over() {
            return None;
        }
        let turn = self.turn.lock().await;
        (!self.is_over()).then_some(turn)
    }

    /// The login was taken, or there is none.
    pub(super) fn end(&self) {
        self.is_over.store(true, Ordering::Release);
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }
}
