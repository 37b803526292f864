//! One request to a registry, described.

use std::sync::Arc;

use bytes::Bytes;
use reqwest::Method;

use super::token::Scopes;
use super::{Cause, Error};
use crate::image::{Registry, Repository};

/// A request that can be sent several times.
pub(super) struct Request {
    pub(super) registry: Registry,
    /// What it is for, as in "cannot read manifest `x`".
    pub(super) attempt: String,
    pub(super) method: Method,
    /// The path and query on the registry.
    pub(super) path: String,
    /// What a token must allow.
    pub(super) scopes: Scopes,
    /// How many bytes at the beginning are not wanted.
    pub(super) offset: u64,
    /// Whether the answer is a blob that is read as a stream.
    pub(super) is_stream: bool,
    /// The media types wanted.
    pub(super) accept: &'static [&'static str],
    /// What is sent.
    pub(super) body: Option<Body>,
}

/// What is sent.
#[derive(Clone)]
pub(super) struct Body {
    pub(super) media_type: String,
    pub(super) bytes: Bytes,
}

impl Request {
    /// A request that reads from a repository. `path` follows the repository: `manifests/latest`.
    pub(super) fn read(
        method: Method,
        registry: &Registry,
        repository: &Repository,
        path: &str,
        attempt: String,
    ) -> Self {
        Self {
            registry: registry.clone(),
            attempt,
            method,
            path: format!("/v2/{repository}/{path}"),
            scopes: Scopes::pull(repository),
            offset: 0,
            is_stream: false,
            accept: &[],
            body: None,
        }
    }

    /// A request that writes to a repository.
    pub(super) fn write(
        method: Method,
        registry: &Registry,
        repository: &Repository,
        path: &str,
        attempt: String,
    ) -> Self {
        Self {
            scopes: Scopes::push(repository),
            ..Self::read(method, registry, repository, path, attempt)
        }
    }

    pub(super) fn accept(self, accept: &'static [&'static str]) -> Self {
        Self { accept, ..self }
    }

    pub(super) fn body(self, media_type: &str, bytes: &Bytes) -> Self {
        let body = Some(Body {
            media_type: media_type.to_owned(),
            bytes: bytes.clone(),
        });
        Self { body, ..self }
    }

    /// The error that this request failed.
    pub(super) fn failed(&self, cause: impl Into<Arc<Cause>>) -> Error {
        Error::new(&self.registry, &self.attempt, cause.into())
    }
}
