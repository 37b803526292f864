//! Docker's contexts: named daemons, kept as files below the folder of Docker's configuration.

use std::io;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::address::{Address, DEFAULT_CONTEXT, Scheme};
use super::error::Error;
use crate::image::Digest;

/// `contexts/meta/<hash of the name>/meta.json`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Meta {
    name: String,
    #[serde(default)]
    endpoints: Endpoints,
}

#[derive(Default, Deserialize)]
struct Endpoints {
    docker: Option<Endpoint>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Endpoint {
    host: String,
    #[serde(default, rename = "SkipTLSVerify")]
    skip_tls_verify: bool,
}

/// Where a context's daemon is. `named_by` tells the user who asked for it.
pub(super) fn find(folder: Option<&Path>, name: &str, named_by: &str) -> Result<Address, Error> {
    let unknown = || Error::UnknownContext {
        name: name.to_owned(),
        named_by: named_by.to_owned(),
        known: folder.map_or_else(Vec::new, names),
    };
    let store = folder.ok_or_else(unknown)?.join("contexts");
    let hash = Digest::of(name.as_bytes());
    let meta = store.join("meta").join(hash.hex()).join("meta.json");
    let endpoint = read::<Meta>(&meta)?.ok_or_else(unknown)?.endpoints.docker;
    let endpoint = endpoint.ok_or_else(|| Error::NoEndpoint { name: name.into() })?;
    let tls = store.join("tls").join(hash.hex()).join("docker");
    let address = Address::parse(&endpoint.host, &tls, tls.is_dir())?;
    if endpoint.skip_tls_verify && address.scheme == Scheme::Tcp {
        let place = format!("the Docker context `{name}`");
        return Err(Error::Unverified { place });
    }
    Ok(address)
}

/// The names of all contexts, sorted. What cannot be read is left out: this only helps a message.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder.join("contexts/meta"));
    let mut names: Vec<String> = entries
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| read::<Meta>(&entry.path().join("meta.json")).ok()?)
        .map(|meta| meta.name)
        .collect();
    names.push(DEFAULT_CONTEXT.to_owned());
    names.sort();
    names
}

/// One of Docker's own JSON files; `None` where there is none.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, Error> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            let path = path.to_owned();
            return Err(Error::Unreadable { path, source });
        }
    };
    let content = serde_json::from_slice(&text).map_err(|source| Error::Malformed {
        path: path.to_owned(),
        source,
    })?;
    Ok(Some(content))
}
