//! The ECR registry: its token, its door, its settings.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use super::Check;
use super::findings::{Findings, answer, in_time};
use super::span::span;
use crate::aws::{RootCertificates, Session};
use crate::config::EcrDestination;
use crate::ecr::{Ecr, EcrHost};
use crate::failure::Kind;
use crate::image::Registry;
use crate::registry::{Client, Endpoint, Options, Politeness};

pub(super) const TOKEN: &str = "ecr token";
const REGISTRY: &str = "ecr registry";
const MOUNTING: &str = "blob mounting";

pub(super) async fn examine(
    ecr: &Ecr,
    session: &Session,
    destination: &EcrDestination,
    certificates: Option<&RootCertificates>,
) -> Findings {
    let token = match answer(TOKEN, ecr.token()).await {
        Ok(token) => token,
        Err(check) => return check.into(),
    };
    let life = match token.expires_at {
        Some(end) => {
            let left = end.duration_since(SystemTime::now());
            format!("good for {}", span(left.unwrap_or_default()))
        }
        None => "nobody says until when it is good".to_owned(),
    };
    let mut findings = Findings::from(Check::ok(TOKEN, life));
    let (door, mounting) = tokio::join!(
        door(ecr, session, destination, certificates),
        in_time(MOUNTING, mounting(ecr, session)),
    );
    findings.extend(door);
    findings.add(mounting.unwrap_or_else(|late| late));
    findings
}

/// Whether the registry is there and takes the token.
async fn door(
    ecr: &Ecr,
    session: &Session,
    destination: &EcrDestination,
    certificates: Option<&RootCertificates>,
) -> Findings {
    let own = match ecr.registry().await {
        Ok(own) => own,
        Err(error) => return Check::error(REGISTRY, &error).into(),
    };
    let endpoint = destination.registry.clone().unwrap_or(own);
    let name = endpoint.registry.clone();
    if let Some(check) = elsewhere(&name, session.region()) {
        return check.into();
    }
    let client = Client::new(Options {
        credentials: Arc::new(ecr.clone()),
        endpoints: BTreeMap::from([(name.clone(), endpoint.clone())]),
        extra_root_certificates: certificates
            .map(RootCertificates::pem)
            .unwrap_or_default()
            .to_vec(),
        politeness: Politeness::default(),
    });
    let client = match client {
        Ok(client) => client,
        Err(error) => return Check::error(REGISTRY, &error).into(),
    };
    match answer(REGISTRY, client.ping(&name)).await {
        Ok(pong) => {
            let mut findings = Findings::from(welcome(&endpoint));
            findings.see(format!("`{name}`"), pong.date);
            findings
        }
        Err(check) => check.into(),
    }
}

fn welcome(endpoint: &Endpoint) -> Check {
    Check::ok(REGISTRY, format!("`{}` takes the token", endpoint.registry))
}

/// Whether the file's registry is in another region than the session: a token opens the registries
/// of its own only.
fn elsewhere(registry: &Registry, region: &str) -> Option<Check> {
    let host = EcrHost::of(registry).filter(|host| host.region != region)?;
    let message = format!(
        "`{registry}` is in {}, and a token of {region} does not open it",
        host.region
    );
    let hint = format!(
        "write `destination: {{region: {}}}`, or leave `destination.registry` out",
        host.region
    );
    Some(Check::failed(REGISTRY, Kind::Configuration, message).hint(hint))
}

/// Whether the account lets blobs be mounted, so that a layer that several repositories share
/// travels once.
async fn mounting(ecr: &Ecr, session: &Session) -> Check {
    match ecr.mounts_blobs().await {
        Ok(Some(true)) => Check::ok(MOUNTING, "on: layers that repositories share travel once"),
        Ok(Some(false)) => {
            let message = "off: layers that repositories share travel once for each";
            Check::warning(MOUNTING, message).hint(format!(
                "switch it on with `aws ecr put-account-setting --name BLOB_MOUNTING --value \
                 ENABLED --region {}`",
                session.region()
            ))
        }
        Ok(None) => Check::not_checked(MOUNTING, "the account of the registry is another one"),
        // The first blob that several repositories need finds out, too.
        Err(error) => Check::unanswered(MOUNTING, &error),
    }
}
