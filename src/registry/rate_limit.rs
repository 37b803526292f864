//! What a registry tells of how much may still be read.

use std::num::NonZeroUsize;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName};
use tokio::time::Instant;

const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");

/// A budget of reads. Docker Hub tells it with every answer about a manifest, HEAD included, and
/// counts each manifest read with GET; an account without limit is told nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RateLimit {
    /// How many reads the window allows.
    pub limit: u64,
    /// How many are left.
    pub remaining: u64,
    /// How long the window is.
    pub window: Duration,
}

impl RateLimit {
    /// What each of so many processes may take of it.
    pub(super) fn share(self, sharers: NonZeroUsize) -> Self {
        let sharers = sharers.get() as u64;
        Self {
            limit: self.limit / sharers,
            remaining: self.remaining / sharers,
            ..self
        }
    }

    /// Reads `ratelimit-limit: 100;w=21600` and `ratelimit-remaining: 76;w=21600`.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let (remaining, window) = parse(headers, &REMAINING)?;
        let (limit, _) = parse(headers, &LIMIT).unwrap_or((remaining, window));
        Some(Self {
            limit,
            remaining,
            window,
        })
    }
}

/// What is known of a registry's budget.
#[derive(Debug, Default)]
pub(super) struct Budget {
    /// With the time of the answer.
    latest: Option<(RateLimit, Instant)>,
}

impl Budget {
    /// Takes what an answer told, to a request that was sent at `asked`. Answers to requests that
    /// were under way together come in any order, so that of them the least counts.
    pub(super) fn learn(&mut self, told: RateLimit, asked: Instant, now: Instant) {
        let mut latest = told;
        if let Some((known, answered)) = self.latest
            && asked < answered
        {
            latest.remaining = latest.remaining.min(known.remaining);
        }
        self.latest = Some((latest, now));
    }

    /// What the registry told; `None` when it told nothing.
    pub(super) fn latest(&self) -> Option<RateLimit> {
        self.latest.map(|(told, _)| told)
    }
}

fn parse(headers: &HeaderMap, name: &HeaderName) -> Option<(u64, Duration)> {
    let mut parts = headers.get(name)?.to_str().ok()?.split(';').map(str::trim);
    let count = parts.next()?.parse().ok()?;
    let seconds = parts.find_map(|part| part.strip_prefix("w=")?.parse().ok());
    Some((count, Duration::from_secs(seconds.unwrap_or_default())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_that_overtake_each_other_do_not_raise_it() {
        let left = |remaining| RateLimit {
            limit: 9,
            remaining,
            window: Duration::from_mins(1),
        };
        let start = Instant::now();
        let second = |seconds| start + Duration::from_secs(seconds);
        let mut budget = Budget::default();
        assert_eq!(budget.latest(), None);
        // Remaining, asked, answered; what is known then.
        for (remaining, asked, answered, known) in [
            (7, 0, 2, 7),
            (5, 1, 4, 5),
            (6, 1, 5, 5),
            (4, 3, 6, 4),
            (9, 7, 8, 9),
        ] {
            budget.learn(left(remaining), second(asked), second(answered));
            assert_eq!(budget.latest(), Some(left(known)));
        }
    }

    #[test]
    fn reads_docker_hubs_headers() {
        let limit = |limit: &str, remaining: &str| {
            let headers = [(LIMIT, limit), (REMAINING, remaining)];
            let headers = headers.map(|(name, value)| (name, value.parse().unwrap()));
            RateLimit::of(&HeaderMap::from_iter(headers))
        };
        let expected = |limit, remaining, seconds| {
            Some(RateLimit {
                limit,
                remaining,
                window: Duration::from_secs(seconds),
            })
        };
        assert_eq!(limit("100;w=21600", "76;w=21600"), expected(100, 76, 21600));
        assert_eq!(limit("200", "0"), expected(200, 0, 0));
        assert_eq!(limit("", "7; w=60"), expected(7, 7, 60));
        assert_eq!(limit("100;w=21600", "many"), None);
        assert_eq!(RateLimit::of(&HeaderMap::new()), None);
    }
}
