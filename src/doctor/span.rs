//! A time in words.

use std::time::Duration;

/// `45 min`, `12 h`: to the nearest minute, from two hours on to the nearest hour.
pub(super) fn span(time: Duration) -> String {
    let minutes = (time.as_secs() + 30) / 60;
    match minutes {
        0..120 => format!("{minutes} min"),
        _ => format!("{} h", (minutes + 30) / 60),
    }
}
