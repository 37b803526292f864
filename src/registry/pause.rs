//! A time in which nothing is sent to a registry that complains.

use std::time::Duration;

use tokio::time::Instant;

/// How long nothing is sent to a registry that complains and does not say how long; it doubles
/// with each complaint that follows.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The longest pause that is not asked for.
const MAX_PAUSE: Duration = Duration::from_secs(30);

/// A time in which nothing is sent to a registry.
#[derive(Debug, Default)]
pub(super) struct Pause {
    end: Option<Instant>,
    /// How many pauses there were since the registry last took a request well.
    count: u32,
}

impl Pause {
    /// When the pause ends; now when there is none.
    pub(super) fn end(&self, now: Instant) -> Instant {
        self.end.map_or(now, |end| end.max(now))
    }

    pub(super) fn succeeded(&mut self, now: Instant) {
        if self.end(now) == now {
            self.count = 0;
        }
    }

    /// Returns how long the pause is where one begins. A complaint during a pause answers a
    /// request from before it: it may make the pause longer, and begins none.
    pub(super) fn throttled(&mut self, now: Instant, asked: Option<Duration>) -> Option<Duration> {
        let is_on = self.end(now) > now;
        let unasked = if is_on {
            Duration::ZERO
        } else {
            self.count += 1;
            (FIRST_PAUSE * 2_u32.saturating_pow(self.count - 1)).min(MAX_PAUSE)
        };
        let pause = asked.map_or(unasked, |asked| asked.max(FIRST_PAUSE));
        self.end = Some(self.end(now).max(now + pause));
        (!is_on).then_some(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_while_nothing_succeeds() {
        let mut pause = Pause::default();
        let mut now = Instant::now();
        let mut pauses = Vec::new();
        for _ in 0..8 {
            pauses.push(pause.throttled(now, None).unwrap().as_millis());
            assert_eq!(pause.throttled(now, None), None, "it is on already");
            now = pause.end(now);
        }
        assert_eq!(pauses, [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000]);
        pause.succeeded(now);
        assert_eq!(pause.throttled(now, None), Some(FIRST_PAUSE));
        pause.succeeded(now);
        assert_eq!(pause.count, 1, "it was under way before the pause");
    }

    #[test]
    fn a_pause_is_as_long_as_the_longest_one_asked_for() {
        let mut pause = Pause::default();
        let now = Instant::now();
        let asked = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(pause.throttled(now, asked(3)), asked(3));
        assert_eq!(pause.throttled(now, asked(7)), None);
        assert_eq!(pause.throttled(now, asked(1)), None);
        assert_eq!(pause.end(now), now + Duration::from_secs(7));
        let mut pause = Pause::default();
        assert_eq!(pause.throttled(now, asked(0)), Some(FIRST_PAUSE));
    }
}
