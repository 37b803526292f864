//! The upstream image that a build starts from: its digest and its platforms.

use std::collections::BTreeSet;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt};

use crate::config::{ImageSpecification, Platforms};
use crate::event::Step;
use crate::image::{
    Content, Descriptor, Digest, ImageConfiguration, ImageManifest, Location, Manifest, Platform,
};
use crate::store::Store;

use super::base_error::BaseError;
use super::base_image::{BaseImage, malformed};
use super::{StepError, Upstreams};

/// Configurations of one image's platforms that are read together.
const READ_TOGETHER: usize = 4;

/// An upstream image, resolved once: everything after is by digest.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Base {
    /// The digest that the tag has: the index's, where it is one.
    pub digest: Digest,
    /// Its platforms, in its own order.
    pub platforms: Vec<PlatformBase>,
    /// Whether the digest is that of an index.
    pub is_index: bool,
}

/// One platform of an upstream image.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PlatformBase {
    /// The platform.
    pub platform: Platform,
    /// The digest of the platform's own manifest.
    pub digest: Digest,
    /// The configuration, where it was read to make the plan.
    pub configuration: Option<Bytes>,
    /// The manifest, where it was read with the configuration. An image of the Docker daemon has
    /// none.
    pub manifest: Option<ImageManifest>,
}

/// Reads the manifest of a source whose tag had this digest: one GET.
pub(super) async fn fetch_manifest(
    store: &Store,
    source: &Location,
    digest: &Digest,
) -> Result<Manifest, StepError> {
    let manifest = store.get_manifest(&source.by_digest(digest.clone())).await;
    let missing = || BaseError::missing(store, source);
    manifest
        .map_err(StepError::at(Step::Resolve))?
        .ok_or_else(missing)
        .map_err(StepError::at(Step::Resolve))
}

impl Base {
    /// What is known of a source whose tag had this digest: of an image of the Docker daemon what it
    /// tells, of another one what its manifest says.
    pub(super) async fn of(
        upstreams: &Upstreams,
        source: &Location,
        digest: &Digest,
    ) -> Result<Self, StepError> {
        if let Location::Daemon(image) = source {
            return upstreams.daemon.base(image, digest).await;
        }
        let manifest = fetch_manifest(&upstreams.store, source, digest).await?;
        Self::read(&upstreams.store, source, digest, &manifest).await
    }

    /// Reads the platforms of an image, whose tag had this digest, from its manifest; of one that
    /// is no index, with a GET of its configuration.
    pub(super) async fn read(
        store: &Store,
        source: &Location,
        digest: &Digest,
        manifest: &Manifest,
    ) -> Result<Self, StepError> {
        let resolve = StepError::at::<BaseError>(Step::Resolve);
        let content = manifest
            .content()
            .map_err(|error| BaseError::Manifest {
                image: source.to_string(),
                source: error,
            })
            .map_err(StepError::at(Step::Resolve))?;
        let platforms: Vec<PlatformBase> = match content {
            Content::Index(index) => index.manifests().iter().filter_map(child).collect(),
            Content::Image(image) => {
                let pinned = source.by_digest(digest.clone());
                vec![single(store, &pinned, digest, *image).await?]
            }
        };
        let platforms = without_repetition(platforms);
        if platforms.is_empty() {
            return Err(resolve(BaseError::NoPlatform {
                image: source.to_string(),
            }));
        }
        Ok(Self {
            digest: digest.clone(),
            platforms,
            is_index: manifest.is_index(),
        })
    }

    /// Reads the configurations of the platforms that will be made, for what can be told of them in
    /// advance. None is needed: what cannot be read now is found when the image is made. Where
    /// pulls are counted, half of them are left to that.
    pub(super) async fn read_configurations(
        &mut self,
        image: &ImageSpecification,
        upstreams: &Upstreams,
    ) {
        // `apply` asks the daemon; here the machine's own platform stands for its.
        let own = Platform::new("linux", std::env::consts::ARCH, None);
        let Ok(wanted) = self.select(&image.source, &image.platforms, &own) else {
            return;
        };
        let registry = image.source.reference().map(|source| &source.registry);
        let limit = || upstreams.client.rate_limit(registry?);
        let unread = wanted.iter().filter(|base| base.configuration.is_none());
        let read = stream::iter(unread)
            .map(async |base| {
                if limit().is_some_and(|limit| limit.remaining <= limit.limit / 2) {
                    return None;
                }
                let pinned = image.source.by_digest(base.digest.clone());
                let read = BaseImage::fetch(&upstreams.store, &pinned).await;
                Some((base.digest.clone(), read.ok()?))
            })
            .buffer_unordered(READ_TOGETHER)
            .filter_map(async |read| read)
            .collect::<Vec<_>>()
            .await;
        for (digest, image) in read {
            let same = self.platforms.iter_mut().find(|it| it.digest == digest);
            if let Some(base) = same {
                base.configuration = Some(image.configuration);
                base.manifest = Some(image.manifest);
            }
        }
    }

