//! Passwords and tokens, which never stand in the file itself.

use secrecy::SecretString;

use super::StoredSecret;
use super::check::Checker;
use super::mistakes::{Located, Place};
use super::shapes::{is_parameter, is_secret};
use super::written;

/// A password or a token.
#[derive(Clone, Debug)]
pub enum Password {
    /// It was found in a variable or a file.
    Known(SecretString),
    /// AWS keeps it. It is read when somebody needs it.
    Stored(StoredSecret),
}

/// The one place that a password comes from.
pub(super) fn check(
    source: Located<written::PasswordSource>,
    checker: &mut Checker<'_>,
) -> Option<Password> {
    let written::PasswordSource {
        env,
        file,
        secret,
        ssm,
    } = source.value;
    match (env, file, secret, ssm) {
        (Some(_), None, None, None) | (None, Some(_), None, None) if !checker.reads_secrets => {
            Some(Password::Known(SecretString::default()))
        }
        (Some(name), None, None, None) => {
            let text = (checker.env)(&name.value).unwrap_or_default();
            let wrong = format!(
                "the environment variable `{}` is not set or empty",
                name.value
            );
            known(text, &name.place, wrong, checker)
        }
        (None, Some(path), None, None) => {
            let text = checker.read(&path)?;
            let text = text.trim_end_matches(['\r', '\n']).to_owned();
            let wrong = format!("the file `{}` is empty", path.value);
            known(text, &path.place, wrong, checker)
        }
        (None, None, Some(id), None) => {
            let (what, example) = (
                "the name or ARN of a secret",
                "ecr-pullthroughcache/docker-hub",
            );
            let id = checker.shaped(id, is_secret, what, example)?;
            Some(Password::Stored(StoredSecret::SecretsManager(id)))
        }
        (None, None, None, Some(name)) => {
            let (what, example) = ("the name or ARN of a parameter", "/docker-hub/token");
            let name = checker.shaped(name, is_parameter, what, example)?;
            Some(Password::Stored(StoredSecret::Parameter(name)))
        }
        _ => {
            let message = "a password comes from one place";
            let hint = "write `{env: NAME}`, `{file: PATH}`, `{secret: NAME}` or `{ssm: /PATH}`";
            checker
                .mistakes
                .add(&source.place, message, hint.to_owned());
            None
        }
    }
}

fn known(
    text: String,
    place: &Place,
    wrong: String,
    checker: &mut Checker<'_>,
) -> Option<Password> {
    if text.is_empty() {
        checker.mistakes.add(place, wrong, None);
        return None;
    }
    Some(Password::Known(SecretString::from(text)))
}
