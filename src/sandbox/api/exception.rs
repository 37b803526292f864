//! Errors in the form of AWS's JSON protocol.

use std::io;

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use crate::sandbox::fresh;
use crate::sandbox::state::State;

/// An exception of ECR: its name and its message.
#[derive(Debug)]
pub(super) struct Exception {
    pub(super) name: &'static str,
    pub(super) message: String,
}

impl Exception {
    pub(super) fn new(name: &'static str, message: impl Into<String>) -> Self {
        Self {
            name,
            message: message.into(),
        }
    }

    pub(super) fn invalid_parameter(parameter: &str, constraint: &str) -> Self {
        let message = format!(
            "Invalid parameter at '{parameter}' failed to satisfy constraint: '{constraint}'"
        );
        Self::new("InvalidParameterException", message)
    }

    pub(super) fn repository_not_found(state: &State, name: &str) -> Self {
        let message = state.repository_is_missing(name);
        Self::new("RepositoryNotFoundException", message)
    }

    /// The answer: 400, but 500 for the server's own failures.
    pub(super) fn into_response(self) -> Response {
        let status = match self.name {
            "ServerException" => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        };
        let body = json!({"__type": self.name, "message": self.message});
        respond(status, body.to_string())
    }
}

impl From<io::Error> for Exception {
    fn from(error: io::Error) -> Self {
        Self::new("ServerException", error.to_string())
    }
}

/// An answer of the JSON protocol.
pub(super) fn respond(status: StatusCode, body: String) -> Response {
    Response::builder()
        .status(status)
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amzn-requestid", fresh::uuid())
        .body(Body::from(body))
        .expect("the headers are valid")
}