    /// Fails when platforms are asked for by name that the image lacks.
    pub(super) fn check(&self, source: &Location, wanted: &Platforms) -> Result<(), BaseError> {
        match wanted {
            Platforms::All | Platforms::Daemon => Ok(()),
            Platforms::Only(list) => self.require(source, list),
        }
    }

    /// The platforms to build, in the image's own order. `daemon` is the Docker daemon's own
    /// platform. It builds for its own operating system only, so [`Platforms::All`] means those of
    /// that system; [`Platforms::Daemon`] takes an image that is no index as it is.
    pub(super) fn select(
        &self,
        source: &Location,
        wanted: &Platforms,
        daemon: &Platform,
    ) -> Result<Vec<PlatformBase>, BaseError> {
        let chosen = |choose: &dyn Fn(&Platform) -> bool| -> Vec<PlatformBase> {
            self.platforms
                .iter()
                .filter(|base| choose(&base.platform))
                .cloned()
                .collect()
        };
        let selected = match wanted {
            Platforms::All => chosen(&|platform| platform.os() == daemon.os()),
            Platforms::Daemon if !self.is_index => self.platforms.clone(),
            Platforms::Daemon => {
                self.require(source, std::slice::from_ref(daemon))?;
                chosen(&|platform| platform == daemon)
            }
            Platforms::Only(list) => {
                self.require(source, list)?;
                chosen(&|platform| list.contains(platform))
            }
        };
        if selected.is_empty() {
            return Err(BaseError::NotOfDaemon {
                image: source.to_string(),
                offered: join(self.platforms.iter().map(|offered| &offered.platform)),
            });
        }
        Ok(selected)
    }

    fn require(&self, source: &Location, wanted: &[Platform]) -> Result<(), BaseError> {
        let offers = |platform: &Platform| self.platforms.iter().any(|p| p.platform == *platform);
        let lacking: Vec<&Platform> = wanted.iter().filter(|platform| !offers(platform)).collect();
        if lacking.is_empty() {
            return Ok(());
        }
        Err(BaseError::Platform {
            image: source.to_string(),
            lacking: join(lacking),
            offered: join(self.platforms.iter().map(|offered| &offered.platform)),
        })
    }
}

/// The first of each platform: an index may spell one platform in two ways.
fn without_repetition(platforms: Vec<PlatformBase>) -> Vec<PlatformBase> {
    let mut seen = BTreeSet::new();
    let new = |base: &PlatformBase| seen.insert(base.platform.clone());
    platforms.into_iter().filter(new).collect()
}

/// A child of an index that is an image of a platform. BuildKit's attestations are none.
fn child(descriptor: &Descriptor) -> Option<PlatformBase> {
    let platform = Platform::from(descriptor.platform().as_ref()?);
    if platform.is_unknown() {
        return None;
    }
    let digest = Digest::try_from(descriptor).ok()?;
    Some(PlatformBase {
        platform,
        digest,
        configuration: None,
        manifest: None,
    })
}

async fn single(
    store: &Store,
    image: &Location,
    digest: &Digest,
    manifest: ImageManifest,
) -> Result<PlatformBase, StepError> {
    let bytes = store
        .get_blob(image, manifest.config())
        .await
        .map_err(StepError::at(Step::Resolve))?;
    let configuration: ImageConfiguration =
        serde_json::from_slice(&bytes).map_err(malformed(image))?;
    Ok(PlatformBase {
        platform: Platform::from(&configuration),
        digest: digest.clone(),
        configuration: Some(bytes),
        manifest: Some(manifest),
    })
}

fn join<'a>(platforms: impl IntoIterator<Item = &'a Platform>) -> String {
    let names: Vec<String> = platforms.into_iter().map(ToString::to_string).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mongo(platforms: &[&str], is_index: bool) -> Base {
        let platform = |text: &&str| PlatformBase {
            platform: text.parse().unwrap(),
            digest: Digest::of(text.as_bytes()),
            configuration: None,
            manifest: None,
        };
        Base {
            digest: Digest::of(b"mongo"),
            platforms: platforms.iter().map(platform).collect(),
            is_index,
        }
    }

    fn select(base: &Base, wanted: &Platforms) -> String {
        let source = "mongo:latest".parse().unwrap();
        let daemon = "linux/amd64".parse().unwrap();
        match base.select(&source, wanted, &daemon) {
            Ok(selected) => join(selected.iter().map(|base| &base.platform)),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn selects_in_the_order_of_the_image() {
        let base = mongo(&["linux/arm64", "linux/amd64", "windows/amd64"], true);
        let only = |list: &[&str]| {
            Platforms::Only(list.iter().map(|text| text.parse().unwrap()).collect())
        };
        let picked = [
            select(&base, &Platforms::All),
            select(&base, &Platforms::Daemon),
            select(&base, &only(&["linux/amd64", "linux/arm64/v8"])),
            select(
                &base,
                &only(&["linux/s390x", "linux/amd64", "linux/arm/v7"]),
            ),
            select(&mongo(&["linux/arm64"], true), &Platforms::Daemon),
            select(&mongo(&["linux/arm64"], false), &Platforms::Daemon),
            select(&mongo(&["windows/amd64"], true), &Platforms::All),
        ];
        insta::assert_snapshot!(picked.join("\n"));
    }
}
