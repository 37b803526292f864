//! The build-and-push pipeline: observe, plan, apply.

mod access;
mod apply;
mod base;
mod build;
mod error;
mod index;
mod leftovers;
mod marks;
mod observe;
mod observe_destination;
mod outcome;
mod plan;
mod planner;
mod publish;
mod reason;
mod render;

pub use access::{Access, Upstreams};
pub use apply::{DEFAULT_JOBS, Environment, apply};
pub use base::{Base, PlatformBase};
pub use error::StepError;
pub use marks::Marks;
pub use outcome::{ImageOutcome, Outcome, Status};
pub use plan::{Action, Decision, ImagePlan, Plan};
pub use planner::make_plan;
pub use reason::Reason;
pub use render::{Dockerfile, render};
