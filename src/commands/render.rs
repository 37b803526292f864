//! `longshore render`.

use std::path::Path;

use anyhow::Context;

use crate::cli::{self, Talk};
use crate::config::ImageSpecification;
use crate::failure::{Failure, Kind, chain};
use crate::image::Platform;
use crate::pipeline::{self, Dockerfile};

use super::exit::Exit;
use super::{console, session};

/// Writes the generated Dockerfiles; builds nothing. One image that cannot be rendered does not
/// keep the others from it.
pub(super) async fn render(arguments: cli::Render, talk: Talk) -> anyhow::Result<Exit> {
    let specification = session::specification(&arguments.selection).await?;
    let upstreams = session::upstreams(&specification)?;
    let observer = console::observer(talk);
    // Asking the daemon would make `render` need one; `apply` asks.
    let daemon = Platform::new("linux", std::env::consts::ARCH, None);
    let mut failures: Vec<Kind> = Vec::new();
    for image in &specification.images {
        match pipeline::render(image, &upstreams, &daemon).await {
            Ok(dockerfiles) => write(image, &dockerfiles, arguments.directory.as_deref())?,
            Err(error) => {
                failures.push(error.kind());
                let image = image.source.clone();
                let (reason, hint) = (chain(&error), error.hint());
                observer.observe(crate::event::Event::Failed {
                    image,
                    reason,
                    hint,
                });
            }
        }
    }
    let rendered = failures.len() < specification.images.len();
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
