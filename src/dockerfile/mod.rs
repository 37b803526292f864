//! The Dockerfile: its extra lines, its template, its recipe.

mod arguments;
mod chunks;
mod instructions;
mod lines;
mod recipe;
mod stages;
mod template;

pub use lines::{LineError, Lines, check_dockerfile};
pub use recipe::{Ingredients, Recipe, label};
pub use stages::{builds_on, registries};
pub use template::{RenderError, Template};
