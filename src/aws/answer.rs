//! An error as AWS answers it.

use std::fmt;

use aws_sdk_ecr::config::http::HttpResponse;
use aws_sdk_ecr::error::ErrorMetadata;
use aws_sdk_ecr::operation::RequestId;

use crate::failure::Kind;

/// An error as AWS answers it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// AWS's name of the error: `AccessDeniedException`. Absent when something before AWS
    /// answered, such as a proxy.
    pub code: Option<String>,
    /// AWS's words.
    pub message: Option<String>,
    /// The HTTP status.
    pub status: u16,
    /// The number under which AWS's support finds the request.
    pub request_id: Option<String>,
}

impl fmt::Display for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.code {
            Some(code) => write!(formatter, "`{code}`")?,
            None => write!(formatter, "HTTP {}", self.status)?,
        }
        match &self.message {
            Some(message) => write!(formatter, ": {message}"),
            None => Ok(()),
        }
    }
}

impl Answer {
    pub(super) fn new(metadata: &ErrorMetadata, response: &HttpResponse) -> Self {
        let body = response
            .body()
            .bytes()
            .map(String::from_utf8_lossy)
            .unwrap_or_default();
        let text = |known: Option<&str>, element| {
            known
                .map(str::to_owned)
                .or_else(|| xml_element(&body, element))
        };
        Self {
            code: text(metadata.code(), "Code"),
            // SSM gives an empty one with `ParameterNotFound`.
            message: text(metadata.message(), "Message").filter(|text| !text.is_empty()),
            status: response.status().as_u16(),
            request_id: metadata.request_id().map(str::to_owned),
        }
    }

    pub(super) fn kind(&self) -> Kind {
        let code = self.code.as_deref().unwrap_or_default();
        if REFUSALS.iter().any(|refusal| code.starts_with(refusal)) {
            return Kind::Refused;
        }
        match self.status {
            401 | 403 if code.is_empty() => Kind::Refused,
            429 | 500.. => Kind::Transient,
            _ if code.contains("Throttl") || code.contains("TooManyRequests") => Kind::Transient,
            _ => Kind::Permanent,
        }
    }
}

/// How the names begin under which AWS refuses credentials
/// (<https://docs.aws.amazon.com/AmazonECR/latest/APIReference/CommonErrors.html>).
const REFUSALS: [&str; 11] = [
    "AccessDenied",
    "ExpiredToken",
    "IncompleteSignature",
    "InvalidClientTokenId",
    "InvalidSignature",
    "MissingAuthenticationToken",
    "NotAuthorized",
    "OptInRequired",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "UnrecognizedClient",
];

/// The text of an element: whoever stands before a service that speaks JSON may refuse in XML.
fn xml_element(body: &str, name: &str) -> Option<String> {
    let (_, rest) = body.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    Some(text.to_owned())
}
