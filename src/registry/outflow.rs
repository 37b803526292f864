//! A blob on its way from its source to a registry.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::Stream;
use parking_lot::Mutex;

use super::pulse::{Beat, Pulse};

/// The body of an upload. A flaw of the source breaks it off, so that the registry never takes it
/// for whole.
pub(super) struct Outflow<S, E> {
    source: Pin<Box<S>>,
    size: u64,
    sent: u64,
    pulse: Pulse,
    flaw: Flawed<E>,
}

/// Why a body was broken off, if it was.
pub(super) struct Flawed<E>(Arc<Mutex<Option<Flaw<E>>>>);

/// What is wrong with a source.
pub(super) enum Flaw<E> {
    /// It failed.
    Failed(E),
    /// It has another size than was said; so many bytes so far.
    Length(u64),
}

impl<S, E> Outflow<S, E> {
    /// A body of so many bytes, and where to look for what went wrong with it.
    pub(super) fn new(source: S, size: u64, pulse: Pulse) -> (Self, Flawed<E>) {
        let flaw = Arc::default();
        let outflow = Self {
            source: Box::pin(source),
            size,
            sent: 0,
            pulse,
            flaw: Flawed(Arc::clone(&flaw)),
        };
        (outflow, Flawed(flaw))
    }
}

impl<E> Flawed<E> {
    pub(super) fn take(&self) -> Option<Flaw<E>> {
        let mut flaw = self.0.lock();
        flaw.take()
    }

    fn set(&self, flaw: Flaw<E>) -> io::Error {
        *self.0.lock() = Some(flaw);
        io::Error::other("the source is flawed")
    }
}

impl<S, E> Stream for Outflow<S, E>
where
    S: Stream<Item = Result<Bytes, E>>,
{
    type Item = io::Result<Bytes>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Bytes>>> {
        self.pulse.beat(Beat::Waiting);
        let flaw = match ready!(self.source.as_mut().poll_next(context)) {
            Some(Ok(bytes)) => {
                self.sent += bytes.len() as u64;
                if self.sent <= self.size {
                    let is_last = self.sent == self.size;
                    self.pulse
                        .beat(if is_last { Beat::Ended } else { Beat::Given });
                    return Poll::Ready(Some(Ok(bytes)));
                }
                Flaw::Length(self.sent)
            }
            None if self.sent == self.size => return Poll::Ready(None),
            None => Flaw::Length(self.sent),
            Some(Err(error)) => Flaw::Failed(error),
        };
        Poll::Ready(Some(Err(self.flaw.set(flaw))))
    }
}
