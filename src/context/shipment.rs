//! A context on its way to the daemon.

use std::io::{self, Write};

use bytes::Bytes;
use futures_util::Stream;
use tar::Builder;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinHandle;

use super::archive::append;
use super::error::Error;
use super::folder::{Context, IGNORE_FILE};
use crate::image::{Digest, Hasher};

/// As many bytes travel together.
const CHUNK: usize = 64 * 1024;

/// As many chunks wait for the daemon.
const WAITING: usize = 4;

/// A context and a Dockerfile as the tar archive that the daemon takes.
pub struct Shipment {
    /// The name of the Dockerfile in it, which no file of the context has.
    pub dockerfile: String,
    chunks: Receiver<io::Result<Bytes>>,
    packing: JoinHandle<Result<(), Error>>,
}

/// Waits for the end of the packing.
pub struct Packing(JoinHandle<Result<(), Error>>);

impl Shipment {
    /// Begins to pack. What is packed must have this digest.
    pub(super) fn start(context: Context, digest: Digest, dockerfile: &str) -> Self {
        let name = format!(".longshore.{}.Dockerfile", digest.short());
        let (sender, chunks) = channel(WAITING);
        let (name_inside, text) = (name.clone(), dockerfile.to_owned());
        let packing = tokio::task::spawn_blocking(move || {
            let packed = pack(&context, &digest, &name_inside, &text, sender.clone());
            if let Err(error) = &packed {
                // An archive that only ended would be taken for a whole one. Nobody may listen.
                let _ = sender.blocking_send(Err(io::Error::other(error.to_string())));
            }
            packed
        });
        Self {
            dockerfile: name,
            chunks,
            packing,
        }
    }

    /// The archive in pieces, as fast as they are taken, and what tells why it broke off.
    pub fn open(self) -> (impl Stream<Item = io::Result<Bytes>> + use<>, Packing) {
        let chunks = futures_util::stream::unfold(self.chunks, async |mut chunks| {
            chunks.recv().await.map(|chunk| (chunk, chunks))
        });
        (chunks, Packing(self.packing))
    }
}

impl Packing {
    /// Why the context could not be packed, if that is so. Nobody may take pieces any more.
    pub async fn failure(self) -> Option<Error> {
        let error = self.0.await.ok()?.err()?;
        (!error.is_unwanted()).then_some(error)
    }
}

fn pack(
    context: &Context,
    digest: &Digest,
    name: &str,
    dockerfile: &str,
    sender: Sender<io::Result<Bytes>>,
) -> Result<(), Error> {
    let chunks = Chunks {
        sender,
        full: Vec::with_capacity(CHUNK),
    };
    let mut archive = Builder::new(Tee::new(chunks));
    if context.pack(&mut archive)? != *digest {
        return Err(Error::Changed {
            folder: context.folder().to_owned(),
        });
    }
    append(&mut archive, name, dockerfile.as_bytes())
        // Of two files with one name the later one counts.
        .and_then(|()| {
            append(
                &mut archive,
                IGNORE_FILE,
                context.ignore_file(name).as_bytes(),
            )
        })
        .and_then(|()| archive.into_inner())
        .and_then(|mut tee| tee.flush())
        .map_err(|source| Error::Pack {
            folder: context.folder().to_owned(),
            source,
        })
}

/// Hashes what is written through it.
pub(super) struct Tee<W> {
    hasher: Hasher,
    target: W,
}

impl<W> Tee<W> {
    pub(super) fn new(target: W) -> Self {
        Self {
            hasher: Hasher::sha256(),
            target,
        }
    }

    /// What was written to.
    pub(super) fn into_target(self) -> W {
        self.target
    }

    /// The digest of what was written so far.
    pub(super) fn digest(&self) -> Digest {
        self.hasher.clone().finish()
    }
}

impl<W: Write> Write for Tee<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.target.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.target.flush()
    }
}

/// Sends what is written in pieces.
struct Chunks {
    sender: Sender<io::Result<Bytes>>,
    full: Vec<u8>,
}

impl Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(CHUNK - self.full.len());
        self.full.extend_from_slice(&bytes[..taken]);
        if self.full.len() == CHUNK {
            self.flush()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        let chunk = std::mem::replace(&mut self.full, Vec::with_capacity(CHUNK));
        if chunk.is_empty() {
            return Ok(());
        }
        let sent = self.sender.blocking_send(Ok(chunk.into()));
        sent.map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}
