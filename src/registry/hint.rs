//! What the user can do about it.

use reqwest::StatusCode;

use super::{Answer, Cause, NetworkError};
use crate::failure::Failure;
use crate::image::Registry;

/// One sentence, or nothing where nothing can be done.
pub(super) fn hint(
    registry: Option<&Registry>,
    cause: &Cause,
    remedy: Option<&str>,
) -> Option<String> {
    match cause {
        Cause::Answered(answer) => answer_hint(registry?, answer, remedy),
        Cause::LoginRefused { .. } => remedy.map(str::to_owned),
        Cause::Credentials(error) => error.hint(),
        Cause::Unreachable {
            origin,
            proxy,
            source,
        } => Some(unreachable_hint(origin, proxy.as_deref(), source)),
        Cause::Unencrypted { target, .. } => Some(format!(
            "plain HTTP is followed only to this machine, and to where the file says so: \
             if that is meant, write `{target}` as an endpoint under `upstreams`"
        )),
        Cause::Certificates(_) => {
            Some("check the file that AWS_CA_BUNDLE or SSL_CERT_FILE names".to_owned())
        }
        Cause::NoUpload { .. } => {
            Some("ECR does so when the repository does not exist; create it first".to_owned())
        }
        Cause::Proxy { .. } => Some("write it as `http://host:port`".to_owned()),
        Cause::Broken { .. }
        | Cause::Spoiled { .. }
        | Cause::WrongLength { .. }
        | Cause::Unsendable(_)
        | Cause::Stalled { .. }
        | Cause::Slow { .. }
        | Cause::Mismatch { .. }
        | Cause::TooLarge { .. }
        | Cause::UnknownAlgorithm { .. }
        | Cause::Malformed { .. } => None,
    }
}

fn answer_hint(registry: &Registry, answer: &Answer, remedy: Option<&str>) -> Option<String> {
    if answer.is_pull_limit() {
        let remedy = remedy?;
        return Some(format!(
            "the pull rate limit of `{registry}` is used up: {remedy}, or wait until the limit's \
             window has passed, as `--wait` does"
        ));
    }
    if let Some(rest) = answer.retry_after.filter(|_| answer.asks_for_rest()) {
        let remedy = remedy?;
        return Some(format!(
            "`{registry}` wants to be left alone for {} minutes: wait so long, as `--wait` does, \
             or {remedy}",
            rest.as_secs().div_ceil(60)
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
        if answer.says("authentication to the upstream registry failed") {
            return Some(
                "ECR could not log in at the upstream of its rule: check the rule's token, and run \
                 `longshore cache apply`, which asks the upstream"
                    .to_owned(),
            );
        }
        let remedy = remedy?;
        return Some(if registry.is_docker_hub() {
            format!(
                "Docker Hub says this also of repositories that do not exist or are private: \
                 check the name; {remedy}"
            )
        } else {
            remedy.to_owned()
        });
    }
    if answer.status == StatusCode::NOT_FOUND && !answer.is_missing() {
        return Some(format!(
            "`{}` does not answer as a registry does: check the registry's endpoint",
            answer.host
        ));
    }
    match answer.code.as_deref() {
        Some("NAME_UNKNOWN") => Some(
            "the repository does not exist: check its name; one that is written to has to be \
             created first"
                .to_owned(),
        ),
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

fn unreachable_hint(origin: &str, proxy: Option<&str>, error: &NetworkError) -> String {
    let refused = error.is_refused();
    match (error.tls(), proxy) {
        (Some(rustls::Error::InvalidMessage(_)), _) => format!(
            "the server does not speak TLS; if that is meant, write its endpoint as `{}`",
            origin.replacen("https://", "http://", 1)
        ),
        (Some(_), _) => "if the registry's certificate is from a private authority, name the \
                         authority's PEM file in AWS_CA_BUNDLE or SSL_CERT_FILE"
            .to_owned(),
        (None, Some(proxy)) if refused => format!(
            "nothing listens at the proxy `{proxy}`: check HTTPS_PROXY, or name the registry in \
             NO_PROXY"
        ),
        (None, Some(proxy)) => {
            format!("check the name, the network and the proxy `{proxy}` (HTTPS_PROXY, NO_PROXY)")
        }
        (None, None) if refused => {
            format!("nothing listens at `{origin}`: check that it runs, and its port")
        }
        (None, None) => {
            "check the name, the network and the proxy (HTTPS_PROXY, NO_PROXY)".to_owned()
        }
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
    async fn nobody_listens_at_the_proxy() {
        let refused = reqwest::get("http://127.0.0.1:9/").await.unwrap_err();
        let cause = Cause::Unreachable {
            origin: "https://registry.example".to_owned(),
            proxy: Some("http://127.0.0.1:9".to_owned()),
            source: NetworkError::new(refused),
        };
        assert_eq!(
            cause.to_string(),
            "`https://registry.example` cannot be reached through the proxy `http://127.0.0.1:9`"
        );
        assert_eq!(
            hint(None, &cause, None).unwrap(),
            "nothing listens at the proxy `http://127.0.0.1:9`: check HTTPS_PROXY, or name the \
             registry in NO_PROXY"
        );
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
