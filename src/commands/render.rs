//! `longshore render`.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;

use crate::cli::{self, Talk};
use crate::config::ImageSpecification;
use crate::failure::{Failure, Kind};
use crate::image::Platform;
use crate::pipeline::{self, Dockerfile, Expanded, expand};
use crate::report::{tell_failure, tell_unlisted};

use super::exit::Exit;
use super::{console, session};

/// Writes the generated Dockerfiles; builds nothing. One image that cannot be rendered does not
/// keep the others from it.
pub(super) async fn render(arguments: cli::Render, talk: Talk) -> anyhow::Result<Exit> {
    let specification = session::specification(&arguments.selection).await?;
    let observer = console::observer(talk);
    let upstreams = session::upstreams(&specification, Arc::clone(&observer)).await?;
    let Expanded {
        specification,
        unlisted,
        ..
    } = expand(specification, &upstreams, &*observer).await?;
    // Asking the daemon would make `render` need one; `apply` asks.
    let daemon = Platform::new("linux", std::env::consts::ARCH, None);
    tell_unlisted(&unlisted, &*observer);
    let mut failures: Vec<Kind> = unlisted
        .iter()
        .map(|unlisted| unlisted.error.kind())
        .collect();
    let mut rendered = false;
    for image in specification.images.iter().filter(|image| !image.is_copy()) {
        match pipeline::render(image, &upstreams, &daemon).await {
            Ok(dockerfiles) => {
                rendered = true;
                write(image, &dockerfiles, arguments.directory.as_deref())?;
            }
            Err(error) => {
                failures.push(error.kind());
                tell_failure(&image.source, &error, &*observer);
            }
        }
    }
    if !rendered && failures.is_empty() {
        console::say("no image has lines, so there is no Dockerfile");
    }
    Ok(Exit::of_kinds(failures, rendered))
}

fn write(
    image: &ImageSpecification,
    dockerfiles: &[Dockerfile],
    directory: Option<&Path>,
) -> anyhow::Result<()> {
    for Dockerfile { platform, text } in dockerfiles {
        let Some(directory) = directory else {
            console::print(&format!(
                "# {}:{} {platform}\n{text}",
                image.repository, image.tag
            ))?;
            continue;
        };
        let folder = directory
            .join(image.repository.as_str())
            .join(image.tag.as_str())
            .join(platform.slug());
        let file = folder.join("Dockerfile");
        std::fs::create_dir_all(&folder)
            .and_then(|()| std::fs::write(&file, text))
            .with_context(|| format!("cannot write `{}`", file.display()))?;
        console::print(&file.display().to_string())?;
    }
    Ok(())
}
