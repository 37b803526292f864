//! How many requests of one kind go out in a second.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::time::Duration;

use tokio::time::Instant;

/// What a pace counts over where there is at least one request for each process. ECR's quotas are
/// per second.
const PERIOD: Duration = Duration::from_secs(1);

/// At most so many requests in any period. The number is halved when the registry complains and
/// grows back one by one.
#[derive(Debug)]
pub(super) struct Pace {
    most: usize,
    limit: usize,
    period: Duration,
    /// When the last requests went out, the oldest first.
    passed: VecDeque<Instant>,
    /// How many were taken well since the limit last changed.
    successes: usize,
    halved: Option<Instant>,
}

impl Pace {
    /// One process's share of what so many processes may send in a second together. Where that is
    /// less than one, there is one in a longer period.
    pub(super) fn shared(per_second: usize, sharers: NonZeroUsize) -> Self {
        let per_second = per_second.max(1);
        let most = (per_second / sharers).max(1);
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let longer = PERIOD * count(sharers.get()) / count(per_second);
        Self {
            most,
            limit: most,
            period: longer.max(PERIOD),
            passed: VecDeque::with_capacity(most),
            successes: 0,
            halved: None,
        }
    }

    /// When the next request may go out.
    pub(super) fn next(&self, now: Instant) -> Instant {
        let oldest = self.passed.len().checked_sub(self.limit);
        oldest.map_or(now, |index| now.max(self.passed[index] + self.period))
    }

    /// A request goes out.
    pub(super) fn pass(&mut self, now: Instant) {
        if self.passed.len() == self.most {
            self.passed.pop_front();
        }
        self.passed.push_back(now);
    }

    /// The registry took a request well.
    pub(super) fn succeeded(&mut self) {
        self.successes += 1;
        if self.successes >= self.limit {
            self.limit = self.most.min(self.limit + 1);
            self.successes = 0;
        }
    }

    /// The registry complained. Complaints of the same period count as one: they answer requests
    /// that were under way together.
    pub(super) fn throttled(&mut self, now: Instant) {
        self.successes = 0;
        if self.halved.is_none_or(|halved| now >= halved + self.period) {
            self.limit = 1.max(self.limit / 2);
            self.halved = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many milliseconds after its beginning each request goes out when as many as possible do.
    fn times(pace: &mut Pace, begin: Instant, count: usize) -> Vec<u128> {
        let mut now = begin;
        let times = (0..count).map(|_| {
            now = pace.next(now);
            pace.pass(now);
            (now - begin).as_millis()
        });
        times.collect()
    }

    fn alone(per_second: usize) -> Pace {
        Pace::shared(per_second, NonZeroUsize::MIN)
    }

    #[test]
    fn sharers_send_together_what_one_may_send() {
        for (per_second, sharers, expected) in [
            (8, 2, [0, 0, 0, 0, 1000, 1000]),
            (8, 3, [0, 0, 1000, 1000, 2000, 2000]),
            (8, 8, [0, 1000, 2000, 3000, 4000, 5000]),
            (8, 20, [0, 2500, 5000, 7500, 10000, 12500]),
        ] {
            let mut pace = Pace::shared(per_second, NonZeroUsize::new(sharers).unwrap());
            assert_eq!(times(&mut pace, Instant::now(), 6), expected, "{sharers}");
        }
    }

    #[test]
    fn no_second_has_too_many() {
        let mut pace = alone(3);
        let begin = Instant::now();
        assert_eq!(
            times(&mut pace, begin, 7),
            [0, 0, 0, 1000, 1000, 1000, 2000]
        );
    }

    #[test]
    fn complaints_halve_it_and_it_recovers() {
        let mut pace = alone(8);
        let begin = Instant::now();
        for _ in 0..5 {
            pace.throttled(begin);
        }
        assert_eq!(
            times(&mut pace, begin, 9),
            [0, 0, 0, 0, 1000, 1000, 1000, 1000, 2000]
        );
        let later = begin + Duration::from_mins(1);
        for _ in 0..4 + 5 + 6 + 7 {
            pace.succeeded();
        }
        assert_eq!(times(&mut pace, later, 9), [0, 0, 0, 0, 0, 0, 0, 0, 1000]);
        for second in 0..9 {
            pace.throttled(later + Duration::from_secs(second));
        }
        let later = later + Duration::from_mins(1);
        assert_eq!(times(&mut pace, later, 3), [0, 1000, 2000]);
    }
}
