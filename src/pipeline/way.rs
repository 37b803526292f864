//! One image's way.

use crate::image::Reference;
use crate::registry::Client;

use super::traffic::Tally;

/// One image's way: where it comes from, where it goes, whether anything can be there yet, and what
/// counts it.
#[derive(Clone, Copy)]
pub(super) struct Way<'a> {
    pub(super) source: &'a Reference,
    pub(super) destination: &'a Reference,
    pub(super) is_new_repository: bool,
    /// Counts requests to the source.
    pub(super) reader: &'a Client,
    /// Counts requests to the destination.
    pub(super) writer: &'a Client,
    pub(super) tally: &'a Tally,
}

/// The clients of one image's way, which count for it alone.
pub(super) struct Clients {
    reader: Client,
    writer: Client,
}

impl Clients {
    pub(super) fn new(client: &Client, tally: &Tally) -> Self {
        Self {
            reader: client.metered(&tally.source),
            writer: client.metered(&tally.destination),
        }
    }

    pub(super) fn way<'a>(
        &'a self,
        source: &'a Reference,
        destination: &'a Reference,
        is_new_repository: bool,
        tally: &'a Tally,
    ) -> Way<'a> {
        Way {
            source,
            destination,
            is_new_repository,
            reader: &self.reader,
            writer: &self.writer,
            tally,
        }
    }
}

impl Way<'_> {
    /// The same way, when what seemed to be there was not.
    pub(super) fn again(self) -> Self {
        Self {
            is_new_repository: false,
            ..self
        }
    }
}
