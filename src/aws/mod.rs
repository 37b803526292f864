//! AWS sessions and readable errors: every AWS call wrapped once.

mod answer;
mod causes;
mod error;
mod http_client;
mod profile;
mod remedy;
mod session;

pub use answer::Answer;
pub use error::Error;
pub use session::{Options, Session};
