//! What happens during a run, as values, and the trait that receives them. The rooms that work
//! know no terminal; `report` turns these values into lines, bars and tables.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::image::{Digest, Location, Platform, Registry, Repository};

/// A step on an image's way from the file to ECR. It prints as the infinitive that follows
/// "cannot".
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Step {
    /// The source's tag is resolved to a digest and its platforms.
    Resolve,
    /// The destination's repository and tag are looked at.
    Inspect,
    /// The destination's repository is created.
    Create,
    /// The destination's repository is compared with the file.
    Compare,
    /// The destination's repository is made what the file says.
    Repair,
    /// What the file no longer names is looked for.
    FindOrphans,
    /// What the file no longer names is deleted.
    Prune,
    /// An immutable tag would have to be overwritten.
    Overwrite,
    /// The Docker daemon is connected to.
    Connect,
    /// The image is taken out of the Docker daemon.
    Export,
    /// The Dockerfile is generated.
    Render,
    /// Manifests and blobs travel from the source to the destination.
    Copy,
    /// What refers to the image is looked for, and listed at the destination.
    Refer,
    /// The tags of the source's repository are listed.
    List,
    /// The source's manifests are read.
    Read,
    /// The Docker daemon pulls the base and runs the lines, for one platform.
    Build(Platform),
    /// The lines are applied to the base's configuration, for one platform.
    Derive(Platform),
    /// The image is uploaded.
    Push(Platform),
    /// The pushed digest is compared with the registry's.
    Verify,
    /// The platforms' images are joined into one index.
    Index,
}

impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resolve => formatter.write_str("resolve the source"),
            Self::Inspect => formatter.write_str("look at the destination"),
            Self::Create => formatter.write_str("create the repository"),
            Self::Compare => formatter.write_str("compare the repository with the file"),
            Self::Repair => formatter.write_str("make the repository what the file says"),
            Self::FindOrphans => formatter.write_str("find what the file no longer names"),
            Self::Prune => formatter.write_str("delete what the file no longer names"),
            Self::Overwrite => formatter.write_str("overwrite the tag"),
            Self::Copy => formatter.write_str("copy the image"),
            Self::Refer => formatter.write_str("find what refers to the image"),
            Self::Read => formatter.write_str("read the source"),
            Self::List => formatter.write_str("list the source's tags"),
            Self::Export => formatter.write_str("take the image out of Docker"),
            Self::Render => formatter.write_str("generate the Dockerfile"),
            Self::Connect => formatter.write_str("connect to Docker"),
            Self::Build(platform) => write!(formatter, "build for {platform}"),
            Self::Derive(platform) => write!(formatter, "derive the {platform} image"),
            Self::Push(platform) => write!(formatter, "push the {platform} image"),
            Self::Verify => formatter.write_str("verify what was pushed"),
            Self::Index => formatter.write_str("write the index"),
        }
    }
}

/// How much of an image has moved. Whoever moves it counts; whoever shows it looks as often as it
/// likes, so that no byte needs an event.
#[derive(Debug, Default)]
pub struct Volume {
    total: AtomicU64,
    done: AtomicU64,
}

impl Volume {
    /// Bytes that move or have moved; more may be found on the way.
    pub fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    /// Bytes that have moved.
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// There are so many bytes more to move.
    pub fn expect(&self, bytes: u64) {
        self.total.fetch_add(bytes, Ordering::Relaxed);
    }

