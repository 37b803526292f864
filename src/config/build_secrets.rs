//! `build.secrets`: what `RUN --mount=type=secret` lines see, which never stands in the file
//! itself.

use std::sync::Arc;

use secrecy::SecretSlice;

use super::check::Checker;
use super::mistakes::Located;
use super::written;
use crate::docker::BuildSecret;

/// As many bytes BuildKit takes: `MaxSecretSize` of its `session/secrets`.
const LONGEST: usize = 500 * 1024;

/// The secrets, each under its own `id`.
pub(super) fn check(
    written: Vec<Located<written::BuildSecret>>,
    checker: &mut Checker<'_>,
) -> Vec<BuildSecret> {
    let mut secrets: Vec<BuildSecret> = Vec::new();
    for Located { value, place } in written {
        let Some(id) = value.id else {
            let hint = "name it: `id: NAME`".to_owned();
            checker.mistakes.add(&place, "a secret needs an `id`", hint);
            continue;
        };
        let sound = |id: &str| !id.is_empty() && !id.contains([',', '"']) && is_one_word(id);
        let place_of_id = id.place.clone();
        let Some(id) = checker.shaped(id, sound, "the id of a secret", "token") else {
            continue;
        };
        if secrets.iter().any(|known| known.id == id) {
            let message = format!("there are two secrets `{id}`");
            checker.mistakes.add(&place_of_id, message, None);
            continue;
        }
        let found = match (value.env, value.file) {
            (Some(_), None) | (None, Some(_)) if !checker.reads_secrets => {
                let value = Arc::new(SecretSlice::default());
                secrets.push(BuildSecret { id, value });
                continue;
            }
            (Some(name), None) => {
                let found = (checker.env)(&name.value).map(String::into_bytes);
                let what = format!("the environment variable `{}`", name.value);
                let found = found.filter(|value| !value.is_empty());
                let wrong = format!("{what} is not set or empty");
                (found.ok_or(wrong), what, name.place)
            }
            (None, Some(path)) => {
                let full = checker.folder.join(&path.value);
                let what = format!("the file `{}`", full.display());
                let found = std::fs::read(&full);
                let wrong = |error| format!("cannot read `{}`: {error}", full.display());
                (found.map_err(wrong), what, path.place)
            }
            _ => {
                let message = "a secret comes from one place";
                let hint = "write `{id: NAME, env: VARIABLE}` or `{id: NAME, file: PATH}`";
                checker.mistakes.add(&place, message, hint.to_owned());
                continue;
            }
        };
        match found {
            (Ok(value), what, place) if value.len() > LONGEST => {
                let message = format!("{what} holds more than 500 KiB, which no secret may");
                checker.mistakes.add(&place, message, None);
            }
            (Ok(value), ..) => secrets.push(BuildSecret {
                id,
                value: Arc::new(SecretSlice::from(value)),
            }),
            (Err(wrong), _, place) => checker.mistakes.add(&place, wrong, None),
        }
    }
    secrets
}

fn is_one_word(text: &str) -> bool {
    !text.contains(|c: char| c.is_whitespace() || c.is_control())
}
