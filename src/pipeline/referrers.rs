//! What refers to an image: signatures, SBOMs, attestations.

use std::collections::BTreeSet;
use std::ops::Bound;

use futures_util::stream::{self, StreamExt, TryStreamExt};

use crate::event::{Event, Step};
use crate::image::{Content, Descriptor, Digest, Location, Manifest, Tag, media_type};
use crate::once::Once;

use super::base_error::BaseError;
use super::marks::Marks;
use super::observe::PARALLEL_QUESTIONS;
use super::{Access, StepError};

/// Something that refers to an image at its source.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Referrer {
    /// A manifest whose `subject` is the image.
    Manifest {
        /// The digest of what it refers to: an image, a child of an index, or a referrer.
        subject: Digest,
        /// Its own digest.
        digest: Digest,
        /// What the source's list says of it.
        descriptor: Box<Descriptor>,
    },
    /// A manifest whose tag names the image, as cosign's do: `sha256-9f86d0....sig`.
    Tagged {
        /// The tag.
        tag: Tag,
        /// The digest that the tag has at the source.
        digest: Digest,
    },
}

impl Referrer {
    /// Its own digest.
    pub(super) fn digest(&self) -> &Digest {
        match self {
            Self::Manifest { digest, .. } | Self::Tagged { digest, .. } => digest,
        }
    }

    /// What it refers to, where it says so itself.
    pub(super) fn subject(&self) -> Option<&Digest> {
        match self {
            Self::Manifest { subject, .. } => Some(subject),
            Self::Tagged { .. } => None,
        }
    }
}

/// The digests in an image that something at the source may refer to: its own and those of its
/// children. Nothing there refers to an index that longshore made of the source's.
pub(super) fn subjects(source: &Digest, manifest: &Manifest) -> Vec<Digest> {
    let is_ours = manifest.digest() != source && Marks::annotated(manifest).is_some();
    let own = (!is_ours).then(|| manifest.digest().clone());
    let children = match manifest.content() {
        Ok(Content::Index(index)) => index
            .manifests()
            .iter()
            .flat_map(Digest::try_from)
            .collect(),
        Ok(Content::Image(_)) | Err(_) => Vec::new(),
    };
    own.into_iter().chain(children).collect()
}

/// What refers to a digest, by the registry's own list. Where it keeps none, an index stands under
/// a tag. Whether it does costs a GET, unless the repository's tags are known.
pub(super) async fn list(
    access: &Access,
    repository: &Location,
    subject: Digest,
    tags: Option<&BTreeSet<Tag>>,
) -> Result<Vec<Referrer>, StepError> {
    let store = &access.upstreams.store;
    let tag = repository.by_tag(subject.referrers_tag());
    let index = store.referrers(repository, &subject).await;
    let index = match index.map_err(StepError::at(Step::Refer))? {
        None if tags.is_none_or(|tags| tags.contains(&subject.referrers_tag())) => {
            let index = store.get_manifest(&tag).await;
            index.map_err(StepError::at(Step::Refer))?
        }
        index => index,
    };
    let content = index.map(|index| index.content()).transpose();
    let content = content
        .map_err(|source| BaseError::Manifest {
            image: tag.to_string(),
            source,
        })
        .map_err(StepError::at(Step::Refer))?;
    let Some(Content::Index(index)) = content else {
        return Ok(Vec::new());
    };
    let referrer = |descriptor: &Descriptor| {
        Some(Referrer::Manifest {
            subject: subject.clone(),
            digest: Digest::try_from(descriptor).ok()?,
            descriptor: Box::new(descriptor.clone()),
        })
    };
    Ok(index.manifests().iter().filter_map(referrer).collect())
}

/// Finds what refers to images at their sources. Each repository's tags are listed once.
pub(super) struct Finder<'a> {
    access: &'a Access,
    tags: Once<Location, BTreeSet<Tag>>,
}

impl<'a> Finder<'a> {
    pub(super) fn new(access: &'a Access) -> Self {
        Self {
            access,
            tags: Once::default(),
        }
    }

