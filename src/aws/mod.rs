//! AWS sessions, secrets, parameters and readable errors: every AWS call wrapped once.

mod answer;
mod causes;
mod environment;
mod error;
mod http_client;
mod named_profile;
mod parameters;
mod profile;
mod remedy;
mod root_certificates;
mod secrets;
mod session;
#[cfg(test)]
mod stand_in;

pub use error::Error;
pub use parameters::Parameters;
pub use root_certificates::RootCertificates;
pub use secrets::{NewSecret, SecretDescription, Secrets};
pub use session::{Options, Session};
#[cfg(test)]
pub(crate) use stand_in::{StandIn, refusal};
