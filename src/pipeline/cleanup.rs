//! What is left to do when a run is given up.

use std::mem;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::task::JoinHandle;

/// Work that goes on after the future of a run was dropped: it removes what the run left behind.
/// Whoever drops one waits for it.
#[derive(Clone, Debug, Default)]
pub struct Cleanup {
    tasks: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

impl Cleanup {
    pub(super) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let task = tokio::spawn(work);
        let mut tasks = self.tasks.lock();
        tasks.push(task);
    }

    /// Waits until all is done.
    pub async fn finish(&self) {
        let tasks = {
            let mut tasks = self.tasks.lock();
            mem::take(&mut *tasks)
        };
        for task in tasks {
            // A task that panicked has said so.
            let _ = task.await;
        }
    }
}
