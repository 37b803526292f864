//! IAM: what a user or role may do.

use std::collections::BTreeSet;

use aws_sdk_iam::Client;
use aws_sdk_iam::types::{
    ContextEntry, ContextKeyTypeEnum, EvaluationResult, PolicyEvaluationDecisionType,
};

use super::{Error, Session};

const SERVICE: &str = "iam";

/// IAM in a session's account.
#[derive(Clone, Debug)]
pub struct Permissions {
    client: Client,
}

/// Whose policies decide on what a session may do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Principal {
    /// The account's own user, to whom no policy applies.
    Root,
    /// The user or role with this ARN.
    Arn(String),
    /// Nobody that IAM can simulate, such as a federated user.
    Unknown,
}

/// What is asked of a principal's policies.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The actions: `ecr:PutImage`.
    pub actions: &'a [String],
    /// The resources, each of which the actions meet; `*` for all.
    pub resources: &'a [String],
    /// Keys of a condition and their values.
    pub context: &'a [(String, String)],
}

/// An action that a principal's policies do not allow.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Denial {
    /// The action: `ecr:PutImage`.
    pub action: String,
    /// The resource: an ARN, or `*`.
    pub resource: String,
}

impl Permissions {
    /// IAM as this session sees it.
    pub fn new(session: &Session) -> Self {
        Self {
            client: Client::new(session.config()),
        }
    }

    /// Whose policies decide on what the bearer of this ARN may do. A role's session does not tell
    /// the role's path; where IAM may not be asked for it, the role counts as one without.
    pub async fn principal(&self, arn: &str) -> Principal {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let [_, partition, service, _, account, resource] = parts[..] else {
            return Principal::Unknown;
        };
        match (service, resource.split('/').collect::<Vec<_>>().as_slice()) {
            ("iam", ["root"]) => Principal::Root,
            ("iam", ["user", ..]) => Principal::Arn(arn.to_owned()),
            ("sts", ["assumed-role", role, _]) => {
                let answer = self.client.get_role().role_name(*role).send().await;
                let found = answer.ok().and_then(|output| output.role);
                Principal::Arn(found.map_or_else(
                    || format!("arn:{partition}:iam::{account}:role/{role}"),
                    |role| role.arn,
                ))
            }
            _ => Principal::Unknown,
        }
    }

    /// What of this a principal's policies do not allow. Policies of resources are not asked.
    pub async fn denied(
        &self,
        principal: &str,
        question: Question<'_>,
    ) -> Result<BTreeSet<Denial>, Error> {
        let context = question.context.iter().map(|(key, value)| {
            ContextEntry::builder()
                .context_key_name(key)
                .context_key_type(ContextKeyTypeEnum::String)
                .context_key_values(value)
                .build()
        });
        let pages = self
            .client
            .simulate_principal_policy()
            .policy_source_arn(principal)
            .set_action_names(Some(question.actions.to_vec()))
            .set_resource_arns(Some(question.resources.to_vec()))
            .set_context_entries(Some(context.collect()))
            .into_paginator()
            .items()
            .send();
        let results: Vec<EvaluationResult> = pages
            .try_collect()
            .await
            .map_err(|error| Error::from_sdk(SERVICE, "SimulatePrincipalPolicy", error))?;
        Ok(results.iter().flat_map(denials).collect())
    }
}

/// The decision on each resource, where there are several, or on all of them.
fn denials(result: &EvaluationResult) -> Vec<Denial> {
    let denial = |resource: &str| Denial {
        action: result.eval_action_name().to_owned(),
        resource: resource.to_owned(),
    };
    let is_allowed = |decision: &PolicyEvaluationDecisionType| {
        *decision == PolicyEvaluationDecisionType::Allowed
    };
    let specific = result.resource_specific_results();
    if specific.is_empty() {
        let resource = result.eval_resource_name().unwrap_or("*");
        let is_denied = !is_allowed(result.eval_decision());
        return is_denied.then(|| denial(resource)).into_iter().collect();
    }
    let denied = specific
        .iter()
        .filter(|result| !is_allowed(result.eval_resource_decision()));
    denied
        .map(|result| denial(result.eval_resource_name()))
        .collect()
}

#[cfg(test)]
mod tests {
    use aws_sdk_iam::types::ResourceSpecificResult;

    use super::*;

    #[tokio::test]
    async fn a_principal_is_whose_policies_count() {
        let iam = Permissions::new(&Session::at("http://127.0.0.1:1"));
        let account = "123456789012";
        let user = format!("arn:aws:iam::{account}:user/team/ci");
        // Nobody answers for the role's path.
        let role = format!("arn:aws-cn:iam::{account}:role/deploy");
        for (arn, principal) in [
            (user.clone(), Principal::Arn(user)),
            (format!("arn:aws:iam::{account}:root"), Principal::Root),
            (
                format!("arn:aws-cn:sts::{account}:assumed-role/deploy/me"),
                Principal::Arn(role),
            ),
            (
                format!("arn:aws:sts::{account}:federated-user/me"),
                Principal::Unknown,
            ),
            ("me".to_owned(), Principal::Unknown),
        ] {
            assert_eq!(iam.principal(&arn).await, principal, "{arn}");
        }
    }

    #[test]
    fn a_denial_is_of_one_resource() {
        let allowed = PolicyEvaluationDecisionType::Allowed;
        let denied = PolicyEvaluationDecisionType::ExplicitDeny;
        let result = |decision: &PolicyEvaluationDecisionType| {
            EvaluationResult::builder()
                .eval_action_name("ecr:PutImage")
                .eval_decision(decision.clone())
        };
        let specific = |name: &str, decision: &PolicyEvaluationDecisionType| {
            ResourceSpecificResult::builder()
                .eval_resource_name(name)
                .eval_resource_decision(decision.clone())
                .build()
                .unwrap()
        };
        let denial = |resource: &str| Denial {
            action: "ecr:PutImage".to_owned(),
            resource: resource.to_owned(),
        };
        let whole = result(&denied).build().unwrap();
        assert_eq!(denials(&whole), [denial("*")]);
        assert_eq!(denials(&result(&allowed).build().unwrap()), []);
        let one_of_two = result(&denied)
            .resource_specific_results(specific("a", &denied))
            .resource_specific_results(specific("b", &allowed));
        assert_eq!(denials(&one_of_two.build().unwrap()), [denial("a")]);
    }
}
