//! Images and layers.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::exception::Exception;
use super::layers::limit;
use super::page;
use super::repositories::{find, find_mut};
use crate::image::Digest;
use crate::sandbox::repository::Repository;
use crate::sandbox::state::State;

/// An image by tag, by digest or both, as ECR writes it.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Identifier {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) image_digest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) image_tag: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Filter {
    tag_status: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct List {
    repository_name: String,
    image_ids: Option<Vec<Identifier>>,
    #[serde(default)]
    filter: Filter,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Batch {
    pub(super) repository_name: String,
    pub(super) image_ids: Vec<Identifier>,
    #[serde(default)]
    pub(super) accepted_media_types: Vec<String>,
}

impl Filter {
    fn lets(&self, tagged: bool) -> bool {
        match self.tag_status.as_deref() {
            Some("TAGGED") => tagged,
            Some("UNTAGGED") => !tagged,
            _ => true,
        }
    }
}

/// `ListImages`: one entry per tag, and one per image without tags.
pub(super) fn list(state: &State, input: &List) -> Result<Value, Exception> {
    let inventory = state.store.read();
    let repository = find(state, &inventory, &input.repository_name)?;
    let tagged = repository.tags.iter().map(|(tag, digest)| Identifier {
        image_digest: Some(digest.clone()),
        image_tag: Some(tag.clone()),
    });
    let digests = repository.images.keys();
    let untagged = digests
        .filter(|digest| repository.tags_of(digest).is_empty())
        .map(|digest| Identifier {
            image_digest: Some(digest.clone()),
            image_tag: None,
        });
    let identifiers = tagged
        .chain(untagged)
        .filter(|identifier| input.filter.lets(identifier.image_tag.is_some()))
        .collect();
    let (identifiers, next) = cut(identifiers, input)?;
    Ok(json!({"imageIds": identifiers, "nextToken": next}))
}

/// `DescribeImages`: those named, or a page of all.
pub(super) fn describe(state: &State, input: &List) -> Result<Value, Exception> {
    let name = &input.repository_name;
    let inventory = state.store.read();
    let repository = find(state, &inventory, name)?;
    let (digests, next) = select(state, repository, input)?;
    let details: Vec<Value> = digests
        .iter()
        .filter_map(|digest| {
            let image = repository.images.get(*digest)?;
            let parts = image.parts();
            Some(json!({
                "registryId": state.options.account_id,
                "repositoryName": name,
                "imageDigest": digest,
                "imageTags": repository.tags_of(digest),
                "imageSizeInBytes": parts.blobs.values().sum::<u64>(),
                "imagePushedAt": image.pushed_at,
                "imageManifestMediaType": image.media_type,
            }))
        })
        .collect();
    Ok(json!({"imageDetails": details, "nextToken": next}))
}

/// The digests that a `DescribeImages` is about, and the token of the next page.
fn select<'a>(
    state: &State,
    repository: &'a Repository,
    input: &List,
) -> Result<(Vec<&'a str>, Option<String>), Exception> {
    if let Some(identifiers) = &input.image_ids {
        let found = identifiers.iter().map(|identifier| {
            resolve(repository, identifier)
                .map_err(|_| not_found(state, &input.repository_name, identifier))
        });
        return Ok((found.collect::<Result<_, _>>()?, None));
    }
    let digests = repository.images.keys().map(String::as_str);
    let wanted = digests.filter(|digest| input.filter.lets(!repository.tags_of(digest).is_empty()));
    cut(wanted.collect(), input)
}

/// `BatchDeleteImage`. By tag, an image with other tags loses that tag only; by its last tag or by
/// digest it goes altogether, unless an index lists it.
pub(super) fn delete(state: &State, input: &Batch) -> Result<Value, Exception> {
    limit("imageIds", input.image_ids.len())?;
    state.store.change(|inventory| {
        let repository = find_mut(state, inventory, &input.repository_name)?;
        let (mut deleted, mut failures) = (Vec::new(), Vec::new());
        for identifier in &input.image_ids {
            match remove(repository, identifier) {
                Ok(gone) => deleted.extend(gone),
                Err((code, reason)) => failures.push(failure(identifier, code, &reason)),
            }
        }
        Ok(json!({"imageIds": deleted, "failures": failures}))
    })
}

pub(super) type Reason = (&'static str, String);

fn remove(repository: &mut Repository, identifier: &Identifier) -> Result<Vec<Identifier>, Reason> {
    let digest = resolve(repository, identifier)?.to_owned();
    let tags: Vec<String> = repository
        .tags_of(&digest)
        .into_iter()
        .map(str::to_owned)
        .collect();
    let gone = |tag: Option<&String>| Identifier {
        image_digest: Some(digest.clone()),
        image_tag: tag.cloned(),
    };
    if let Some(tag) = &identifier.image_tag
        && tags.len() > 1
    {
        repository.tags.remove(tag);
        return Ok(vec![gone(Some(tag))]);
    }
    let parents = repository.parents(&digest);
    if !parents.is_empty() {
        let reason = format!(
            "Requested image referenced by manifest list: [{}]",
            parents.join(", ")
        );
        return Err(("ImageReferencedByManifestList", reason));
    }
    repository.images.remove(&digest);
    repository.tags.retain(|_, tagged| *tagged != digest);
    Ok(match tags.as_slice() {
        [] => vec![gone(None)],
        tags => tags.iter().map(|tag| gone(Some(tag))).collect(),
    })
}

pub(super) fn resolve<'a>(
    repository: &'a Repository,
    identifier: &Identifier,
) -> Result<&'a str, Reason> {
    let missing = || ("ImageNotFound", "Requested image not found".to_owned());
    let asked = (&identifier.image_digest, &identifier.image_tag);
    match asked {
        (Some(digest), _) if digest.parse::<Digest>().is_err() => {
            let reason = "Invalid request parameters: image digest should satisfy the regex";
            Err(("InvalidImageDigest", reason.to_owned()))
        }
        (Some(digest), Some(tag)) => match repository.resolve(tag) {
            Some(tagged) if tagged == digest => Ok(tagged),
            _ => Err((
                "ImageTagDoesNotMatchDigest",
                "Requested tag does not match digest".to_owned(),
            )),
        },
        (Some(reference), None) | (None, Some(reference)) => {
            repository.resolve(reference).ok_or_else(missing)
        }
        (None, None) => {
            let reason = "Invalid request parameters: both tag and digest cannot be null";
            Err(("MissingDigestAndTag", reason.to_owned()))
        }
    }
}

fn cut<T>(items: Vec<T>, input: &List) -> Result<(Vec<T>, Option<String>), Exception> {
    page::cut(items, input.max_results, input.next_token.as_deref())
}

pub(super) fn failure(identifier: &Identifier, code: &str, reason: &str) -> Value {
    json!({"imageId": identifier, "failureCode": code, "failureReason": reason})
}

fn not_found(state: &State, name: &str, identifier: &Identifier) -> Exception {
    let text = |part: &Option<String>| part.as_deref().unwrap_or("null").to_owned();
    let message = format!(
        "The image with imageId {{imageDigest:'{}', imageTag:'{}'}} does not exist within the \
         repository with name '{name}' in the registry with id '{}'",
        text(&identifier.image_digest),
        text(&identifier.image_tag),
        state.options.account_id
    );
    Exception::new("ImageNotFoundException", message)
}
