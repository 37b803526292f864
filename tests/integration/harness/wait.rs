//! Waiting for what is about to happen.

use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Waits until there is something to be found, for a minute at most; `seen` tells what there was
/// instead.
#[track_caller]
pub(crate) fn wait_for<T>(look: impl Fn() -> Option<T>, seen: impl Fn() -> String) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        let is_late = begun.elapsed() > Duration::from_mins(1);
        assert!(!is_late, "waited in vain; seen: {}", seen());
        sleep(Duration::from_millis(5));
    }
}

/// Waits until something is so, for a minute at most.
#[track_caller]
pub(crate) fn wait_until(is_so: impl Fn() -> bool) {
    wait_for(|| is_so().then_some(()), || "nothing of it".to_owned());
}

/// Waits for the next second of the clock. Files carry whole seconds: what is written now differs
/// from what was written before.
pub(crate) fn wait_for_next_second() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    sleep(Duration::from_secs(now.as_secs() + 1).saturating_sub(now));
}
