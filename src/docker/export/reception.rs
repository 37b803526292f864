//! A registry for one push: what the daemon on this machine built comes through it, and nothing
//! that the destination has already.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, head, patch, post, put};
use bytes::Bytes;
use futures_util::StreamExt;
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::layer::Spool;
use crate::image::Digest;

/// The one repository. Its name tells whose an image is that a killed run left in the daemon.
const REPOSITORY: &str = "longshore/scratch";

/// The largest manifest that is taken, in bytes.
const MAX_MANIFEST: usize = 4 * 1024 * 1024;

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
        let manifest = self.received.manifest.lock().take()?;
        Some((manifest, std::mem::take(&mut *self.received.blobs.lock())))
    }
}

fn router(received: Arc<Received>) -> Router {
    Router::new()
        .route("/v2/", get(StatusCode::OK))
        .route(&path("blobs/uploads/"), post(begin))
        .route(&path("blobs/uploads/{id}"), patch(append).put(complete))
        .route(&path("blobs/{digest}"), head(exists))
        .route(&path("manifests/{reference}"), put(keep))
        .with_state(received)
}

/// A path below the repository.
fn path(rest: &str) -> String {
    format!("/v2/{REPOSITORY}/{rest}")
}

async fn exists(State(received): Shared, Path(digest): Path<String>) -> Response {
    let Ok(digest) = digest.parse::<Digest>() else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    // Docker asks for the length and writes it into the manifest, of which only digests are read;
    // but it leaves out a length of nothing, and then it is none.
    let length = match received.blobs.lock().get(&digest) {
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
    let mut uploads = received.uploads.lock();
    uploads.begun += 1;
    let id = uploads.begun;
    uploads.open.insert(id, spool);
    accepted(id, 0)
}

async fn append(State(received): Shared, Path(id): Path<u64>, body: Body) -> Response {
    match receive(&received, id, body).await {
        Ok(spool) => {
            let size = spool.size();
            received.uploads.lock().open.insert(id, spool);
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
        (header::LOCATION.as_str(), path(&format!("blobs/{digest}"))),
        (CONTENT_DIGEST, digest.to_string()),
    ];
    received.blobs.lock().insert(digest, blob);
    (StatusCode::CREATED, headers).into_response()
}

async fn keep(State(received): Shared, body: Body) -> Response {
    let Ok(manifest) = axum::body::to_bytes(body, MAX_MANIFEST).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let digest = Digest::of(&manifest).to_string();
    *received.manifest.lock() = Some(manifest);
    (StatusCode::CREATED, [(CONTENT_DIGEST, digest)]).into_response()
}

/// Takes an upload out of the open ones and adds the body to it.
async fn receive(received: &Received, id: u64, body: Body) -> Result<Spool, StatusCode> {
    let spool = received.uploads.lock().open.remove(&id);
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
        (
            header::LOCATION.as_str(),
            path(&format!("blobs/uploads/{id}")),
        ),
        ("docker-upload-uuid", id.to_string()),
        (
            header::RANGE.as_str(),
            format!("0-{}", size.saturating_sub(1)),
        ),
    ];
    (StatusCode::ACCEPTED, headers).into_response()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use reqwest::{Client, Method, RequestBuilder};

    use super::*;

    /// Pushes to a reception that knows one blob.
    struct Pusher {
        reception: Reception,
        client: Client,
    }

    const KNOWN: &[u8] = b"a layer of the base";

    impl Pusher {
        async fn new() -> Self {
            let known = BTreeSet::from([Digest::of(KNOWN)]);
            Self {
                reception: Reception::open(known).await.unwrap(),
                client: Client::builder().no_proxy().build().unwrap(),
            }
        }

        fn request(&self, method: Method, path: &str) -> RequestBuilder {
            let address = self.reception.address;
            self.client
                .request(method, format!("http://{address}{path}"))
        }

        /// Begins an upload and returns its place.
        async fn begin(&self) -> String {
            let path = path("blobs/uploads/");
            let answer = self.request(Method::POST, &path).send().await.unwrap();
            assert_eq!(answer.status(), 202);
            answer.headers()["location"].to_str().unwrap().to_owned()
        }

        /// Adds to an upload and returns the range that is there.
        async fn append(&self, place: &str, bytes: &'static [u8]) -> String {
            let request = self.request(Method::PATCH, place).body(bytes);
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), 202);
            assert_eq!(answer.headers()["location"], place);
            answer.headers()["range"].to_str().unwrap().to_owned()
        }

        /// Ends an upload and returns the status.
        async fn complete(&self, place: &str, bytes: &'static [u8], digest: &str) -> u16 {
            let request = self.request(Method::PUT, &format!("{place}?digest={digest}"));
            request.body(bytes).send().await.unwrap().status().as_u16()
        }

        /// Asks for a blob, and returns the status and its length.
        async fn head(&self, digest: &str) -> (u16, Option<String>) {
            let path = path(&format!("blobs/{digest}"));
            let answer = self.request(Method::HEAD, &path).send().await.unwrap();
            let length = answer.headers().get("content-length");
            let length = length.map(|length| length.to_str().unwrap().to_owned());
            (answer.status().as_u16(), length)
        }

        async fn put_manifest(&self, bytes: Vec<u8>) -> u16 {
            let request = self.request(Method::PUT, &path("manifests/latest"));
            request.body(bytes).send().await.unwrap().status().as_u16()
        }
    }

    #[tokio::test]
    async fn what_is_known_is_not_asked_for_and_what_came_is() {
        let pusher = Pusher::new().await;
        let new = Digest::of(b"new");
        let known = Digest::of(KNOWN);
        assert_eq!(pusher.head(known.as_str()).await, (200, Some("1".into())));
        assert_eq!(pusher.head(new.as_str()).await.0, 404);
        assert_eq!(pusher.head("sha256:12").await.0, 400);
        let place = pusher.begin().await;
        assert_eq!(pusher.complete(&place, b"new", new.as_str()).await, 201);
        assert_eq!(pusher.head(new.as_str()).await, (200, Some("3".into())));
        // An upload ends once.
        assert_eq!(pusher.complete(&place, b"new", new.as_str()).await, 404);
        let repository = pusher.reception.repository();
        assert!(repository.ends_with("/longshore/scratch"), "{repository}");
    }

    #[tokio::test]
    async fn chunks_make_one_blob_and_another_digest_than_theirs_is_refused() {
        let pusher = Pusher::new().await;
        let digest = Digest::of(b"one two three");
        let place = pusher.begin().await;
        assert_eq!(pusher.append(&place, b"one ").await, "0-3");
        let beside = pusher.begin().await;
        assert_eq!(pusher.append(&beside, b"else").await, "0-3");
        assert_eq!(pusher.append(&place, b"two ").await, "0-7");
        assert_eq!(
            pusher.complete(&place, b"three", digest.as_str()).await,
            201
        );
        assert_eq!(pusher.complete(&beside, b"", digest.as_str()).await, 400);
        let place = pusher.begin().await;
        let (none, path) = (pusher.request(Method::PUT, &place), "/v2/");
        assert_eq!(none.send().await.unwrap().status(), 400);
        let greeting = pusher.request(Method::GET, path).send().await.unwrap();
        assert_eq!(greeting.status(), 200);

        assert_eq!(pusher.put_manifest(b"{}".to_vec()).await, 201);
        let (manifest, mut blobs) = pusher.reception.finish().unwrap();
        assert_eq!(manifest, "{}");
        let mut content = String::new();
        let mut blob = blobs.remove(&digest).unwrap();
        blob.read_to_string(&mut content).unwrap();
        assert_eq!(content, "one two three");
        assert_eq!(blobs.len(), 0);
    }

    #[tokio::test]
    async fn without_a_manifest_nothing_came() {
        let pusher = Pusher::new().await;
        let place = pusher.begin().await;
        let digest = Digest::of(b"new");
        assert_eq!(pusher.complete(&place, b"new", digest.as_str()).await, 201);
        assert_eq!(pusher.put_manifest(vec![b' '; MAX_MANIFEST + 1]).await, 413);
        let address = pusher.reception.address;
        assert!(pusher.reception.finish().is_none());
        // Nobody is received any more.
        let mut waits = 100;
        while tokio::net::TcpStream::connect(address).await.is_ok() {
            assert!(waits > 0, "it still listens");
            waits -= 1;
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
}
