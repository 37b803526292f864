//! The pull-through cache: rules, their secrets, what repositories get, who may use it,
//! and images fetched ahead.

mod access;
mod apply;
mod difference;
mod error;
mod existing;
mod manager;
mod observe;
mod outcome;
mod plan;
mod policy;
mod pusher;
mod secret;
mod statement;
mod url;
mod warm;

pub use access::Access;
pub use apply::apply;
pub use error::Error;
pub use outcome::{Answer, Done, Outcome, Validation};
pub use plan::{Action, Choices, Decision, Item, Part, Plan, make_plan};
pub use policy::{Audience, policy, statements};
pub use statement::{Place, Statement};
pub use url::{CacheUrl, MissingRule, urls};
pub use warm::{Warm, Warmed, warm};
