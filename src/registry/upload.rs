//! Writing blobs: one POST and one PUT that streams.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use futures_util::Stream;
use reqwest::header::LOCATION;
use reqwest::{Body, Method, Response, StatusCode};
use url::Url;

use super::answer::Answer;
use super::blobs::existence;
use super::client::Host;
use super::outflow::{Flaw, Outflow};
use super::politeness::is_ecr;
use super::pulse::Pulse;
use super::request::Request;
use super::retry::with_retries;
use super::session::is_unauthorized;
use super::transport::{Upload, header, host};
use super::{Cause, Client, Error, Meter};
use crate::image::{Digest, Reference, Repository};

/// How a blob came to be where it was wanted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Uploaded {
    /// The registry took it from another of its repositories.
    Mounted,
    /// It was sent.
    Uploaded,
    /// It was sent, the answer was lost, and the registry has it.
    Existed,
}

impl Client {
    /// Writes a blob of so many bytes to the reference's repository, as a stream that is never held
    /// in memory. It does not ask whether the blob is there already: see [`Client::blob_exists`].
    ///
    /// A registry that may take it from `mount_from`, another of its repositories, is asked to; one
    /// that cannot (ECR unless the account allows it and a manifest of that repository names the
    /// blob) begins an upload with the same answer.
    ///
    /// The source is opened once the registry is ready to take it, and again for each further try: a
    /// try is a new upload, because an interrupted one cannot be continued (ECR answers 416 and
    /// `BLOB_UPLOAD_INVALID`). It is never sent in several parts, which ECR, GHCR and others get
    /// wrong. A source's error ends it all and is returned as it is.
    pub async fn upload_blob<S, E, R>(
        &self,
        reference: &Reference,
        digest: &Digest,
        size: u64,
        mount_from: Option<&Repository>,
        open: impl Fn() -> R + Send + Sync,
    ) -> Result<Uploaded, E>
    where
        R: Future<Output = Result<S, E>> + Send,
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let host = self.host(&reference.registry);
        let upload = BlobUpload::new(self, &host, reference, (digest, size), mount_from);
        let outcome = with_retries(&host.manners, &Method::POST, || upload.attempt(&open)).await;
        outcome.unwrap_or_else(|cause| Err(self.failed(&upload.begin, cause).into()))
    }
}

/// A blob to be written, and what earlier tries taught.
struct BlobUpload<'a> {
    host: &'a Host,
    meter: &'a Meter,
    digest: &'a Digest,
    size: u64,
    exists: Request,
    begin: Request,
    mount: Option<Request>,
    /// Whether the registry does not know how to mount.
    is_mount_refused: AtomicBool,
    /// Whether bytes were sent, so that the registry may have the blob.
    was_sent: AtomicBool,
}

