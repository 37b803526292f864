//! Docker Hub's limit on pulls.

use std::time::Instant;

use axum::body::Body;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::Response;
use parking_lot::{Mutex, MutexGuard};

use crate::sandbox::options::PullLimit;

/// How many pulls a window allows, and how many there were in this one.
pub(in crate::sandbox) struct Pulls {
    limit: PullLimit,
    window: Mutex<Window>,
}

/// It begins with the first pull and ends by itself; nobody knows how Docker Hub's goes.
struct Window {
    begun: Option<Instant>,
    left: u32,
}

impl Pulls {
    pub(in crate::sandbox) fn new(limit: PullLimit) -> Self {
        Self {
            limit,
            window: Mutex::new(Window::new(limit)),
        }
    }

    /// Counts a request of a manifest; false when the limit is reached. Only GET counts.
    pub(super) fn take(&self, method: &Method) -> bool {
        let mut window = self.window();
        if method == Method::GET && window.left == 0 {
            return false;
        }
        if method == Method::GET {
            window.begun.get_or_insert_with(Instant::now);
            window.left -= 1;
        }
        true
    }

    fn window(&self) -> MutexGuard<'_, Window> {
        let mut window = self.window.lock();
        let is_over = |begun: Instant| begun.elapsed() >= self.limit.window;
        if window.begun.is_some_and(is_over) {
            *window = Window::new(self.limit);
        }
        window
    }

    /// Adds the headers that show the limit.
    pub(super) fn show(&self, response: &mut Response) {
        let left = self.window().left;
        let seconds = self.limit.window.as_secs();
        for (name, count) in [
            ("ratelimit-limit", self.limit.pulls),
            ("ratelimit-remaining", left),
        ] {
            let value = HeaderValue::from_str(&format!("{count};w={seconds}"));
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

impl Window {
    fn new(limit: PullLimit) -> Self {
        Self {
            begun: None,
            left: limit.pulls,
        }
    }
}
