//! ECR's API on loopback, for tests: answers each operation from a list and keeps what was asked.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::Ecr;
use crate::aws;
pub(super) use crate::aws::refusal;

pub(super) struct StandIn(aws::StandIn);

impl StandIn {
    /// Answers the calls in this order; each answer is a status and a body.
    pub(super) async fn answering(answers: impl IntoIterator<Item = (u16, Value)>) -> Self {
        Self(aws::StandIn::answering(answers).await)
    }

    pub(super) fn ecr(&self, account_id: Option<&str>) -> Ecr {
        let mut ecr = Ecr::new(&self.session(), account_id.map(str::to_owned));
        ecr.first_pause = Duration::from_millis(1);
        ecr
    }

    /// A session whose services are all here.
    pub(super) fn session(&self) -> aws::Session {
        self.0.session()
    }

    /// Operation and body of every call so far.
    pub(super) fn calls(&self) -> Vec<(String, Value)> {
        self.0.calls()
    }
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
