//! What can go wrong with the daemon.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::path::PathBuf;

use super::export::ExportError;
use super::meaning::Meaning;
use crate::context;
use crate::failure::{Failure, Kind};

/// Something went wrong with the daemon, or on the way to it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// One of Docker's own files could not be read.
    #[error("cannot read `{}`", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// One of Docker's own files is not what Docker writes.
    #[error("`{}` is not a file of Docker's", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// A context that does not exist was asked for.
    #[error(
        "{named_by} names the Docker context `{name}`, which does not exist; there are {}",
        list(known)
    )]
    UnknownContext {
        /// The context.
        name: String,
        /// The variable or file that names it.
        named_by: String,
        /// The contexts that exist.
        known: Vec<String>,
    },
    /// A context names no Docker daemon.
    #[error("the Docker context `{name}` has no Docker endpoint")]
    NoEndpoint {
        /// The context.
        name: String,
    },
    /// A text is no address of a daemon.
    #[error("`{host}` is not the address of a Docker daemon")]
    NotAnAddress {
        /// The text.
        host: String,
    },
    /// TLS that trusts everybody was asked for.
    #[error("{place} asks for TLS without verification, which is as good as none")]
    Unverified {
        /// The variable or context that asks for it.
        place: String,
    },
    /// The files of a TLS connection are missing or broken.
    #[error("cannot set up TLS for the Docker daemon at `{address}`")]
    Tls {
        /// The daemon.
        address: String,
        /// Why.
        source: Transport,
    },
    /// The daemon could not be reached.
    #[error("cannot reach the Docker daemon at `{address}`")]
    Unreachable {
        /// The daemon.
        address: String,
        /// Why.
        source: Transport,
    },
    /// What is no API version was given or answered.
    #[error("{place} gives `{version}`, which is no version of Docker's API such as `1.41`")]
    Version {
        /// Who gave it.
        place: String,
        /// What was given.
        version: String,
    },
    /// The connection to the daemon broke or its answer made no sense.
    #[error("lost the Docker daemon while trying to {task}")]
    Lost {
        /// What it was doing.
        task: Task,
        /// Why.
        source: Transport,
    },
    /// The daemon's answer ended too early.
    #[error("the Docker daemon did not {task} to the end: its answer lacks {what}")]
    Incomplete {
        /// What it was doing.
        task: Task,
        /// What is missing.
        what: &'static str,
    },
    /// What the daemon exported cannot be used.
    #[error("cannot {task}")]
    Export {
        /// What it was doing.
        task: Task,
        /// Why.
        source: ExportError,
    },
    /// The build context cannot be sent.
    #[error("cannot send the build context")]
    Context(#[from] context::Error),
    /// The daemon tried and failed, or refused.
    #[error("{}", in_its_words(task, reason))]
    Failed {
        /// What it was doing.
        task: Task,
        /// Why.
        reason: Reason,
    },
}

/// What the daemon was asked to do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Task {
    /// To build an image.
    Build,
    /// To describe itself.
    Describe,
    /// To run a program of this platform.
    Probe(String),
    /// To pull this image.
    Pull(String),
    /// To describe this local image.
    Inspect(String),
    /// To give a local image this name.
    Tag(String),
    /// To push this image.
    Push(String),
    /// To remove this local image.
    Remove(String),
    /// To export this local image.
    Export(String),
}

impl fmt::Display for Task {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (verb, name) = match self {
            Self::Build => return formatter.write_str("build the image"),
            Self::Describe => return formatter.write_str("describe itself"),
            Self::Probe(platform) => ("run a program for", platform),
            Self::Pull(name) => ("pull", name),
            Self::Inspect(name) => ("inspect", name),
            Self::Tag(name) => ("tag", name),
            Self::Push(name) => ("push", name),
            Self::Remove(name) => ("remove", name),
            Self::Export(name) => ("export", name),
        };
        write!(formatter, "{verb} `{name}`")
    }
}

/// Why the daemon failed, in its own words.
#[derive(Debug, thiserror::Error)]
pub struct Reason {
    /// The daemon's words.
    pub message: String,
    /// What they mean.
    pub meaning: Meaning,
    /// The last line that a failing command printed.
    pub last_output: Option<String>,
}

impl Reason {
    pub(super) fn new(message: String) -> Self {
        let meaning = Meaning::of(&message);
        Self {
            message,
            meaning,
            last_output: None,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)?;
        match &self.last_output {
            Some(line) => write!(formatter, ", after printing `{line}`"),
            None => Ok(()),
        }
    }
}

/// What happened to a connection, without the layers of HTTP around it.
#[derive(Debug)]
pub struct Transport(bollard::errors::Error);

impl Transport {
    pub(super) fn new(error: bollard::errors::Error) -> Self {
        Self(error)
    }

    /// That of a connection without bollard.
    pub(super) fn io(err: io::Error) -> Self {
        Self(bollard::errors::Error::IOError { err })
    }

    /// The cause at the bottom: `Connection refused (os error 111)`.
    fn root(&self) -> &(dyn StdError + 'static) {
        let mut error: &(dyn StdError + 'static) = &self.0;
        while let Some(source) = error.source() {
            error = source;
        }
        error
    }

    fn io_kind(&self) -> Option<io::ErrorKind> {
        self.root().downcast_ref().map(io::Error::kind)
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            bollard::errors::Error::RequestTimeoutError => {
                formatter.write_str("it did not answer in time")
            }
            bollard::errors::Error::SocketNotFoundError(_) => {
                formatter.write_str("there is no such socket")
            }
            bollard::errors::Error::IOError { err } if err.kind() == io::ErrorKind::TimedOut => {
                formatter.write_str("it did not answer in time")
            }
            _ => formatter.write_str(self.root().to_string().trim_end()),
        }
    }
}

