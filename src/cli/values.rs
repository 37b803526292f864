//! Values of arguments; an empty one, as Terraform makes of what is left out, counts as absent.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser};
use url::Url;

use crate::image::Platform;
use crate::pipeline::DEFAULT_JOBS;

/// A number of builds; none where an empty variable gave none.
pub type BuildJobs = Option<NonZeroUsize>;

/// Any path; an empty one, as Terraform makes of what is left out, counts as absent later.
pub(super) fn path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

/// A platform; an empty text counts as absent.
pub(super) fn platform(text: &str) -> Result<Option<Platform>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let platform = text.parse().map_err(|error| format!("{error}"));
    platform.map(Some)
}

pub(super) fn jobs(text: &str) -> Result<NonZeroUsize, String> {
    if text.is_empty() {
        return Ok(DEFAULT_JOBS);
    }
    text.parse()
        .map_err(|_| "expected a number of 1 or more".to_owned())
}

pub(super) fn build_jobs(text: &str) -> Result<BuildJobs, String> {
    if text.is_empty() {
        return Ok(None);
    }
    jobs(text).map(Some)
}

pub(super) fn existing_folder(text: &str) -> Result<PathBuf, String> {
    let folder = PathBuf::from(text);
    if folder.is_dir() {
        Ok(folder)
    } else {
        Err("there is no such folder".to_owned())
    }
}

/// `registry-1.docker.io=http://127.0.0.1:5000`.
pub(super) fn host_and_url(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once('=').filter(|(host, url)| {
        let is_http = url.starts_with("http://") || url.starts_with("https://");
        !host.is_empty() && is_http && Url::parse(url).is_ok()
    });
    let (host, url) = parts.ok_or("expected HOST=URL, such as quay.io=http://127.0.0.1:5000")?;
    Ok((host.to_owned(), url.trim_end_matches('/').to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_has_a_host_and_a_url() {
        let url = "http://127.0.0.1:5000";
        let read = host_and_url(&format!("quay.io={url}/")).unwrap();
        assert_eq!(read, ("quay.io".to_owned(), url.to_owned()));
        for text in ["quay.io", "=http://127.0.0.1", "quay.io=127.0.0.1:5000"] {
            assert!(host_and_url(text).is_err(), "{text}");
        }
    }
}
