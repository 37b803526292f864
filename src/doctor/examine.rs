//! All probes, side by side: none waits for another that it does not need, and none hides another.

use std::sync::Arc;

use super::findings::Findings;
use super::{Check, clock, docker, identity, upstreams};
use crate::aws;
use crate::config::Specification;
use crate::credentials::Keyring;
use crate::registry::Client;

/// What is examined.
pub struct Subject {
    /// What the file says; absent where there is no file, or no sound one: then only Docker and AWS
    /// are looked at.
    pub specification: Option<Specification>,
    /// How the session with AWS is opened.
    pub aws: aws::Options,
    /// Reads the variables that lead to the Docker daemon.
    pub variable: fn(&str) -> Option<String>,
    /// How sources are read; absent where there is no file, or they could not be opened.
    pub sources: Option<Sources>,
}

/// How sources are read.
pub struct Sources {
    /// The registry client.
    pub client: Client,
    /// Who we are at each registry.
    pub keyring: Arc<Keyring>,
}

/// Looks at everything. Nothing is changed, and nothing is pulled.
pub async fn examine(subject: &Subject) -> Vec<Check> {
    let specification = subject.specification.as_ref();
    let docker = docker::examine(specification, subject.variable);
    let aws = identity::examine(specification, &subject.aws);
    let upstreams = async {
        match (&subject.sources, specification) {
            (Some(sources), Some(specification)) => {
                upstreams::examine(specification, sources).await
            }
            _ => Findings::default(),
        }
    };
    let (docker, aws, upstreams) = tokio::join!(docker, Box::pin(aws), upstreams);
    let mut findings = docker;
    findings.extend(aws);
    findings.extend(upstreams);
    findings.add(clock::examine(&findings.sightings));
    findings.checks
}
