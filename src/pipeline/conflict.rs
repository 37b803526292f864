//! A tag that is not overwritten and holds something else.

use std::fmt;

use crate::config::OnConflict;
use crate::event::{Event, Step};
use crate::failure::{Failure, Kind};
use crate::image::Digest;

use super::plan::{Action, Decision};
use super::{Access, ImagePlan, Reason, Status, StepError};

/// Why a tag is not overwritten.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Obstacle {
    /// It is immutable.
    Immutable,
    /// The user does not want it.
    NoClobber,
}

/// A tag that is not overwritten holds something else.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) struct Conflict {
    /// Why it is not overwritten.
    pub(super) obstacle: Obstacle,
    /// What it holds.
    pub(super) held: Digest,
    /// What it should hold, where that is known: not of what is yet to be made.
    pub(super) wanted: Option<Digest>,
    /// What differs.
    pub(super) reason: Reason,
}

impl Conflict {
    /// What becomes of it is for the user to say.
    pub(super) fn settle(self, on_conflict: OnConflict) -> Result<Decision, StepError> {
        match on_conflict {
            OnConflict::Fail => Err(StepError::new(Step::Overwrite, self)),
            OnConflict::Keep => Ok(Decision {
                action: Action::Keep { digest: self.held },
                reason: self.reason,
            }),
        }
    }
}

/// What becomes of an image whose tag turned out to be immutable when it was written: something else
/// got there after the plan had looked. `error` is the registry's refusal.
pub(super) async fn settle_late(
    plan: &mut ImagePlan,
    error: StepError,
    on_conflict: OnConflict,
    access: &Access,
) -> Status {
    let store = &access.upstreams.store;
    let Ok(Some(held)) = store.resolve(&plan.destination).await else {
        return Status::Failed(error);
    };
    plan.held = Some(held.clone());
    let wanted = plan.work().and_then(|(work, _)| work.wanted());
    if wanted == Some(&held) {
        return Status::InPlace { digest: held };
    }
    let conflict = Conflict {
        obstacle: Obstacle::Immutable,
        held: held.clone(),
        wanted: wanted.cloned(),
        reason: Reason::OtherDigest { held: held.clone() },
    };
    match conflict.settle(on_conflict) {
        Ok(decision) => {
            plan.decision = Ok(decision);
            let image = plan.destination.clone();
            access.observer.observe(Event::Kept {
                image,
                digest: held,
            });
            Status::Left
        }
        Err(error) => Status::Failed(error),
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { held, .. } = self;
        let obstacle = match self.obstacle {
            Obstacle::Immutable => "is immutable",
            Obstacle::NoClobber => "is not to be overwritten",
        };
        write!(formatter, "it {obstacle} and holds `{held}`")?;
        match (&self.wanted, &self.reason) {
            (Some(wanted), _) => write!(formatter, " instead of `{wanted}`"),
            // It would name what is held once more.
            (None, Reason::OtherDigest { .. }) => formatter.write_str(", which is something else"),
            (None, reason) => write!(formatter, ", which is something else ({reason})"),
        }
    }
}

impl Failure for Conflict {
    fn kind(&self) -> Kind {
        Kind::Conflict
    }

    fn hint(&self) -> Option<String> {
        let hint = match self.obstacle {
            Obstacle::Immutable => {
                "use a new tag, exempt this one in `repositories.tag_immutability`, or accept \
                 what it holds with `repositories.on_conflict: keep`"
            }
            Obstacle::NoClobber => "use a new tag, or leave `--no-clobber` out",
        };
        Some(hint.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_digest_is_named_once() {
        let [held, wanted] = [&b"held"[..], b"wanted"].map(Digest::of);
        let other = Reason::OtherDigest { held: held.clone() };
        let told = [
            (Obstacle::Immutable, Some(wanted), other.clone()),
            (Obstacle::NoClobber, None, other),
            (Obstacle::Immutable, None, Reason::Foreign),
        ]
        .map(|(obstacle, wanted, reason)| {
            let held = held.clone();
            let conflict = Conflict {
                obstacle,
                held,
                wanted,
                reason,
            };
            conflict.to_string()
        });
        insta::assert_snapshot!(told.join("\n"));
    }
}
