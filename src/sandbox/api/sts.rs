//! STS: who calls, and other roles.

use axum::http::StatusCode;
use axum::response::Response;

use super::query::{answer, error, field};
use crate::sandbox::fresh;
use crate::sandbox::state::State;

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// The end of everything that `AssumeRole` issues; a real one lasts an hour.
const EXPIRATION: &str = "2099-12-31T23:59:59Z";

/// The ARN of whoever has this access key.
pub(super) fn caller(state: &State, key: Option<&str>) -> String {
    let own = || format!("arn:aws:iam::{}:user/sandbox", state.options.account_id);
    key.and_then(|key| state.tokens.arn(key))
        .unwrap_or_else(own)
}

/// The account of whoever has this access key.
pub(super) fn caller_account(state: &State, key: Option<&str>) -> String {
    let arn = caller(state, key);
    arn.split(':').nth(4).unwrap_or_default().to_owned()
}

/// `GetCallerIdentity`.
pub(super) fn caller_identity(state: &State, key: Option<&str>) -> Response {
    let (arn, account) = (caller(state, key), caller_account(state, key));
    let result =
        format!("<Arn>{arn}</Arn><UserId>AIDASANDBOX</UserId><Account>{account}</Account>");
    answer(NAMESPACE, "GetCallerIdentity", &result)
}

/// `AssumeRole`.
pub(super) fn assume_role(state: &State, body: &[u8]) -> Response {
    let session = field(body, "RoleSessionName").unwrap_or_default();
    let role = field(body, "RoleArn").unwrap_or_default();
    let Some((account, name)) = role_parts(&role).filter(|_| session.chars().all(is_plain)) else {
        let message = format!("{role} is invalid");
        return error(StatusCode::BAD_REQUEST, "ValidationError", &message);
    };
    let arn = format!("arn:aws:sts::{account}:assumed-role/{name}/{session}");
    let key = state.tokens.issue_key(&arn);
    let (secret, token) = (fresh::identifier(), fresh::identifier());
    let result = format!(
        "<AssumedRoleUser><Arn>{arn}</Arn><AssumedRoleId>AROASANDBOX:{session}</AssumedRoleId>\
         </AssumedRoleUser><Credentials><AccessKeyId>{key}</AccessKeyId>\
         <SecretAccessKey>{secret}</SecretAccessKey><SessionToken>{token}</SessionToken>\
         <Expiration>{EXPIRATION}</Expiration></Credentials>"
    );
    answer(NAMESPACE, "AssumeRole", &result)
}

/// Account and name in `arn:aws:iam::ACCOUNT:role/PATH/NAME`.
fn role_parts(arn: &str) -> Option<(&str, &str)> {
    let parts: Vec<&str> = arn.split(':').collect();
    match parts[..] {
        ["arn", _, "iam", "", account, role] if arn.chars().all(is_plain) => {
            Some((account, role.strip_prefix("role/")?.rsplit('/').next()?))
        }
        _ => None,
    }
}

/// The characters of ARNs and session names, none of which needs an escape in XML.
fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || ":/+=,.@_-".contains(c)
}
