//! The certificates that are trusted beside the system's.

use std::fs;
use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::Error;

/// Root certificates that can be used: at least one, and every one of them sound.
#[derive(Clone, Debug)]
pub struct RootCertificates {
    pem: Vec<u8>,
}

impl RootCertificates {
    /// Reads a PEM file, such as the one that `AWS_CA_BUNDLE` names.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let pem = fs::read(path).map_err(|error| error.to_string());
        pem.and_then(|pem| check(&pem).map(|()| Self { pem }))
            .map_err(|reason| Error::RootCertificates {
                path: path.to_owned(),
                reason,
            })
    }

    /// The certificates as PEM.
    pub fn pem(&self) -> &[u8] {
        &self.pem
    }
}

/// Finds here what would make the SDK panic at the first connection.
fn check(pem: &[u8]) -> Result<(), String> {
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| error.to_string())?;
        store.add(certificate).map_err(|error| error.to_string())?;
    }
    if store.is_empty() {
        return Err("there is no certificate in it".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::{Failure as _, Kind};

    #[test]
    fn refuses_what_holds_no_certificate() {
        let folder = tempfile::tempdir().unwrap();
        let garbled = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let mut told = Vec::new();
        for (name, pem) in [("empty", ""), ("text", "hello"), ("garbled", garbled)] {
            let path = folder.path().join(name);
            fs::write(&path, pem).unwrap();
            told.push(RootCertificates::read(&path).unwrap_err());
        }
        told.push(RootCertificates::read(&folder.path().join("absent")).unwrap_err());
        assert!(told.iter().all(|error| error.kind() == Kind::Configuration));
        let told: Vec<String> = told
            .iter()
            .map(|error| {
                error
                    .to_string()
                    .replace(folder.path().to_str().unwrap(), "~")
            })
            .collect();
        insta::assert_snapshot!(told.join("\n"), @r"
        the root certificates in `~/empty` (`AWS_CA_BUNDLE`) cannot be used: there is no certificate in it
        the root certificates in `~/text` (`AWS_CA_BUNDLE`) cannot be used: there is no certificate in it
        the root certificates in `~/garbled` (`AWS_CA_BUNDLE`) cannot be used: invalid peer certificate: BadEncoding
        the root certificates in `~/absent` (`AWS_CA_BUNDLE`) cannot be used: No such file or directory (os error 2)
        ");
    }
}
