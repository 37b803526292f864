//! The Dockerfiles that would be built, without building them.

use crate::config::ImageSpecification;
use crate::dockerfile::RenderError;
use crate::event::Step;
use crate::failure::{Failure, Kind};
use crate::image::Platform;

use super::observe::resolve;
use super::{Base, StepError, Upstreams};

/// A generated Dockerfile.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Dockerfile {
    /// The platform it is built for.
    pub platform: Platform,
    /// The text.
    pub text: String,
}

/// The Dockerfile cannot be rendered from the image's template.
#[derive(Debug, thiserror::Error)]
#[error("the Dockerfile cannot be made")]
struct TemplateError(#[from] RenderError);

impl Failure for TemplateError {
    fn kind(&self) -> Kind {
        Kind::Permanent
    }
}

/// Renders an image's Dockerfiles, one per platform, exactly as `apply` would build them. `daemon`
/// stands for the Docker daemon's own platform.
pub async fn render(
    image: &ImageSpecification,
    upstreams: &Upstreams,
    daemon: &Platform,
) -> Result<Vec<Dockerfile>, StepError> {
    let digest = resolve(upstreams, &image.source).await?;
    let base = Base::of(upstreams, &image.source, &digest).await?;
    let platforms = base.select(&image.source, &image.platforms, daemon);
    let platforms = platforms.map_err(StepError::at(Step::Resolve))?;
    let render = |base: super::PlatformBase| {
        let pinned = upstreams.from(&image.source, &base.digest);
        Ok(Dockerfile {
            platform: base.platform,
            text: dockerfile(image, &pinned)?,
        })
    };
    platforms.into_iter().map(render).collect()
}

/// The text of the Dockerfile whose `FROM` names this.
pub(super) fn dockerfile(image: &ImageSpecification, from: &str) -> Result<String, StepError> {
    let text = image.template.render(from, &image.lines);
    text.map_err(TemplateError::from)
        .map_err(StepError::at(Step::Render))
}
