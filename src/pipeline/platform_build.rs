//! What the Docker daemon does for one platform: from its base to an image that is held against it.

use std::collections::BTreeMap;

use crate::config::Publish;
use crate::docker::{self, BuildRequest, Docker, Engine, ImageDetails};
use crate::dockerfile::images;
use crate::event::{Event, Step};
use crate::failure::{Failure, Kind};
use crate::image::{Digest, Location, Platform, Reference, Registry, Tag};
use crate::registry::Login;

use super::base::PlatformBase;
use super::base_image::BaseImage;
use super::build::Order;
use super::daemon_bases::DaemonBases;
use super::leftovers::Leftovers;
use super::render::dockerfile;
use super::{Access, StepError};

/// The repository of what longshore builds, for as long as it needs it.
const SCRATCH: &str = "longshore/scratch";

/// The repository of bases that have no name of their own.
const BASE: &str = "longshore/base";

/// The build of one platform.
#[derive(Clone, Copy)]
pub(super) struct PlatformBuild<'a> {
    pub(super) access: &'a Access,
    pub(super) docker: &'a Docker,
    pub(super) bases: &'a DaemonBases,
    pub(super) order: Order<'a>,
    pub(super) platform: &'a PlatformBase,
    /// What the result has to begin with.
    pub(super) base: &'a BaseImage,
    /// No other build has this tag.
    pub(super) tag: &'a Tag,
    pub(super) leftovers: &'a Leftovers,
}

/// The daemon built something else than it was asked for.
#[derive(Debug, thiserror::Error)]
enum WrongResult {
    #[error("asked for {wanted}, the Docker daemon built {built}")]
    Platform { wanted: String, built: String },
    #[error("the Docker daemon no longer has `{name}`, which it just used")]
    Gone { name: String },
    #[error("the built image does not start with the layers of its base `{base}`")]
    Layers { base: String },
}

impl Failure for WrongResult {
    fn kind(&self) -> Kind {
        match self {
            Self::Gone { .. } => Kind::Transient,
            Self::Platform { .. } | Self::Layers { .. } => Kind::Permanent,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Gone { .. } => "something removed it in the meantime, such as a prune",
            Self::Platform { .. } | Self::Layers { .. } => {
                "the daemon took another local image for the base; remove it and run again"
            }
        };
        Some(hint.to_owned())
    }
}

impl PlatformBuild<'_> {
    /// Builds, and returns the image's local ID.
    pub(super) async fn run(self) -> Result<Digest, StepError> {
        let Order { image, engine, .. } = self.order;
        let platform = &self.platform.platform;
        let step = Step::Build(platform.clone());
        self.access.observer.observe(Event::Reached {
            image: self.order.ends.destination.clone().into(),
            step: step.clone(),
        });
        let failed = || StepError::at::<docker::Error>(step.clone());
        let from = self.name_base().await.map_err(failed())?;
        let dockerfile = dockerfile(image, &from)?;
        let images = images(&dockerfile);
        let logins = self.logins(&images).await?;
        // BuildKit keeps what it pulls to itself.
        if engine == Engine::Classic {
            let bring = self.bring_bases(&images, &logins);
            bring.await.map_err(failed())?;
        }

        let name = format!("{SCRATCH}:{}", self.tag);
        self.leftovers.named(name.clone());
        let step_images = self.leftovers.building();
        let request = BuildRequest {
            dockerfile: &dockerfile,
            context: image.context.as_ref(),
            target: image.target.as_deref(),
            network: image.network.as_deref(),
            args: &image.args,
            labels: &self.labels(),
            platform: Some(platform),
            logins: &logins,
            tag: &name,
            engine,
            secrets: &image.secrets,
        };
        let mut output = |text: &str| {
            let mut images = step_images.lock();
            images.read(text);
            drop(images);
            self.print(text);
        };
        let id = self.docker.build(&request, &mut output).await;
        let id = id.map_err(failed())?;
        let built = self.docker.inspect(id.as_str()).await.map_err(failed())?;
        let held = hold(&id, built, platform, &from, &self.base.diff_ids);
        held.map_err(StepError::at(step))?;
        Ok(id)
    }

    /// What `FROM` names. BuildKit takes the ID of a local image for the name of a repository, so
    /// that it needs a name.
    async fn name_base(&self) -> Result<String, docker::Error> {
        let (source, id) = (self.order.ends.source, &self.platform.digest);
        if !matches!(source, Location::Daemon(_)) || self.order.engine == Engine::Classic {
            return Ok(self.access.upstreams.from(source, id));
        }
        let name = format!("{BASE}:{}", self.tag);
        self.leftovers.named(name.clone());
        let named = self.docker.tag(id.as_str(), BASE, self.tag.as_str());
        named.await.map(|()| name)
    }

    /// The labels that the daemon puts on. Where longshore publishes, its own are put on when the
    /// image is put together: the classic builder makes a step and a container for each label.
    fn labels(&self) -> BTreeMap<String, String> {
        let mut labels = self.order.image.labels.clone();
        if self.order.image.publish == Publish::Daemon {
            labels.extend(self.order.marks.labels(&self.platform.digest));
        }
        labels
    }

    /// Has the daemon pull the base, and takes note of the other images that the lines name.
    async fn bring_bases(
        &self,
        images: &[Reference],
        logins: &[(Registry, Login)],
    ) -> Result<(), docker::Error> {
        let upstreams = &self.access.upstreams;
        let source = self.order.ends.source.reference();
        let pinned = source.map(|source| upstreams.pinned_base(source, &self.platform.digest));
        let others = images
            .iter()
            .filter(|image| Some(*image) != pinned.as_ref());
        for image in others {
            self.bases.expect(image).await?;
        }
        let Some(pinned) = pinned else {
            return Ok(());
        };
        let login = logins.iter().find(|(it, _)| *it == pinned.registry);
        let login = login.map(|(_, login)| login);
        let output = |text: &str| self.print(text);
        let bring = self
            .bases
            .bring(&pinned, &self.platform.platform, login, output);
        bring.await
    }

    /// Who to be at each registry that the Dockerfile reads. The source's login belongs to where
    /// the source is really read.
    async fn logins(&self, images: &[Reference]) -> Result<Vec<(Registry, Login)>, StepError> {
        let upstreams = &self.access.upstreams;
        let registries = images.iter().map(|image| &image.registry);
        let mut registries: BTreeMap<Registry, Registry> = registries
            .map(|registry| (registry.clone(), registry.clone()))
            .collect();
        if let Some(source) = self.order.ends.source.reference() {
            let read = &upstreams.store.read_at(source).registry;
            registries.insert(upstreams.pulled_from(read), read.clone());
        }
        let mut logins = Vec::new();
        for (registry, known_as) in &registries {
            let login = upstreams.credentials.login(known_as).await;
            let login = login.map_err(StepError::at(Step::Resolve))?;
            logins.extend(login.map(|login| (registry.clone(), login)));
        }
        Ok(logins)
    }

    /// What the daemon prints.
    fn print(&self, text: &str) {
        self.access.observer.observe(Event::Output {
            image: self.order.ends.destination.clone().into(),
            platform: self.platform.platform.clone(),
            text: text.to_owned(),
        });
    }
}

