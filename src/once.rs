//! Work that is done once however many need it.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::OnceCell;

/// What became of the work of each key, which is done once; whoever needs it meanwhile waits for it.
#[derive(Debug)]
pub struct Once<K, V = ()> {
    cells: Mutex<HashMap<K, Arc<OnceCell<V>>>>,
}

impl<K, V> Default for Once<K, V> {
    fn default() -> Self {
        Self {
            cells: Mutex::default(),
        }
    }
}

impl<K: Eq + Hash, V> Once<K, V> {
    /// Where the result of a key's work is, once it is done.
    pub fn cell(&self, key: K) -> Arc<OnceCell<V>> {
        Arc::clone(self.cells().entry(key).or_default())
    }

    /// Takes the result of a key's work from whoever has it already.
    pub fn put(&self, key: K, result: V) {
        let cell = OnceCell::new_with(Some(result));
        self.cells().insert(key, Arc::new(cell));
    }

    /// Forgets that the work was done.
    pub fn forget(&self, key: &K) {
        self.cells().remove(key);
    }

    /// Forgets all work but that with these results. What is not done yet is forgotten, too.
    pub fn retain(&self, keeps: impl Fn(&V) -> bool) {
        self.cells()
            .retain(|_, cell| cell.get().is_some_and(&keeps));
    }

    /// The keys whose work had these results, in no order.
    pub fn keys_with(&self, had: impl Fn(&V) -> bool) -> Vec<K>
    where
        K: Clone,
    {
        let cells = self.cells();
        let keys = cells
            .iter()
            .filter(|(_, cell)| cell.get().is_some_and(&had));
        keys.map(|(key, _)| key.clone()).collect()
    }

    fn cells(&self) -> MutexGuard<'_, HashMap<K, Arc<OnceCell<V>>>> {
        self.cells.lock()
    }
}

impl<K: Eq + Hash> Once<K> {
    /// Does the work, waits for it, or finds it done. What failed is done again by the next who
    /// needs it.
    pub async fn run<E>(&self, key: K, work: impl AsyncFn() -> Result<(), E>) -> Result<(), E> {
        let cell = self.cell(key);
        cell.get_or_try_init(async || work().await)
            .await
            .map(|&()| ())
    }
}
