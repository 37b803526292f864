//! `longshore cache warm`.

use crate::cache::{self, Asked};
use crate::cli::{self, Output, Talk};
use crate::commands::exit::Exit;
use crate::commands::{console, session};
use crate::failure::Failure as _;
use crate::image::{Platform, Reference};
use crate::report::{CacheWarmObject, error_text};

use super::unknown::known;

/// Has ECR fetch images, and prints what each of them has now: `HOST/PREFIX/NAME:TAG@DIGEST`.
pub(in crate::commands) async fn warm(
    arguments: cli::CacheWarm,
    talk: Talk,
) -> anyhow::Result<Exit> {
    let specification = session::specification_without_secrets(&arguments.file).await?;
    let rules = &known(&specification)?.rules;
    let access = session::cache(&specification).await?;
    let registry = match specification.destination.ecr().registry {
        Some(endpoint) => endpoint.registry,
        None => access.ecr.registry().await?.registry,
    };
    let platforms: Vec<Platform> = arguments.platform.into_iter().flatten().collect();
    let images = &arguments.images;
    let upstreams = match platforms[..] {
        [] => None,
        _ => Some(
            session::access(&specification, console::observer(talk))
                .await?
                .upstreams,
        ),
    };
    let asked = upstreams.as_ref().map(|upstreams| Asked {
        platforms: &platforms,
        store: &upstreams.store,
    });
    let warmed = cache::warm(rules, &registry, images, asked, &access).await?;
    let failures = warmed
        .iter()
        .filter_map(|image| image.result.as_ref().err());
    for error in failures.clone() {
        console::say(&error_text(error));
    }
    match arguments.data.output {
        Output::Text => {
            for image in &warmed {
                if let Ok(warm) = &image.result {
                    let digest = Some(warm.digest.clone());
                    let url = image.url.clone();
                    console::print(&Reference { digest, ..url }.to_string())?;
                }
            }
        }
        Output::Json => console::print_json(&CacheWarmObject::new(&warmed))?,
    }
    let done = warmed.iter().any(|image| image.result.is_ok());
    let kinds: Vec<_> = failures.map(cache::Error::kind).collect();
    Ok(Exit::of_kinds(kinds, done))
}
