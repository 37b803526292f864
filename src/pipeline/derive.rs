//! Derives one image: its base's configurations with the lines applied to them, and its base's own
//! layers.

use futures_util::stream::{self, StreamExt, TryStreamExt};

use crate::config::{Builder, ImageSpecification};
use crate::dockerfile::{DeriveSettings, MetadataLines, NeedsBuild};
use crate::event::Step;
use crate::failure::{Failure, Kind, chain};
use crate::image::Platform;

use super::assembly::Assembly;
use super::base::{Base, PlatformBase};
use super::base_image::BaseImage;
use super::blobs::layers_of;
use super::marks::Marks;
use super::publish::Ready;
use super::render::dockerfile;
use super::way::Way;
use super::{StepError, Upstreams};

/// Manifests and configurations of the base's platforms that are read together.
const PARALLEL_PLATFORMS: usize = 8;

/// The only operating system whose rules are known.
const OPERATING_SYSTEM: &str = "linux";

/// One image that may be derived from this base.
#[derive(Clone, Copy)]
pub(super) struct Derivation<'a> {
    pub(super) image: &'a ImageSpecification,
    pub(super) upstreams: &'a Upstreams,
    pub(super) base: &'a Base,
    pub(super) marks: &'a Marks,
}

/// The user wants no build, and one is needed.
#[derive(Debug, thiserror::Error)]
#[error("`builder: direct` builds nothing")]
struct NotDerived(#[source] NeedsBuild);

impl Failure for NotDerived {
    fn kind(&self) -> Kind {
        Kind::Permanent
    }

    fn hint(&self) -> Option<String> {
        self.0.hint()
    }
}

impl Derivation<'_> {
    /// Whether the image is derived, as far as the lines tell, and the configurations that have been
    /// read already. Where it has to be and cannot, that is the error.
    pub(super) fn is_possible(&self) -> Result<bool, StepError> {
        if self.image.builder == Builder::Docker {
            return Ok(false);
        }
        for platform in &self.platforms()? {
            let tried = match &platform.configuration {
                Some(base) => self.configuration(platform, base)?.map(drop),
                None => self.lines(platform)?.map(drop),
            };
            if let Err(reason) = tried {
                let reason = self.judge(&platform.platform, reason)?;
                let (image, reason) = (&self.image.source, chain(&reason));
                tracing::debug!(%image, %reason, "not derived");
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Derives the image of every wanted platform; or says why it is built, where the user lets it
    /// be.
    pub(super) async fn derive(
        &self,
        way: Way<'_>,
    ) -> Result<Result<Vec<Ready>, NeedsBuild>, StepError> {
        let platforms = self.platforms()?;
        let tried: Vec<_> = stream::iter(&platforms)
            .map(|platform| self.derive_platform(way, platform))
            .buffered(PARALLEL_PLATFORMS)
            .try_collect()
            .await?;
        let mut images = Vec::with_capacity(platforms.len());
        for (platform, image) in platforms.iter().zip(tried) {
            match image {
                Ok(image) => images.push(image),
                Err(reason) => return self.judge(&platform.platform, reason).map(Err),
            }
        }
        Ok(Ok(images))
    }

    async fn derive_platform(
        &self,
        way: Way<'_>,
        platform: &PlatformBase,
    ) -> Result<Result<Ready, NeedsBuild>, StepError> {
        let base = BaseImage::of(&self.image.source, way, platform).await?;
        let configuration = match self.configuration(platform, &base.configuration)? {
            Ok(configuration) => configuration,
            Err(reason) => return Ok(Err(reason)),
        };
        let platform = platform.platform.clone();
        let assembly = Assembly::of_derivation(&base, configuration, self.marks);
        let assembly = assembly.map_err(StepError::at(Step::Derive(platform.clone())))?;
        let base_layers = layers_of(&base.manifest)?;
        Ok(Ok(Ready {
            platform,
            assembly,
            base_layers,
        }))
    }

    /// What the lines make of a platform's configuration.
    fn configuration(
        &self,
        platform: &PlatformBase,
        base: &[u8],
    ) -> Result<Result<Vec<u8>, NeedsBuild>, StepError> {
        let mut labels = self.image.labels.clone();
        labels.extend(self.marks.labels(&platform.digest));
        let settings = DeriveSettings {
            args: self.image.args.clone(),
            labels,
            source_date_epoch: self.image.source_date_epoch,
        };
        let derived = self.lines(platform)?;
        let derived = derived.and_then(|lines| lines.derive(base, &settings));
        Ok(derived.map(|derived| derived.configuration))
    }

    fn lines(
        &self,
        platform: &PlatformBase,
    ) -> Result<Result<MetadataLines, NeedsBuild>, StepError> {
        let from = self.upstreams.from(&self.image.source, &platform.digest);
        let dockerfile = dockerfile(self.image, &from)?;
        Ok(MetadataLines::parse(&dockerfile, &from))
    }

    /// What needs a build is built, unless the user wants none.
    fn judge(&self, platform: &Platform, reason: NeedsBuild) -> Result<NeedsBuild, StepError> {
        if self.image.builder == Builder::Direct {
            let step = Step::Derive(platform.clone());
            return Err(StepError::new(step, NotDerived(reason)));
        }
        Ok(reason)
    }

    /// The wanted platforms: all means those whose rules are known, where there are any.
    fn platforms(&self) -> Result<Vec<PlatformBase>, StepError> {
        let offered = || self.base.platforms.iter().map(|base| &base.platform);
        let known = offered().find(|platform| platform.os() == OPERATING_SYSTEM);
        let Some(like) = known.or_else(|| offered().next()) else {
            return Ok(Vec::new());
        };
        let wanted = &self.image.platforms;
        let selected = self.base.select(&self.image.source, wanted, like);
        selected.map_err(StepError::at(Step::Resolve))
    }
}
