//! Values that are new each time: identifiers and times.

use std::hash::{BuildHasher, RandomState};
use std::time::{SystemTime, UNIX_EPOCH};

/// 32 hexadecimal digits that no other call returns. Random enough for a test double, and for
/// nothing else.
pub(super) fn identifier() -> String {
    let half = || RandomState::new().hash_one(SystemTime::now());
    format!("{:016x}{:016x}", half(), half())
}

/// An identifier in the shape of a UUID, as AWS and registries show them.
pub(super) fn uuid() -> String {
    let digits = identifier();
    let parts = [
        &digits[..8],
        &digits[8..12],
        &digits[12..16],
        &digits[16..20],
        &digits[20..],
    ];
    parts.join("-")
}

/// Seconds since 1970, the form in which AWS's JSON protocol writes a time.
pub(super) fn now() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64())
}
