//! The Dockerfile's template.

use std::sync::Arc;

use handlebars::{Handlebars, RenderErrorReason};
use serde::Serialize;

use super::Lines;

const BUILTIN: &str = include_str!("../../templates/Dockerfile.hbs");

/// A handlebars template that a Dockerfile is rendered from. It sees `base`, the pinned upstream
/// image, and `lines`, the extra lines in order; a name it does not know is an error. Nothing is
/// escaped.
#[derive(Clone, Debug)]
pub struct Template {
    handlebars: Arc<Handlebars<'static>>,
}

/// A template cannot be parsed or rendered.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The template's own syntax is wrong.
    #[error(
        "{place}the template is no handlebars template; is a `{{{{` or `{{{{#each}}}}` left open?"
    )]
    Malformed {
        /// `line 2, column 10: `, or nothing.
        place: String,
    },
    /// The template names what does not exist.
    #[error("{place}there is no `{name}`; a template sees `base` and `lines`")]
    Unknown {
        /// `line 2, column 10: `, or nothing.
        place: String,
        /// The name.
        name: String,
    },
    /// A helper fails.
    #[error("{place}{reason}")]
    Failed {
        /// `line 2, column 10: `, or nothing.
        place: String,
        /// The helper's words.
        reason: String,
    },
}

impl From<handlebars::TemplateError> for RenderError {
    fn from(error: handlebars::TemplateError) -> Self {
        let (line, column) = error.pos().unzip();
        Self::Malformed {
            place: place(line, column),
        }
    }
}

impl From<handlebars::RenderError> for RenderError {
    fn from(error: handlebars::RenderError) -> Self {
        let place = place(error.line_no, error.column_no);
        match error.reason() {
            RenderErrorReason::MissingVariable(Some(name)) => Self::Unknown {
                place,
                name: name.clone(),
            },
            reason => Self::Failed {
                place,
                reason: reason.to_string(),
            },
        }
    }
}

fn place(line: Option<usize>, column: Option<usize>) -> String {
    match (line, column) {
        (Some(line), Some(column)) => format!("line {line}, column {column}: "),
        _ => String::new(),
    }
}

#[derive(Serialize)]
struct Context<'a> {
    base: &'a str,
    lines: &'a [String],
}

const NAME: &str = "Dockerfile";

impl Template {
    /// The template that longshore brings: `FROM`, then the lines.
    pub fn builtin() -> Self {
        Self::parse(BUILTIN).expect("the built-in template is sound")
    }

    /// A template of the user's own.
    pub fn parse(text: &str) -> Result<Self, RenderError> {
        let mut handlebars = Handlebars::new();
        handlebars.set_strict_mode(true);
        handlebars.register_escape_fn(handlebars::no_escape);
        handlebars.register_template_string(NAME, text)?;
        Ok(Self {
            handlebars: Arc::new(handlebars),
        })
    }

    /// The Dockerfile for a base image, which is any text that may follow `FROM`.
    pub fn render(&self, base: &str, lines: &Lines) -> Result<String, RenderError> {
        let context = Context {
            base,
            lines: lines.as_slice(),
        };
        Ok(self.handlebars.render(NAME, &context)?)
    }
}

impl Default for Template {
    fn default() -> Self {
        Self::builtin()
    }
}
