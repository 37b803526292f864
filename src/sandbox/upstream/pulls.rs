//! Docker Hub's limit on pulls.

use std::sync::Mutex;

use axum::body::Body;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::Response;

use crate::sandbox::lock::lock;

/// The window of the limit in seconds: six hours.
const WINDOW: u32 = 21_600;

/// How many pulls there were and how many are left.
pub(in crate::sandbox) struct Pulls {
    limit: u32,
    left: Mutex<u32>,
}

impl Pulls {
    pub(in crate::sandbox) fn new(limit: u32) -> Self {
        Self {
            limit,
            left: Mutex::new(limit),
        }
    }

    /// Counts a request of a manifest; false when the limit is reached. Only GET counts.
    pub(super) fn take(&self, method: &Method) -> bool {
        let mut left = lock(&self.left);
        if method == Method::GET && *left == 0 {
            return false;
        }
        if method == Method::GET {
            *left -= 1;
        }
        true
    }

    /// Adds the headers that show the limit.
    pub(super) fn show(&self, response: &mut Response) {
        let left = *lock(&self.left);
        for (name, count) in [
            ("ratelimit-limit", self.limit),
            ("ratelimit-remaining", left),
        ] {
            let value = HeaderValue::from_str(&format!("{count};w={WINDOW}"));
            let value = value.expect("numbers are valid headers");
            response.headers_mut().insert(name, value);
        }
        let source = HeaderValue::from_static("127.0.0.1");
        response
            .headers_mut()
            .insert("docker-ratelimit-source", source);
    }

    /// The answer beyond the limit, in Docker Hub's words.
    pub(super) fn refusal() -> Response {
        let body = r#"{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit"}]}"#;
        Response::builder()
            .status(StatusCode::TOO_MANY_REQUESTS)
            .header("content-type", "application/json")
            .body(Body::from(body))
            .expect("the header is valid")
    }
}
