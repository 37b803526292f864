//! Manifests whose reading was counted, kept so that none is paid for twice.

use std::collections::HashMap;

use parking_lot::{Mutex, MutexGuard};

use super::Client;
use crate::image::{Digest, Manifest, Reference, Registry, Repository};

/// The manifests that were read from one registry that counts them. There are no more than its
/// budget allows: Docker Hub's is 200 in six hours.
#[derive(Default)]
pub(super) struct Counted(Mutex<HashMap<(Repository, Digest), Manifest>>);

impl Counted {
    /// What the reference's digest stands for, where it was read before.
    pub(super) fn get(&self, reference: &Reference) -> Option<Manifest> {
        let digest = reference.digest.clone()?;
        let key = (reference.repository.clone(), digest);
        self.manifests().get(&key).cloned()
    }

    /// Keeps what was read.
    pub(super) fn keep(&self, repository: &Repository, manifest: &Manifest) {
        let key = (repository.clone(), manifest.digest().clone());
        self.manifests().insert(key, manifest.clone());
    }

    fn manifests(&self) -> MutexGuard<'_, HashMap<(Repository, Digest), Manifest>> {
        self.0.lock()
    }
}

impl Client {
    /// How many manifests were read from a registry that counts them.
    pub fn counted_manifests(&self, registry: &Registry) -> usize {
        self.host(registry).counted.manifests().len()
    }

    /// A manifest that was read already, from a registry that counts what is read; by its digest.
    pub fn counted_manifest(&self, reference: &Reference) -> Option<Manifest> {
        self.host(&reference.registry).counted.get(reference)
    }
}

#[cfg(test)]
mod tests {
    use super::super::fake::{Fake, Reply};

    #[tokio::test]
    async fn what_is_counted_is_read_once() {
        for (is_limited, reads) in [(true, 1), (false, 2)] {
            let reply = move || {
                if is_limited {
                    Reply::manifest().header("ratelimit-remaining", "9;w=60")
                } else {
                    Reply::manifest()
                }
            };
            let fake = Fake::start(move |_, _| reply()).await;
            let client = fake.client();
            let image = fake.image("app:1").by_digest(Reply::manifest_digest());
            assert_eq!(client.counted_manifest(&image), None);
            let first = client.get_manifest(&image).await.unwrap();
            assert_eq!(client.get_manifest(&image).await.unwrap(), first);
            assert_eq!(fake.log().len(), reads);
            assert_eq!(client.counted_manifest(&image).is_some(), is_limited);
        }
    }
}