impl<'a> BlobUpload<'a> {
    fn new(
        client: &'a Client,
        host: &'a Host,
        reference: &Reference,
        (digest, size): (&'a Digest, u64),
        mount_from: Option<&Repository>,
    ) -> Self {
        let begin = |path: &str| {
            Request::write(
                Method::POST,
                &reference.registry,
                &reference.repository,
                path,
                format!("write blob `{digest}` to `{}`", reference.name()),
            )
        };
        let mount = mount_from.map(|from| {
            let mut request = begin(&format!("blobs/uploads/?mount={digest}&from={from}"));
            request.scopes = request.scopes.and(&format!("repository:{from}:pull"));
            request
        });
        Self {
            host,
            meter: &client.meter,
            digest,
            size,
            exists: existence(reference, digest),
            begin: begin("blobs/uploads/"),
            mount,
            is_mount_refused: AtomicBool::new(false),
            was_sent: AtomicBool::new(false),
        }
    }

    /// One try. The inner error is the source's.
    async fn attempt<S, E, R>(
        &self,
        open: &(impl Fn() -> R + Send + Sync),
    ) -> Result<Result<Uploaded, E>, Arc<Cause>>
    where
        R: Future<Output = Result<S, E>> + Send,
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Send + 'static,
    {
        if self.was_sent.load(Ordering::Relaxed) && self.is_there().await {
            return Ok(Ok(Uploaded::Existed));
        }
        match self.transfer(open).await {
            // To begin anew gets a new login too.
            Err(cause) if cause.answer().is_some_and(is_worth_another) => self.transfer(open).await,
            other => other,
        }
    }

    async fn transfer<S, E, R>(
        &self,
        open: &(impl Fn() -> R + Send + Sync),
    ) -> Result<Result<Uploaded, E>, Arc<Cause>>
    where
        R: Future<Output = Result<S, E>> + Send,
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Send + 'static,
    {
        let Some(url) = self.begin().await? else {
            return Ok(Ok(Uploaded::Mounted));
        };
        let source = match open().await {
            Ok(source) => source,
            Err(error) => return Ok(Err(error)),
        };
        let (size, pulse) = (self.size, Pulse::new());
        let (outflow, flawed) = Outflow::new(source, size, pulse.clone());
        let body = Body::wrap_stream(outflow);
        self.host.manners.wait().await;
        self.was_sent.store(true, Ordering::Relaxed);
        let upload = Upload {
            size,
            body,
            pulse,
            meter: self.meter,
        };
        let sent = self.host.session.upload(&self.begin, &url, upload).await;
        match flawed.take() {
            Some(Flaw::Failed(error)) => Ok(Err(error)),
            Some(Flaw::Length(actual)) => Err(Arc::new(Cause::WrongLength {
                expected: size,
                actual,
            })),
            None => sent.map(|_| Ok(Uploaded::Uploaded)),
        }
    }

    async fn is_there(&self) -> bool {
        self.host.manners.wait().await;
        self.host
            .session
            .send(&self.exists, self.meter)
            .await
            .is_ok()
    }

    /// Where to send the blob; `None` when it was mounted.
    async fn begin(&self) -> Result<Option<Url>, Arc<Cause>> {
        let _slot = self.host.manners.turn(&Method::POST).await;
        let mount = self.mount.as_ref();
        let mount = mount.filter(|_| !self.is_mount_refused.load(Ordering::Relaxed));
        let response = match mount {
            None => self.post(&self.begin).await?,
            Some(mount) => match self.post(mount).await {
                Ok(response) if response.status() == StatusCode::CREATED => return Ok(None),
                Err(cause) if matches!(&*cause, Cause::Answered(_)) && !cause.may_pass() => {
                    self.is_mount_refused.store(true, Ordering::Relaxed);
                    self.post(&self.begin).await?
                }
                other => other?,
            },
        };
        Ok(Some(self.place(&response)?))
    }

    async fn post(&self, request: &Request) -> Result<Response, Arc<Cause>> {
        let sent = self.host.session.send(request, self.meter).await;
        sent.map_err(|cause| match Arc::try_unwrap(cause) {
            Ok(Cause::Broken { host, source }) if is_ecr(&request.registry) => {
                Arc::new(Cause::NoUpload { host, source })
            }
            Ok(cause) => Arc::new(cause),
            Err(shared) => shared,
        })
    }

    /// The place that the registry named, relative or not, with whatever query it has.
    fn place(&self, response: &Response) -> Result<Url, Cause> {
        let named = header(response, LOCATION).and_then(|it| response.url().join(it).ok());
        let mut url = named.ok_or_else(|| Cause::Malformed {
            host: host(response.url()),
            what: "begins an upload and does not say where",
        })?;
        self.host.session.stay_encrypted(response.url(), &url)?;
        url.query_pairs_mut()
            .append_pair("digest", self.digest.as_str());
        Ok(url)
    }
}

/// Whether an upload failed in a way that a new one, begun at once, may not.
fn is_worth_another(answer: &Answer) -> bool {
    is_unauthorized(answer) || answer.is_lost_upload()
}

#[cfg(test)]
mod tests;
