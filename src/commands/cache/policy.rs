//! `longshore cache policy`.

use crate::cache::{self, Audience, Place};
use crate::cli;
use crate::commands::exit::Exit;
use crate::commands::{console, session};
use crate::config::Specification;
use crate::ecr::EcrHost;

/// Prints the least that IAM must allow.
pub(in crate::commands) async fn policy(arguments: cli::CachePolicy) -> anyhow::Result<Exit> {
    let specification = session::specification_without_secrets(&arguments.file).await?;
    let audience = match arguments.audience {
        cli::Audience::Puller => Audience::Puller,
        cli::Audience::Manager => Audience::Manager {
            existing: arguments.existing,
        },
        cli::Audience::Pusher => Audience::Pusher {
            repairs: arguments.upkeep.repair_repositories,
            prunes: arguments.upkeep.prune_orphans,
        },
    };
    let place = place(&specification).await?;
    console::print_json(&cache::policy(audience, &specification, &place))?;
    Ok(Exit::Success)
}

/// Where the registry is. AWS is asked only for what the file leaves open.
async fn place(specification: &Specification) -> anyhow::Result<Place> {
    let destination = specification.destination.ecr();
    if let (Some(region), Some(account_id)) = (destination.region, destination.account_id.clone()) {
        return Ok(Place { region, account_id });
    }
    let access = session::cache(specification).await?;
    let account_id = if let Some(account_id) = destination.account_id {
        account_id
    } else {
        let registry = access.ecr.registry().await?.registry;
        match EcrHost::of(&registry) {
            Some(host) => host.account_id,
            // A stand-in for ECR need not have the account in its name.
            None => session::account_id(specification).await?,
        }
    };
    Ok(Place {
        region: access.region,
        account_id,
    })
}
