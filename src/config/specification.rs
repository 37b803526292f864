//! The checked specification: every value is sound, every default is filled in.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::{CacheSpecification, ImagePattern, Partition, StoredSecret, through_cache};
use crate::context::Context;
use crate::docker::{BuildSecret, Compression};
use crate::dockerfile::{Lines, Template};
use crate::ecr::{RepositorySettings, StatedSettings};
use crate::image::{Location, Platform, Registry, Repository, Tag};
use crate::registry::{Endpoint, Login};
use crate::store::Detour;

/// What the user wants, checked.
#[derive(Clone, Debug)]
pub struct Specification {
    /// Where images go.
    pub destination: Destination,
    /// The prefix of every destination repository, which `images` and `patterns` have already.
    pub namespace: Option<Repository>,
    /// How a missing destination repository is created, and what an immutable tag means.
    pub repositories: Repositories,
    /// What is known about source registries, by their name.
    pub upstreams: BTreeMap<Registry, Upstream>,
    /// One entry per destination tag, in the file's order.
    pub images: Vec<ImageSpecification>,
    /// The images whose tags are known only when the repository has been listed, in the file's
    /// order.
    pub patterns: Vec<ImagePattern>,
    /// What ECR shall cache; absent where the file says nothing of it.
    pub cache: Option<CacheSpecification>,
    /// Which part of the file `images` and `patterns` are; absent for all of it.
    pub partition: Option<Partition>,
}

/// Where images go.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Destination {
    /// A registry of ECR's, with all that its API does.
    Ecr(EcrDestination),
    /// A registry that is a registry and nothing more.
    Registry(Registry),
    /// The folder of an OCI layout.
    Layout(PathBuf),
}

/// The ECR registry that images go to.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct EcrDestination {
    /// The AWS region; the AWS SDK's own chain decides where this is absent.
    pub region: Option<String>,
    /// Twelve digits; the account of the authorization token where this is absent.
    pub account_id: Option<String>,
    /// The AWS profile.
    pub profile: Option<String>,
    /// The ARN of a role assumed for everything on the destination side.
    pub role_arn: Option<String>,
    /// Where the registry really is, for tests and proxies; the AWS API still answers for
    /// repositories.
    pub registry: Option<Endpoint>,
}

/// How destination repositories are treated.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Repositories {
    /// Whether a missing repository is created; otherwise its images are skipped.
    pub create: bool,
    /// What to do when an immutable tag holds something else.
    pub on_conflict: OnConflict,
    /// Whether a mutable tag that holds something else is overwritten; otherwise that is a
    /// conflict.
    pub overwrite: bool,
    /// The settings of a repository that longshore creates.
    pub settings: RepositorySettings,
    /// What the file itself says of them, with which a repository that exists is compared.
    pub stated: StatedSettings,
}

/// What to do when an immutable tag holds something else.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum OnConflict {
    /// The image fails.
    #[default]
    Fail,
    /// The tag stays as it is, and that is no failure.
    Keep,
}

/// What is known about one source registry.
#[derive(Clone, Debug, Default)]
pub struct Upstream {
    /// The user to be at this registry.
    pub login: Option<UpstreamLogin>,
    /// The AWS profile whose ECR token opens the registry. Only ECR's registries have one, and none
    /// that has a login.
    pub profile: Option<String>,
    /// The ARN of a role that is assumed to get the ECR token, under the conditions of `profile`.
    pub role_arn: Option<String>,
    /// Where the registry is really read; names and labels keep the registry's own name.
    pub endpoint: Option<Endpoint>,
    /// Whether images are read through a rule of ECR's pull-through cache. The registry itself is
    /// then only asked for lists.
    pub through_cache: bool,
}

/// The user to be at a source registry.
#[derive(Clone, Debug)]
pub enum UpstreamLogin {
    /// The file leads to all of it.
    Known(Login),
    /// AWS keeps the password, and is asked for it when the registry wants a login.
    AtAws {
        /// The user's name; absent where it stands beside the password.
        username: Option<String>,
        /// The password or access token.
        password: StoredSecret,
    },
}

