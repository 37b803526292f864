//! Two images that would write the same destination tag.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;

use super::specification::ImageSpecification;

/// Two images that would write the same destination tag.
pub(super) struct Collision<'a> {
    first: &'a ImageSpecification,
    pub(super) second: &'a ImageSpecification,
}

impl<'a> Collision<'a> {
    /// All collisions, each with the first image that writes the tag.
    pub(super) fn all(images: &'a [ImageSpecification]) -> Vec<Self> {
        let mut taken = HashMap::new();
        let mut collisions = Vec::new();
        for second in images {
            match taken.entry((&second.repository, &second.tag)) {
                Entry::Vacant(free) => {
                    free.insert(second);
                }
                Entry::Occupied(taken) => {
                    let first: &ImageSpecification = taken.get();
                    collisions.push(Self { first, second });
                }
            }
        }
        collisions
    }

    /// Whether both take the same upstream image.
    pub(super) fn has_one_source(&self) -> bool {
        self.first.source == self.second.source
    }

    pub(super) fn hint(&self) -> &'static str {
        if self.has_one_source() {
            "leave one of them out"
        } else {
            "give one of them a `repository` of its own"
        }
    }
}

impl fmt::Display for Collision<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, second } = self;
        write!(
            formatter,
            "`{}:{}` would be written twice: from {} and from {}",
            second.repository,
            second.tag,
            Origin(first),
            Origin(second)
        )
    }
}

struct Origin<'a>(&'a ImageSpecification);

impl fmt::Display for Origin<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ImageSpecification {
            source,
            entry,
            line,
            ..
        } = self.0;
        write!(
            formatter,
            "`{}` (images[{entry}], line {line})",
            source.familiar()
        )
    }
}
