//! What a registry tells of how much may still be read.

use std::num::NonZeroUsize;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName};

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
