//! STS: who calls, and other roles, in the query protocol with answers in XML.

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::Response;
use url::form_urlencoded::parse;

use super::serve::is_known;
use crate::sandbox::fresh;
use crate::sandbox::state::State;

/// The end of everything that `AssumeRole` issues; a real one lasts an hour.
const EXPIRATION: &str = "2099-12-31T23:59:59Z";

/// The `Action` of a form.
pub(super) fn action(body: &[u8]) -> Option<String> {
    field(body, "Action")
}

/// Answers a call.
pub(super) fn serve(
    state: &State,
    key: Option<&str>,
    action: Option<&str>,
    body: &[u8],
) -> Response {
    if !is_known(state, key) {
        return error(
            StatusCode::FORBIDDEN,
            "InvalidClientTokenId",
            "The security token included in the request is invalid.",
        );
    }
    match action {
        Some("GetCallerIdentity") => caller_identity(state, key),
        Some("AssumeRole") => assume_role(state, body),
        other => error(
            StatusCode::BAD_REQUEST,
            "InvalidAction",
            &format!(
                "Could not find operation {} for version 2011-06-15",
                other.unwrap_or_default()
            ),
        ),
    }
}

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

fn caller_identity(state: &State, key: Option<&str>) -> Response {
    let (arn, account) = (caller(state, key), caller_account(state, key));
    let result =
        format!("<Arn>{arn}</Arn><UserId>AIDASANDBOX</UserId><Account>{account}</Account>");
    answer("GetCallerIdentity", &result)
}

fn assume_role(state: &State, body: &[u8]) -> Response {
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
    answer("AssumeRole", &result)
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

fn field(body: &[u8], name: &str) -> Option<String> {
    let mut values = parse(body).filter(|(key, _)| key == name);
    values.next().map(|(_, value)| value.into_owned())
}

fn answer(action: &str, result: &str) -> Response {
    respond(
        StatusCode::OK,
        format!(
            "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
             <{action}Result>{result}</{action}Result>\
             <ResponseMetadata><RequestId>{}</RequestId></ResponseMetadata></{action}Response>",
            fresh::uuid()
        ),
    )
}

fn error(status: StatusCode, code: &str, message: &str) -> Response {
    respond(
        status,
        format!(
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
             <Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
             <RequestId>{}</RequestId></ErrorResponse>",
            fresh::uuid()
        ),
    )
}

fn respond(status: StatusCode, body: String) -> Response {
    Response::builder()
        .status(status)
        .header("content-type", "text/xml")
        .body(Body::from(body))
        .expect("the header is valid")
}