    /// Finds what refers to these digests of a source, and what refers to that: a list of the
    /// source's tags, a GET per digest, and a HEAD per tag of cosign's. What is referred to comes
    /// before what refers to it, and all that refers to one digest stands together.
    pub(super) async fn find(
        &self,
        source: &Location,
        subjects: Vec<Digest>,
        destination: &Location,
    ) -> Result<Vec<Referrer>, StepError> {
        let cell = self.tags.cell(source.bare());
        let store = &self.access.upstreams.store;
        let tags = cell.get_or_try_init(async || {
            let tags = store.list_tags(source).await;
            tags.map(|tags| tags.into_iter().collect())
        });
        let tags = tags.await.map_err(StepError::at(Step::List))?;
        let mut seen: BTreeSet<Digest> = subjects.iter().cloned().collect();
        let mut unasked = subjects;
        let mut found = Vec::new();
        while !unasked.is_empty() {
            let lists: Vec<Vec<Referrer>> = stream::iter(std::mem::take(&mut unasked))
                .map(|subject| list(self.access, source, subject, Some(tags)))
                .buffered(PARALLEL_QUESTIONS)
                .try_collect()
                .await?;
            for referrer in lists.into_iter().flatten() {
                if seen.insert(referrer.digest().clone()) && self.can_copy(&referrer, destination) {
                    unasked.push(referrer.digest().clone());
                    found.push(referrer);
                }
            }
        }
        let about = seen.iter().flat_map(|digest| tags_about(tags, digest));
        let tagged: Vec<Option<Referrer>> = stream::iter(about)
            .map(|tag| self.tagged(source, tag))
            .buffered(PARALLEL_QUESTIONS)
            .try_collect()
            .await?;
        found.extend(tagged.into_iter().flatten());
        Ok(found)
    }

    /// Artifact manifests, which OCI had for a while, are neither images nor indexes; ECR refuses
    /// them (opcr-io/policy#149).
    fn can_copy(&self, referrer: &Referrer, destination: &Location) -> bool {
        let Referrer::Manifest {
            digest, descriptor, ..
        } = referrer
        else {
            return true;
        };
        let kind = descriptor.media_type().to_string();
        let is_known = media_type::ACCEPT_MANIFESTS.contains(&kind.as_str());
        if !is_known {
            let message = format!("`{digest}`, which refers to it, is a `{kind}` and not copied");
            let image = destination.clone();
            self.access
                .observer
                .observe(Event::Warning { image, message });
        }
        is_known
    }

    async fn tagged(&self, source: &Location, tag: &Tag) -> Result<Option<Referrer>, StepError> {
        let store = &self.access.upstreams.store;
        let digest = store.resolve(&source.by_tag(tag.clone())).await;
        let digest = digest.map_err(StepError::at(Step::Refer))?;
        let tag = tag.clone();
        Ok(digest.map(|digest| Referrer::Tagged { tag, digest }))
    }
}

/// The tags that name a digest, as cosign's do: `sha256-9f86d0....sig`. They are looked up, because
/// a repository may have thousands of tags and be asked for each of them.
fn tags_about<'t>(tags: &'t BTreeSet<Tag>, digest: &Digest) -> impl Iterator<Item = &'t Tag> {
    let bare = digest.referrers_tag();
    let named = tags.range((Bound::Excluded(&bare), Bound::Unbounded));
    let begins = bare.as_str().to_owned();
    let named = named.take_while(move |tag| tag.as_str().starts_with(&begins));
    let prefix = format!("{bare}.");
    named.filter(move |tag| tag.as_str().starts_with(&prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_cosign_name_a_digest() {
        let [one, other] = [&b"one"[..], b"other"].map(Digest::of);
        let tag = |digest: &Digest, end: &str| -> Tag {
            format!("{}{end}", digest.referrers_tag()).parse().unwrap()
        };
        let ends = ["", "-a", ".att", ".sig", "0.sig"];
        let mut tags: BTreeSet<Tag> = ends.iter().map(|end| tag(&one, end)).collect();
        tags.extend([Tag::latest(), tag(&other, ".sig")]);
        let found: Vec<&Tag> = tags_about(&tags, &one).collect();
        assert_eq!(found, [&tag(&one, ".att"), &tag(&one, ".sig")]);
        assert_eq!(tags_about(&tags, &Digest::of(b"x")).count(), 0);
    }
}
