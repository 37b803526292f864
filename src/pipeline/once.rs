//! Work that is done once however many need it.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

/// Does the work of each key once; whoever needs it meanwhile waits for it. What failed is done
/// again by the next who needs it.
#[derive(Debug)]
pub(super) struct Once<K> {
    cells: Mutex<HashMap<K, Arc<OnceCell<()>>>>,
}

impl<K> Default for Once<K> {
    fn default() -> Self {
        Self {
            cells: Mutex::default(),
        }
    }
}

impl<K: Eq + Hash> Once<K> {
    /// Does the work, waits for it, or finds it done.
    pub(super) async fn run<E>(
        &self,
        key: K,
        work: impl AsyncFn() -> Result<(), E>,
    ) -> Result<(), E> {
        let cell = {
            let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(cells.entry(key).or_default())
        };
        cell.get_or_try_init(async || work().await)
            .await
            .map(|&()| ())
    }

    /// Forgets that the work was done.
    pub(super) fn forget(&self, key: &K) {
        self.cells
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(key);
    }
}
