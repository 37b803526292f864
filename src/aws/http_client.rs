//! The HTTP client of all AWS calls.

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::{
    HttpClient as _, HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector,
    http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use rustls::RootCertStore;
use rustls_native_certs::CertificateResult;

use super::RootCertificates;

/// There is no root certificate to check a server's certificate with. The SDK would panic, or
/// distrust every server.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct NoRootCertificates(String);

/// The SDK's own client, except that it knows which certificates it trusts before it connects: the
/// system's and, as the SDK ignores `AWS_CA_BUNDLE` (aws-sdk-rust#1362), those of the user.
pub(super) fn http_client(extra: Option<&RootCertificates>) -> SharedHttpClient {
    let system = usable(rustls_native_certs::load_native_certs());
    client(system, extra)
}

/// Whether the system has a certificate that can be used, or why it has none.
fn usable(system: CertificateResult) -> Result<(), NoRootCertificates> {
    let (sound, _) = RootCertStore::empty().add_parsable_certificates(system.certs);
    if sound > 0 {
        return Ok(());
    }
    let reasons: Vec<String> = system.errors.iter().map(ToString::to_string).collect();
    Err(NoRootCertificates(match reasons.as_slice() {
        [] => "the system has none".to_owned(),
        reasons => reasons.join(", "),
    }))
}

fn client(
    system: Result<(), NoRootCertificates>,
    extra: Option<&RootCertificates>,
) -> SharedHttpClient {
    let mut trusted = TrustStore::empty().with_native_roots(system.is_ok());
    if let Some(extra) = extra {
        trusted.add_pem_certificate(extra.pem());
    }
    let context = TlsContext::builder().with_trust_store(trusted).build();
    let context = context.expect("building a context checks nothing");
    // `Builder::build_https` would make a client that ignores the proxy variables.
    let client = Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder()
            .proxy_config(ProxyConfig::from_env())
            .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
            .tls_context(context.clone());
        connector.set_connector_settings(settings.cloned());
        if let Some(components) = components {
            connector.set_sleep_impl(components.sleep_impl());
        }
        connector.build()
    });
    match system {
        Err(cause) if extra.is_none() => http_client_fn(move |settings, components| {
            SharedHttpConnector::new(PlainOnly {
                connector: client.http_connector(settings, components),
                cause: cause.clone(),
            })
        }),
        _ => client,
    }
}

/// Sends what needs no certificate, such as requests to a stand-in for AWS on loopback.
#[derive(Debug)]
struct PlainOnly {
    connector: SharedHttpConnector,
    cause: NoRootCertificates,
}

impl HttpConnector for PlainOnly {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if request.uri().starts_with("https:") {
            let error = ConnectorError::user(self.cause.clone().into());
            return HttpConnectorFuture::ready(Err(error));
        }
        self.connector.call(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::{Error, Session};
    use crate::failure::{Failure as _, Kind, chain};

    async fn ask(endpoint: &str) -> Error {
        let nothing = usable(CertificateResult::default());
        let config = Session::at(endpoint).config().clone().into_builder();
        let config = config.http_client(client(nothing, None)).build();
        let ecr = aws_sdk_ecr::Client::new(&config);
        let error = ecr.get_authorization_token().send().await.unwrap_err();
        Error::from_sdk("ecr", "GetAuthorizationToken", error)
    }

    #[tokio::test]
    async fn without_root_certificates_only_plain_http_is_possible() {
        let error = ask("https://127.0.0.1:1").await;
        assert_eq!(error.kind(), Kind::Configuration);
        insta::assert_snapshot!(
            format!("{}\n{}", chain(&error), error.hint().unwrap()),
            @r"
            ecr GetAuthorizationToken failed: no root certificates are trusted: the system has none
            install the package `ca-certificates`, or name a PEM file of root certificates in `SSL_CERT_FILE`
            "
        );
        assert!(matches!(
            ask("http://127.0.0.1:1").await,
            Error::Unreachable { .. }
        ));
    }
}
