//! The arguments; each that has a value has an environment variable.

mod arguments;
mod cache;
mod choices;
mod images;
mod tools;
mod values;

pub use arguments::{Arguments, Command, Talk};
pub use cache::{
    Audience, Cache, CacheApply, CacheChoices, CachePlan, CachePolicy, CacheUrls, CacheWarm,
};
pub use choices::{Answer, Building, Data, File, Output, Patience, Selection, Sharding, Upkeep};
pub use images::{Apply, Mirror, Plan, Render};
pub use tools::{Completions, Doctor, Init, Man, Merge, Report, Sandbox, Shell, Starter};
pub use values::BuildJobs;
