//! The images that the command line picks from the file.

use super::hint::{list, nearest};
use super::mistakes::{Mistakes, Place};
use super::specification::{ImageSpecification, Specification};
use crate::image::Location;

/// How many names a hint shows.
const SHOWN: usize = 10;

impl Specification {
    /// Keeps the images with these names, all of them where there is no name. A name is the source
    /// (`redis`, `hashicorp/vault:1.14`) or the destination (`ecsclone/redis`, `ecsclone/redis:7`),
    /// with or without its tag. A tag that a pattern may stand for is a name too; whether the
    /// repository has it shows when it is listed. A name that no image has is a mistake.
    pub fn narrow(mut self, names: &[String]) -> Result<Self, Mistakes> {
        let mut mistakes = Mistakes::of("the arguments");
        for name in names {
            let known = self.images.iter().any(|image| answers(image, name))
                || self.patterns.iter().any(|pattern| pattern.answers(name));
            if !known {
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
            let patterns = self.patterns.into_iter();
            self.patterns = patterns
                .filter_map(|pattern| pattern.narrow(names))
                .collect();
        }
        Ok(self)
    }

    fn suggestion(&self, name: &str) -> String {
        let mut known = Vec::new();
        for image in &self.images {
            let source = &image.source;
            known.extend([
                source.bare().familiar(),
                source.unpinned().familiar(),
                image.repository.to_string(),
                destination(image),
            ]);
        }
        for pattern in &self.patterns {
            known.extend([
                pattern.source().familiar(),
                pattern.repository().to_string(),
            ]);
        }
        if let Some(pattern) = self
            .patterns
            .iter()
            .find(|pattern| pattern.leaves_out(name))
        {
            let source = pattern.source().familiar();
            let line = pattern.line();
            return format!("`tags` of `{source}` (line {line}) leaves it out");
        }
        let ends_so = |known: &&String| known.ends_with(&format!("/{name}"));
        if let Some(known) = known.iter().find(ends_so) {
            return format!("did you mean `{known}`?");
        }
        if let Some(nearest) = nearest(name, known.iter().map(String::as_str)) {
            return format!("did you mean `{nearest}`?");
        }
        let named = self.images.iter().map(|image| image.source.familiar());
        let listed = self
            .patterns
            .iter()
            .map(|pattern| pattern.source().familiar());
        let all: Vec<String> = named.chain(listed).collect();
        let shown: Vec<&str> = all.iter().map(String::as_str).take(SHOWN).collect();
        let more = if all.len() > SHOWN { ", ..." } else { "" };
        format!("the images are {}{more}", list(&shown))
    }
}

fn answers(image: &ImageSpecification, name: &str) -> bool {
    if name == image.repository.as_str() || name == destination(image) {
        return true;
    }
    let Ok(named) = name.parse::<Location>() else {
        return false;
    };
    let source = &image.source;
    named.bare() == source.bare()
        && (named.tag().is_none() || named.tag() == source.tag())
        && (named.digest().is_none() || named.digest() == source.digest())
}

fn destination(image: &ImageSpecification) -> String {
    format!("{}:{}", image.repository, image.tag)
}
