//! The HTTP client for those who bring their own root certificates.

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector};
use aws_types::sdk_config::SharedHttpClient;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::Error;

/// The SDK's own client, except that it trusts these PEM certificates instead of the system's, as
/// the AWS CLI does with `AWS_CA_BUNDLE`, which the SDK ignores (aws-sdk-rust#1362).
pub(super) fn trusting(certificates: Vec<u8>) -> Result<SharedHttpClient, Error> {
    check(&certificates)?;
    let trusted = TrustStore::empty().with_pem_certificate(certificates);
    let context = TlsContext::builder()
        .with_trust_store(trusted)
        .build()
        .map_err(|error| Error::RootCertificates {
            reason: error.to_string(),
        })?;
    // `Builder::build_https` would make a client that ignores the proxy variables.
    Ok(
        Builder::new().build_with_connector_fn(move |settings, components| {
            let mut connector = Connector::builder()
                .proxy_config(ProxyConfig::from_env())
                .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
                .tls_context(context.clone());
            connector.set_connector_settings(settings.cloned());
            if let Some(components) = components {
                connector.set_sleep_impl(components.sleep_impl());
            }
            connector.build()
        }),
    )
}

/// Finds here what would make the SDK panic at the first connection.
fn check(certificates: &[u8]) -> Result<(), Error> {
    let fail = |reason: String| Error::RootCertificates { reason };
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(certificates) {
        let certificate = certificate.map_err(|error| fail(error.to_string()))?;
        store
            .add(certificate)
            .map_err(|error| fail(error.to_string()))?;
    }
    if store.is_empty() {
        return Err(fail("there is no certificate in it".to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_holds_no_certificate() {
        let garbled = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let reasons = ["", "hello", garbled].map(|pem| check(pem.as_bytes()).unwrap_err());
        insta::assert_debug_snapshot!(reasons.map(|error| error.to_string()));
    }
}
