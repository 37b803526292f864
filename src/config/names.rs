//! The images that the command line picks from the file.

use super::hint::{list, nearest};
use super::mistakes::{Mistakes, Place};
use super::specification::{ImageSpecification, Specification};
use crate::image::Reference;

/// How many names a hint shows.
const SHOWN: usize = 10;

impl Specification {
    /// Keeps the images with these names, all of them where there is no name. A name is the source
    /// (`redis`, `hashicorp/vault:1.14`) or the destination (`ecsclone/redis`, `ecsclone/redis:7`),
    /// with or without its tag. A name that no image has is a mistake.
    pub fn narrow(mut self, names: &[String]) -> Result<Self, Mistakes> {
        let mut mistakes = Mistakes::of("the arguments");
        for name in names {
            if !self.images.iter().any(|image| answers(image, name)) {
                let message = format!("no image of the configuration is called `{name}`");
                mistakes.add(&Place::argument("IMAGE"), message, self.suggestion(name));
            }
        }
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        if !names.is_empty() {
            self.images
                .retain(|image| names.iter().any(|name| answers(image, name)));
        }
        Ok(self)
    }

    fn suggestion(&self, name: &str) -> String {
        let mut known = Vec::new();
        for image in &self.images {
            let source = &image.source;
            let with_tag = Reference {
                digest: None,
                ..source.clone()
            };
            let bare = Reference {
                tag: None,
                ..with_tag.clone()
            };
            known.extend([
                bare.familiar(),
                with_tag.familiar(),
                image.repository.to_string(),
                destination(image),
            ]);
        }
        let ends_so = |known: &&String| known.ends_with(&format!("/{name}"));
        if let Some(known) = known.iter().find(ends_so) {
            return format!("did you mean `{known}`?");
        }
        if let Some(nearest) = nearest(name, known.iter().map(String::as_str)) {
            return format!("did you mean `{nearest}`?");
        }
        let names: Vec<String> = self
            .images
            .iter()
            .map(|image| image.source.familiar())
            .collect();
        let shown: Vec<&str> = names.iter().map(String::as_str).take(SHOWN).collect();
        let more = if names.len() > SHOWN { ", ..." } else { "" };
        format!("the images are {}{more}", list(&shown))
    }
}

fn answers(image: &ImageSpecification, name: &str) -> bool {
    if name == image.repository.as_str() || name == destination(image) {
        return true;
    }
    let Ok(named) = name.parse::<Reference>() else {
        return false;
    };
    let source = &image.source;
    named.registry == source.registry
        && named.repository == source.repository
        && (named.tag.is_none() || named.tag == source.tag)
        && (named.digest.is_none() || named.digest == source.digest)
}

fn destination(image: &ImageSpecification) -> String {
    format!("{}:{}", image.repository, image.tag)
}
