//! A registry for one push: what the daemon on this machine built comes through it, and nothing
//! that the destination has already.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, head, patch, post, put};
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::layer::Spool;
use crate::image::Digest;

/// The one repository.
const REPOSITORY: &str = "built";

/// The largest manifest that is taken, in bytes.
const MAX_MANIFEST: usize = 4 * 1024 * 1024;

const UPLOADS: &str = "/v2/built/blobs/uploads/";

const CONTENT_DIGEST: &str = "docker-content-digest";

/// A registry on loopback that lives as long as this value. It takes anything from anybody: who
/// reads it holds what came against the digest of what was built.
pub(super) struct Reception {
    address: SocketAddr,
    received: Arc<Received>,
    _stop: DropGuard,
}

/// What came so far.
#[derive(Default)]
struct Received {
    /// Blobs that nobody has to send.
    known: BTreeSet<Digest>,
    uploads: Mutex<Uploads>,
    blobs: Mutex<BTreeMap<Digest, File>>,
    manifest: Mutex<Option<Bytes>>,
}

/// Blobs on their way.
#[derive(Default)]
struct Uploads {
    begun: u64,
    open: BTreeMap<u64, Spool>,
}

type Shared = State<Arc<Received>>;

impl Reception {
    /// Listens on a free port of 127.0.0.1, where daemons expect no TLS.
    pub(super) async fn open(known: BTreeSet<Digest>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let received = Arc::new(Received {
            known,
            ..Received::default()
        });
        let stop = CancellationToken::new();
        let server = axum::serve(listener, router(Arc::clone(&received)))
            .with_graceful_shutdown(stop.clone().cancelled_owned());
        tokio::spawn(server.into_future());
        Ok(Self {
            address,
            received,
            _stop: stop.drop_guard(),
        })
    }

    /// What an image has to be called that is pushed here, without a tag.
    pub(super) fn repository(&self) -> String {
        format!("{}/{REPOSITORY}", self.address)
    }

    /// The manifest that came last, and all blobs.
    pub(super) fn finish(self) -> Option<(Bytes, BTreeMap<Digest, File>)> {
        let manifest = lock(&self.received.manifest).take()?;
        Some((manifest, std::mem::take(&mut *lock(&self.received.blobs))))
    }
}

fn router(received: Arc<Received>) -> Router {
    Router::new()
        .route("/v2/", get(StatusCode::OK))
        .route(UPLOADS, post(begin))
        .route(&format!("{UPLOADS}{{id}}"), patch(append).put(complete))
        .route("/v2/built/blobs/{digest}", head(exists))
        .route("/v2/built/manifests/{reference}", put(keep))
        .with_state(received)
}

async fn exists(State(received): Shared, Path(digest): Path<String>) -> Response {
    let Ok(digest) = digest.parse::<Digest>() else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    // Docker asks for the length and writes it into the manifest, of which only digests are read;
    // but it leaves out a length of nothing, and then it is none.
    let length = match lock(&received.blobs).get(&digest) {
        Some(blob) => blob.metadata().map_or(1, |metadata| metadata.len()),
        None if received.known.contains(&digest) => 1,
        None => return StatusCode::NOT_FOUND.into_response(),
    };
    let headers = [
        (header::CONTENT_LENGTH.as_str(), length.to_string()),
        (CONTENT_DIGEST, digest.to_string()),
    ];
    headers.into_response()
}

async fn begin(State(received): Shared) -> Response {
    let Ok(spool) = Spool::new() else {
        return StatusCode::INSUFFICIENT_STORAGE.into_response();
    };
    let mut uploads = lock(&received.uploads);
    uploads.begun += 1;
    let id = uploads.begun;
    uploads.open.insert(id, spool);
    accepted(id, 0)
}

async fn append(State(received): Shared, Path(id): Path<u64>, body: Body) -> Response {
    match receive(&received, id, body).await {
        Ok(spool) => {
            let size = spool.size();
            lock(&received.uploads).open.insert(id, spool);
            accepted(id, size)
        }
        Err(status) => status.into_response(),
    }
}

async fn complete(State(received): Shared, Path(id): Path<u64>, uri: Uri, body: Body) -> Response {
    let spool = match receive(&received, id, body).await {
        Ok(spool) => spool,
        Err(status) => return status.into_response(),
    };
    let Ok((digest, blob)) = spool.finish() else {
        return StatusCode::INSUFFICIENT_STORAGE.into_response();
    };
    let query = uri.query().unwrap_or_default();
    let asked = url::form_urlencoded::parse(query.as_bytes())
        .find_map(|(key, value)| (key == "digest").then_some(value));
    if asked.as_deref() != Some(digest.as_str()) {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let headers = [
        (
            header::LOCATION.as_str(),
            format!("/v2/{REPOSITORY}/blobs/{digest}"),
        ),
        (CONTENT_DIGEST, digest.to_string()),
    ];
    lock(&received.blobs).insert(digest, blob);
    (StatusCode::CREATED, headers).into_response()
}

async fn keep(State(received): Shared, body: Body) -> Response {
    let Ok(manifest) = axum::body::to_bytes(body, MAX_MANIFEST).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let digest = Digest::of(&manifest).to_string();
    *lock(&received.manifest) = Some(manifest);
    (StatusCode::CREATED, [(CONTENT_DIGEST, digest)]).into_response()
}

/// Takes an upload out of the open ones and adds the body to it.
async fn receive(received: &Received, id: u64, body: Body) -> Result<Spool, StatusCode> {
    let spool = lock(&received.uploads).open.remove(&id);
    let mut spool = spool.ok_or(StatusCode::NOT_FOUND)?;
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| StatusCode::BAD_REQUEST)?;
        // A write to a fresh file goes to memory: it is shorter than handing it to another thread.
        spool
            .write_all(&chunk)
            .map_err(|_| StatusCode::INSUFFICIENT_STORAGE)?;
    }
    Ok(spool)
}

/// So many bytes of an upload are there. Docker counts them, from the last one's number.
fn accepted(id: u64, size: u64) -> Response {
    let headers = [
        (header::LOCATION.as_str(), format!("{UPLOADS}{id}")),
        ("docker-upload-uuid", id.to_string()),
        (
            header::RANGE.as_str(),
            format!("0-{}", size.saturating_sub(1)),
        ),
    ];
    (StatusCode::ACCEPTED, headers).into_response()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
