//! ECR's API on loopback, for tests: answers each operation from a list and keeps what was asked.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::Ecr;
use crate::aws::Session;

pub(super) struct StandIn {
    address: String,
    script: Arc<Script>,
}

#[derive(Default)]
struct Script {
    answers: Mutex<VecDeque<(u16, Value)>>,
    calls: Mutex<Vec<(String, Value)>>,
}

impl StandIn {
    /// Answers the calls in this order; each answer is a status and a body.
    pub(super) async fn answering(answers: impl IntoIterator<Item = (u16, Value)>) -> Self {
        let script = Arc::new(Script {
            answers: Mutex::new(answers.into_iter().collect()),
            calls: Mutex::default(),
        });
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&script));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, script }
    }

    pub(super) fn ecr(&self, account_id: Option<&str>) -> Ecr {
        let mut ecr = Ecr::new(&self.session(), account_id.map(str::to_owned));
        ecr.first_pause = Duration::from_millis(1);
        ecr
    }

    /// A session whose services are all here.
    pub(super) fn session(&self) -> Session {
        Session::at(&self.address)
    }

    /// Operation and body of every call so far.
    pub(super) fn calls(&self) -> Vec<(String, Value)> {
        self.script.calls.lock().unwrap().clone()
    }
}

async fn answer(
    State(script): State<Arc<Script>>,
    headers: HeaderMap,
    body: String,
) -> impl IntoResponse {
    let target = headers["x-amz-target"].to_str().unwrap();
    let operation = target.split_once('.').unwrap().1.to_owned();
    let body = serde_json::from_str(&body).unwrap();
    script.calls.lock().unwrap().push((operation, body));
    let next = script.answers.lock().unwrap().pop_front();
    let (status, body) = next.unwrap_or_else(|| refusal("Unscripted", "no answer is left"));
    let headers = [
        ("content-type", "application/x-amz-json-1.1"),
        ("x-amzn-requestid", "request-1"),
    ];
    let status = StatusCode::from_u16(status).unwrap();
    let text = body
        .as_str()
        .map_or_else(|| body.to_string(), str::to_owned);
    (status, headers, text)
}

pub(super) fn refusal(code: &str, message: &str) -> (u16, Value) {
    (400, json!({"__type": code, "message": message}))
}

/// An authorization token that ends at this time, in seconds since 1970.
pub(super) fn token(password: &str, expires_at: u64) -> (u16, Value) {
    let data = json!({
        "authorizationToken": STANDARD.encode(format!("AWS:{password}")),
        "expiresAt": expires_at,
        "proxyEndpoint": "https://123456789012.dkr.ecr.eu-west-1.amazonaws.com",
    });
    (200, json!({"authorizationData": [data]}))
}
