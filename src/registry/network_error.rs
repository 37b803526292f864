//! What went wrong beneath HTTP.

use std::error::Error;
use std::fmt;
use std::io;

/// An error of the HTTP library. Of its chain only the innermost cause tells the user something,
/// so it prints that one alone and names no further cause.
#[derive(Debug)]
pub(super) struct NetworkError(reqwest::Error);

impl NetworkError {
    /// The error without its URL, whose query may hold a signature.
    pub(super) fn new(error: reqwest::Error) -> Self {
        Self(error.without_url())
    }

    /// Whether there is no connection yet.
    pub(super) fn is_connect(&self) -> bool {
        self.0.is_connect()
    }

    /// Whether the request itself cannot be sent to anybody.
    pub(super) fn is_unsendable(&self) -> bool {
        self.0.is_builder()
    }

    /// Whether nothing listens at the other end.
    pub(super) fn is_refused(&self) -> bool {
        causes(&self.0)
            .filter_map(|cause| cause.downcast_ref::<io::Error>())
            .any(|cause| cause.kind() == io::ErrorKind::ConnectionRefused)
    }

    /// The TLS error beneath.
    pub(super) fn tls(&self) -> Option<&rustls::Error> {
        causes(&self.0).find_map(|cause| cause.downcast_ref())
    }
}

impl fmt::Display for NetworkError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match causes(&self.0).last() {
            Some(cause) => fmt::Display::fmt(cause, formatter),
            None => fmt::Display::fmt(&self.0, formatter),
        }
    }
}

impl Error for NetworkError {}

/// The error and all beneath it. `io::Error` leaves the error that it wraps out of `source`.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| {
        match error.downcast_ref().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        }
    })
}
