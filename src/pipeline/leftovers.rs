//! What building and pushing leaves behind, and its removal, whatever became of the image.

use std::mem;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};

use crate::docker::{Docker, StepImages};
use crate::event::Event;
use crate::failure::chain;
use crate::image::{Digest, Manifest, Reference, Tag};

use super::Access;
use super::cleanup::Cleanup;

/// What one image's build and push left behind: names and nameless images in the daemon, temporary
/// tags at the destination. Where the run is interrupted, it is removed by a task of its own.
pub(super) struct Leftovers {
    broom: Option<Broom>,
    cleanup: Cleanup,
    found: Mutex<Found>,
}

/// What removing needs.
#[derive(Clone)]
struct Broom {
    access: Access,
    docker: Docker,
    destination: Reference,
}

#[derive(Clone, Default)]
struct Found {
    /// Names that longshore gave to images in the daemon.
    names: Vec<String>,
    /// Names that stay although longshore gave them.
    kept: Vec<String>,
    /// What each build left on its way.
    steps: Vec<Arc<Mutex<StepImages>>>,
    /// Names of the user's own that had to be borrowed, and the images that had them.
    borrowed: Vec<(Reference, Digest)>,
    /// Tags under which single platforms travelled.
    tags: Vec<Tag>,
    /// The index that joins them, once it stands.
    index: Option<Manifest>,
}

impl Leftovers {
    /// Nothing yet of the image that goes to this destination.
    pub(super) fn new(
        access: &Access,
        docker: &Docker,
        destination: &Reference,
        cleanup: &Cleanup,
    ) -> Self {
        Self {
            broom: Some(Broom {
                access: access.clone(),
                docker: docker.clone(),
                destination: destination.clone(),
            }),
            cleanup: cleanup.clone(),
            found: Mutex::default(),
        }
    }

    /// A name was given to an image in the daemon.
    pub(super) fn named(&self, name: String) {
        self.found().names.push(name);
    }

    /// A name shall stay.
    pub(super) fn keep(&self, name: String) {
        self.found().kept.push(name);
    }

    /// A build begins, and tells its images here.
    pub(super) fn building(&self) -> Arc<Mutex<StepImages>> {
        let images = Arc::default();
        self.found().steps.push(Arc::clone(&images));
        images
    }

    /// A name of the user's own had to be borrowed from this image.
    pub(super) fn borrowed(&self, name: Reference, image: Digest) {
        self.found().borrowed.push((name, image));
    }

    /// A platform travels under this tag.
    pub(super) fn tagged(&self, tag: Tag) {
        self.found().tags.push(tag);
    }

    /// The index stands.
    pub(super) fn joined(&self, index: Manifest) {
        self.found().index = Some(index);
    }

    /// Removes everything. That can fail nothing; what stays is told.
    pub(super) async fn remove(mut self) {
        // Until all is removed, an interruption still finds it.
        if let Some(broom) = self.broom.clone() {
            let found = self.found().clone();
            broom.remove(found).await;
        }
        self.broom = None;
    }

    fn found(&self) -> MutexGuard<'_, Found> {
        self.found.lock()
    }
}

impl Drop for Leftovers {
    fn drop(&mut self) {
        if let Some(broom) = self.broom.take() {
            let found = mem::take(&mut *self.found());
            self.cleanup.spawn(broom.remove(found));
        }
    }
}

impl Broom {
    async fn remove(self, found: Found) {
        self.remove_names(&found).await;
        self.remove_steps(&found.steps).await;
        self.give_back(&found).await;
        if !found.tags.is_empty() {
            self.remove_tags(&found.tags, found.index.as_ref()).await;
        }
    }

    async fn remove_names(&self, found: &Found) {
        for name in &found.names {
            if found.kept.contains(name) {
                continue;
            }
            if let Err(error) = self.docker.remove(name).await {
                let reason = chain(&error);
                self.warn(format!("`{name}` stays in the Docker daemon: {reason}"));
            }
        }
    }

    /// Where the image was made, they went with it.
    async fn remove_steps(&self, steps: &[Arc<Mutex<StepImages>>]) {
        for images in steps {
            let Some(image) = latest(images) else {
                continue;
            };
            if let Err(error) = self.docker.remove_nameless(&image).await {
                tracing::debug!(image, %error, "cannot remove what a build left");
            }
        }
    }

    async fn give_back(&self, found: &Found) {
        for (name, id) in &found.borrowed {
            if found.kept.contains(&name.to_string()) {
                continue;
            }
            let tag = name.tag.clone().unwrap_or_else(Tag::latest);
            let repository = name.name();
            let given = self.docker.tag(id.as_str(), &repository, tag.as_str());
            if let Err(error) = given.await {
                let reason = chain(&error);
                self.warn(format!(
                    "`{name}` no longer names your image `{id}`: {reason}"
                ));
            }
        }
    }

    async fn remove_tags(&self, tags: &[Tag], index: Option<&Manifest>) {
        let Self {
            access,
            destination,
            ..
        } = self;
        // ECR deletes an image with its last tag, and refuses to where an index needs the image.
        // So the temporary tags are first moved to the index, which keeps its own tag.
        if let Some(index) = index {
            for tag in tags {
                let tag = destination.by_tag(tag.clone());
                if let Err(error) = access.upstreams.client.put_manifest(&tag, index).await {
                    tracing::debug!(%tag, %error, "cannot move a temporary tag");
                }
            }
        }
        // Only into ECR the daemon pushes several platforms: elsewhere they travel by digest.
        let Some(ecr) = access.destination.ecr() else {
            return;
        };
        match ecr.delete_tags(&destination.repository, tags).await {
            Ok(kept) => {
                for kept in kept {
                    let (tag, reason) = (kept.name, kept.reason);
                    self.warn(format!("the temporary tag `{tag}` stays: {reason}"));
                }
            }
            Err(error) => self.warn(format!("temporary tags stay: {}", chain(&error))),
        }
    }

    fn warn(&self, message: String) {
        let image = self.destination.clone().into();
        let observer = &self.access.observer;
        observer.observe(Event::Warning { image, message });
    }
}

fn latest(images: &Mutex<StepImages>) -> Option<String> {
    let images = images.lock();
    images.latest().map(str::to_owned)
}
