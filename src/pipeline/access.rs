//! What the pipeline reaches out to.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::event::Observer;
use crate::image::{Digest, Location, Reference, Registry};
use crate::registry::{Client, Credentials, Endpoint};
use crate::store::Store;

use super::{Daemon, Destination};

/// Source registries: how they are read, and where they really are.
#[derive(Clone)]
pub struct Upstreams {
    /// The registry client.
    pub client: Client,
    /// Images in registries, by the same client, and in OCI layouts.
    pub store: Store,
    /// The Docker daemon.
    pub daemon: Daemon,
    /// Who we are at each registry; the Docker daemon is told too.
    pub credentials: Arc<dyn Credentials>,
    /// Registries that are read elsewhere than under their own name.
    pub endpoints: BTreeMap<Registry, Endpoint>,
}

impl Upstreams {
    /// The registry under which the Docker daemon finds what `registry` names: a mirror's host
    /// where the file names one, else the registry itself.
    pub fn pulled_from(&self, registry: &Registry) -> Registry {
        match self.endpoints.get(registry) {
            Some(endpoint) => endpoint.registry.clone(),
            None => registry.clone(),
        }
    }

    /// What `FROM` names: where the source is in a registry, its name there; where it is in the
    /// Docker daemon, its local ID. A layout's image, which no `FROM` can name, has its own name.
    pub(super) fn from(&self, source: &Location, digest: &Digest) -> String {
        match source {
            Location::Registry(source) => self.pinned_base(source, digest).to_string(),
            Location::Layout(_) => source.by_digest(digest.clone()).to_string(),
            Location::Daemon(_) => digest.to_string(),
        }
    }

    /// What `FROM` names: the source where it is really read, pinned by a platform's own digest.
    pub fn pinned_base(&self, source: &Reference, digest: &Digest) -> Reference {
        let read = self.store.read_at(source);
        Reference {
            registry: self.pulled_from(&read.registry),
            digest: Some(digest.clone()),
            ..read.into_owned()
        }
    }
}

/// Everything the pipeline reaches out to.
#[derive(Clone)]
pub struct Access {
    /// Where images come from.
    pub upstreams: Upstreams,
    /// Where images go.
    pub destination: Destination,
    /// Receives what happens.
    pub observer: Arc<dyn Observer>,
}
