//! What building and pushing leaves behind, and its removal, whatever became of the image.

use crate::docker::{self, Docker};
use crate::event::Event;
use crate::failure::chain;
use crate::image::{Digest, Manifest, Reference, Tag};

use super::Access;

/// What one image's build and push left behind: names in the daemon, temporary tags at the
/// destination. Removing them can fail nothing; what stays is told.
#[derive(Debug, Default)]
pub(super) struct Leftovers {
    /// Names that longshore gave to images in the daemon.
    pub(super) names: Vec<String>,
    /// Names of the user's own that had to be borrowed, and the images that had them.
    pub(super) borrowed: Vec<(Reference, Digest)>,
    /// Tags under which single platforms travelled.
    pub(super) tags: Vec<Tag>,
    /// The index that joins them, once it stands.
    pub(super) index: Option<Manifest>,
}

impl Leftovers {
    /// Removes everything.
    pub(super) async fn remove(self, access: &Access, docker: &Docker, destination: &Reference) {
        let warn = |message: String| {
            let image = destination.clone().into();
            access.observer.observe(Event::Warning { image, message });
        };
        for name in &self.names {
            if let Err(error) = docker.remove(name).await {
                warn(format!(
                    "`{name}` stays in the Docker daemon: {}",
                    chain(&error)
                ));
            }
        }
        for (name, id) in &self.borrowed {
            if let Err(error) = give_back(docker, name, id).await {
                warn(format!(
                    "`{name}` no longer names your image `{id}`: {}",
                    chain(&error)
                ));
            }
        }
        if self.tags.is_empty() {
            return;
        }
        // ECR deletes an image with its last tag, and refuses to where an index needs the image.
        // So the temporary tags are first moved to the index, which keeps its own tag.
        if let Some(index) = &self.index {
            for tag in &self.tags {
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
        match ecr.delete_tags(&destination.repository, &self.tags).await {
            Ok(kept) => {
                for kept in kept {
                    warn(format!(
                        "the temporary tag `{}` stays: {}",
                        kept.name, kept.reason
                    ));
                }
            }
            Err(error) => warn(format!("temporary tags stay: {}", chain(&error))),
        }
    }
}

async fn give_back(docker: &Docker, name: &Reference, id: &Digest) -> Result<(), docker::Error> {
    let tag = name.tag.clone().unwrap_or_else(Tag::latest);
    docker.tag(id.as_str(), &name.name(), tag.as_str()).await
}
