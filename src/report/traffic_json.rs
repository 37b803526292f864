//! What copying took as a part of JSON objects, which `docs/commands.md` documents.

use serde::{Deserialize, Serialize};

use crate::pipeline::Traffic;

/// What copying took.
#[derive(Deserialize, Serialize)]
pub(super) struct TrafficObject {
    bytes: Option<u64>,
    requests: Option<RequestsObject>,
    blobs: Option<BlobsObject>,
}

#[derive(Deserialize, Serialize)]
struct RequestsObject {
    source: u64,
    destination: u64,
}

#[derive(Deserialize, Serialize)]
struct BlobsObject {
    copied: u64,
    mounted: u64,
    skipped: u64,
}

impl TrafficObject {
    pub(super) fn add(&mut self, other: Self) {
        if let (Some(bytes), Some(more)) = (&mut self.bytes, other.bytes) {
            *bytes += more;
        }
        if let (Some(requests), Some(more)) = (&mut self.requests, other.requests) {
            requests.source += more.source;
            requests.destination += more.destination;
        }
        if let (Some(blobs), Some(more)) = (&mut self.blobs, other.blobs) {
            blobs.copied += more.copied;
            blobs.mounted += more.mounted;
            blobs.skipped += more.skipped;
        }
    }

    pub(super) fn new(traffic: Option<Traffic>) -> Self {
        Self {
            bytes: traffic.map(|it| it.bytes),
            requests: traffic.map(|it| RequestsObject {
                source: it.source_requests,
                destination: it.destination_requests,
            }),
            blobs: traffic.map(|it| BlobsObject {
                copied: it.copied,
                mounted: it.mounted,
                skipped: it.skipped,
            }),
        }
    }
}
