//! Images whose tags are known only when the repository has been listed.

use super::collision::Collision;
use super::mistakes::{Mistakes, Place};
use super::specification::{ImageSpecification, Specification};
use crate::image::{Location, Repository, Tag};
use crate::selection::{Selected, StepCount, TagSelection};

/// An entry of the file that selects tags by patterns. The tags that it names are images of their
/// own.
#[derive(Clone, Debug)]
pub struct ImagePattern {
    /// Which tags are wanted.
    tags: TagSelection,
    /// The tags that the command line asked for; all where empty.
    named: Vec<Tag>,
    /// What each tag becomes. Its own tag stands for nothing.
    image: ImageSpecification,
}

/// What an [`ImagePattern`] stands for.
#[derive(Clone, Debug)]
pub struct Expansion {
    /// One per tag that is wanted and not named by the same entry of the file, the oldest first.
    pub images: Vec<ImageSpecification>,
    /// How many tags each rule left, those that the entry names included.
    pub steps: Vec<StepCount>,
}

/// What a name of the command line asks for.
enum Asked {
    All,
    One(Tag),
}

impl ImagePattern {
    /// `image` is what each tag becomes, whatever its own tag.
    pub(super) fn new(tags: TagSelection, image: ImageSpecification) -> Self {
        Self {
            tags,
            named: Vec::new(),
            image,
        }
    }

    /// Which entry of the file's `images` this is, counted from 0.
    pub fn entry(&self) -> usize {
        self.image.entry
    }

    /// What each tag becomes. Its own tag stands for nothing.
    pub fn image(&self) -> &ImageSpecification {
        &self.image
    }

    /// The line of the file that it begins at, counted from 1; 0 where there is no file.
    pub fn line(&self) -> usize {
        self.image.line
    }

    /// What is to be listed, without tag and digest.
    pub fn source(&self) -> Location {
        self.image.source.bare()
    }

    /// The destination repository, namespace included.
    pub fn repository(&self) -> &Repository {
        &self.image.repository
    }

    /// What it stands for, given the tags that the upstream repository has.
    pub fn expand(&self, available: &[Tag]) -> Expansion {
        let Selected {
            mut tags,
            mut steps,
        } = self.tags.select(available);
        if !self.named.is_empty() {
            tags.retain(|tag| self.named.contains(tag));
            let kept = tags.len();
            steps.push(StepCount {
                name: "arguments",
                kept,
            });
        }
        Expansion {
            images: self.images(&tags),
            steps,
        }
    }

    /// The images of these tags, but for those that the same entry of the file names.
    pub(super) fn images(&self, tags: &[Tag]) -> Vec<ImageSpecification> {
        let unnamed = tags.iter().filter(|tag| !self.tags.literals.contains(tag));
        let image = |tag: &Tag| ImageSpecification {
            source: self.image.source.by_tag(tag.clone()),
            tag: tag.clone(),
            ..self.image.clone()
        };
        unnamed.map(image).collect()
    }

    /// Which tags are wanted.
    pub(super) fn selection(&self) -> &TagSelection {
        &self.tags
    }

    /// Keeps of what it stands for the part that the names ask for: a name without a tag asks for
    /// all. `None` where none of them asks for anything.
    pub(super) fn narrow(mut self, names: &[String]) -> Option<Self> {
        let mut tags = Vec::new();
        for name in names {
            match self.asked_by(name) {
                Some(Asked::All) => return Some(self),
                Some(Asked::One(tag)) => tags.push(tag),
                None => {}
            }
        }
        if tags.is_empty() {
            return None;
        }
        self.named = tags;
        Some(self)
    }

    /// Whether a name asks for anything that it may stand for.
    pub(super) fn answers(&self, name: &str) -> bool {
        self.asked_by(name).is_some()
    }

    /// Whether a name is that of a tag that is not wanted.
    pub(super) fn leaves_out(&self, name: &str) -> bool {
        self.read(name).is_some() && self.asked_by(name).is_none()
    }

    fn asked_by(&self, name: &str) -> Option<Asked> {
        self.read(name).filter(|asked| match asked {
            Asked::All => true,
            Asked::One(tag) => self.tags.may_select(tag) && !self.tags.literals.contains(tag),
        })
    }

    /// Reads a name of the source or of the destination, with or without a tag.
    fn read(&self, name: &str) -> Option<Asked> {
        if let Some(rest) = name.strip_prefix(self.repository().as_str()) {
            if rest.is_empty() {
                return Some(Asked::All);
            }
            if let Some(Ok(tag)) = rest.strip_prefix(':').map(str::parse) {
                return Some(Asked::One(tag));
            }
        }
        let named: Location = name.parse().ok()?;
        let is_same = named.bare() == self.source() && named.digest().is_none();
        is_same.then(|| named.tag().cloned().map_or(Asked::All, Asked::One))
    }
}

impl Specification {
    /// Puts images that patterns stand for among the others, in the file's order, and drops the
    /// patterns. It is a mistake when two images would write the same destination tag.
    pub fn expanded(
        mut self,
        expansions: impl IntoIterator<Item = ImageSpecification>,
    ) -> Result<Self, Mistakes> {
        self.patterns.clear();
        self.images.extend(expansions);
        self.images.sort_by_key(|image| image.entry);
        let mut mistakes = Mistakes::of("the configuration, seen with the tags that there are");
        for collision in Collision::all(&self.images) {
            let place = Place::argument(&format!("images[{}]", collision.second.entry));
            let hint = if collision.has_one_source() {
                "drop it from a pattern by `exclude`"
            } else {
                collision.hint()
            };
            mistakes.add(&place, collision.to_string(), hint.to_owned());
        }
        if mistakes.is_empty() {
            Ok(self)
        } else {
            Err(mistakes)
        }
    }
}
