//! What the user can do about it.

use std::error::Error as StdError;
use std::io;

use super::{Answer, Cause};
use crate::failure::Failure;
use crate::image::Registry;

/// One sentence, or nothing where nothing can be done.
pub(super) fn hint(registry: Option<&Registry>, cause: &Cause) -> Option<String> {
    match cause {
        Cause::Answered(answer) => answer_hint(registry?, answer),
        Cause::LoginRefused { .. } => Some(where_credentials_are(registry?)),
        Cause::Credentials(error) => error.hint(),
        Cause::Unreachable { origin, source } => Some(unreachable_hint(origin, source)),
        Cause::Unencrypted { .. } => {
            Some("plain HTTP is followed only on loopback; ask the registry's operator".to_owned())
        }
        Cause::Certificates(_) => {
            Some("check the file that AWS_CA_BUNDLE or SSL_CERT_FILE names".to_owned())
        }
        Cause::NoUpload { .. } => {
            Some("ECR does so when the repository does not exist; create it first".to_owned())
        }
        Cause::Broken { .. }
        | Cause::Spoiled { .. }
        | Cause::WrongLength { .. }
        | Cause::Stalled { .. }
        | Cause::Mismatch { .. }
        | Cause::TooLarge { .. }
        | Cause::UnknownAlgorithm { .. }
        | Cause::Malformed { .. } => None,
    }
}

fn answer_hint(registry: &Registry, answer: &Answer) -> Option<String> {
    if answer.is_pull_limit() {
        return Some(format!(
            "the pull rate limit of `{registry}` is used up: add a login for it under \
             `upstreams`, or wait until the limit's window of 6 hours has passed"
        ));
    }
    if answer.says("HTTP request to an HTTPS server") {
        return Some(format!(
            "`{0}` speaks TLS; write its endpoint as `https://{0}`",
            answer.host
        ));
    }
    if answer.is_refusal() {
        if let Some((action, resource)) = missing_permission(answer) {
            return Some(format!(
                "allow `{action}` on `{resource}` in the IAM policy"
            ));
        }
        let credentials = where_credentials_are(registry);
        return Some(if registry.is_docker_hub() {
            format!(
                "Docker Hub says this also of repositories that do not exist or are private: \
                 check the name; {credentials}"
            )
        } else {
            credentials
        });
    }
    match answer.code.as_deref() {
        Some("NAME_UNKNOWN") => Some("the repository does not exist; create it first".to_owned()),
        // ECR maps every parameter that it rejects to 405.
        Some("UNSUPPORTED") => {
            Some("the registry rejects the manifest itself, not the method".to_owned())
        }
        _ => None,
    }
}

/// From ECR: "User: arn:... is not authorized to perform: ecr:PutImage on resource: arn:... because
/// no identity-based policy allows ...".
fn missing_permission(answer: &Answer) -> Option<(&str, &str)> {
    let message = answer.message.as_deref()?;
    let (_, rest) = message.split_once("is not authorized to perform: ")?;
    let (action, rest) = rest.split_once(' ')?;
    let resource = rest.strip_prefix("on resource: ")?.split(' ').next()?;
    Some((action, resource))
}

fn where_credentials_are(registry: &Registry) -> String {
    format!(
        "credentials for `{registry}` are looked up in the AWS session if it is the destination, \
         then under `upstreams` in the file, then in Docker's configuration \
         (`docker login {registry}`)"
    )
}

fn unreachable_hint(origin: &str, error: &reqwest::Error) -> String {
    let refused = causes(error)
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::ConnectionRefused);
    match tls_error(error) {
        Some(rustls::Error::InvalidMessage(_)) => format!(
            "the server does not speak TLS; if that is meant, write its endpoint as `{}`",
            origin.replacen("https://", "http://", 1)
        ),
        Some(_) => "if the registry's certificate is from a private authority, name the \
                    authority's PEM file in AWS_CA_BUNDLE or SSL_CERT_FILE"
            .to_owned(),
        None if refused => {
            format!("nothing listens at `{origin}`: check that it runs, and its port")
        }
        None => "check the name, the network and the proxy (HTTPS_PROXY, NO_PROXY)".to_owned(),
    }
}

/// The TLS error beneath.
pub(super) fn tls_error(error: &reqwest::Error) -> Option<&rustls::Error> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

/// The error and all beneath it.
fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| beneath(error))
}

/// The cause of an error. `io::Error` leaves the error that it wraps out of `source`.
fn beneath<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    match error.downcast_ref().and_then(io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Error;
    use super::super::fake::{Fake, Reply, client};
    use super::*;
    use crate::failure::Kind;

    /// What happens when the registry is looked for at this endpoint.
    async fn failure(endpoint: &str) -> (Kind, String) {
        let client = client("registry.example", endpoint, vec![None]);
        let image = "registry.example/app:1".parse().unwrap();
        let error: Error = client.get_manifest(&image).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot read manifest `registry.example/app:1`"
        );
        (error.kind(), error.hint().unwrap())
    }

    #[tokio::test]
    async fn nobody_listens() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let hint = format!("nothing listens at `{origin}`: check that it runs, and its port");
        assert_eq!(failure(&origin).await, (Kind::Unreachable, hint));
    }

    #[tokio::test]
    async fn tls_is_spoken_to_a_server_without() {
        let fake = Fake::start(|_, _| Reply::status(200)).await;
        let registry = fake.registry();
        let hint = format!(
            "the server does not speak TLS; if that is meant, write its endpoint as \
             `http://{registry}`"
        );
        let failure = failure(&format!("https://{registry}")).await;
        assert_eq!(failure, (Kind::Unreachable, hint));
    }

    #[tokio::test]
    async fn a_server_with_tls_is_spoken_to_without() {
        let says = "Client sent an HTTP request to an HTTPS server.";
        let fake = Fake::start(move |_, _| Reply::status(400).body(says)).await;
        let registry = fake.registry();
        let hint = format!("`{registry}` speaks TLS; write its endpoint as `https://{registry}`");
        let failure = failure(&format!("http://{registry}")).await;
        assert_eq!(failure, (Kind::Permanent, hint));
    }
}
