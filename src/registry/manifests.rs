//! Manifests: what a tag or digest stands for.

use reqwest::Method;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName};

use super::client::Reply;
use super::request::Request;
use super::{Client, Error};
use crate::image::media_type::ACCEPT_MANIFESTS;
use crate::image::{Digest, Manifest, Reference, Tag};

/// The largest manifest, in bytes; ECR's limit, and the least that the OCI distribution
/// specification asks a registry to take.
const MAX_MANIFEST: u64 = 4 * 1024 * 1024;

const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

/// What a registry tells of a manifest without sending it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ManifestHead {
    /// The digest of the manifest's bytes.
    pub digest: Digest,
    /// The media type.
    pub media_type: String,
    /// How many bytes it has.
    pub size: u64,
}

impl Client {
    /// Asks for the digest that a tag or digest stands for; `None` when there is no such manifest.
    /// Docker Hub does not count this as a pull.
    ///
    /// A registry that does not state the digest, or gives no reason for a refusal (HEAD has no
    /// body), is asked with GET.
    pub async fn resolve(&self, reference: &Reference) -> Result<Option<Digest>, Error> {
        let found = self.look_up(reference, digest_header, |manifest| {
            manifest.digest().clone()
        });
        let found = found.await?;
        Ok(found.map(|found| reference.digest.clone().unwrap_or(found)))
    }

    /// Asks what a tag or digest stands for, as [`Client::resolve`] does. A registry that leaves out
    /// the media type or the size is asked with GET too.
    pub async fn head_manifest(
        &self,
        reference: &Reference,
    ) -> Result<Option<ManifestHead>, Error> {
        let head = self.look_up(reference, head, |manifest| ManifestHead {
            digest: manifest.digest().clone(),
            media_type: manifest.media_type().to_owned(),
            size: manifest.bytes().len() as u64,
        });
        Ok(head.await?.map(|head| ManifestHead {
            digest: reference.digest.clone().unwrap_or(head.digest),
            ..head
        }))
    }

    async fn look_up<T>(
        &self,
        reference: &Reference,
        in_headers: fn(&Reply) -> Option<T>,
        in_manifest: fn(&Manifest) -> T,
    ) -> Result<Option<T>, Error> {
        let request = read(Method::HEAD, reference, "look up");
        let reply = match self.exchange(&request, MAX_MANIFEST).await {
            Err(error) if error.is_missing() => return Ok(None),
            // ECR denies with 403 and rejects with 400 or 405; 404 is here not the registry's own.
            Err(error) if matches!(error.status().map(|it| it.as_u16()), Some(400 | 403..=405)) => {
                None
            }
            other => Some(other?),
        };
        if let Some(reply) = &reply
            && let (Some(stated), Some(asked)) = (digest_header(reply), &reference.digest)
            && stated != *asked
        {
            return Err(request.failed(reply.mismatch(asked, stated)));
        }
        match reply.as_ref().and_then(in_headers) {
            Some(found) => Ok(Some(found)),
            None => Ok(self
                .get_manifest(reference)
                .await?
                .as_ref()
                .map(in_manifest)),
        }
    }

    /// Reads a manifest, byte for byte, and checks its digest; `None` when there is no such
    /// manifest. Docker Hub counts this as a pull, so that what it sent once is not asked for again
    /// by its digest.
    pub async fn get_manifest(&self, reference: &Reference) -> Result<Option<Manifest>, Error> {
        let host = self.host(&reference.registry);
        if let Some(manifest) = host.counted.get(reference) {
            return Ok(Some(manifest));
        }
        let request = read(Method::GET, reference, "read");
        let check = |reply: &Reply| {
            let expected = reference.digest.clone().or_else(|| digest_header(reply));
            match expected {
                // A signed one of schema 1 has the digest of what was signed. Nobody uses it.
                Some(digest) if !manifest(reply).is_schema_1() => reply.verify(&digest),
                _ => Ok(()),
            }
        };
        let reply = match self.exchange_checked(&request, MAX_MANIFEST, check).await {
            Err(error) if error.is_missing() => return Ok(None),
            other => other?,
        };
        let manifest = manifest(&reply);
        if host.manners.rate_limit().is_some() {
            host.counted.keep(&reference.repository, &manifest);
        }
        Ok(Some(manifest))
    }

    /// Writes a manifest under the reference's digest or, where it has none, under its tag. All
    /// that the manifest names must be in the repository already.
    ///
    /// An immutable tag that holds something else is a [`Kind::Conflict`].
    ///
    /// [`Kind::Conflict`]: crate::failure::Kind::Conflict
    pub async fn put_manifest(
        &self,
        reference: &Reference,
        manifest: &Manifest,
    ) -> Result<(), Error> {
        let request = Request::write(
            Method::PUT,
            &reference.registry,
            &reference.repository,
            &path(reference),
            format!("write manifest `{reference}`"),
        )
        .body(manifest.media_type(), manifest.bytes());
        let reply = self.exchange(&request, MAX_MANIFEST).await?;
        match digest_header(&reply) {
            Some(stored) if !stored.matches(manifest.bytes()) => {
                Err(request.failed(reply.mismatch(manifest.digest(), stored)))
            }
            _ => Ok(()),
        }
    }
}

fn read(method: Method, reference: &Reference, verb: &str) -> Request {
    Request::read(
        method,
        &reference.registry,
        &reference.repository,
        &path(reference),
        format!("{verb} manifest `{reference}`"),
    )
    .accept(&ACCEPT_MANIFESTS)
}

fn path(reference: &Reference) -> String {
    match (&reference.digest, &reference.tag) {
        (Some(digest), _) => format!("manifests/{digest}"),
        (None, Some(tag)) => format!("manifests/{tag}"),
        (None, None) => format!("manifests/{}", Tag::latest()),
    }
}

fn manifest(reply: &Reply) -> Manifest {
    let media_type = reply.header(CONTENT_TYPE).unwrap_or_default();
    Manifest::new(media_type, reply.body.clone())
}

fn head(reply: &Reply) -> Option<ManifestHead> {
    let media_type = reply.header(CONTENT_TYPE)?.split(';').next()?;
    Some(ManifestHead {
        digest: digest_header(reply)?,
        media_type: media_type.trim().to_owned(),
        size: reply.header(CONTENT_LENGTH)?.parse().ok()?,
    })
}

/// The digest that the registry states. ECR states it for HEAD, not for GET.
fn digest_header(reply: &Reply) -> Option<Digest> {
    reply.header(CONTENT_DIGEST)?.parse().ok()
}

#[cfg(test)]
mod tests;
