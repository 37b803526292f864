//! Whether IAM allows what the file needs.

use std::collections::BTreeSet;

use super::Check;
use super::findings::{Findings, in_time};
use crate::aws::{self, Denial, Identity, Permissions, Principal, Question, Session};
use crate::cache::{Audience, Place, Statement, statements};
use crate::config::Specification;
use crate::failure::{Failure as _, Kind, chain};

const NAME: &str = "permissions";

/// How many resources are asked about at once; the answer grows with the actions for each.
const TOGETHER: usize = 25;

/// A command, and who runs it.
struct Errand {
    command: &'static str,
    audience: Audience,
    /// What `cache policy --for` calls its audience.
    name: &'static str,
}

const APPLY: Errand = Errand {
    command: "apply",
    audience: Audience::Pusher {
        repairs: false,
        prunes: false,
    },
    name: "pusher",
};

const CACHE_APPLY: Errand = Errand {
    command: "cache apply",
    audience: Audience::Manager { existing: false },
    name: "manager",
};

pub(super) async fn examine(
    specification: &Specification,
    whose: Option<(&Identity, &Place)>,
    session: &Session,
) -> Findings {
    let Some((identity, place)) = whose else {
        let message = "nobody knows whose AWS session it is";
        return Check::not_checked(NAME, message).into();
    };
    let iam = Permissions::new(session);
    let mut findings = Findings::default();
    let principal = match in_time(NAME, iam.principal(&identity.arn)).await {
        Ok(Principal::Arn(arn)) => arn,
        Ok(Principal::Root) => {
            let message = "the account's root user may do everything";
            return Check::ok(NAME, message).into();
        }
        Ok(Principal::Unknown) => {
            let message = format!("IAM cannot say what `{}` may do", identity.arn);
            return Check::not_checked(NAME, message).into();
        }
        Err(late) => return late.into(),
    };
    let errands = [
        (!specification.images.is_empty() || !specification.patterns.is_empty()).then_some(APPLY),
        specification.cache.as_ref().map(|_| CACHE_APPLY),
    ];
    for errand in errands.into_iter().flatten() {
        let needed = statements(errand.audience, specification, place);
        let check = match in_time(NAME, denied(&iam, &principal, &needed)).await {
            Ok(Ok(denied)) => judge(&errand, &needed, &denied, &principal),
            Ok(Err(error)) => unasked(&errand, &error),
            Err(late) => late,
        };
        findings.add(check.of(errand.command));
    }
    findings
}

/// What of this the principal's policies do not allow.
async fn denied(
    iam: &Permissions,
    principal: &str,
    needed: &[Statement],
) -> Result<BTreeSet<Denial>, aws::Error> {
    let mut denied = BTreeSet::new();
    for statement in needed {
        let owned = |text: &&str| (*text).to_owned();
        let actions: Vec<String> = statement.actions.iter().map(owned).collect();
        let pairs = statement.equal.iter();
        let context: Vec<_> = pairs
            .map(|(key, value)| (owned(key), owned(value)))
            .collect();
        let everything = ["*".to_owned()];
        let resources = match &statement.resources[..] {
            [] => &everything[..],
            resources => resources,
        };
        for resources in resources.chunks(TOGETHER) {
            let question = Question {
                actions: &actions,
                resources,
                context: &context,
            };
            denied.extend(iam.denied(principal, question).await?);
        }
    }
    Ok(denied)
}

fn judge(
    errand: &Errand,
    needed: &[Statement],
    denied: &BTreeSet<Denial>,
    principal: &str,
) -> Check {
    let Some(first) = denied.first() else {
        let actions: BTreeSet<_> = needed.iter().flat_map(|needed| &needed.actions).collect();
        let message = format!("IAM allows all {} actions that it needs", actions.len());
        return Check::ok(NAME, message);
    };
    let actions: BTreeSet<String> = denied
        .iter()
        .map(|denial| format!("`{}`", denial.action))
        .collect();
    let actions: Vec<String> = actions.into_iter().collect();
    let resources: BTreeSet<&str> = denied.iter().map(|it| it.resource.as_str()).collect();
    let more = match resources.len() {
        1 => String::new(),
        several => format!(" and {} more", several - 1),
    };
    let message = format!(
        "IAM does not allow {} on `{}`{more}",
        actions.join(", "),
        first.resource
    );
    Check::failed(NAME, Kind::Refused, message).hint(format!(
        "allow that to `{principal}`; `longshore cache policy --for {}` prints all that is needed",
        errand.name
    ))
}

fn unasked(errand: &Errand, error: &aws::Error) -> Check {
    let remedy = error.hint().map(|hint| format!("{hint}, or "));
    Check::not_checked(NAME, chain(error)).hint(format!(
        "{}compare with what `longshore cache policy --for {}` prints",
        remedy.unwrap_or_default(),
        errand.name
    ))
}
