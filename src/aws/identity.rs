//! STS: who we are.

use std::sync::Arc;
use std::time::SystemTime;

use aws_sdk_sts::Client;
use aws_sdk_sts::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_sdk_sts::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_sts::error::BoxError;
use parking_lot::Mutex;

use super::{Error, Session};

/// Whom the credentials of a session belong to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Identity {
    /// The ARN of a user or of a role's session.
    pub arn: String,
    /// Twelve digits.
    pub account_id: String,
}

/// What STS answered, and when.
#[derive(Debug)]
pub struct Introduction {
    /// Who we are; no policy can forbid to ask.
    pub identity: Result<Identity, Error>,
    /// The time at AWS, in whole seconds; absent where no answer tells it. A refusal does, as that of
    /// a request whose own time is wrong.
    pub date: Option<SystemTime>,
}

impl Session {
    /// Asks STS who we are.
    pub async fn introduce(&self) -> Introduction {
        let date = Date::default();
        let call = Client::new(self.config()).get_caller_identity();
        let answer = call.customize().interceptor(date.clone()).send().await;
        let identity = answer.map(|output| Identity {
            arn: output.arn.unwrap_or_default(),
            account_id: output.account.unwrap_or_default(),
        });
        Introduction {
            identity: identity.map_err(|error| Error::from_sdk("sts", "GetCallerIdentity", error)),
            date: *date.0.lock(),
        }
    }
}

/// Keeps what the last answer says of the time.
#[derive(Clone, Debug, Default)]
struct Date(Arc<Mutex<Option<SystemTime>>>);

impl Intercept for Date {
    fn name(&self) -> &'static str {
        "Date"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date");
        let date = date.and_then(|date| httpdate::parse_http_date(date).ok());
        *self.0.lock() = date;
        Ok(())
    }
}
