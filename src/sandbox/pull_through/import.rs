//! The import of images: what a pull through a rule does before it is answered.

use std::collections::BTreeMap;
use std::io;
use std::sync::OnceLock;

use futures_util::StreamExt as _;

use super::client::{Client, connections};
use super::{Failure, Purpose, Rule, Template};
use crate::image::{Digest, Manifest};
use crate::sandbox::fresh;
use crate::sandbox::repository::{Image, Parts, Repository, Settings};
use crate::sandbox::state::State;

/// Seconds for which a tag is served without a look at the upstream. ECR has no setting for it.
const FRESH: f64 = 24.0 * 60.0 * 60.0;

/// What imports share.
#[derive(Default)]
pub(in crate::sandbox) struct Imports {
    /// Held during an import: two pulls of one image must not fetch it twice.
    one: tokio::sync::Mutex<()>,
    http: OnceLock<reqwest::Client>,
}

impl Imports {
    pub(super) fn http(&self) -> &reqwest::Client {
        self.http.get_or_init(connections)
    }
}

/// How much of what is asked for is here.
enum Stock {
    Nothing,
    /// Nothing to do: a digest, a tag that was compared lately, or one that cannot move.
    Current,
    /// A tag that the upstream may have moved.
    Old(String),
}

/// What was fetched, children before those who list them.
#[derive(Default)]
struct Fetched {
    manifests: Vec<Manifest>,
    blobs: BTreeMap<String, u64>,
}

/// Fetches what a repository lacks where it falls under a rule: the image that a tag or digest
/// stands for, and the repository itself. What is here already is served also when the upstream
/// fails.
pub(in crate::sandbox) async fn import(
    state: &State,
    name: &str,
    reference: &str,
) -> Result<(), Failure> {
    let rule = Rule::of(&state.store.read(), name).cloned();
    let Some(rule) = rule else {
        return Ok(());
    };
    let Some(upstream_name) = rule.upstream_name(name) else {
        return Ok(());
    };
    let _one = state.imports.one.lock().await;
    let stock = take_stock(state, name, reference);
    if matches!(stock, Stock::Current) {
        return Ok(());
    }
    let client = Client::new(state, &rule, upstream_name);
    let fetched = match client {
        Ok(client) => fetch(state, &client, reference, &stock).await,
        Err(failure) => Err(failure),
    };
    match fetched {
        Ok(fetched) => keep(state, name, reference, fetched),
        Err(_) if matches!(stock, Stock::Old(_)) => Ok(()),
        Err(failure) => Err(failure),
    }
}

fn take_stock(state: &State, name: &str, reference: &str) -> Stock {
    let inventory = state.store.read();
    let Some(repository) = inventory.repositories.get(name) else {
        return Stock::Nothing;
    };
    let Some(digest) = repository.resolve(reference) else {
        return Stock::Nothing;
    };
    let compared = repository.compared_at.get(reference).copied();
    let is_fresh = compared.is_some_and(|then| fresh::now() - then < FRESH);
    let is_fixed = repository.settings.mutability.is_fixed(reference);
    if digest == reference || is_fresh || is_fixed {
        Stock::Current
    } else {
        Stock::Old(digest.to_owned())
    }
}

/// The image and everything below it; nothing where the tag has not moved.
async fn fetch(
    state: &State,
    client: &Client<'_>,
    reference: &str,
    stock: &Stock,
) -> Result<Fetched, Failure> {
    let mut fetched = Fetched::default();
    if let Stock::Old(digest) = stock
        && client.digest(reference).await?.as_str() == digest
    {
        return Ok(fetched);
    }
    let mut wanted = vec![reference.to_owned()];
    while let Some(reference) = wanted.pop() {
        let manifest = client.manifest(&reference).await?;
        let text = String::from_utf8_lossy(manifest.bytes());
        let parts = Parts::of(&text).ok_or(Failure::Unavailable)?;
        for (digest, size) in parts.blobs {
            fetch_blob(state, client, &digest).await?;
            fetched.blobs.insert(digest, size);
        }
        wanted.extend(parts.children);
        fetched.manifests.push(manifest);
    }
    fetched.manifests.reverse();
    Ok(fetched)
}

async fn fetch_blob(state: &State, client: &Client<'_>, digest: &str) -> Result<(), Failure> {
    let blobs = &state.store.blobs;
    let expected: Digest = digest.parse().map_err(|_| Failure::Unavailable)?;
    if let Some(content) = blobs.get(&expected)
        && content.size().await.is_ok()
    {
        return Ok(());
    }
    let failed = |_: io::Error| Failure::Unavailable;
    let mut upload = blobs.begin().await.map_err(failed)?;
    let mut pieces = client.blob(digest).await?.bytes_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| Failure::Unavailable)?;
        upload.append(&piece).await.map_err(failed)?;
    }
    match blobs.finish(upload, &expected).await {
        Ok(digest) if digest == expected => Ok(()),
        _ => Err(Failure::Unavailable),
    }
}

/// Puts what was fetched into the repository, which is made by its template where it is missing.
fn keep(state: &State, name: &str, reference: &str, fetched: Fetched) -> Result<(), Failure> {
    let outcome = state.store.change(|inventory| {
        if !inventory.repositories.contains_key(name) {
            let template = Template::of(inventory, name, Purpose::PullThroughCache);
            let repository = match template.map(Template::repository) {
                Some(None) => return Ok(Err(Failure::NotCreated)),
                Some(Some(repository)) => repository,
                None => Repository::new(Settings::default()),
            };
            inventory.repositories.insert(name.to_owned(), repository);
        }
        let Some(repository) = inventory.repositories.get_mut(name) else {
            return Ok(Err(Failure::NotCreated));
        };
        repository.blobs.extend(fetched.blobs);
        let is_tag = !reference.contains(':');
        if let Some(top) = fetched.manifests.last()
            && is_tag
        {
            let digest = top.digest().to_string();
            repository.tags.insert(reference.to_owned(), digest);
        }
        for manifest in fetched.manifests {
            let image = Image {
                media_type: manifest.media_type().to_owned(),
                text: String::from_utf8_lossy(manifest.bytes()).into_owned(),
                pushed_at: fresh::now(),
            };
            let digest = manifest.digest().to_string();
            repository.images.entry(digest).or_insert(image);
        }
        if is_tag {
            let now = fresh::now();
            repository.compared_at.insert(reference.to_owned(), now);
        }
        Ok::<_, io::Error>(Ok(()))
    });
    outcome.unwrap_or(Err(Failure::Unavailable))
}
