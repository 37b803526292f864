//! Waiting for a registry's budget of pulls.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::event::Event;
use crate::image::Reference;

use super::Access;

/// The window of Docker Hub's limit, for registries that do not tell theirs.
const WINDOW: Duration = Duration::from_hours(6);

/// How often a registry is asked at least and at most, with a HEAD, which is not counted.
const INTERVALS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(5));

/// Waits until the source's registry allows so many pulls, or as many as it ever does, and does not
/// want to be left alone any more; at most for one window of its limit.
pub(super) async fn await_pulls(access: &Access, source: &Reference, needed: u64) {
    let (client, registry) = (&access.upstreams.client, &source.registry);
    let told = client.rate_limit(registry).map(|limit| limit.window);
    let window = told.filter(|window| !window.is_zero()).unwrap_or(WINDOW);
    access.observer.observe(Event::PullsAwaited {
        registry: registry.clone(),
        at_most: window,
    });
    let end = Instant::now() + window;
    // 72 times in a window, which for Docker Hub's is every five minutes.
    let interval = (window / 72).clamp(INTERVALS.0, INTERVALS.1);
    while Instant::now() < end {
        let pause = interval.max(client.rest(registry));
        sleep(pause.min(end.saturating_duration_since(Instant::now()))).await;
        // The answer tells the budget; what else it may say is for those who need the image.
        let _ = client.head_manifest(source).await;
        let limit = client.pulls(registry);
        let suffices = limit.is_none_or(|limit| limit.remaining >= needed.min(limit.limit));
        if suffices && client.rest(registry).is_zero() {
            return;
        }
    }
}
