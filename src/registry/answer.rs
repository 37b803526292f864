//! What a server answers when it refuses or fails.

use std::fmt;
use std::time::{Duration, SystemTime};

use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde::de::IgnoredAny;
use serde_json::Value;

use super::challenge::Challenge;
use super::rate_limit::RateLimit;
use super::retry::{MAX_RETRY_AFTER, retry_after};
use crate::failure::{Kind, one_line};

/// An answer with an error status.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    /// Who answered: host with an optional port. A token service or a blob store is often another
    /// host than the registry.
    pub(super) host: String,
    /// The HTTP status.
    pub(super) status: StatusCode,
    /// The server's own code, such as `MANIFEST_UNKNOWN`. Answers to HEAD have none.
    pub(super) code: Option<String>,
    /// What the server says, in one line of at most 2 KiB. Answers to HEAD have none.
    pub(super) message: Option<String>,
    /// How long the server asks to wait.
    pub(super) retry_after: Option<Duration>,
    /// How the server wants to be convinced.
    pub(super) challenges: Vec<Challenge>,
    /// Whether a redirect led to another server than the one asked.
    pub(super) foreign: bool,
    /// What is left of the budget, where the server tells.
    pub(super) rate_limit: Option<RateLimit>,
    /// Whether what was sent may be a registry's: JSON, or nothing at all.
    speaks_protocol: bool,
}

