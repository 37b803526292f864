//! What an upstream says to a rule.

use crate::ecr::{Ecr, PullThroughRule, RuleValidation};

use super::{Answer, Error};

/// Has ECR log in at the upstream of a rule that is there. `by_hand` says whether a person fills in
/// its secret.
pub async fn validate(rule: &PullThroughRule, by_hand: bool, ecr: &Ecr) -> Result<Answer, Error> {
    if rule.credential_arn.is_none() && rule.custom_role_arn.is_none() {
        return Ok(Answer::NoLogin);
    }
    match ecr.validate_pull_through_rule(&rule.prefix).await? {
        RuleValidation::Valid => Ok(Answer::Accepted),
        RuleValidation::Invalid { reason } => Err(Error::Refused {
            prefix: rule.prefix.clone(),
            upstream: rule.upstream.clone(),
            reason,
            by_hand,
            role: rule.custom_role_arn.clone(),
        }),
    }
}
