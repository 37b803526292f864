//! Trying again what may succeed a moment later.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use backon::{BackoffBuilder, ExponentialBuilder};
use reqwest::Method;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use tokio::time::Instant;

use super::error::Cause;
use super::politeness::Manners;

/// How often a request is repeated after its first failure.
const TRIES_MORE: usize = 3;

/// How often a request is repeated after the registry asked for slower ones. Throttling is no
/// failure: it ends when all are slow enough, and each pause doubles, to some two minutes in all.
const THROTTLES: usize = 9;

/// The pause before the first repetition; it doubles each time. Long enough for a network's blip,
/// short enough not to be noticed: what lasts longer is tried again at the end of the run.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// The longest pause that a server can ask for between two tries.
pub(super) const MAX_RETRY_AFTER: Duration = Duration::from_mins(1);

/// Runs an operation until it succeeds, fails for good or has been tried often enough, and tells the
/// registry's manners how it went. Where the registry asked for slower requests it is for the
/// operation to wait, as all others do.
pub(super) async fn with_retries<T, F, R>(
    manners: &Manners,
    method: &Method,
    mut operation: F,
) -> Result<T, Arc<Cause>>
where
    F: FnMut() -> R,
    R: Future<Output = Result<T, Arc<Cause>>>,
{
    let mut pauses = ExponentialBuilder::default()
        .with_min_delay(FIRST_PAUSE)
        .with_max_times(TRIES_MORE)
        .with_jitter()
        .build();
    let mut throttles = 0..THROTTLES;
    loop {
        let asked = Instant::now();
        let cause = match operation().await {
            Ok(done) => {
                manners.succeeded(method);
                return Ok(done);
            }
            Err(cause) => cause,
        };
        let told = cause.answer().and_then(|answer| answer.rate_limit);
        manners.learn(told, asked);
        if !cause.may_pass() {
            manners.leave_alone(cause.rest());
            return Err(cause);
        }
        let pause = if cause.is_throttle() {
            let asked = cause.retry_after();
            manners.throttled(method, asked.map(|asked| asked.min(MAX_RETRY_AFTER)));
            throttles.next().map(|_| Duration::ZERO)
        } else {
            let pause = pauses.next();
            let asked = cause.retry_after();
            pause.map(|pause| asked.map_or(pause, |asked| asked.min(MAX_RETRY_AFTER)))
        };
        let Some(pause) = pause else {
            return Err(cause);
        };
        tracing::debug!(%cause, ?pause, "trying again");
        tokio::time::sleep(pause).await;
    }
}

/// How long a server asks to wait: `Retry-After` in seconds or as an HTTP date.
pub(super) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(value).ok()?;
    Some(until.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use reqwest::StatusCode;

    use super::super::fake::{Fake, Reply};
    use super::*;

    #[test]
    fn reads_both_forms_of_retry_after() {
        let now = httpdate::parse_http_date("Tue, 20 Oct 2026 12:00:00 GMT").unwrap();
        for (value, seconds) in [
            ("7", Some(7)),
            ("3600", Some(3600)),
            ("Tue, 20 Oct 2026 12:00:05 GMT", Some(5)),
            ("Tue, 20 Oct 2026 11:00:00 GMT", Some(0)),
            ("soon", None),
        ] {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, value.parse().unwrap())]);
            assert_eq!(
                retry_after(&headers, now),
                seconds.map(Duration::from_secs),
                "{value}"
            );
        }
    }

    #[tokio::test]
    async fn a_server_error_passes() {
        let fake = Fake::start(|_, earlier| match earlier {
            0 => Reply::status(503),
            1 => Reply::status(429).header("retry-after", "1"),
            _ => Reply::manifest(),
        })
        .await;
        let begun = Instant::now();
        let head = fake.client().head_manifest(&fake.image("app:1")).await;
        assert_eq!(head.unwrap().unwrap().digest, Reply::manifest_digest());
        assert_eq!(fake.log(), ["HEAD /v2/app/manifests/1"; 3]);
        assert!(
            begun.elapsed() >= Duration::from_secs(1),
            "the server asked for a second"
        );
    }

    #[tokio::test]
    async fn tries_end() {
        let fake = Fake::start(|_, _| Reply::status(502)).await;
        let error = fake
            .client()
            .get_manifest(&fake.image("app:1"))
            .await
            .unwrap_err();
        assert_eq!(error.status(), Some(StatusCode::BAD_GATEWAY));
        assert_eq!(fake.log(), ["GET /v2/app/manifests/1"; 1 + TRIES_MORE]);
    }

    #[tokio::test]
    async fn a_bad_request_is_not_repeated() {
        for status in [400, 403, 405] {
            let fake = Fake::start(move |_, _| Reply::status(status)).await;
            let manifest = fake.client().get_manifest(&fake.image("app:1")).await;
            assert_eq!(manifest.unwrap_err().status().unwrap().as_u16(), status);
            assert_eq!(fake.log(), ["GET /v2/app/manifests/1"]);
        }
    }
}