/// One destination tag and all that decides what it holds.
#[derive(Clone, Debug)]
pub struct ImageSpecification {
    /// Which entry of the file's `images` names it, counted from 0. Entries can share a line.
    pub entry: usize,
    /// The line of the file that names it, counted from 1; 0 where there is no file.
    pub line: usize,
    /// The upstream image, with a tag, a digest or both.
    pub source: Location,
    /// Whether the source is read through a rule of ECR's pull-through cache.
    pub through_cache: bool,
    /// The destination repository, namespace included. An OCI layout has none: there it is a name
    /// for the folder.
    pub repository: Repository,
    /// The destination tag.
    pub tag: Tag,
    /// The platforms to build or to copy.
    pub platforms: Platforms,
    /// What a copy does with attestations.
    pub attestations: Attestations,
    /// Whether a copy brings what refers to the image: signatures, SBOMs, attestations.
    pub referrers: bool,
    /// The extra Dockerfile lines.
    pub lines: Lines,
    /// The template of the Dockerfile.
    pub template: Template,
    /// Build arguments by name.
    pub args: BTreeMap<String, String>,
    /// Who makes what has lines.
    pub builder: Builder,
    /// Which of Docker's builders builds.
    pub builder_engine: BuilderEngine,
    /// The time that what is made gets, in seconds since 1970; `None` for the source's own. It is
    /// the same for all images. See <https://reproducible-builds.org/specs/source-date-epoch/>.
    pub source_date_epoch: Option<u64>,
    /// The folder that lines take files from; absent where none does.
    pub context: Option<Context>,
    /// The stage of the template that is built, unless it is the last one.
    pub target: Option<String>,
    /// The network of `RUN` lines, unless it is the daemon's default.
    pub network: Option<String>,
    /// What `RUN --mount=type=secret` lines see.
    pub secrets: Vec<BuildSecret>,
    /// Labels of what is built, beside those of its lines.
    pub labels: BTreeMap<String, String>,
    /// Who pushes what is built.
    pub publish: Publish,
    /// How the layers that the lines add are compressed.
    pub compression: Compression,
}

/// Who makes what has lines.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Builder {
    /// The Docker daemon, always.
    #[default]
    Docker,
    /// longshore where that is proven to give the same, else the Docker daemon.
    Auto,
    /// longshore; what needs a daemon fails.
    Direct,
}

/// Which of Docker's builders builds.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum BuilderEngine {
    /// The one that the daemon builds with where nobody chooses; BuildKit for what needs it.
    #[default]
    Auto,
    /// BuildKit; without it the image fails.
    BuildKit,
    /// The classic one; lines that need BuildKit are a mistake.
    Classic,
}

/// Who pushes what is built.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Publish {
    /// longshore: the base's layers as they are upstream, and the new ones.
    #[default]
    Longshore,
    /// The Docker daemon, which compresses every layer anew that the repository lacks.
    Daemon,
}

/// Which platforms of the source are built.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Platforms {
    /// All that the source offers.
    All,
    /// The Docker daemon's own: the default with `RUN` lines.
    Daemon,
    /// These, without repetition.
    Only(Vec<Platform>),
}

/// What a copy of an index does with the attestations that BuildKit lists in it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Attestations {
    /// Those of the copied platforms come along.
    #[default]
    Keep,
    /// They are left out, which takes an index of its own.
    Drop,
}

impl Platforms {
    /// The platforms that the user chose by name; `None` where the choice was left open. The
    /// recipe counts choices only, so that two machines agree on an image nobody changed.
    pub fn chosen(&self) -> Option<&[Platform]> {
        match self {
            Self::All | Self::Daemon => None,
            Self::Only(list) => Some(list),
        }
    }
}

impl Destination {
    /// What is said of the registry of ECR's, which is nothing where images go elsewhere.
    pub fn ecr(&self) -> EcrDestination {
        match self {
            Self::Ecr(ecr) => ecr.clone(),
            Self::Registry(_) | Self::Layout(_) => EcrDestination::default(),
        }
    }
}

impl Specification {
    /// The repositories that images go to, those of patterns included.
    pub fn destination_repositories(&self) -> BTreeSet<&Repository> {
        let known = self.images.iter().map(|image| &image.repository);
        let listed = self.patterns.iter().map(ImagePattern::repository);
        known.chain(listed).collect()
    }

    /// Whether a registry's images are read through the pull-through cache.
    pub fn is_through_cache(&self, registry: &Registry) -> bool {
        through_cache::is_taken(registry, &self.upstreams)
    }

    /// The ways to images that are read through the pull-through cache.
    pub fn detours(&self) -> Vec<Detour> {
        let rules = self.cache.iter().flat_map(|cache| &cache.rules);
        through_cache::detours(rules, &self.upstreams)
    }
}

impl ImageSpecification {
    /// Whether nothing is added to the source, so that its bytes are copied and nothing is built.
    pub fn is_copy(&self) -> bool {
        self.lines.as_slice().is_empty() && self.template.is_builtin()
    }
}
