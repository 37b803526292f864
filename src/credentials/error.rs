//! Why credentials could not be found out.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::helper::TIMEOUT;
use crate::aws;
use crate::config::StoredSecret;
use crate::failure::{Failure, Kind};

/// Docker's configuration, one of its credential helpers or a secret that AWS keeps did not give what
/// it should. No variant quotes what it read: it may hold a secret.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The file exists and cannot be read.
    #[error("cannot read Docker's configuration `{path}`")]
    UnreadableConfig {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Arc<io::Error>,
    },
    /// The file is not what Docker writes.
    #[error("Docker's configuration `{path}` is malformed at line {line}, column {column}")]
    MalformedConfig {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The column, counted from 1.
        column: usize,
    },
    /// An `auth` is not the base64 of a name, a colon and a password.
    #[error("`auth` of `{key}` in Docker's configuration `{path}` is malformed")]
    MalformedAuth {
        /// The file.
        path: PathBuf,
        /// The key below `auths`.
        key: String,
    },
    /// The configuration names a helper that is not installed.
    #[error("the credential helper `{helper}` for `{server}` is not in PATH")]
    HelperMissing {
        /// The program's name.
        helper: String,
        /// The registry, as Docker's configuration names it.
        server: String,
        /// The configuration that names the helper.
        path: PathBuf,
    },
    /// The helper could not be run.
    #[error("the credential helper `{helper}` does not run")]
    HelperBroken {
        /// The program's name.
        helper: String,
        /// The registry, as Docker's configuration names it.
        server: String,
        /// Why.
        source: Arc<io::Error>,
    },
    /// The helper failed.
    #[error("the credential helper `{helper}` failed for `{server}`: {message}")]
    HelperFailed {
        /// The program's name.
        helper: String,
        /// The registry, as Docker's configuration names it.
        server: String,
        /// What it wrote to stderr or, where that is nothing, how it ended.
        message: String,
    },
    /// The helper took too long.
    #[error(
        "the credential helper `{helper}` gave no answer for `{server}` in {} seconds",
        TIMEOUT.as_secs()
    )]
    HelperStalled {
        /// The program's name.
        helper: String,
        /// The registry, as Docker's configuration names it.
        server: String,
    },
    /// The helper's answer is no JSON with a name and a secret.
    #[error("the credential helper `{helper}` gave a malformed answer for `{server}`")]
    HelperMalformed {
        /// The program's name.
        helper: String,
        /// The registry, as Docker's configuration names it.
        server: String,
    },
    /// AWS did not give a secret.
    #[error("cannot read {secret}{}", in_region(region.as_deref()))]
    UnreadableSecret {
        /// The secret.
        secret: StoredSecret,
        /// The region where it was looked for, where that is known.
        region: Option<String>,
        /// Why.
        source: Arc<aws::Error>,
    },
    /// There is nothing in a secret, or bytes instead of a text.
    #[error("{secret} holds no text")]
    EmptySecret {
        /// The secret.
        secret: StoredSecret,
    },
    /// A secret is JSON, and not the JSON of ECR's pull-through cache.
    #[error("{secret} is JSON without an `accessToken`")]
    NoAccessToken {
        /// The secret.
        secret: StoredSecret,
    },
    /// Neither the file nor a secret has the user's name.
    #[error("neither the file nor {secret} has a username")]
    NoUsername {
        /// The secret.
        secret: StoredSecret,
    },
}

fn in_region(region: Option<&str>) -> String {
    region.map_or_else(String::new, |region| format!(" in `{region}`"))
}

impl Failure for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::UnreadableConfig { .. } | Self::MalformedConfig { .. } => Kind::Configuration,
            // A helper's answer is kept for the run, so a later try would get the same.
            Self::MalformedAuth { .. }
            | Self::HelperMissing { .. }
            | Self::HelperBroken { .. }
            | Self::HelperFailed { .. }
            | Self::HelperStalled { .. }
            | Self::HelperMalformed { .. }
            | Self::EmptySecret { .. }
            | Self::NoAccessToken { .. }
            | Self::NoUsername { .. } => Kind::Refused,
            Self::UnreadableSecret { source, .. } => match source.kind() {
                Kind::Permanent => Kind::Refused,
                kind => kind,
            },
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::UnreadableConfig { .. } | Self::MalformedConfig { .. } => {
                "repair the file, or name another directory in DOCKER_CONFIG".to_owned()
            }
            Self::MalformedAuth { key, .. } => format!("run `docker login {key}` again"),
            Self::HelperMissing { helper, path, .. } => format!(
                "install `{helper}`, remove it from `{}`, or add the login under `upstreams`",
                path.display()
            ),
            Self::HelperBroken { helper, server, .. }
            | Self::HelperFailed { helper, server, .. }
            | Self::HelperStalled { helper, server }
            | Self::HelperMalformed { helper, server } => {
                format!("try `echo {server} | {helper} get`, or add the login under `upstreams`")
            }
            Self::UnreadableSecret { source, .. } => {
                return source.hint().or_else(|| missing(source));
            }
            Self::EmptySecret { .. } | Self::NoAccessToken { .. } => {
                "keep the password in it as a plain text, or as \
                 `{\"username\": \"...\", \"accessToken\": \"...\"}`"
                    .to_owned()
            }
            Self::NoUsername { .. } => {
                "write `username` beside `password` under `upstreams`, or keep \
                 `{\"username\": \"...\", \"accessToken\": \"...\"}` in it"
                    .to_owned()
            }
        })
    }
}

/// What to do where AWS has no such secret, or none to give.
fn missing(error: &aws::Error) -> Option<String> {
    let hint = match error.code()? {
        "ResourceNotFoundException" | "ParameterNotFound" => {
            "create it, or check its name: it is looked for in the account and region of \
             `destination`, or in the region of its ARN"
        }
        "InvalidRequestException" => {
            "where it was marked for deletion, `aws secretsmanager restore-secret` takes it back"
        }
        "DecryptionFailure" | "InvalidKeyId" => {
            "allow `kms:Decrypt` with its KMS key to this user or role"
        }
        _ => return None,
    };
    Some(hint.to_owned())
}
