//! What copying one image took.

use std::ops::AddAssign;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::event::Volume;
use crate::registry::Meter;
use crate::store::Store;

/// What copying one image took.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Traffic {
    /// Bytes of blobs that went from the source to the destination, those of repetitions too.
    pub bytes: u64,
    /// HTTP requests to the source's registry, without those for a login; none where the source is
    /// no registry.
    pub source_requests: u64,
    /// HTTP requests to the destination's registry, without those for a login; none where the
    /// destination is no registry. Calls of ECR's API are not among them.
    pub destination_requests: u64,
    /// Blobs that were read from the source.
    pub copied: u64,
    /// Blobs that the destination took from another of its repositories.
    pub mounted: u64,
    /// Blobs that were there, or that another image of the run brought.
    pub skipped: u64,
}

/// Counts what copying one image takes.
#[derive(Debug)]
pub(super) struct Tally {
    /// Asks the source, and is counted.
    pub(super) reader: Store,
    /// Asks the destination, and is counted.
    pub(super) writer: Store,
    source: Arc<Meter>,
    destination: Arc<Meter>,
    /// What is shown meanwhile.
    pub(super) volume: Arc<Volume>,
    bytes: Arc<AtomicU64>,
    copied: AtomicU64,
    mounted: AtomicU64,
    skipped: AtomicU64,
}

/// What became of a blob.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fate {
    Copied,
    Mounted,
    Skipped,
}

impl Tally {
    pub(super) fn new(store: &Store) -> Self {
        let [source, destination]: [Arc<Meter>; 2] = Default::default();
        Self {
            reader: store.metered(&source),
            writer: store.metered(&destination),
            source,
            destination,
            volume: Arc::default(),
            bytes: Arc::default(),
            copied: AtomicU64::default(),
            mounted: AtomicU64::default(),
            skipped: AtomicU64::default(),
        }
    }

    pub(super) fn traffic(&self) -> Traffic {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Traffic {
            bytes: count(&self.bytes),
            source_requests: self.source.requests(),
            destination_requests: self.destination.requests(),
            copied: count(&self.copied),
            mounted: count(&self.mounted),
            skipped: count(&self.skipped),
        }
    }

    pub(super) fn count(&self, fate: Fate) {
        let counter = match fate {
            Fate::Copied => &self.copied,
            Fate::Mounted => &self.mounted,
            Fate::Skipped => &self.skipped,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts the bytes of one blob.
    pub(super) fn blob(&self) -> BlobTally {
        BlobTally {
            bytes: Arc::clone(&self.bytes),
            volume: Arc::clone(&self.volume),
            moved: Arc::default(),
        }
    }
}

/// Counts the bytes of one blob, which may have to be sent more than once.
#[derive(Clone, Debug, Default)]
pub(super) struct BlobTally {
    bytes: Arc<AtomicU64>,
    volume: Arc<Volume>,
    /// What moved in this try.
    moved: Arc<AtomicU64>,
}

impl BlobTally {
    /// What moved until now was in vain.
    pub(super) fn begin_anew(&self) {
        self.volume.move_back(self.moved.swap(0, Ordering::Relaxed));
    }

    pub(super) fn moved(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.moved.fetch_add(bytes, Ordering::Relaxed);
        self.volume.moved(bytes);
    }
}

impl AddAssign for Traffic {
    fn add_assign(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.source_requests += other.source_requests;
        self.destination_requests += other.destination_requests;
        self.copied += other.copied;
        self.mounted += other.mounted;
        self.skipped += other.skipped;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_twice_is_counted_twice_and_shown_once() {
        let blob = BlobTally::default();
        blob.volume.expect(5);
        for bytes in [3, 5] {
            blob.begin_anew();
            blob.moved(bytes);
        }
        assert_eq!(blob.bytes.load(Ordering::Relaxed), 8);
        assert_eq!((blob.volume.done(), blob.volume.total()), (5, 5));
    }
}
