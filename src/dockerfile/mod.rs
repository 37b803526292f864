//! The Dockerfile: its extra lines, its template, its recipe.

mod lines;
mod recipe;
mod template;

pub use lines::{LineError, Lines};
pub use recipe::{Recipe, label};
pub use template::{RenderError, Template};
