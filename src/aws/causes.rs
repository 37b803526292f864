//! The causes of an SDK error, from the outermost to the innermost.

use std::error::Error as StdError;

use aws_sdk_ecr::error::ErrorMetadata;

pub(super) fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

pub(super) fn find<'a, T: StdError + 'static>(
    error: &'a (dyn StdError + 'static),
) -> Option<&'a T> {
    causes(error).find_map(|error| error.downcast_ref())
}

pub(super) fn innermost(error: &(dyn StdError + 'static)) -> String {
    causes(error)
        .last()
        .map(ToString::to_string)
        .unwrap_or_default()
}

/// How the SDK prints an error that only its cause explains.
const SAY_NOTHING: [&str; 6] = [
    "an error occurred while loading credentials",
    "dispatch failure",
    "io error",
    "other",
    "service error",
    "unhandled error",
];

/// The causes that say something, in one line.
pub(super) fn readable(error: &(dyn StdError + 'static)) -> String {
    let metadata = find::<ErrorMetadata>(error);
    if let Some(code) = metadata.and_then(ErrorMetadata::code) {
        return match metadata.and_then(ErrorMetadata::message) {
            Some(message) => format!("`{code}`: {message}"),
            None => format!("`{code}`"),
        };
    }
    let texts: Vec<String> = causes(error)
        .filter(|error| !error.is::<ErrorMetadata>())
        .map(ToString::to_string)
        .filter(|text| !SAY_NOTHING.contains(&text.as_str()))
        .collect();
    if texts.is_empty() {
        return "AWS gives no reason".to_owned();
    }
    texts.join(": ")
}
