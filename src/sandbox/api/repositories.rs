//! Repositories.

use serde::Deserialize;
use serde_json::{Value, json};

use super::exception::Exception;
use super::page::cut;
use super::resource_tags::add;
use crate::image;
use crate::sandbox::repository::{Encryption, Mutability, Repository, Settings};
use crate::sandbox::resource_tag::ResourceTag;
use crate::sandbox::state::State;
use crate::sandbox::store::Inventory;

/// The most exclusion filters.
const MOST_FILTERS: usize = 5;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Named {
    pub(super) repository_name: String,
    #[serde(default)]
    force: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Describe {
    repository_names: Option<Vec<String>>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Create {
    repository_name: String,
    #[serde(flatten)]
    settings: Settings,
    #[serde(default)]
    tags: Vec<ResourceTag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SetMutability {
    repository_name: String,
    #[serde(flatten)]
    mutability: Mutability,
}

/// `DescribeRepositories`: those named, or a page of all.
pub(super) fn describe(state: &State, input: Describe) -> Result<Value, Exception> {
    let inventory = state.store.read();
    let (names, next) = match input.repository_names {
        Some(names) if !names.is_empty() => (names, None),
        _ => {
            let names = inventory.repositories.keys().cloned().collect();
            cut(names, input.max_results, input.next_token.as_deref())?
        }
    };
    let described = names.iter().map(|name| {
        let repository = find(state, &inventory, name)?;
        Ok(description(state, name, repository))
    });
    let repositories: Vec<Value> = described.collect::<Result<_, Exception>>()?;
    Ok(json!({"repositories": repositories, "nextToken": next}))
}

/// `CreateRepository`.
pub(super) fn create(state: &State, input: Create) -> Result<Value, Exception> {
    let name = &input.repository_name;
    let sound = name.len() >= 2 && name.parse::<image::Repository>().is_ok();
    if !sound {
        return Err(Exception::invalid_parameter(
            "repositoryName",
            "must satisfy regular expression \
             '[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*(\\/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)*'",
        ));
    }
    check_mutability(&input.settings.mutability)?;
    check_encryption(&input.settings.encryption_configuration)?;
    let mut repository = Repository::new(input.settings);
    add(&mut repository.resource_tags, input.tags)?;
    state.store.change(|inventory| {
        if inventory.repositories.contains_key(name) {
            let message = format!(
                "The repository with name '{name}' already exists in the registry with id '{}'",
                state.options.account_id
            );
            return Err(Exception::new("RepositoryAlreadyExistsException", message));
        }
        let description = description(state, name, &repository);
        inventory.repositories.insert(name.clone(), repository);
        Ok(json!({"repository": description}))
    })
}

/// `DeleteRepository`: only an empty one, unless forced.
pub(super) fn delete(state: &State, input: &Named) -> Result<Value, Exception> {
    let name = &input.repository_name;
    state.store.change(|inventory| {
        let repository = find(state, inventory, name)?;
        if !repository.images.is_empty() && !input.force {
            let message = format!(
                "The repository with name '{name}' in registry with id '{}' cannot be deleted \
                 because it still contains images",
                state.options.account_id
            );
            return Err(Exception::new("RepositoryNotEmptyException", message));
        }
        let description = description(state, name, repository);
        inventory.repositories.remove(name);
        Ok(json!({"repository": description}))
    })
}

/// `PutImageTagMutability`.
pub(super) fn set_mutability(state: &State, input: SetMutability) -> Result<Value, Exception> {
    check_mutability(&input.mutability)?;
    let name = &input.repository_name;
    state.store.change(|inventory| {
        let repository = find_mut(state, inventory, name)?;
        repository.settings.mutability = input.mutability;
        let mut output = json!(repository.settings.mutability);
        output["registryId"] = json!(state.options.account_id);
        output["repositoryName"] = json!(name);
        Ok(output)
    })
}

/// A repository by name, or ECR's exception.
pub(super) fn find<'a>(
    state: &State,
    inventory: &'a Inventory,
    name: &str,
) -> Result<&'a Repository, Exception> {
    let found = inventory.repositories.get(name);
    found.ok_or_else(|| Exception::repository_not_found(state, name))
}

/// A repository by name to change it, or ECR's exception.
pub(super) fn find_mut<'a>(
    state: &State,
    inventory: &'a mut Inventory,
    name: &str,
) -> Result<&'a mut Repository, Exception> {
    let found = inventory.repositories.get_mut(name);
    found.ok_or_else(|| Exception::repository_not_found(state, name))
}

pub(super) fn check_encryption(encryption: &Encryption) -> Result<(), Exception> {
    if ["AES256", "KMS", "KMS_DSSE"].contains(&encryption.encryption_type.as_str()) {
        return Ok(());
    }
    Err(Exception::invalid_parameter(
        "encryptionType",
        "Member must satisfy enum value set: [AES256, KMS, KMS_DSSE]",
    ))
}

pub(super) fn check_mutability(mutability: &Mutability) -> Result<(), Exception> {
    let filters = &mutability.image_tag_mutability_exclusion_filters;
    let with_filters = match mutability.image_tag_mutability.as_str() {
        "MUTABLE" | "IMMUTABLE" => false,
        "MUTABLE_WITH_EXCLUSION" | "IMMUTABLE_WITH_EXCLUSION" => true,
        _ => {
            return Err(Exception::invalid_parameter(
                "imageTagMutability",
                "Member must satisfy enum value set: [IMMUTABLE, IMMUTABLE_WITH_EXCLUSION, \
                 MUTABLE, MUTABLE_WITH_EXCLUSION]",
            ));
        }
    };
    let sound = filters.iter().all(|each| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._*-".contains(c);
        let length = 1..=128;
        each.filter_type == "WILDCARD"
            && length.contains(&each.filter.len())
            && each.filter.chars().all(plain)
    });
    if with_filters == filters.is_empty() || filters.len() > MOST_FILTERS || !sound {
        return Err(Exception::invalid_parameter(
            "imageTagMutabilityExclusionFilters",
            "one to five wildcard filters are needed with an exclusion, and none without",
        ));
    }
    Ok(())
}

fn description(state: &State, name: &str, repository: &Repository) -> Value {
    let mut value = json!(repository.settings);
    value["registryId"] = json!(state.options.account_id);
    value["repositoryName"] = json!(name);
    value["repositoryArn"] = json!(state.arn("ecr", &format!("repository/{name}")));
    value["repositoryUri"] = json!(format!("{}/{name}", state.addresses.registry));
    value["createdAt"] = json!(repository.created_at);
    value
}
