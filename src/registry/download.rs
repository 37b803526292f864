//! Reading blobs of any size: verified, resumed, never held in memory.

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes};
use futures_util::stream::{BoxStream, try_unfold};
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE};
use reqwest::{Method, Response, StatusCode};

use super::client::Host;
use super::request::Request;
use super::retry::with_retries;
use super::transport::{chunk, header, host};
use super::{Cause, Client, Error};
use crate::image::{Digest, Hasher, Reference};

/// How often a download is resumed that makes no progress.
const RESUMES: u32 = 3;

/// The least that a connection must bring to count as progress, in bytes, as skopeo has it.
const PROGRESS: u64 = 1024 * 1024;

/// The pause before a download is resumed; it doubles while there is no progress.
const RESUME_PAUSE: Duration = Duration::from_millis(200);

/// A blob's bytes as they come. The last ones are given out only when all are known to be right, so
/// that whoever passes them on never passes on a whole blob that is wrong.
pub type BlobStream = BoxStream<'static, Result<Bytes, Error>>;

impl Client {
    /// Begins to read a blob of so many bytes from the reference's repository.
    ///
    /// Where the connection breaks or falls silent for a minute, the stream goes on where it was,
    /// with `Range` or, from servers that know none, by reading the beginning again; it ends with
    /// an error when that brings nothing any more. Other bytes than those of the digest are
    /// an error too.
    pub async fn open_blob(
        &self,
        reference: &Reference,
        digest: &Digest,
        size: u64,
    ) -> Result<BlobStream, Error> {
        let mut download = Download {
            client: self.clone(),
            host: self.host(&reference.registry),
            request: Request {
                is_stream: true,
                ..Request::read(
                    Method::GET,
                    &reference.registry,
                    &reference.repository,
                    &format!("blobs/{digest}"),
                    format!("read blob `{digest}` of `{}`", reference.name()),
                )
            },
            digest: digest.clone(),
            size,
            hasher: digest.hasher(),
            received: 0,
            skip: 0,
            resumed_at: 0,
            fruitless: 0,
        };
        let opened = download.open().await;
        let response = opened.map_err(|cause| download.failed(cause))?;
        let stream = try_unfold((download, response), |(mut download, mut response)| async {
            match download.next(&mut response).await {
                Ok(next) => Ok(next.map(|bytes| (bytes, (download, response)))),
                Err(cause) => Err(download.failed(cause)),
            }
        });
        Ok(Box::pin(stream))
    }
}

struct Download {
    client: Client,
    host: Arc<Host>,
    request: Request,
    digest: Digest,
    size: u64,
    hasher: Hasher,
    /// How many bytes came, without those that came twice.
    received: u64,
    /// How many of the next bytes came already.
    skip: u64,
    /// How many bytes had come when the connection was made.
    resumed_at: u64,
    /// How many connections in a row brought nothing to speak of.
    fruitless: u32,
}

impl Download {
    fn failed(&self, cause: Arc<Cause>) -> Error {
        self.client.failed(&self.request, cause)
    }

    /// Asks for what has not come yet.
    async fn open(&mut self) -> Result<Response, Arc<Cause>> {
        self.resumed_at = self.received;
        self.request.offset = self.received;
        let mut begin = self.received;
        let response = match self.send().await {
            Ok(response) if begin > 0 && response.status() != StatusCode::PARTIAL_CONTENT => {
                begin = 0;
                response
            }
            Ok(response) if begin == 0 || self.is_asked_for(&response) => response,
            Err(cause) if begin == 0 || !is_range_refused(&cause) => return Err(cause),
            Ok(_) | Err(_) => {
                (begin, self.request.offset) = (0, 0);
                self.send().await?
            }
        };
        self.skip = self.received - begin;
        let length = header(&response, CONTENT_LENGTH).and_then(|it| it.parse::<u64>().ok());
        if let Some(length) = length.filter(|length| begin + length != self.size) {
            return Err(self.wrong_size(&response, begin + length).into());
        }
        if self.size == 0 {
            self.verify(&response)?;
        }
        Ok(response)
    }

    async fn send(&self) -> Result<Response, Arc<Cause>> {
        let Host {
            session, manners, ..
        } = &*self.host;
        let attempt = async || {
            manners.wait().await;
            session.send(&self.request, &self.client.meter).await
        };
        with_retries(manners, &Method::GET, attempt).await
    }

    /// Whether the range sent is the one asked for: all that is missing.
    fn is_asked_for(&self, response: &Response) -> bool {
        let range = format!("bytes {}-{}/", self.received, self.size - 1);
        header(response, CONTENT_RANGE).is_some_and(|sent| sent.starts_with(&range))
    }

    /// The next bytes; `None` after the last.
    async fn next(&mut self, response: &mut Response) -> Result<Option<Bytes>, Arc<Cause>> {
        loop {
            match chunk(response).await {
                Ok(Some(bytes)) => {
                    let bytes = self.take(bytes, response)?;
                    if !bytes.is_empty() {
                        return Ok(Some(bytes));
                    }
                }
                // All is there and verified, whatever becomes of the connection.
                Ok(None) | Err(_) if self.received == self.size => return Ok(None),
                Ok(None) => return Err(self.wrong_size(response, self.received).into()),
                Err(cause) => *response = self.resume(cause).await?,
            }
        }
    }

    /// What of these bytes is new.
    fn take(&mut self, mut bytes: Bytes, response: &Response) -> Result<Bytes, Cause> {
        let length = bytes.len() as u64;
        let skipped = length.min(self.skip);
        self.skip -= skipped;
        bytes.advance(usize::try_from(skipped).unwrap_or(bytes.len()));
        if bytes.is_empty() {
            return Ok(bytes);
        }
        self.received += bytes.len() as u64;
        if self.received > self.size {
            return Err(self.wrong_size(response, self.received));
        }
        self.hasher.update(&bytes);
        if self.received == self.size {
            self.verify(response)?;
        }
        Ok(bytes)
    }

    fn verify(&mut self, response: &Response) -> Result<(), Cause> {
        let hasher = mem::replace(&mut self.hasher, self.digest.hasher());
        hasher
            .verify(&self.digest)
            .map_err(|actual| Cause::Spoiled {
                host: host(response.url()),
                expected: self.digest.to_string(),
                actual: actual.to_string(),
            })
    }

    fn wrong_size(&self, response: &Response, actual: u64) -> Cause {
        Cause::Spoiled {
            host: host(response.url()),
            expected: format!("{} bytes", self.size),
            actual: format!("{actual} bytes"),
        }
    }

    /// Goes on after the connection broke.
    async fn resume(&mut self, cause: Cause) -> Result<Response, Arc<Cause>> {
        if self.received - self.resumed_at >= PROGRESS {
            self.fruitless = 0;
        }
        if self.fruitless == RESUMES || !cause.may_pass() {
            return Err(cause.into());
        }
        tracing::debug!(%cause, self.received, "resuming");
        tokio::time::sleep(RESUME_PAUSE * (1 << self.fruitless)).await;
        self.fruitless += 1;
        self.open().await
    }
}

fn is_range_refused(cause: &Cause) -> bool {
    let status = cause.answer().map(|answer| answer.status);
    status == Some(StatusCode::RANGE_NOT_SATISFIABLE)
}

#[cfg(test)]
mod tests;
