//! How many requests of one kind go out in a second.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// What a pace counts over. ECR's quotas are per second.
const PERIOD: Duration = Duration::from_secs(1);

/// At most so many requests in any second. The number is halved when the registry complains and
/// grows back one by one.
#[derive(Debug)]
pub(super) struct Pace {
    most: usize,
    limit: usize,
    /// When the last requests went out, the oldest first.
    passed: VecDeque<Instant>,
    /// How many were taken well since the limit last changed.
    successes: usize,
    halved: Option<Instant>,
}

impl Pace {
    /// At most this many in any second, and at least one.
    pub(super) fn new(per_second: usize) -> Self {
        let most = per_second.max(1);
        Self {
            most,
            limit: most,
            passed: VecDeque::with_capacity(most),
            successes: 0,
            halved: None,
        }
    }

    /// When the next request may go out.
    pub(super) fn next(&self, now: Instant) -> Instant {
        let oldest = self.passed.len().checked_sub(self.limit);
        oldest.map_or(now, |index| now.max(self.passed[index] + PERIOD))
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

    /// The registry complained. Complaints of the same second count as one: they answer requests
    /// that were under way together.
    pub(super) fn throttled(&mut self, now: Instant) {
        self.successes = 0;
        if self.halved.is_none_or(|halved| now >= halved + PERIOD) {
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

    #[test]
    fn no_second_has_too_many() {
        let mut pace = Pace::new(3);
        let begin = Instant::now();
        assert_eq!(
            times(&mut pace, begin, 7),
            [0, 0, 0, 1000, 1000, 1000, 2000]
        );
    }

    #[test]
    fn complaints_halve_it_and_it_recovers() {
        let mut pace = Pace::new(8);
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