/// Holds what was built against what it was to be built on: the classic builder takes a local image
/// of another architecture without a word. Variants are not compared: BuildKit drops them.
fn hold(
    id: &Digest,
    built: Option<ImageDetails>,
    wanted: &Platform,
    from: &str,
    base_layers: &[Digest],
) -> Result<(), WrongResult> {
    let Some(built) = built else {
        let name = id.to_string();
        return Err(WrongResult::Gone { name });
    };
    let machine = |platform: &Platform| {
        let (os, architecture) = (platform.os(), platform.architecture());
        (os.to_owned(), architecture.to_owned())
    };
    if machine(&built.platform) != machine(wanted) {
        let (wanted, built) = (wanted.to_string(), built.platform.to_string());
        return Err(WrongResult::Platform { wanted, built });
    }
    if !built.layers.starts_with(base_layers) {
        let base = from.to_owned();
        return Err(WrongResult::Layers { base });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_built_is_held_against_its_base() {
        let layer = |name: &str| Digest::of(name.as_bytes());
        let id = Digest::of(b"id");
        let base = [layer("a"), layer("b")];
        let judge = |platform: &str, layers: &[&str]| {
            let built = ImageDetails {
                id: id.clone(),
                platform: platform.parse().unwrap(),
                layers: layers.iter().map(|name| layer(name)).collect(),
                config: serde_json::Value::Null,
            };
            let wanted = "linux/arm/v7".parse().unwrap();
            let held = hold(&id, Some(built), &wanted, "mongo@sha256:1", &base);
            held.map_err(|error| format!("{error} ({:?})", error.kind()))
        };
        assert_eq!(judge("linux/arm", &["a", "b", "c"]), Ok(()));
        assert_eq!(judge("linux/arm/v7", &["a", "b"]), Ok(()));
        let gone = hold(&id, None, &"linux/arm64".parse().unwrap(), "", &base);
        let told = [
            judge("linux/amd64", &["a", "b", "c"]).unwrap_err(),
            judge("linux/arm/v7", &["a", "c", "b"]).unwrap_err(),
            judge("linux/arm/v7", &["a"]).unwrap_err(),
            gone.unwrap_err().to_string().replace(id.as_str(), "ID"),
        ];
        insta::assert_snapshot!(told.join("\n"), @r"
        asked for linux/arm/v7, the Docker daemon built linux/amd64 (Permanent)
        the built image does not start with the layers of its base `mongo@sha256:1` (Permanent)
        the built image does not start with the layers of its base `mongo@sha256:1` (Permanent)
        the Docker daemon no longer has `ID`, which it just used
        ");
    }
}
