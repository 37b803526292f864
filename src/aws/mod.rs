//! AWS sessions, who they are and what they may do, secrets, parameters and readable errors: every AWS call wrapped once.

mod answer;
mod causes;
mod environment;
mod error;
mod http_client;
mod identity;
mod named_profile;
mod parameters;
mod permissions;
mod profile;
mod remedy;
mod root_certificates;
mod secrets;
mod session;
#[cfg(test)]
mod stand_in;

pub use error::Error;
pub use identity::{Identity, Introduction};
pub use parameters::Parameters;
pub use permissions::{Denial, Permissions, Principal, Question};
pub use root_certificates::RootCertificates;
pub use secrets::{NewSecret, SecretDescription, Secrets};
pub use session::{Options, Session};
#[cfg(test)]
pub(crate) use stand_in::{StandIn, refusal};
