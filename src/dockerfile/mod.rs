//! The Dockerfile: its extra lines, its template, its recipe.

mod arguments;
mod chunks;
mod images;
mod instructions;
mod lines;
mod recipe;
mod template;

pub use images::registries;
pub use lines::{LineError, Lines, check_dockerfile};
pub use recipe::{Recipe, label};
pub use template::{RenderError, Template};
