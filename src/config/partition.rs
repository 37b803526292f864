//! One of several parts of a file, for runs that share it between machines.

use std::fmt;
use std::num::NonZeroUsize;

use serde_json::json;

use super::{LockedPattern, Specification};
use crate::image::{Digest, Repository};

/// How many parts there may be at most. More of them would each write less than a manifest in two
/// minutes.
pub const MOST_PARTITIONS: usize = 1000;

/// One of several parts that destination repositories fall into. A repository always falls into one
/// part, which its name alone decides: neither another repository nor the file's order moves it,
/// and one more part takes only what becomes its own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Partition {
    index: usize,
    count: NonZeroUsize,
}

impl Partition {
    /// The part of this number, counted from 1, of so many; `None` where there is none.
    pub fn new(index: usize, count: NonZeroUsize) -> Option<Self> {
        let exists = (1..=count.get()).contains(&index) && count.get() <= MOST_PARTITIONS;
        exists.then_some(Self { index, count })
    }

    /// The part's number, counted from 1.
    pub fn index(self) -> usize {
        self.index
    }

    /// How many parts there are.
    pub fn count(self) -> NonZeroUsize {
        self.count
    }

    /// Whether a destination repository, namespace included, falls into this part: the one that has
    /// the highest weight for it (rendezvous hashing).
    pub fn has(self, repository: &Repository) -> bool {
        let weight = |index: usize| Digest::of(format!("{index}/{repository}").as_bytes());
        let own = weight(self.index);
        let mut others = (1..=self.count.get()).filter(|index| *index != self.index);
        others.all(|index| weight(index) < own)
    }
}

/// `3/8`.
impl fmt::Display for Partition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.index, self.count)
    }
}

impl Specification {
    /// Keeps the images whose destination repositories fall into a part; nothing is asked of the
    /// others.
    #[must_use]
    pub fn part(mut self, partition: Partition) -> Self {
        self.images.retain(|image| partition.has(&image.repository));
        self.patterns
            .retain(|pattern| partition.has(pattern.repository()));
        self.partition = Some(partition);
        self
    }

    /// A digest of what is wanted: runs with the same one are about the same images.
    pub fn fingerprint(&self) -> Digest {
        let images = self.images.iter().map(|image| {
            let (source, lines) = (image.source.to_string(), image.lines.as_slice());
            let platforms = image.platforms.chosen().unwrap_or_default();
            let platforms: Vec<_> = platforms.iter().map(ToString::to_string).collect();
            json!([
                image.repository.as_str(),
                image.tag.as_str(),
                source,
                platforms,
                lines
            ])
        });
        let images: Vec<_> = images.collect();
        let patterns = self.patterns.iter();
        let patterns = patterns.map(|pattern| LockedPattern::new(pattern, Vec::new()));
        let patterns: Vec<_> = patterns.collect();
        Digest::of(json!([images, patterns]).to_string().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use proptest::collection::btree_set;
    use proptest::prelude::*;

    use super::super::Document;
    use super::*;

    /// An image in each repository: every third chosen by a pattern, every third with two tags.
    fn specification<'a>(names: impl IntoIterator<Item = &'a String>) -> Specification {
        let mut text = "version: 1\nimages: [".to_owned();
        for name in names {
            text += match name.len() % 3 {
                0 => "{source: redis, tags: ['7.*'], repository: '",
                1 => "{source: redis, tags: ['1', '2'], repository: '",
                _ => "{source: redis, repository: '",
            };
            text += name;
            text += "'}, ";
        }
        let document = Document {
            name: "longshore.yaml".to_owned(),
            text: text + "]",
            folder: PathBuf::new(),
        };
        Specification::parse(&document, &|_| None).unwrap()
    }

    /// What each part takes, in the file's order.
    fn taken(whole: &Specification, count: NonZeroUsize) -> Vec<Vec<String>> {
        let parts = (1..=count.get()).map(|index| {
            let part = Partition::new(index, count).unwrap();
            let part = whole.clone().part(part);
            let images = part.images.iter();
            let images = images.map(|image| format!("{}:{}", image.repository, image.tag));
            let patterns = part.patterns.iter().map(|it| it.repository().to_string());
            images.chain(patterns).collect()
        });
        parts.collect()
    }

    proptest! {
        #[test]
        fn parts_are_the_whole_and_an_image_more_moves_no_other(
            names in btree_set("[a-z]{2,6}(/[a-z0-9]{1,4})?", 1..40),
            more in "[a-z]{2,6}/another",
            count in 1..20_usize,
        ) {
            let count = NonZeroUsize::new(count).unwrap();
            let whole = specification(&names);
            let one = NonZeroUsize::MIN;
            let parts = taken(&whole, count);
            let mut together = parts.concat();
            let mut all = taken(&whole, one).concat();
            together.sort();
            all.sort();
            prop_assert_eq!(together, all);

            let grown = taken(&specification(names.iter().chain([&more])), count);
            let is_other = |name: &String| !name.starts_with(&more);
            let others = grown.into_iter().map(|part| part.into_iter().filter(is_other).collect());
            let others: Vec<Vec<String>> = others.collect();
            prop_assert_eq!(others, parts);
        }
    }

    /// Which part each repository falls into.
    fn parts(repositories: &[Repository], count: usize) -> Vec<usize> {
        let count = NonZeroUsize::new(count).unwrap();
        let partitions = (1..=count.get()).map(|index| Partition::new(index, count).unwrap());
        let partitions: Vec<_> = partitions.collect();
        let part = |repository| {
            let mut takers = partitions.iter().filter(|it| it.has(repository));
            let taker = takers.next().expect("every repository has a part");
            assert_eq!(takers.next(), None, "{repository} has one part");
            taker.index()
        };
        repositories.iter().map(part).collect()
    }

    fn repositories(count: usize) -> Vec<Repository> {
        let name = |number| format!("mirror/team-{}/service-{number}", number % 17);
        let names = (0..count).map(name);
        names.map(|name| name.parse().unwrap()).collect()
    }

    #[test]
    fn one_more_part_takes_only_what_becomes_its_own() {
        let repositories = repositories(2000);
        let (eight, nine) = (parts(&repositories, 8), parts(&repositories, 9));
        let moved: Vec<_> = eight.iter().zip(&nine).filter(|(a, b)| a != b).collect();
        assert!(moved.iter().all(|(_, to)| **to == 9), "{moved:?}");
        // A ninth of 2,000, give or take a quarter.
        assert!((167..=278).contains(&moved.len()), "{}", moved.len());
    }

    /// A version that answers otherwise could share a file with an older one, and leave images out.
    #[test]
    fn where_a_repository_falls_never_changes() {
        assert_eq!(
            parts(&repositories(12), 8),
            [4, 4, 2, 4, 2, 5, 4, 6, 1, 2, 4, 3]
        );
        assert_eq!(parts(&repositories(3), 1), [1, 1, 1]);
    }

    #[test]
    fn a_part_has_a_number_among_all() {
        let part = |index, count| Partition::new(index, NonZeroUsize::new(count).unwrap());
        assert_eq!(part(8, 8).unwrap().to_string(), "8/8");
        for (index, count) in [(0, 8), (9, 8), (1, MOST_PARTITIONS + 1)] {
            assert_eq!(part(index, count), None, "{index}/{count}");
        }
    }
}