impl Answer {
    pub(super) fn new(
        host: String,
        foreign: bool,
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Self {
        let (code, message) = parse_body(body);
        let is_page = headers
            .get(CONTENT_TYPE)
            .is_some_and(|value| value.as_bytes().starts_with(b"text/html"));
        Self {
            host,
            status,
            code,
            message,
            retry_after: retry_after(headers, SystemTime::now()),
            challenges: Challenge::all(headers),
            foreign,
            rate_limit: RateLimit::of(headers),
            speaks_protocol: match body.trim_ascii() {
                b"" => !is_page,
                body => serde_json::from_slice::<IgnoredAny>(body).is_ok(),
            },
        }
    }

    /// Whether the server's message has this text.
    pub(super) fn says(&self, text: &str) -> bool {
        self.message
            .as_deref()
            .is_some_and(|message| message.contains(text))
    }

    /// Whether credentials were refused that have only run out. ECR answers 403 with "Your
    /// authorization token has expired. Reauthenticate and try again."
    pub(super) fn is_expired_login(&self) -> bool {
        matches!(self.status.as_u16(), 401 | 403) && !self.foreign && self.says("token has expired")
    }

    /// Whether Docker Hub's budget of pulls is used up. It returns after hours, unlike that of the
    /// abuse limit, whose answer is a bare 429.
    pub(super) fn is_pull_limit(&self) -> bool {
        self.status == StatusCode::TOO_MANY_REQUESTS
            && (self.rate_limit.is_some_and(|limit| limit.remaining == 0)
                || self.says("pull rate limit")
                || self.says("increase-rate-limit"))
    }

    /// Whether the registry wants to be left alone for longer than a run waits by itself.
    pub(super) fn is_exhausted(&self) -> bool {
        self.is_pull_limit() || self.asks_for_rest()
    }

    /// Whether the registry asks for a pause that is no matter of slower requests.
    pub(super) fn asks_for_rest(&self) -> bool {
        self.status == StatusCode::TOO_MANY_REQUESTS
            && self.retry_after.is_some_and(|wait| wait > MAX_RETRY_AFTER)
    }

    /// Whether the registry says that it has no such thing. The 404 of a blob store, or of a server
    /// that is no registry, does not say so.
    pub(super) fn is_missing(&self) -> bool {
        self.status == StatusCode::NOT_FOUND && !self.foreign && self.speaks_protocol
    }

    /// Whether a manifest names what the repository does not have.
    pub(super) fn lacks_blobs(&self) -> bool {
        self.code.as_deref() == Some("MANIFEST_BLOB_UNKNOWN")
    }

    /// Whether an immutable tag holds something else. ECR: `TAG_INVALID`, "... cannot be overwritten
    /// because the repository is immutable", lately "because the tag is immutable". ECR's API, and
    /// what stands before it, has a name for it.
    pub(super) fn is_conflict(&self) -> bool {
        let api = "ImageTagAlreadyExists";
        let code = self.code.as_deref().unwrap_or_default();
        (code == "TAG_INVALID" && self.says("immutable")) || code.contains(api) || self.says(api)
    }

    /// Whether the same request may succeed within seconds.
    pub(super) fn is_transient(&self) -> bool {
        matches!(self.status.as_u16(), 408 | 429 | 499) || self.status.is_server_error()
    }

    /// Whether the registry wants requests to be slower: 429, or another failure that passes and
    /// says when. A blob store's wish is none of the registry's.
    pub(super) fn is_throttle(&self) -> bool {
        let asks = self.status == StatusCode::TOO_MANY_REQUESTS || self.retry_after.is_some();
        asks && self.is_transient() && !self.foreign
    }

    /// Whether an upload is lost and another one may do: its bytes did not arrive as they were sent,
    /// or the registry has forgotten it (`416` and `BLOB_UPLOAD_INVALID` on ECR).
    pub(super) fn is_lost_upload(&self) -> bool {
        let codes = [
            "BLOB_UPLOAD_INVALID",
            "BLOB_UPLOAD_UNKNOWN",
            "DIGEST_INVALID",
        ];
        self.status == StatusCode::RANGE_NOT_SATISFIABLE
            || self
                .code
                .as_deref()
                .is_some_and(|code| codes.contains(&code))
    }

    /// A credential was refused by the server that was meant to see it.
    pub(super) fn is_refusal(&self) -> bool {
        !self.foreign && matches!(self.status.as_u16(), 401 | 403)
    }

    pub(super) fn kind(&self) -> Kind {
        if self.is_conflict() {
            Kind::Conflict
        } else if self.is_exhausted() {
            Kind::Exhausted
        } else if self.is_transient() {
            Kind::Transient
        } else if self.is_refusal() {
            Kind::Refused
        } else {
            Kind::Permanent
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}` answered {}", self.host, self.status)?;
        for part in [&self.code, &self.message].into_iter().flatten() {
            write!(formatter, ": {part}")?;
        }
        Ok(())
    }
}

/// Code and message from `{"errors": [...]}`, from what token services send, or from plain text.
fn parse_body(body: &[u8]) -> (Option<String>, Option<String>) {
    let Ok(json) = serde_json::from_slice::<Value>(body) else {
        let text = String::from_utf8_lossy(body);
        let is_page = text
            .trim_start()
            .to_ascii_lowercase()
            .starts_with("<!doctype")
            || text.trim_start().to_ascii_lowercase().starts_with("<html");
        return (None, one_line(if is_page { "" } else { &text }));
    };
    let text = |value: &Value, key: &str| value.get(key)?.as_str().and_then(one_line);
    if let Some(errors) = json.get("errors").and_then(Value::as_array) {
        let code = errors.first().and_then(|error| text(error, "code"));
        let messages: Vec<String> = errors
            .iter()
            .filter_map(|error| text(error, "message"))
            .collect();
        return (code, one_line(&messages.join("; ")));
    }
    let message = ["error_description", "message", "details", "detail"]
        .into_iter()
        .find_map(|key| text(&json, key));
    (text(&json, "error"), message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_servers_say() {
        for (body, code, message) in [
            (
                r#"{"errors":[{"code":"NAME_UNKNOWN","message":"no such repository"}]}"#,
                Some("NAME_UNKNOWN"),
                Some("no such repository"),
            ),
            (
                r#"{"errors":[{"code":"A","message":"one"},{"code":"B","message":"two"}]}"#,
                Some("A"),
                Some("one; two"),
            ),
            (r#"{"errors":null}"#, None, None),
            (
                r#"{"details":"incorrect username or password"}"#,
                None,
                Some("incorrect username or password"),
            ),
            (
                r#"{"error":"invalid_grant","error_description":"gone"}"#,
                Some("invalid_grant"),
                Some("gone"),
            ),
            ("Not Authorized\n", None, Some("Not Authorized")),
            ("a\u{1b}[31mb", None, Some("a [31mb")),
            ("<html><body>502</body></html>", None, None),
            ("", None, None),
        ] {
            let (actual_code, actual_message) = parse_body(body.as_bytes());
            assert_eq!(
                (actual_code.as_deref(), actual_message.as_deref()),
                (code, message),
                "{body}"
            );
        }
    }
}
