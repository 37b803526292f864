//! Repository creation templates.

use serde::Deserialize;
use serde_json::{Value, json};

use super::exception::Exception;
use super::page::cut;
use super::policies::{check_lifecycle, check_policy};
use super::repositories::{check_encryption, check_mutability};
use super::resource_tags::check_count;
use super::rules::check_role;
use crate::sandbox::fresh;
use crate::sandbox::pull_through::{Purpose, Template, is_prefix};
use crate::sandbox::repository::{Encryption, Exclusion, Mutability};
use crate::sandbox::resource_tag::ResourceTag;
use crate::sandbox::state::State;

/// The most characters of a lifecycle policy and of a repository policy.
const LONGEST_LIFECYCLE: usize = 30_720;
const LONGEST_POLICY: usize = 10_240;

/// A template as it shall be. What is absent is not changed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Wish {
    prefix: String,
    description: Option<String>,
    encryption_configuration: Option<Encryption>,
    resource_tags: Option<Vec<ResourceTag>>,
    image_tag_mutability: Option<String>,
    #[serde(default)]
    image_tag_mutability_exclusion_filters: Vec<Exclusion>,
    repository_policy: Option<String>,
    lifecycle_policy: Option<String>,
    applied_for: Option<Vec<Purpose>>,
    custom_role_arn: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Describe {
    prefixes: Option<Vec<String>>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Named {
    prefix: String,
}

/// `CreateRepositoryCreationTemplate`.
pub(super) fn create(state: &State, wish: Wish) -> Result<Value, Exception> {
    if !(1..=256).contains(&wish.prefix.len()) || !is_prefix(&wish.prefix) {
        return Err(Exception::invalid_parameter(
            "prefix",
            "must have 1 to 256 characters and satisfy regular expression \
             '^((?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*/?|ROOT)$'",
        ));
    }
    let prefix = plain(&wish.prefix).to_owned();
    let now = fresh::now();
    let mut template = Template {
        prefix: prefix.clone(),
        description: None,
        encryption_configuration: Encryption::default(),
        mutability: Mutability::default(),
        resource_tags: Vec::new(),
        repository_policy: None,
        lifecycle_policy: None,
        applied_for: Vec::new(),
        custom_role_arn: None,
        created_at: now,
        updated_at: now,
    };
    change(&mut template, wish)?;
    state.store.change(|inventory| {
        if inventory.templates.contains_key(&prefix) {
            let message = format!("A template with the prefix '{prefix}' already exists");
            return Err(Exception::new("TemplateAlreadyExistsException", message));
        }
        let output = describe_one(state, &template);
        inventory.templates.insert(prefix, template);
        Ok(output)
    })
}

/// `DescribeRepositoryCreationTemplates`: those named that exist, or a page of all.
pub(super) fn describe(state: &State, input: Describe) -> Result<Value, Exception> {
    let inventory = state.store.read();
    let (prefixes, next) = match input.prefixes {
        Some(prefixes) if !prefixes.is_empty() => (prefixes, None),
        _ => {
            let prefixes = inventory.templates.keys().cloned().collect();
            cut(prefixes, input.max_results, input.next_token.as_deref())?
        }
    };
    let found = prefixes
        .iter()
        .filter_map(|prefix| inventory.templates.get(plain(prefix)));
    let templates: Vec<&Template> = found.collect();
    Ok(json!({
        "registryId": state.options.account_id,
        "repositoryCreationTemplates": templates,
        "nextToken": next,
    }))
}

/// `UpdateRepositoryCreationTemplate`. An empty policy and an empty list take away what there was.
pub(super) fn update(state: &State, wish: Wish) -> Result<Value, Exception> {
    state.store.change(|inventory| {
        let template = inventory.templates.get_mut(plain(&wish.prefix));
        let template = template.ok_or_else(|| missing(state, &wish.prefix))?;
        let mut changed = template.clone();
        change(&mut changed, wish)?;
        changed.updated_at = fresh::now();
        *template = changed;
        Ok(describe_one(state, template))
    })
}

/// `DeleteRepositoryCreationTemplate`.
pub(super) fn delete(state: &State, input: &Named) -> Result<Value, Exception> {
    state.store.change(|inventory| {
        let template = inventory.templates.remove(plain(&input.prefix));
        let template = template.ok_or_else(|| missing(state, &input.prefix))?;
        Ok(describe_one(state, &template))
    })
}

fn change(template: &mut Template, wish: Wish) -> Result<(), Exception> {
    let some = |text: String| (!text.is_empty()).then_some(text);
    if let Some(text) = wish.description {
        template.description = some(text);
    }
    if let Some(encryption) = wish.encryption_configuration {
        check_encryption(&encryption)?;
        template.encryption_configuration = encryption;
    }
    if let Some(tags) = wish.resource_tags {
        check_count(tags.len())?;
        template.resource_tags = tags;
    }
    if let Some(name) = wish.image_tag_mutability {
        let mutability = Mutability {
            image_tag_mutability: name,
            image_tag_mutability_exclusion_filters: wish.image_tag_mutability_exclusion_filters,
        };
        check_mutability(&mutability)?;
        template.mutability = mutability;
    }
    if let Some(text) = wish.repository_policy {
        if !text.is_empty() {
            check_length("repositoryPolicy", &text, LONGEST_POLICY)?;
            check_policy(&text)?;
        }
        template.repository_policy = some(text);
    }
    if let Some(text) = wish.lifecycle_policy {
        if !text.is_empty() {
            check_length("lifecyclePolicy", &text, LONGEST_LIFECYCLE)?;
            check_lifecycle(&text)?;
        }
        template.lifecycle_policy = some(text);
    }
    if let Some(arn) = wish.custom_role_arn {
        if !arn.is_empty() {
            check_role(&arn)?;
        }
        template.custom_role_arn = some(arn);
    }
    if let Some(purposes) = wish.applied_for {
        template.applied_for = purposes;
    }
    if template.applied_for.is_empty() {
        let constraint = "Member must have length greater than or equal to 1";
        return Err(Exception::invalid_parameter("appliedFor", constraint));
    }
    Ok(())
}

fn check_length(parameter: &str, text: &str, longest: usize) -> Result<(), Exception> {
    if text.len() <= longest {
        return Ok(());
    }
    let constraint = format!("Member must have length less than or equal to {longest}");
    Err(Exception::invalid_parameter(parameter, &constraint))
}

/// A prefix as it is kept: ECR takes one with a slash at its end, and means the same.
fn plain(prefix: &str) -> &str {
    prefix.trim_end_matches('/')
}

fn describe_one(state: &State, template: &Template) -> Value {
    json!({
        "registryId": state.options.account_id,
        "repositoryCreationTemplate": template,
    })
}

fn missing(state: &State, prefix: &str) -> Exception {
    let message = format!(
        "The template with the prefix '{prefix}' does not exist in the registry with id '{}'",
        state.options.account_id
    );
    Exception::new("TemplateNotFoundException", message)
}
