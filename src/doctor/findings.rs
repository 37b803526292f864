//! What a probe brings home.

use std::time::{Duration, SystemTime};

use super::Check;
use crate::failure::{Failure, Kind};

/// How long one question may take. Whoever has not answered by then would keep a run waiting, too.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whose clock judges requests.
pub(super) const AWS: &str = "AWS";

/// What a probe brings home.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) checks: Vec<Check>,
    /// What others say of the time.
    pub(super) sightings: Vec<Sighting>,
}

/// Another clock, read once.
#[derive(Clone, Debug)]
pub(super) struct Sighting {
    /// Whose clock it is.
    pub(super) whose: String,
    /// What it told.
    pub(super) there: SystemTime,
    /// What this machine's own told then.
    pub(super) here: SystemTime,
}

impl Findings {
    pub(super) fn add(&mut self, check: Check) {
        self.checks.push(check);
    }

    /// Notes what somebody's answer, which just came, says of the time.
    pub(super) fn see(&mut self, whose: impl Into<String>, there: Option<SystemTime>) {
        self.sightings.extend(there.map(|there| Sighting {
            whose: whose.into(),
            there,
            here: SystemTime::now(),
        }));
    }

    pub(super) fn extend(&mut self, other: Self) {
        self.checks.extend(other.checks);
        self.sightings.extend(other.sightings);
    }
}

impl From<Check> for Findings {
    fn from(check: Check) -> Self {
        Self {
            checks: vec![check],
            sightings: Vec::new(),
        }
    }
}

/// The answer to a question; otherwise a failed check of this name.
pub(super) async fn answer<T, E: Failure>(
    name: &'static str,
    question: impl Future<Output = Result<T, E>>,
) -> Result<T, Check> {
    let answer = in_time(name, question).await?;
    answer.map_err(|error| Check::error(name, &error))
}

/// What comes of a question in time; otherwise a failed check of this name.
pub(super) fn in_time<T>(
    name: &'static str,
    question: impl Future<Output = T>,
) -> impl Future<Output = Result<T, Check>> {
    within(PATIENCE, name, question)
}

fn within<T>(
    time: Duration,
    name: &'static str,
    question: impl Future<Output = T>,
) -> impl Future<Output = Result<T, Check>> {
    // Those of AWS's SDK are large.
    let answer = tokio::time::timeout(time, Box::pin(question));
    async move {
        answer.await.map_err(|_| {
            let message = format!("there was no answer within {} seconds", time.as_secs());
            Check::failed(name, Kind::Unreachable, message)
                .hint("check the network and the proxy (HTTPS_PROXY, NO_PROXY)")
        })
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    #[tokio::test]
    async fn nobody_is_waited_for_too_long() {
        assert_eq!(in_time("docker", ready(1)).await, Ok(1));
        let late = within(Duration::ZERO, "docker", pending::<()>()).await;
        let message = "there was no answer within 0 seconds";
        let expected = Check::failed("docker", Kind::Unreachable, message)
            .hint("check the network and the proxy (HTTPS_PROXY, NO_PROXY)");
        assert_eq!(late, Err(expected));
    }
}
