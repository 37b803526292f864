//! Images fetched ahead as one JSON object, which `docs/commands.md` documents.

use serde::Serialize;

use crate::cache::{Error, Warmed};

use super::error_json::ErrorObject;
use super::json::VERSION;

/// What became of images that ECR was to fetch, as one JSON object.
#[derive(Serialize)]
pub struct CacheWarmObject {
    version: u8,
    command: &'static str,
    images: Vec<ImageObject>,
}

#[derive(Serialize)]
struct ImageObject {
    image: String,
    prefix: String,
    url: String,
    status: &'static str,
    digest: Option<String>,
    platforms: Vec<String>,
    bytes: Option<u64>,
    /// ECR's code for why there is nothing.
    code: Option<String>,
    error: Option<ErrorObject>,
}

impl CacheWarmObject {
    /// What became of images.
    pub fn new(warmed: &[Warmed]) -> Self {
        Self {
            version: VERSION,
            command: "cache warm",
            images: warmed.iter().map(image).collect(),
        }
    }
}

fn image(warmed: &Warmed) -> ImageObject {
    let (warm, error) = match &warmed.result {
        Ok(warm) => (Some(warm), None),
        Err(error) => (None, Some(error)),
    };
    let platforms = warm.iter().flat_map(|warm| &warm.platforms);
    ImageObject {
        image: warmed.image.to_string(),
        prefix: warmed.prefix.clone(),
        url: warmed.url.to_string(),
        status: if warm.is_some() { "cached" } else { "failed" },
        digest: warm.map(|warm| warm.digest.to_string()),
        platforms: platforms.map(ToString::to_string).collect(),
        bytes: warm.map(|warm| warm.bytes),
        code: match error {
            Some(Error::NotFetched { code, .. }) => Some(code.clone()),
            _ => None,
        },
        error: error.map(ErrorObject::new),
    }
}
