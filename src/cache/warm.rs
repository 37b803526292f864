//! Has ECR fetch images before anybody needs them.

use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt};

use crate::config::CacheRule;
use crate::ecr::{Ecr, ImageId, Pulled};
use crate::image::{
    Content, Descriptor, Digest, ImageConfiguration, ImageIndex, ImageManifest, Location, Manifest,
    Platform, Reference, Registry, Tag,
};
use crate::store::Store;

use super::url::{MissingRule, find};
use super::{Access, Error};

/// Images that are asked for together.
const PARALLEL: usize = 4;

/// What became of one image.
#[derive(Debug)]
pub struct Warmed {
    /// The image.
    pub image: Reference,
    /// The prefix of the rule that caches it.
    pub prefix: String,
    /// What to pull it by: `HOST/PREFIX/NAME:TAG`.
    pub url: Reference,
    /// What is cached now.
    pub result: Result<Warm, Error>,
}

/// What is cached of an image.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Warm {
    /// What the tag has: the digest of an index, where it is one.
    pub digest: Digest,
    /// The platforms that were asked for, where none were all of an index. That of a single image is
    /// found out only for whoever asks for one.
    pub platforms: Vec<Platform>,
    /// How many bytes their configurations and layers have.
    pub bytes: u64,
}

/// The platforms that must arrive.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Which they are, and not none.
    pub platforms: &'a [Platform],
    /// Reads the platform of a single image, which only its configuration has.
    pub store: &'a Store,
}

/// Has ECR fetch images, and looks whether those of the platforms arrived; without any, all of them.
/// ECR itself fetches an index with all that it lists.
pub async fn warm(
    rules: &[CacheRule],
    registry: &Registry,
    images: &[Reference],
    asked: Option<Asked<'_>>,
    access: &Access,
) -> Result<Vec<Warmed>, MissingRule> {
    let found: Vec<_> = images
        .iter()
        .map(|image| Ok((image, find(rules, registry, image)?)))
        .collect::<Result<_, _>>()?;
    let warmed = stream::iter(found).map(|(image, (rule, url))| async move {
        Warmed {
            image: image.clone(),
            prefix: rule.prefix.clone(),
            result: fetch(&access.ecr, &url, asked).await,
            url,
        }
    });
    Ok(warmed.buffered(PARALLEL).collect().await)
}

async fn fetch(ecr: &Ecr, url: &Reference, asked: Option<Asked<'_>>) -> Result<Warm, Error> {
    let id = match (&url.digest, &url.tag) {
        (Some(digest), _) => ImageId::Digest(digest.clone()),
        (None, tag) => ImageId::Tag(tag.clone().unwrap_or_else(Tag::latest)),
    };
    let pulled = ecr.pull(&url.repository, &[id]).await?;
    let manifest = one(url, pulled)?;
    let mut blobs = BTreeMap::new();
    let platforms = match content(url, &manifest)? {
        Content::Image(image) => {
            blobs.extend(blobs_of(&image));
            match asked {
                Some(asked) => {
                    let own = platform(url, &image, asked.store).await?;
                    require(url, asked.platforms, &[own])?;
                    asked.platforms.to_vec()
                }
                None => Vec::new(),
            }
        }
        Content::Index(index) => {
            let wanted = asked.map_or(&[][..], |asked| asked.platforms);
            let (children, platforms) = choose(url, &index, wanted)?;
            for child in fetch_children(ecr, url, children).await? {
                // What a child is that is no image is no matter here: ECR has it.
                if let Content::Image(image) = content(url, &child)? {
                    blobs.extend(blobs_of(&image));
                }
            }
            platforms
        }
    };
    Ok(Warm {
        digest: manifest.digest().clone(),
        platforms,
        bytes: blobs.values().sum(),
    })
}

async fn fetch_children(
    ecr: &Ecr,
    url: &Reference,
    children: Vec<Digest>,
) -> Result<Vec<Manifest>, Error> {
    let ids: Vec<ImageId> = children.iter().cloned().map(ImageId::Digest).collect();
    let pulled = ecr.pull(&url.repository, &ids).await?;
    let children = children.into_iter().zip(pulled);
    children
        .map(|(digest, pulled)| one(&url.by_digest(digest), vec![pulled]))
        .collect()
}

/// The children of an index that are asked for, and the platforms among them.
fn choose(
    url: &Reference,
    index: &ImageIndex,
    wanted: &[Platform],
) -> Result<(Vec<Digest>, Vec<Platform>), Error> {
    let platform = |child: &Descriptor| child.platform().as_ref().map(Platform::from);
    let is_known = |platform: &Platform| !platform.is_unknown();
    let children = index.manifests().iter();
    let offered: Vec<Platform> = children.filter_map(platform).filter(is_known).collect();
    require(url, wanted, &offered)?;
    let is_chosen = |platform: Option<Platform>| {
        wanted.is_empty() || platform.is_some_and(|platform| wanted.contains(&platform))
    };
    let chosen = index.manifests().iter();
    let chosen = chosen.filter(|child| is_chosen(platform(child)));
    let digests = chosen.flat_map(Digest::try_from);
    let platforms = match wanted {
        [] => offered,
        wanted => wanted.to_vec(),
    };
    Ok((digests.collect(), platforms))
}

/// The platform of an image that is no index.
async fn platform(
    url: &Reference,
    image: &ImageManifest,
    store: &Store,
) -> Result<Platform, Error> {
    let location = Location::Registry(url.clone());
    let bytes = store.get_blob(&location, image.config()).await;
    let bytes = bytes.map_err(|source| Error::Configuration {
        url: url.to_string(),
        source: Box::new(source),
    })?;
    let configuration: ImageConfiguration =
        serde_json::from_slice(&bytes).map_err(|source| Error::BadConfiguration {
            url: url.to_string(),
            source,
        })?;
    Ok(Platform::from(&configuration))
}

/// Fails where one of the platforms is not offered.
fn require(url: &Reference, wanted: &[Platform], offered: &[Platform]) -> Result<(), Error> {
    let mut lacking = wanted.iter().filter(|platform| !offered.contains(platform));
    let Some(lacking) = lacking.next() else {
        return Ok(());
    };
    let offered: Vec<String> = offered.iter().map(ToString::to_string).collect();
    Err(Error::NoPlatform {
        url: url.to_string(),
        platform: lacking.to_string(),
        offered: offered.join(", "),
    })
}

fn one(url: &Reference, pulled: Vec<Pulled>) -> Result<Manifest, Error> {
    match pulled.into_iter().next() {
        Some(Pulled::Image(manifest)) => Ok(manifest),
        Some(Pulled::Missing) | None => Err(Error::NotThere {
            url: url.to_string(),
        }),
        Some(Pulled::Refused { code, reason }) => Err(Error::NotFetched {
            url: url.to_string(),
            code,
            reason,
        }),
    }
}

fn content(url: &Reference, manifest: &Manifest) -> Result<Content, Error> {
    manifest.content().map_err(|source| Error::NoImage {
        url: url.to_string(),
        source,
    })
}

fn blobs_of(image: &ImageManifest) -> impl Iterator<Item = (String, u64)> {
    let blobs = image.layers().iter().chain([image.config()]);
    blobs.map(|blob| (blob.digest().to_string(), blob.size()))
}