impl StdError for Transport {}

impl Error {
    /// A failed call as an error: the daemon's own words where there are some.
    pub(super) fn of(task: Task, error: bollard::errors::Error) -> Self {
        use bollard::errors::Error as Bollard;
        let reason = match error {
            Bollard::DockerStreamError { error } => Reason::new(in_classic_words(&error)),
            // A bad request is the request's own fault, whatever words of the user it quotes.
            Bollard::DockerResponseServerError {
                status_code: 400,
                message,
            } => Reason {
                message,
                meaning: Meaning::Rejected,
                last_output: None,
            },
            Bollard::DockerResponseServerError { message, .. } => Reason::new(message),
            error => {
                let source = Transport::new(error);
                return Self::Lost { task, source };
            }
        };
        Self::Failed { task, reason }
    }
}

impl Failure for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::Unreachable { .. } => Kind::Unreachable,
            Self::Lost { .. } | Self::Incomplete { .. } | Self::Export { .. } => Kind::Transient,
            Self::Failed { reason, .. } => reason.meaning.kind(),
            Self::Context(error) => error.kind(),
            Self::Unreadable { .. }
            | Self::Malformed { .. }
            | Self::UnknownContext { .. }
            | Self::NoEndpoint { .. }
            | Self::NotAnAddress { .. }
            | Self::Unverified { .. }
            | Self::Tls { .. }
            | Self::Version { .. } => Kind::Configuration,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::UnknownContext { .. } | Self::NoEndpoint { .. } => {
                "`docker context ls` lists the contexts, `docker context use` chooses one"
            }
            Self::NotAnAddress { .. } => {
                "write it as `unix:///var/run/docker.sock`, `tcp://host:2376` or `ssh://user@host`"
            }
            Self::Unverified { .. } => {
                "set DOCKER_TLS_VERIFY and DOCKER_CERT_PATH, or give the context the daemon's `ca`"
            }
            Self::Tls { .. } => {
                "`ca.pem`, `cert.pem` and `key.pem` belong in DOCKER_CERT_PATH or in the context"
            }
            Self::Unreachable { source, .. }
                if source.io_kind() == Some(io::ErrorKind::PermissionDenied) =>
            {
                "join the group `docker` (`sudo usermod -aG docker $USER`, then log in again), or \
                 name another daemon in DOCKER_HOST"
            }
            Self::Unreachable { .. } => {
                "start Docker, or name the daemon in DOCKER_HOST or with `docker context use`; \
                 CodeBuild needs privileged mode"
            }
            Self::Version { .. } => "unset DOCKER_API_VERSION to let both sides agree",
            Self::Failed { reason, .. } => return reason.meaning.hint().map(str::to_owned),
            Self::Context(error) => return error.hint(),
            Self::Export { .. } => {
                "is there room in the folder for temporary files? TMPDIR names another; \
                 with lines, `publish: daemon` needs none"
            }
            Self::Unreadable { .. } | Self::Malformed { .. } => return None,
            Self::Lost { .. } | Self::Incomplete { .. } => {
                "the daemon may have restarted; run again when `docker info` answers"
            }
        };
        Some(hint.to_owned())
    }
}

/// BuildKit's words for what the classic builder says too, in the latter's; all others without what
/// BuildKit says of its own parts.
fn in_classic_words(message: &str) -> String {
    const OWN: [&str; 6] = [
        "failed to solve: ",
        "failed to solve with frontend dockerfile.v0: ",
        "failed to create LLB definition: ",
        "rpc error: code = Unknown desc = ",
        "failed to compute cache key: ",
        "failed to read dockerfile: ",
    ];
    let mut rest = message;
    while let Some(shorter) = OWN.iter().find_map(|own| rest.strip_prefix(own)) {
        rest = shorter;
    }
    let failed = |rest: &str| {
        let (command, code) = match rest.strip_prefix("executor failed running [") {
            Some(rest) => rest.rsplit_once("]: exit code: ")?,
            None => rest
                .strip_prefix("process \"")?
                .rsplit_once("\" did not complete successfully: exit code: ")?,
        };
        Some(format!(
            "The command '{command}' returned a non-zero code: {code}"
        ))
    };
    failed(rest).unwrap_or_else(|| rest.to_owned())
}

/// Whoever builds or pushes says so itself; of the smaller tasks nobody else knows.
fn in_its_words(task: &Task, reason: &Reason) -> String {
    match task {
        Task::Build | Task::Pull(_) | Task::Push(_) => reason.to_string(),
        Task::Describe
        | Task::Probe(_)
        | Task::Inspect(_)
        | Task::Tag(_)
        | Task::Remove(_)
        | Task::Export(_) => {
            format!("Docker could not {task}: {reason}")
        }
    }
}

fn list(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_builders_speak_alike() {
        for (message, expected) in [
            (
                "executor failed running [/bin/sh -c echo [x]: 1; exit 7]: exit code: 7",
                "The command '/bin/sh -c echo [x]: 1; exit 7' returned a non-zero code: 7",
            ),
            (
                "failed to solve: process \"/bin/sh -c exit 7\" did not complete successfully: exit code: 7",
                "The command '/bin/sh -c exit 7' returned a non-zero code: 7",
            ),
            (
                "failed to solve with frontend dockerfile.v0: failed to create LLB definition: dockerfile parse error line 2: unknown instruction: FOO",
                "dockerfile parse error line 2: unknown instruction: FOO",
            ),
            (
                "failed to register layer: write /x: no space left on device",
                "failed to register layer: write /x: no space left on device",
            ),
        ] {
            assert_eq!(in_classic_words(message), expected);
        }
    }
}
