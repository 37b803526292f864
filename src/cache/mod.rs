//! The pull-through cache: rules, their secrets, what repositories get, who may use it,
//! and images fetched ahead.

mod access;
mod apply;
mod difference;
mod error;
mod existing;
mod item;
mod leftover;
mod manager;
mod mark;
mod observe;
mod outcome;
mod plan;
mod policy;
mod proposal;
mod pusher;
mod region;
mod secret;
mod statement;
mod url;
mod validate;
mod warm;

pub use access::Access;
pub use apply::apply;
pub use error::Error;
pub use item::{Action, Decision, Item, Part};
pub use outcome::{Answer, Done, Outcome, Validation};
pub use plan::{Choices, Plan, make_plan};
pub use policy::{Audience, policy, statements};
pub use region::doubt;
pub use secret::how_to_fill;
pub use statement::{Place, Statement};
pub use url::{CacheUrl, MissingRule, urls};
pub use validate::validate;
pub use warm::{Asked, Warm, Warmed, warm};
