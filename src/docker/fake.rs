//! A daemon that only remembers what it was asked and says what it was told to say.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use parking_lot::Mutex;
use tokio::net::TcpListener;

use super::connection::Docker;

/// A request as it arrived.
#[derive(Clone)]
pub(super) struct Asked {
    /// Method, path and query: `GET /version`.
    pub(super) line: String,
    pub(super) body: Bytes,
    headers: HeaderMap,
}

impl Asked {
    /// A header with credentials, decoded as the daemon does: URL-safe, with padding.
    pub(super) fn credentials(&self, name: &str) -> serde_json::Value {
        let decoded = URL_SAFE.decode(&self.headers[name]).unwrap();
        serde_json::from_slice(&decoded).unwrap()
    }
}

/// The daemon. It ends with the test's runtime.
pub(super) struct Fake {
    host: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

#[derive(Clone)]
struct Script {
    answers: Arc<Vec<(String, u16, String)>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Fake {
    /// A daemon of this API version that answers a request whose line begins with a text (`POST
    /// /v1.41/build`) with a status and a body, and all others with 404.
    pub(super) async fn start(api: &str, answers: &[(&str, u16, &str)]) -> Self {
        let mut answers: Vec<_> = answers
            .iter()
            .map(|(line, status, body)| ((*line).to_owned(), *status, (*body).to_owned()))
            .collect();
        let greeting = serde_json::json!({
            "Version": "20.10.24", "ApiVersion": api, "Os": "linux", "Arch": "arm64",
        });
        answers.push(("GET /version".to_owned(), 200, greeting.to_string()));
        let asked = Arc::default();
        let script = Script {
            answers: Arc::new(answers),
            asked: Arc::clone(&asked),
        };
        let router = Router::new().fallback(answer).with_state(script);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = format!("tcp://{}", listener.local_addr().unwrap());
        tokio::spawn(async { axum::serve(listener, router).await });
        Self { host, asked }
    }

    /// Connects to it, with these variables beside `DOCKER_HOST`.
    pub(super) async fn connect(&self, variables: &[(&str, &str)]) -> Docker {
        let env = |name: &str| match name {
            "DOCKER_HOST" => Some(self.host.clone()),
            name => variables
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned()),
        };
        Docker::connect(&env).await.unwrap()
    }

    /// All requests so far.
    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().clone()
    }

    /// The lines of all requests so far.
    pub(super) fn lines(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.line).collect()
    }
}

async fn answer(State(script): State<Script>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let line = format!("{} {}", parts.method, parts.uri);
    let answer = script
        .answers
        .iter()
        .find(|(start, ..)| line.starts_with(start));
    let response = match answer {
        Some((_, status, body)) => (StatusCode::from_u16(*status).unwrap(), body.clone()),
        None => (
            StatusCode::NOT_FOUND,
            r#"{"message":"no such image"}"#.to_owned(),
        ),
    };
    let body = to_bytes(body, usize::MAX).await.unwrap();
    script.asked.lock().push(Asked {
        line,
        body,
        headers: parts.headers,
    });
    response.into_response()
}
