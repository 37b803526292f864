//! An AWS service on loopback, for tests: answers each operation from a list and keeps what was asked.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::Session;

pub(crate) struct StandIn {
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
    pub(crate) async fn answering(answers: impl IntoIterator<Item = (u16, Value)>) -> Self {
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

    /// A session whose every service is this one.
    pub(crate) fn session(&self) -> Session {
        Session::at(&self.address)
    }

    /// Operation and body of every call so far.
    pub(crate) fn calls(&self) -> Vec<(String, Value)> {
        self.script.calls.lock().clone()
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
    script.calls.lock().push((operation, body));
    let next = script.answers.lock().pop_front();
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

pub(crate) fn refusal(code: &str, message: &str) -> (u16, Value) {
    (400, json!({"__type": code, "message": message}))
}
