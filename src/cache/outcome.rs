//! What became of a plan.

use super::{Action, Error, Part};

/// What became of a plan.
#[derive(Debug)]
pub struct Outcome {
    /// One entry per item of the plan, in its order.
    pub items: Vec<Done>,
    /// What the upstreams answered, one entry per rule that is in place.
    pub validations: Vec<Validation>,
}

/// What became of one item of a plan.
#[derive(Debug)]
pub struct Done {
    /// The prefix that it belongs to; absent for a setting of the whole registry.
    pub prefix: Option<String>,
    /// What it is.
    pub part: Part,
    /// Its name.
    pub name: String,
    /// What was to be done; absent where the plan could not say it.
    pub action: Option<Action>,
    /// What differed: keys of the file.
    pub changes: Vec<&'static str>,
    /// What became of it; fine where there was nothing to do.
    pub result: Result<(), Error>,
}

/// What an upstream answered to a rule.
#[derive(Debug)]
pub struct Validation {
    /// The rule's prefix.
    pub prefix: String,
    /// The upstream's host.
    pub upstream: String,
    /// What it answered, or why that is nothing good.
    pub answer: Result<Answer, Error>,
}

/// How a rule and its upstream get along.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Answer {
    /// The upstream accepts the login.
    Accepted,
    /// The rule has no login.
    NoLogin,
    /// A person has yet to fill in the secret, which is new.
    SecretToFill,
}

impl Outcome {
    /// Every failure.
    pub fn failures(&self) -> impl Iterator<Item = &Error> {
        let items = self.items.iter();
        let items = items.filter_map(|item| item.result.as_ref().err());
        let answers = self.validations.iter();
        items.chain(answers.filter_map(|validation| validation.answer.as_ref().err()))
    }
}
