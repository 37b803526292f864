//! The Dockerfile's template.

use std::sync::Arc;

use handlebars::Handlebars;
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
    #[error("the template is malformed")]
    Malformed(#[from] Box<handlebars::TemplateError>),
    /// The template names what does not exist, or a helper fails.
    #[error("the template cannot be rendered")]
    Failed(#[from] Box<handlebars::RenderError>),
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
        handlebars
            .register_template_string(NAME, text)
            .map_err(Box::new)?;
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
        Ok(self.handlebars.render(NAME, &context).map_err(Box::new)?)
    }
}

impl Default for Template {
    fn default() -> Self {
        Self::builtin()
    }
}
