//! The Dockerfile: its extra lines, its template, its recipe.

mod arguments;
mod chunks;
mod demands;
mod expansion;
mod instructions;
mod lines;
mod local_files;
mod metadata;
mod path;
mod programs;
mod recipe;
mod stages;
mod statement;
mod template;
mod traps;
mod variables;
mod words;

pub use demands::{BuildKitNeed, Demands, Release, SecretUse};
pub use expansion::ExpansionError;
pub use lines::{LineError, Lines, check_dockerfile};
pub use local_files::LocalFiles;
pub use metadata::{
    Configuration, ConfigurationError, DeriveSettings, Derived, HistoryEntry, MetadataLines,
    NeedsBuild, Why,
};
pub use programs::runs_for_target;
pub use recipe::{Ingredients, Recipe, label};
pub use stages::{builds_on, images, stages};
pub use template::{RenderError, Template};
pub use traps::{Trap, TrapKind};
