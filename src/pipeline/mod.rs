//! The build-and-push pipeline: observe, plan, apply.

mod access;
mod apply;
mod base;
mod blobs;
mod build;
mod copy;
mod error;
mod expand;
mod filter;
mod index;
mod leftovers;
mod marks;
mod observe;
mod observe_destination;
mod once;
mod outcome;
mod part;
mod plan;
mod planner;
mod publish;
mod reason;
mod render;
mod way;

pub use access::{Access, Upstreams};
pub use apply::{DEFAULT_JOBS, Environment, apply};
pub use base::{Base, PlatformBase};
pub use error::StepError;
pub use expand::{Unlisted, expand};
pub use marks::Marks;
pub use observe::Work;
pub use outcome::{ImageOutcome, Outcome, Status};
pub use part::Part;
pub use plan::{Action, Decision, ImagePlan, Plan};
pub use planner::make_plan;
pub use reason::Reason;
pub use render::{Dockerfile, render};
