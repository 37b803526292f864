//! What passes through the servers: the log of it and the faults in it.

use std::io;
use std::mem;
use std::panic;
use std::time::Duration;

use axum::body::Body;
use axum::http;
use axum::http::header::CONTENT_LENGTH;
use axum::response::Response;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use parking_lot::Mutex;

use super::fault::{Effect, Fault};
use super::log::{Request, Server};

/// The log, where one is kept, and the faults.
pub(super) struct Traffic {
    log: Option<Mutex<Vec<Request>>>,
    faults: Mutex<Vec<Fault>>,
}

impl Traffic {
    pub(super) fn new(record: bool) -> Self {
        Self {
            log: record.then(Mutex::default),
            faults: Mutex::default(),
        }
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        self.log
            .as_ref()
            .map(|log| log.lock().clone())
            .unwrap_or_default()
    }

    pub(super) fn take_requests(&self) -> Vec<Request> {
        self.log
            .as_ref()
            .map(|log| mem::take(&mut *log.lock()))
            .unwrap_or_default()
    }

    pub(super) fn inject(&self, fault: Fault) {
        self.faults.lock().push(fault);
    }

    pub(super) fn mend(&self) {
        self.faults.lock().clear();
    }

    /// Lets a request through to its answer, notes it, and lets the first fault that matches
    /// strike.
    pub(super) async fn pass<F: Future<Output = Response>>(
        &self,
        at: Server,
        operation: Option<String>,
        request: http::Request<Body>,
        answer: impl FnOnce(http::Request<Body>) -> F,
    ) -> Response {
        let uri = request.uri();
        let mut entry = Request {
            at,
            method: request.method().to_string(),
            path_and_query: uri
                .path_and_query()
                .map_or("/", |path| path.as_str())
                .into(),
            operation,
            status: None,
        };
        let response = match self.strike(&entry) {
            None => answer(request).await,
            Some(Effect::Answer {
                status,
                headers,
                body,
            }) => {
                drain(request.into_body()).await;
                plain(status, headers, body)
            }
            Some(Effect::Cut { after }) => cut(answer(request).await, after).await,
            Some(Effect::Truncate { after }) => {
                let change = |body: Vec<u8>| body[..after.min(body.len())].to_vec();
                changed(answer(request).await, change).await
            }
            Some(Effect::Corrupt) => changed(answer(request).await, flipped).await,
            Some(Effect::Reset { after }) => {
                take(request.into_body(), after).await;
                self.note(entry);
                close()
            }
            Some(Effect::Delay(time)) => {
                tokio::time::sleep(time).await;
                answer(request).await
            }
            Some(Effect::Drop) => {
                self.note(entry);
                close()
            }
        };
        entry.status = Some(response.status().as_u16());
        self.note(entry);
        response
    }

    fn note(&self, entry: Request) {
        tracing::debug!("{entry}");
        if let Some(log) = &self.log {
            log.lock().push(entry);
        }
    }

    fn strike(&self, request: &Request) -> Option<Effect> {
        let mut faults = self.faults.lock();
        let fault = faults.iter_mut().find(|fault| fault.strikes(request))?;
        fault.times -= 1;
        Some(fault.effect.clone())
    }
}

/// Closes the connection, whatever the method: unwinding ends the task that serves it, and
/// `resume_unwind` prints nothing.
fn close() -> ! {
    panic::resume_unwind(Box::new(()))
}

/// Reads so many bytes of a body.
async fn take(body: Body, mut count: usize) {
    let mut pieces = body.into_data_stream();
    while count > 0
        && let Some(Ok(piece)) = pieces.next().await
    {
        count = count.saturating_sub(piece.len());
    }
}

/// A client that is still sending when the answer comes may see a reset instead of the answer.
async fn drain(body: Body) {
    let mut pieces = body.into_data_stream();
    while let Some(Ok(_)) = pieces.next().await {}
}

fn plain(status: u16, headers: Vec<(&'static str, String)>, body: String) -> Response {
    let mut response = http::Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    response
        .body(Body::from(body))
        .expect("a fault's status and headers are valid")
}

/// The response with another body, whose length it tells.
async fn changed(response: Response, change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Response {
    let (mut parts, body) = response.into_parts();
    let whole = axum::body::to_bytes(body, usize::MAX).await;
    let body = change(whole.unwrap_or_default().to_vec());
    parts.headers.insert(CONTENT_LENGTH, body.len().into());
    Response::from_parts(parts, Body::from(body))
}

fn flipped(mut body: Vec<u8>) -> Vec<u8> {
    let middle = body.len() / 2;
    if let Some(byte) = body.get_mut(middle) {
        *byte ^= 1;
    }
    body
}

async fn cut(response: Response, after: usize) -> Response {
    let (parts, body) = response.into_parts();
    let whole = axum::body::to_bytes(body, usize::MAX)
        .await
        .unwrap_or_default();
    let start = whole.slice(..after.min(whole.len()));
    let pieces = stream::iter([Ok::<Bytes, io::Error>(start)]).chain(stream::once(async {
        // The start must have left before the connection breaks.
        tokio::time::sleep(Duration::from_millis(20)).await;
        Err(io::ErrorKind::ConnectionReset.into())
    }));
    Response::from_parts(parts, Body::from_stream(pieces))
}
