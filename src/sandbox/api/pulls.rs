//! Pulls: what the API gives of an image, and fetches for it where a rule of the cache says so.

use serde_json::{Value, json};

use super::exception::Exception;
use super::images::{Batch, Identifier, Reason, failure, resolve};
use super::layers::limit;
use super::repositories::find;
use crate::sandbox::pull_through::import;
use crate::sandbox::registry::convert;
use crate::sandbox::repository::{Image, Repository};
use crate::sandbox::state::State;

/// `BatchGetImage`. What an upstream refuses fails with its code; what it does not have, and what
/// could not be made by a template, is simply not there.
pub(super) async fn get(state: &State, input: &Batch) -> Result<Value, Exception> {
    let name = &input.repository_name;
    limit("imageIds", input.image_ids.len())?;
    let mut refused = Vec::new();
    for identifier in &input.image_ids {
        refused.push(fetch(state, name, identifier).await.err());
    }
    let inventory = state.store.read();
    let repository = match find(state, &inventory, name) {
        Ok(repository) => Some(repository),
        Err(_) if refused.iter().any(Option::is_some) => None,
        Err(missing) => return Err(missing),
    };
    let (mut images, mut failures) = (Vec::new(), Vec::new());
    for (identifier, refused) in input.image_ids.iter().zip(refused) {
        match look(repository, identifier, refused) {
            Ok((digest, image)) => {
                let (media_type, text) = accepted(image, &input.accepted_media_types);
                images.push(json!({
                    "registryId": state.options.account_id,
                    "repositoryName": name,
                    "imageId": Identifier {
                        image_digest: Some(digest.to_owned()),
                        image_tag: identifier.image_tag.clone(),
                    },
                    "imageManifest": text,
                    "imageManifestMediaType": media_type,
                }));
            }
            Err((code, reason)) => failures.push(failure(identifier, code, &reason)),
        }
    }
    Ok(json!({"images": images, "failures": failures}))
}

/// Fetches an image where a rule says so, as a pull at the registry does, which is this very call.
async fn fetch(state: &State, name: &str, identifier: &Identifier) -> Result<(), Reason> {
    let reference = (identifier.image_digest.as_deref()).or(identifier.image_tag.as_deref());
    let Err(failure) = import(state, name, reference.unwrap_or_default()).await else {
        return Ok(());
    };
    match failure.code() {
        Some(code) => Err((code, failure.text().to_owned())),
        None => Ok(()),
    }
}

fn look<'a>(
    repository: Option<&'a Repository>,
    identifier: &Identifier,
    refused: Option<Reason>,
) -> Result<(&'a str, &'a Image), Reason> {
    if let Some(refused) = refused {
        return Err(refused);
    }
    let missing = || ("ImageNotFound", "Requested image not found".to_owned());
    let repository = repository.ok_or_else(missing)?;
    let digest = resolve(repository, identifier)?;
    Ok((digest, &repository.images[digest]))
}

fn accepted(image: &Image, media_types: &[String]) -> (String, String) {
    if media_types.is_empty() || media_types.contains(&image.media_type) {
        (image.media_type.clone(), image.text.clone())
    } else {
        convert(&image.media_type, &image.text)
    }
}
