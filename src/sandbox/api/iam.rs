//! IAM: roles, and what a policy would say. The sandbox enforces no policy, and says so: everybody
//! may do everything.

use axum::response::Response;
use url::form_urlencoded::parse;

use super::query::{answer, field};
use crate::sandbox::state::State;

const NAMESPACE: &str = "https://iam.amazonaws.com/doc/2010-05-08/";

/// `GetRole`.
pub(super) fn get_role(state: &State, body: &[u8]) -> Response {
    let name = field(body, "RoleName").unwrap_or_default();
    let account = &state.options.account_id;
    let result = format!(
        "<Role><Path>/</Path><RoleName>{name}</RoleName><RoleId>AROASANDBOX</RoleId>\
         <Arn>arn:aws:iam::{account}:role/{name}</Arn>\
         <CreateDate>2026-01-01T00:00:00Z</CreateDate></Role>"
    );
    answer(NAMESPACE, "GetRole", &result)
}

/// `SimulatePrincipalPolicy`.
pub(super) fn simulate(body: &[u8]) -> Response {
    let results: String = members(body, "ActionNames")
        .flat_map(|action| {
            members(body, "ResourceArns").map(move |resource| {
                format!(
                    "<member><EvalActionName>{action}</EvalActionName>\
                     <EvalResourceName>{resource}</EvalResourceName>\
                     <EvalDecision>allowed</EvalDecision></member>"
                )
            })
        })
        .collect();
    let result =
        format!("<EvaluationResults>{results}</EvaluationResults><IsTruncated>false</IsTruncated>");
    answer(NAMESPACE, "SimulatePrincipalPolicy", &result)
}

/// The elements of a list: `ActionNames.member.1`, `ActionNames.member.2`. Neither actions nor ARNs
/// need an escape in XML.
fn members<'a>(body: &'a [u8], list: &'a str) -> impl Iterator<Item = String> + 'a {
    parse(body)
        .filter(move |(key, _)| {
            let rest = key.strip_prefix(list);
            rest.is_some_and(|rest| rest.starts_with(".member."))
        })
        .map(|(_, value)| value.into_owned())
}
