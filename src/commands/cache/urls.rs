//! `longshore cache urls`.

use crate::cache;
use crate::cli::{self, Output};
use crate::commands::exit::Exit;
use crate::commands::{console, session};
use crate::report::{CacheUrlsObject, cache_url_lines};

use super::unknown::known;

/// Prints what to pull by.
pub(in crate::commands) async fn urls(arguments: cli::CacheUrls) -> anyhow::Result<Exit> {
    let specification = session::specification_without_secrets(&arguments.file).await?;
    let rules = &known(&specification)?.rules;
    let registry = if let Some(endpoint) = specification.destination.ecr().registry {
        endpoint.registry
    } else {
        let access = session::cache(&specification).await?;
        access.ecr.registry().await?.registry
    };
    let urls = cache::urls(rules, &registry, &arguments.images)?;
    match arguments.data.output {
        Output::Text => console::print(&cache_url_lines(&urls))?,
        Output::Json => console::print_json(&CacheUrlsObject::new(&urls))?,
    }
    Ok(Exit::Success)
}
