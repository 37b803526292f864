//! AWS sessions and readable errors: every AWS call wrapped once.

mod answer;
mod causes;
mod environment;
mod error;
mod http_client;
mod named_profile;
mod profile;
mod remedy;
mod root_certificates;
mod session;

pub use error::Error;
pub use root_certificates::RootCertificates;
pub use session::{Options, Session};
