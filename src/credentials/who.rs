//! Who we are at a registry, and who says so.

use std::fmt;
use std::path::PathBuf;

use super::Caller;
use crate::config::StoredSecret;
use crate::registry::Login;

/// Who we are at a registry, and who says so.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Who {
    /// The one of [`Keyring`](super::Keyring)'s order that decides.
    pub origin: Origin,
    /// The user; absent where there is nobody to be, and in an identity token.
    pub username: Option<String>,
    /// Whether there is no login.
    pub is_anonymous: bool,
}

/// Who decides on a login.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Origin {
    /// The ECR token of the destination.
    Destination,
    /// The file leads to all of it.
    File,
    /// The file says where AWS keeps it.
    Stored(StoredSecret),
    /// An ECR token of AWS's.
    Aws(Caller),
    /// One of Docker's credential helpers, by its program's name.
    Helper(String),
    /// Docker's configuration file.
    DockerConfig(PathBuf),
}

impl Who {
    pub(super) fn new(origin: Origin, login: Option<&Login>) -> Self {
        Self {
            origin,
            username: match login {
                Some(Login::Password { username, .. }) => Some(username.clone()),
                Some(Login::IdentityToken(_)) | None => None,
            },
            is_anonymous: login.is_none(),
        }
    }
}

/// `as \`acme\` (from the file)`, `anonymously (no login in ...)`.
impl fmt::Display for Who {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_anonymous {
            return write!(formatter, "anonymously (no login in {})", self.origin);
        }
        match &self.username {
            Some(username) => write!(formatter, "as `{username}` (from {})", self.origin),
            None => write!(formatter, "with an identity token (from {})", self.origin),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Destination => formatter.write_str("the destination's ECR token"),
            Self::File => formatter.write_str("the file"),
            Self::Stored(secret) => secret.fmt(formatter),
            Self::Aws(caller) => caller.fmt(formatter),
            Self::Helper(program) => write!(formatter, "Docker's credential helper `{program}`"),
            Self::DockerConfig(path) if path.as_os_str().is_empty() => {
                formatter.write_str("Docker's configuration")
            }
            Self::DockerConfig(path) => {
                write!(formatter, "Docker's configuration `{}`", path.display())
            }
        }
    }
}
