//! Has the Docker daemon push what was built: longshore verifies, and several platforms become one
//! index. The destination tag moves last.

use crate::docker::{self, Docker};
use crate::event::{Event, Step};
use crate::failure::{Failure, Kind};
use crate::image::{Digest, Platform, Reference, Tag};
use crate::registry::{Login, ManifestHead};

use super::leftovers::Leftovers;
use super::marks::Marks;
use super::{Access, StepError, index};

/// An image that the Docker daemon holds.
#[derive(Clone)]
pub(super) struct BuiltPlatform {
    pub(super) platform: Platform,
    pub(super) id: Digest,
    /// The tag under which it travels where it is one of several platforms.
    pub(super) temporary_tag: Tag,
}

/// Has the daemon push the images of one destination tag.
pub(super) struct DaemonPush<'a> {
    pub(super) access: &'a Access,
    pub(super) docker: &'a Docker,
    pub(super) destination: &'a Reference,
    pub(super) leftovers: &'a Leftovers,
}

/// The registry does not hold what was pushed.
#[derive(Debug, thiserror::Error)]
#[error("`{image}` should be `{pushed}`, the registry has {found}")]
struct Unverified {
    image: String,
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

impl DaemonPush<'_> {
    /// Publishes one platform as a single image, several as an index, and returns the digest that
    /// the destination tag then has.
    pub(super) async fn publish(
        self,
        built: Vec<BuiltPlatform>,
        marks: &Marks,
    ) -> Result<Digest, StepError> {
        if let [only] = &built[..] {
            let destination = self.destination.clone();
            return self.push(only, &destination).await.map(|head| head.digest);
        }
        let mut children = Vec::with_capacity(built.len());
        for platform in built {
            let tag = platform.temporary_tag.clone();
            self.leftovers.tagged(tag.clone());
            let head = self.push(&platform, &self.destination.by_tag(tag)).await?;
            children.push((platform.platform, head));
        }
        self.reached(&Step::Index);
        let index = index::join(children, marks);
        let client = &self.access.upstreams.client;
        client
            .put_manifest(self.destination, &index)
            .await
            .map_err(StepError::at(Step::Index))?;
        self.verify(self.destination, index.digest()).await?;
        let digest = index.digest().clone();
        self.leftovers.joined(index);
        Ok(digest)
    }

    async fn push(
        &self,
        built: &BuiltPlatform,
        target: &Reference,
    ) -> Result<ManifestHead, StepError> {
        let step = Step::Push(built.platform.clone());
        self.reached(&step);
        let upstreams = &self.access.upstreams;
        let login = upstreams.credentials.login(&target.registry).await;
        let login = login.map_err(StepError::at(step.clone()))?;
        let pushed = Reference {
            registry: upstreams.pulled_from(&target.registry),
            ..target.clone()
        };
        let failed = StepError::at::<docker::Error>(step);
        let digest = self
            .push_through_daemon(built, &pushed, login.as_ref())
            .await
            .map_err(failed)?;
        self.verify(target, &digest).await
    }

    /// The daemon pushes only what has the target's name. A user's own image of that name gets it
    /// back afterwards.
    async fn push_through_daemon(
        &self,
        built: &BuiltPlatform,
        target: &Reference,
        login: Option<&Login>,
    ) -> Result<Digest, docker::Error> {
        let (repository, tag) = (
            target.name(),
            target.tag.clone().unwrap_or_else(Tag::latest),
        );
        if let Some(image) = self.docker.inspect(&target.to_string()).await? {
            self.leftovers.borrowed(target.clone(), image.id);
        }
        self.leftovers.named(target.to_string());
        self.docker
            .tag(built.id.as_str(), &repository, tag.as_str())
            .await?;
        let mut output = |text: &str| {
            self.access.observer.observe(Event::Output {
                image: self.destination.clone().into(),
                platform: built.platform.clone(),
                text: text.to_owned(),
            });
        };
        self.docker
            .push(&repository, tag.as_str(), login, &mut output)
            .await
    }

    /// Asks the registry itself what a tag holds; the daemon's word is not enough.
    async fn verify(&self, image: &Reference, pushed: &Digest) -> Result<ManifestHead, StepError> {
        self.reached(&Step::Verify);
        let client = &self.access.upstreams.client;
        let head = client
            .head_manifest(image)
            .await
            .map_err(StepError::at(Step::Verify))?;
        held(image, pushed, head).map_err(StepError::at(Step::Verify))
    }

    fn reached(&self, step: &Step) {
        let (image, step) = (self.destination.clone().into(), step.clone());
        self.access.observer.observe(Event::Reached { image, step });
    }
}

/// What a tag has, where it is what was pushed.
fn held(
    image: &Reference,
    pushed: &Digest,
    head: Option<ManifestHead>,
) -> Result<ManifestHead, Unverified> {
    match head {
        Some(head) if head.digest == *pushed => Ok(head),
        other => Err(Unverified {
            image: image.to_string(),
            pushed: pushed.clone(),
            found: other.map_or("nothing".to_owned(), |head| format!("`{}`", head.digest)),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_registry_holds_must_be_what_was_pushed() {
        let image = "127.0.0.1:5000/mongo:7".parse().unwrap();
        let [pushed, other] = [b"pushed", b"other."].map(|text| Digest::of(text));
        let head = |digest: &Digest| ManifestHead {
            media_type: String::new(),
            digest: digest.clone(),
            size: 1,
        };
        assert!(held(&image, &pushed, Some(head(&pushed))).is_ok());
        for (found, name) in [
            (Some(head(&other)), format!("`{other}`")),
            (None, "nothing".into()),
        ] {
            let error = held(&image, &pushed, found).unwrap_err();
            let expected = format!("`{image}` should be `{pushed}`, the registry has {name}");
            assert_eq!(
                (error.to_string(), error.kind()),
                (expected, Kind::Transient)
            );
        }
    }
}
