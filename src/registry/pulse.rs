//! Whether a body that is being sent moves.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::{Instant, timeout_at};

use super::transport::STALL_TIMEOUT;

/// How long a server may take to answer when it has everything. Some read or move the whole blob
/// first.
const COMMIT_TIMEOUT: Duration = Duration::from_mins(5);

/// A body's pulse: written by the body, read by whoever sends it.
#[derive(Clone, Debug)]
pub(super) struct Pulse(Arc<Mutex<(Beat, Instant)>>);

/// What a body last did.
#[derive(Clone, Copy, Debug)]
pub(super) enum Beat {
    /// It gave the server something to take.
    Given,
    /// It gave the last of it.
    Ended,
    /// It waits for its own source, whose silence is not the server's.
    Waiting,
}

impl Pulse {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new((Beat::Given, Instant::now()))))
    }

    pub(super) fn beat(&self, beat: Beat) {
        *self.0.lock() = (beat, Instant::now());
    }

    /// Waits for what sends the body. Fails with the limit when the server was silent for longer.
    pub(super) async fn guard<F: Future>(&self, send: F) -> Result<F::Output, Duration> {
        let mut send = pin!(send);
        loop {
            let now = Instant::now();
            let (end, limit) = self.end(now);
            if end <= now {
                return Err(limit);
            }
            if let Ok(sent) = timeout_at(end, &mut send).await {
                return Ok(sent);
            }
        }
    }

    /// When the server's time is up, and how long it had.
    fn end(&self, now: Instant) -> (Instant, Duration) {
        let (beat, at) = *self.0.lock();
        match beat {
            Beat::Given => (at + STALL_TIMEOUT, STALL_TIMEOUT),
            Beat::Ended => (at + COMMIT_TIMEOUT, COMMIT_TIMEOUT),
            Beat::Waiting => (now + STALL_TIMEOUT, STALL_TIMEOUT),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_servers_silence_counts() {
        let pulse = Pulse::new();
        let later = Instant::now() + Duration::from_hours(1);
        for (beat, is_over) in [
            (Beat::Given, true),
            (Beat::Ended, true),
            (Beat::Waiting, false),
        ] {
            pulse.beat(beat);
            assert_eq!(pulse.end(later).0 <= later, is_over, "{beat:?}");
            assert!(pulse.end(Instant::now()).0 > Instant::now());
        }
    }
}
