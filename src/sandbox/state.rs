//! What the servers share.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::AtomicBool;

use parking_lot::Mutex;

use super::blobs::Upload;
use super::options::Options;
use super::parameters::Parameters;
use super::pull_through::Imports;
use super::secrets::Secrets;
use super::store::Store;
use super::tokens::Tokens;
use super::traffic::Traffic;
use super::upstream::{Access, Pulls};

/// What the servers share.
pub(super) struct State {
    pub(super) options: Options,
    pub(super) addresses: Addresses,
    pub(super) store: Store,
    /// Uploads under way, by identifier. One that a request is working on is not in here.
    pub(super) uploads: Mutex<HashMap<String, Upload>>,
    pub(super) tokens: Tokens,
    /// The account setting `BLOB_MOUNTING`.
    pub(super) blob_mounting: AtomicBool,
    /// What pulls through a rule share.
    pub(super) imports: Imports,
    /// Secrets Manager. It forgets everything when the sandbox ends: no secret goes to a disk.
    pub(super) secrets: Secrets,
    /// SSM's parameters, forgotten like the secrets.
    pub(super) parameters: Parameters,
    /// The tokens of the upstream registry.
    pub(super) access: Access,
    /// The pulls left at the upstream registry, where they are limited.
    pub(super) pulls: Option<Pulls>,
    pub(super) traffic: Traffic,
}

/// Where the servers listen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Addresses {
    pub(super) api: SocketAddr,
    pub(super) registry: SocketAddr,
    pub(super) storage: SocketAddr,
    pub(super) upstream: Option<SocketAddr>,
}

impl State {
    /// The ARN of something of this account in this region.
    pub(super) fn arn(&self, service: &str, resource: &str) -> String {
        let options = &self.options;
        format!(
            "arn:aws:{service}:{}:{}:{resource}",
            options.region, options.account_id
        )
    }

    /// The text with which ECR says that a repository is missing, at the API and the registry.
    pub(super) fn repository_is_missing(&self, name: &str) -> String {
        format!(
            "The repository with name '{name}' does not exist in the registry with id '{}'",
            self.options.account_id
        )
    }
}