    /// So many bytes need not move after all.
    pub fn spare(&self, bytes: u64) {
        self.total.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// So many bytes have moved.
    pub fn moved(&self, bytes: u64) {
        self.done.fetch_add(bytes, Ordering::Relaxed);
    }

    /// So many bytes have moved in vain.
    pub fn move_back(&self, bytes: u64) {
        self.done.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// Something that happened. An image is named by its destination.
#[derive(Clone, Debug)]
pub enum Event {
    /// Planning begins for this many images.
    Planning {
        /// How many images.
        images: usize,
    },
    /// The patterns of one entry of the file met the tags that its repository has.
    Selected {
        /// The repository that was listed.
        source: Location,
        /// The destination repository of what was selected.
        repository: Repository,
        /// How many tags it has.
        listed: usize,
        /// How many tags each rule left: its name and the number.
        kept: Vec<(&'static str, usize)>,
    },
    /// Planning read an index of the source to find one platform in it, which counts as a pull where
    /// pulls are counted.
    SourceRead {
        /// The destination.
        image: Location,
        /// The source.
        source: Location,
        /// The platform.
        platform: Platform,
    },
    /// Images are read through ECR's pull-through cache, which looks for a moved tag at its upstream
    /// once in 24 hours.
    ThroughCache {
        /// The upstream registries, by name.
        upstreams: Vec<Registry>,
    },
    /// A registry wants fewer requests; all of them wait.
    Paused {
        /// The registry.
        registry: Registry,
        /// How long.
        pause: Duration,
    },
    /// A registry said how many pulls it still allows.
    PullsLeft {
        /// The registry.
        registry: Registry,
        /// How many are left.
        remaining: u64,
        /// Of how many.
        limit: u64,
        /// How long the window is that they are counted in.
        window: Duration,
    },
    /// A run needs more pulls than a registry still allows.
    PullsShort {
        /// The registry.
        registry: Registry,
        /// How many pulls the run needs, as far as that is known.
        needed: u64,
        /// How many are left to this run.
        remaining: u64,
        /// How many runs, this one included, share what the registry allows.
        sharers: NonZeroUsize,
        /// How to be allowed more: a phrase.
        remedy: String,
        /// How many images they do not suffice for.
        images: usize,
        /// Whether these images wait; they fail otherwise.
        waits: bool,
    },
    /// The run waits until a registry allows more pulls.
    PullsAwaited {
        /// The registry.
        registry: Registry,
        /// The longest that it waits.
        at_most: Duration,
    },
    /// Planning is over.
    Planned,
    /// The Docker daemon, which images have to be built with, cannot be used.
    NoDocker {
        /// Why, with all causes.
        reason: String,
        /// What the user can do about it.
        hint: Option<String>,
    },
    /// A missing repository was created.
    RepositoryCreated {
        /// The repository.
        repository: Repository,
    },
    /// A setting of a repository that existed is now what the file says.
    RepositoryRepaired {
        /// The repository.
        repository: Repository,
        /// The setting, as the file calls it.
        setting: &'static str,
    },
    /// Something of a repository could not be read or changed.
    RepositoryFailed {
        /// The repository.
        repository: Repository,
        /// Why, with all causes.
        reason: String,
        /// What the user can do about it.
        hint: Option<String>,
        /// Whether that is a failure of the run; it is worth knowing otherwise.
        fails: bool,
    },
    /// It is not known what the file no longer names.
    OrphansUnknown {
        /// Why, with all causes.
        reason: String,
        /// What the user can do about it.
        hint: Option<String>,
    },
    /// What the file no longer names stays, because something failed.
    OrphansKept,
    /// Something that the file no longer names is about to be deleted.
    Deleting {
        /// What: `ecsclone/redis:6` or `ecsclone/redis`.
        name: String,
        /// What the tag holds; absent for a repository.
        digest: Option<Digest>,
    },
    /// Work begins on all that has to be made.
    Applying {
        /// How many images have to be.
        images: usize,
    },
    /// Work is over, but for what is tried once more.
    Applied,
    /// Work on an image begins.
    Started {
        /// The destination.
        image: Location,
    },
    /// An image reached a step.
    Reached {
        /// The destination.
        image: Location,
        /// The step.
        step: Step,
    },
    /// An image's blobs begin to move.
    Moving {
        /// The destination.
        image: Location,
        /// How much moves, from now on.
        volume: Arc<Volume>,
    },
    /// The Docker daemon printed something, in pieces that need not be whole lines.
    Output {
        /// The destination.
        image: Location,
        /// The platform being built or pushed.
        platform: Platform,
        /// What was printed, without terminal escapes.
        text: String,
    },
    /// An image will be tried once more at the end of the run.
    Postponed {
        /// The destination.
        image: Location,
        /// What failed the first time: the step, without its causes.
        reason: String,
    },
    /// Something that the user should know and that fails nothing.
    Warning {
        /// The destination.
        image: Location,
        /// What to know.
        message: String,
    },
    /// A tag turned out to be immutable when it was written, and keeps what it holds, as the user
    /// wishes.
    Kept {
        /// The destination.
        image: Location,
        /// What the tag holds.
        digest: Digest,
    },
    /// An image is in place.
    Finished {
        /// The destination.
        image: Location,
        /// The digest that the tag now has.
        digest: Digest,
        /// How many bytes of blobs were sent.
        bytes: u64,
        /// How long the work took.
        elapsed: Duration,
    },
    /// An image failed for good.
    Failed {
        /// The destination.
        image: Location,
        /// Why, with all causes.
        reason: String,
        /// What the user can do about it.
        hint: Option<String>,
    },
}

/// Receives events as they happen, from several tasks at once.
pub trait Observer: Send + Sync {
    /// Takes one event.
    fn observe(&self, event: Event);
}
