//! Faults to inject.

use std::time::Duration;

use super::log::{Request, Server};

/// Something that goes wrong. It strikes the first requests that match it, and is then gone.
#[derive(Clone, Debug)]
pub struct Fault {
    /// The server; `None` for any.
    pub at: Option<Server>,
    /// The method; `None` for any.
    pub method: Option<&'static str>,
    /// A part of the path and query, or of the AWS operation's name. Empty for any.
    pub contains: String,
    /// How many requests are struck.
    pub times: u32,
    /// What happens to them.
    pub effect: Effect,
}

/// What happens to a request.
#[derive(Clone, Debug)]
pub enum Effect {
    /// It is answered like this, after its body was read.
    Answer {
        /// The status.
        status: u16,
        /// Headers such as `Retry-After`.
        headers: Vec<(&'static str, String)>,
        /// The body.
        body: String,
    },
    /// The connection is closed without an answer.
    Drop,
    /// The true answer's body breaks off after so many bytes.
    Cut {
        /// How many bytes still arrive.
        after: usize,
    },
    /// The true answer's body ends after so many bytes, as if there were no more.
    Truncate {
        /// How many bytes still arrive.
        after: usize,
    },
    /// A bit in the middle of the true answer's body is another.
    Corrupt,
    /// The connection is closed when so many bytes of the request's body were read.
    Reset {
        /// How many bytes are read.
        after: usize,
    },
    /// The true answer comes late.
    Delay(Duration),
}

impl Fault {
    /// One answer with this status and an empty body, to the next request whose path or operation
    /// contains the text.
    pub fn status(contains: &str, status: u16) -> Self {
        Self::new(
            contains,
            Effect::Answer {
                status,
                headers: Vec::new(),
                body: String::new(),
            },
        )
    }

    /// A 429 in the registry's words with a `Retry-After` in seconds.
    pub fn throttle(contains: &str, retry_after: u32) -> Self {
        Self::new(
            contains,
            Effect::Answer {
                status: 429,
                headers: vec![("retry-after", retry_after.to_string())],
                body: r#"{"errors":[{"code":"TOOMANYREQUESTS","message":"Rate exceeded"}]}"#.into(),
            },
        )
    }

    /// This effect on the next request whose path or operation contains the text.
    pub fn new(contains: &str, effect: Effect) -> Self {
        Self {
            at: None,
            method: None,
            contains: contains.to_owned(),
            times: 1,
            effect,
        }
    }

    /// The same fault, for this method alone.
    pub fn method(self, method: &'static str) -> Self {
        Self {
            method: Some(method),
            ..self
        }
    }

    /// The same fault, at this server alone.
    pub fn at(self, server: Server) -> Self {
        Self {
            at: Some(server),
            ..self
        }
    }

    /// The same fault, so many times.
    pub fn times(self, times: u32) -> Self {
        Self { times, ..self }
    }

    pub(super) fn strikes(&self, request: &Request) -> bool {
        let operation = request.operation.as_deref().unwrap_or_default();
        self.times > 0
            && self.at.is_none_or(|server| server == request.at)
            && self.method.is_none_or(|method| method == request.method)
            && (request.path_and_query.contains(&self.contains)
                || operation.contains(&self.contains))
    }
}
