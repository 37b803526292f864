//! Whether what has to run for a foreign platform can.

use futures_util::future::try_join_all;

use crate::config::ImageSpecification;
use crate::docker::{self, Docker, Meaning};
use crate::dockerfile::{Configuration, runs_for_target};
use crate::event::Step;
use crate::failure::{Failure, Kind};
use crate::image::Platform;
use crate::once::Once;

use super::StepError;
use super::base::PlatformBase;
use super::render::dockerfile;

/// What the daemon was found to run, each platform tried once in a run.
#[derive(Default)]
pub(super) struct Emulation {
    tried: Once<Platform, bool>,
}

/// The daemon cannot run programs of these platforms.
#[derive(Debug, thiserror::Error)]
#[error("the Docker daemon is for {own} and has no emulation to run lines for {lacking}")]
struct NoEmulation {
    own: Platform,
    lacking: String,
}

impl Failure for NoEmulation {
    fn kind(&self) -> Kind {
        Kind::Permanent
    }

    fn hint(&self) -> Option<String> {
        Meaning::Emulation.hint().map(str::to_owned)
    }
}

impl Emulation {
    /// Fails where a line, or a trigger of a base, would run a program of a platform that the daemon
    /// cannot run. Metadata, `COPY` and `ADD` run none.
    pub(super) async fn require(
        &self,
        docker: &Docker,
        image: &ImageSpecification,
        platforms: &[PlatformBase],
    ) -> Result<(), StepError> {
        let lines_run = runs_for_target(&dockerfile(image, "scratch")?);
        let needed = platforms
            .iter()
            .filter(|base| lines_run || has_running_trigger(base));
        let tried = needed.map(async |base| {
            let platform = &base.platform;
            let runs = self.runs(docker, platform).await;
            runs.map(|runs| (platform, runs))
                .map_err(StepError::at(Step::Build(platform.clone())))
        });
        let lacking: Vec<&Platform> = try_join_all(tried)
            .await?
            .into_iter()
            .filter_map(|(platform, runs)| (!runs).then_some(platform))
            .collect();
        let Some(&first) = lacking.first() else {
            return Ok(());
        };
        let names: Vec<String> = lacking.iter().map(ToString::to_string).collect();
        let error = NoEmulation {
            own: docker.platform().clone(),
            lacking: names.join(", "),
        };
        Err(StepError::new(Step::Build(first.clone()), error))
    }

    async fn runs(&self, docker: &Docker, platform: &Platform) -> Result<bool, docker::Error> {
        let tried = self.tried.cell(platform.clone());
        tried
            .get_or_try_init(|| docker.runs(platform))
            .await
            .copied()
    }
}

/// Whether a base runs something in every build on it, as far as its configuration was read.
fn has_running_trigger(base: &PlatformBase) -> bool {
    let bytes = base.configuration.as_ref();
    let configuration = bytes.and_then(|bytes| Configuration::parse(bytes).ok());
    configuration.is_some_and(|configuration| configuration.has_running_trigger())
}
