//! Publishes what was built: the Docker daemon pushes, longshore verifies, and several platforms
//! become one index. The destination tag moves last.

use crate::docker::{self, Docker};
use crate::event::{Event, Step};
use crate::failure::{Failure, Kind, chain};
use crate::image::{Digest, Manifest, Platform, Reference, Tag};
use crate::registry::ManifestHead;

use super::marks::Marks;
use super::{Access, StepError, index};

/// An image that the Docker daemon holds.
pub(super) struct BuiltPlatform {
    pub(super) platform: Platform,
    /// Its scratch name in the daemon.
    pub(super) name: String,
    pub(super) id: Digest,
}

/// Publishes the images of one destination tag.
pub(super) struct Publisher<'a> {
    pub(super) access: &'a Access,
    pub(super) docker: &'a Docker,
    pub(super) destination: &'a Reference,
}

/// The registry does not hold what was pushed.
#[derive(Debug, thiserror::Error)]
#[error("`{image}` should be `{pushed}`, the registry has {found}")]
struct Unverified {
    image: Reference,
    pushed: Digest,
    found: String,
}

impl Failure for Unverified {
    fn kind(&self) -> Kind {
        Kind::Transient
    }

    fn hint(&self) -> Option<String> {
        Some("something else wrote the tag at the same time; run again".to_owned())
    }
}

impl Publisher<'_> {
    /// Publishes one platform as a single image, several as an index, and returns the digest that
    /// the destination tag then has.
    pub(super) async fn publish(
        &self,
        built: Vec<BuiltPlatform>,
        marks: &Marks,
    ) -> Result<Digest, StepError> {
        if let [only] = &built[..] {
            return self
                .push(only, self.destination)
                .await
                .map(|head| head.digest);
        }
        let mut children = Vec::with_capacity(built.len());
        let mut temporary = Vec::with_capacity(built.len());
        for platform in built {
            let tag = temporary_tag(&platform);
            let head = self
                .push(&platform, &self.destination.by_tag(tag.clone()))
                .await?;
            children.push((platform.platform, head));
            temporary.push(tag);
        }
        let step = Step::Index;
        self.reached(&step);
        let client = &self.access.upstreams.client;
        let index = index::join(children, marks);
        client
            .put_manifest(self.destination, &index)
            .await
            .map_err(StepError::at(step))?;
        self.verify(self.destination, index.digest()).await?;
        self.remove_temporary_tags(&index, temporary).await;
        Ok(index.digest().clone())
    }

    async fn push(
        &self,
        built: &BuiltPlatform,
        target: &Reference,
    ) -> Result<ManifestHead, StepError> {
        let step = Step::Push(built.platform.clone());
        self.reached(&step);
        let token = self
            .access
            .ecr
            .token()
            .await
            .map_err(StepError::at(step.clone()))?;
        let (repository, tag) = (
            target.name(),
            target.tag.clone().unwrap_or_else(Tag::latest),
        );
        let mut output = |text: &str| {
            self.access.observer.observe(Event::Output {
                image: self.destination.clone(),
                platform: built.platform.clone(),
                text: text.to_owned(),
            });
        };
        let push = async {
            self.docker
                .tag(built.id.as_str(), &repository, tag.as_str())
                .await?;
            let login = Some(&token.login);
            let digest = self
                .docker
                .push(&repository, tag.as_str(), login, &mut output)
                .await?;
            self.docker.remove(&target.to_string()).await?;
            self.docker.remove(&built.name).await?;
            Ok(digest)
        };
        let digest = push.await.map_err(StepError::at::<docker::Error>(step))?;
        self.verify(target, &digest).await
    }

    /// Asks the registry itself what a tag holds; the daemon's word is not enough.
    async fn verify(&self, image: &Reference, pushed: &Digest) -> Result<ManifestHead, StepError> {
        self.reached(&Step::Verify);
        let client = &self.access.upstreams.client;
        let head = client
            .head_manifest(image)
            .await
            .map_err(StepError::at(Step::Verify))?;
        match head {
            Some(head) if head.digest == *pushed => Ok(head),
            other => {
                let found = other.map_or("nothing".to_owned(), |head| format!("`{}`", head.digest));
                let (image, pushed) = (image.clone(), pushed.clone());
                Err(StepError::new(
                    Step::Verify,
                    Unverified {
                        image,
                        pushed,
                        found,
                    },
                ))
            }
        }
    }

    /// ECR deletes an image with its last tag, and refuses to where an index needs the image. So
    /// the temporary tags are first moved to the index, which keeps its own tag, and then removed.
    /// What cannot be removed stays: that harms nothing but tidiness.
    async fn remove_temporary_tags(&self, index: &Manifest, tags: Vec<Tag>) {
        for tag in &tags {
            let target = self.destination.by_tag(tag.clone());
            if let Err(error) = self
                .access
                .upstreams
                .client
                .put_manifest(&target, index)
                .await
            {
                tracing::debug!(%tag, %error, "cannot move a temporary tag");
            }
        }
        let kept = self
            .access
            .ecr
            .delete_tags(&self.destination.repository, &tags)
            .await;
        let warnings = match kept {
            Ok(kept) => kept
                .into_iter()
                .map(|kept| format!("the temporary tag `{}` stays: {}", kept.tag, kept.reason))
                .collect(),
            Err(error) => {
                vec![format!("temporary tags stay: {}", chain(&error))]
            }
        };
        for message in warnings {
            let image = self.destination.clone();
            self.access
                .observer
                .observe(Event::Warning { image, message });
        }
    }

    fn reached(&self, step: &Step) {
        let (image, step) = (self.destination.clone(), step.clone());
        self.access.observer.observe(Event::Reached { image, step });
    }
}

/// The tag under which one platform's image travels. It names the image, so that a tag which an
/// earlier run left in an immutable repository is never in the way.
fn temporary_tag(built: &BuiltPlatform) -> Tag {
    let text = format!("longshore-{}-{}", built.id.short(), built.platform.slug());
    text.parse()
        .expect("a digest and a platform make a sound tag")
}
