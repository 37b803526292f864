//! One thing of the pull-through cache, and what would be done to it.

use crate::ecr::{CreationTemplate, PullThroughRule, RegistryScanning};

use super::Error;
use super::existing::Repairs;
use super::secret::KeptSecret;

/// One thing and what would become of it.
#[derive(Debug)]
pub struct Item {
    /// The prefix that it belongs to; absent for a setting of the whole registry.
    pub prefix: Option<String>,
    /// What it is.
    pub part: Part,
    /// Its name.
    pub name: String,
    /// What would be done, or why that cannot be said.
    pub decision: Result<Decision, Error>,
}

/// What something is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Part {
    /// A secret of Secrets Manager.
    Secret,
    /// A repository creation template.
    Template,
    /// A rule of the pull-through cache.
    Rule,
    /// A cached repository.
    Repository,
    /// How the registry scans its images.
    Scanning,
}

/// What would be done to one thing, and why.
#[derive(Debug)]
pub struct Decision {
    /// What would be done.
    pub action: Action,
    /// What differs: keys of the file.
    pub changes: Vec<&'static str>,
    /// With what.
    pub(super) work: Work,
}

/// What would be done to one thing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Action {
    /// It is made.
    Create,
    /// It is changed.
    Update,
    /// It is deleted and made anew.
    Replace,
    /// Nothing: it is as it shall be.
    Unchanged,
    /// It is deleted: the file no longer names it.
    Delete,
    /// Nothing: the file no longer names it, and nobody said that it may go.
    Orphan,
    /// Nothing: the file does not name it, and it is somebody else's.
    Foreign,
}

/// What is needed to do it.
#[derive(Debug)]
pub(super) enum Work {
    Secret(KeptSecret),
    /// A secret that is deleted.
    OldSecret {
        arn: String,
    },
    Template(CreationTemplate),
    Rule(RuleWork),
    Repository(Repairs),
    Scanning(RegistryScanning),
}

impl Work {
    fn part(&self) -> Part {
        match self {
            Self::Secret(_) | Self::OldSecret { .. } => Part::Secret,
            Self::Template(_) => Part::Template,
            Self::Rule(_) => Part::Rule,
            Self::Repository(_) => Part::Repository,
            Self::Scanning(_) => Part::Scanning,
        }
    }
}

/// A rule as it shall be.
#[derive(Debug)]
pub(super) struct RuleWork {
    pub(super) rule: PullThroughRule,
    /// Whether the secret of the same prefix is to be its credential.
    pub(super) takes_secret: bool,
    /// Whether a person fills in its secret.
    pub(super) by_hand: bool,
}

impl Action {
    /// Whether something is changed.
    pub fn is_change(self) -> bool {
        match self {
            Self::Create | Self::Update | Self::Replace | Self::Delete => true,
            Self::Unchanged | Self::Orphan | Self::Foreign => false,
        }
    }
}

impl Item {
    pub(super) fn new(
        prefix: Option<&str>,
        name: &str,
        action: Action,
        changes: Vec<&'static str>,
        work: Work,
    ) -> Self {
        Self {
            prefix: prefix.map(str::to_owned),
            part: work.part(),
            name: name.to_owned(),
            decision: Ok(Decision {
                action,
                changes,
                work,
            }),
        }
    }

    pub(super) fn failed(prefix: &str, part: Part, name: &str, error: Error) -> Self {
        Self {
            prefix: Some(prefix.to_owned()),
            part,
            name: name.to_owned(),
            decision: Err(error),
        }
    }
}
