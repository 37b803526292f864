//! What the daemon's messages mean. It gives no codes: whoever wants to know whether a retry can
//! help must read its prose, of which every engine has its own.

use crate::failure::Kind;

/// What a message of the daemon means.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Meaning {
    /// A command of a RUN line failed.
    Command,
    /// A RUN line failed because this machine cannot run the platform's programs.
    Emulation,
    /// The daemon's disk is full.
    DiskFull,
    /// The registry has had too many requests.
    RateLimit,
    /// The registry's budget of pulls is used up.
    PullLimit,
    /// The tag exists and cannot be overwritten.
    ImmutableTag,
    /// The registry refused the credentials, or asked for some.
    Credentials,
    /// The daemon could not reach the registry.
    Network,
    /// The registry failed, or the connection to it broke.
    Server,
    /// The local image lost its name: another run on this daemon took it away.
    LostName,
    /// The image, the tag or the repository does not exist.
    Missing,
    /// The daemon refused what it was asked, and would refuse it again.
    Rejected,
}

/// Which texts mean what, tried from top to bottom on the lower-case message with `: ` put before
/// it. The order matters: a RUN line's command or a repository's name can contain any later text,
/// and "push access denied, repository does not exist" is about credentials.
const TEXTS: &[(Meaning, &[&str])] = &[
    (Meaning::Command, &["returned a non-zero code: "]),
    (Meaning::Emulation, &["exec format error"]),
    (Meaning::DiskFull, &["no space left on device"]),
    (
        Meaning::Rejected,
        &[
            "oci runtime",
            "failed to create task for container",
            ": failed to process ",
            "no match for platform in manifest",
        ],
    ),
    (
        Meaning::PullLimit,
        &["pull rate limit", "increase-rate-limit"],
    ),
    (
        Meaning::RateLimit,
        &[
            ": toomanyrequests",
            "429 too many requests",
            "rate exceeded",
        ],
    ),
    (
        Meaning::ImmutableTag,
        &[": tag invalid", "tag is immutable", "imagetagalreadyexists"],
    ),
    (
        Meaning::Credentials,
        &[
            "no basic auth credentials",
            ": unauthorized",
            "401 unauthorized",
            "403 forbidden",
            "access denied",
            ": denied: ",
        ],
    ),
    (
        Meaning::Network,
        &[
            "dial tcp",
            "no such host",
            "connection refused",
            "i/o timeout",
            "tls handshake timeout",
            "network is unreachable",
            "no route to host",
            "request canceled",
            "context deadline exceeded",
        ],
    ),
    (
        Meaning::Server,
        &[
            "connection reset by peer",
            "broken pipe",
            ": eof",
            "unexpected eof",
            "500 internal server error",
            "502 bad gateway",
            "503 service unavailable",
            "504 gateway timeout",
        ],
    ),
    (
        Meaning::LostName,
        &[
            ": tag does not exist: ",
            "does not exist locally with the tag",
            ": failed to get digest ",
            ": no such image: sha256:",
        ],
    ),
    (
        Meaning::Missing,
        &[
            "not found",
            "name unknown",
            "manifest unknown",
            "does not exist",
            "no such image",
        ],
    ),
];

impl Meaning {
    /// What a message means.
    pub(super) fn of(message: &str) -> Self {
        let message = format!(": {}", message.to_lowercase());
        TEXTS
            .iter()
            .find(|(_, texts)| texts.iter().any(|text| message.contains(text)))
            .map_or(Self::Rejected, |(meaning, _)| *meaning)
    }

    /// What kind of failure that is.
    pub(super) fn kind(self) -> Kind {
        match self {
            Self::Credentials => Kind::Refused,
            Self::Network => Kind::Unreachable,
            Self::PullLimit => Kind::Exhausted,
            Self::RateLimit | Self::Server | Self::LostName => Kind::Transient,
            Self::ImmutableTag => Kind::Conflict,
            Self::Command | Self::Emulation | Self::DiskFull | Self::Missing | Self::Rejected => {
                Kind::Permanent
            }
        }
    }

    /// What the user can do about it.
    pub fn hint(self) -> Option<&'static str> {
        match self {
            Self::Emulation => Some(
                "this machine cannot run programs of that platform; install emulation with \
                 `docker run --privileged --rm tonistiigi/binfmt --install all` or the packages \
                 `qemu-user-static` and `binfmt-support`",
            ),
            Self::DiskFull => Some("free space where the daemon runs: `docker system prune`"),
            Self::RateLimit => {
                Some("log in to that registry as somebody with a higher limit, or wait")
            }
            Self::PullLimit => Some(
                "log in to that registry as somebody with a higher limit, or wait until the \
                 limit's window has passed, as `--wait` does",
            ),
            Self::ImmutableTag => {
                Some("push another tag, or set `on_conflict: keep` to leave what is there")
            }
            Self::Credentials => {
                Some("check the username and password for that registry, or use `docker login`")
            }
            Self::Network => Some(
                "the daemon itself must reach the registry: check the name, its DNS, its proxy \
                 and its network",
            ),
            Self::LostName => Some("another run on this daemon is at the same image; run again"),
            Self::Missing => {
                Some("check the name and the tag; a push needs an existing repository")
            }
            Self::Command => Some("mend that `RUN` line; what it printed stands above"),
            Self::Server | Self::Rejected => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn daemons_own_texts() {
        for (message, meaning) in [
            (
                "The command '/bin/sh -c echo denied: x' returned a non-zero code: 7",
                Meaning::Command,
            ),
            (
                "failed to create task for container: exec: \"/bin/nope\": stat /bin/nope: no such file or directory",
                Meaning::Rejected,
            ),
            (
                "OCI runtime create failed: exec: \"/x\": permission denied: unknown",
                Meaning::Rejected,
            ),
            (
                "failed to process \"${FOO%%s}\": missing ':' in substitution",
                Meaning::Rejected,
            ),
            ("Invalid containerPort: base", Meaning::Rejected),
            ("invalid signal: SIGFOO", Meaning::Rejected),
            (
                "failed to register layer: write /x: no space left on device",
                Meaning::DiskFull,
            ),
            (
                "toomanyrequests: You have reached your unauthenticated pull rate limit.",
                Meaning::PullLimit,
            ),
            ("toomanyrequests: Rate exceeded", Meaning::RateLimit),
            (
                "tag invalid: The image tag 'v1' already exists in the 'r' repository and cannot be overwritten because the tag is immutable.",
                Meaning::ImmutableTag,
            ),
            (
                "error from registry: The image tag 'v1' already exists in the 'r' repository and cannot be overwritten because the tag is immutable.",
                Meaning::ImmutableTag,
            ),
            (
                "Head \"https://h/v2/base/pre/manifests/1\": no basic auth credentials",
                Meaning::Credentials,
            ),
            (
                "unauthorized: authentication required",
                Meaning::Credentials,
            ),
            (
                "unknown: unexpected status from HEAD request to https://h/v2/r/blobs/sha256:0: 401 Unauthorized",
                Meaning::Credentials,
            ),
            (
                "push access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials",
                Meaning::Credentials,
            ),
            (
                "denied: Your authorization token has expired. Reauthenticate and try again.",
                Meaning::Credentials,
            ),
            (
                "Get \"https://h/v2/\": dial tcp: lookup h on 10.0.0.2:53: no such host",
                Meaning::Network,
            ),
            (
                "Get \"https://h/v2/\": net/http: TLS handshake timeout",
                Meaning::Network,
            ),
            (
                "received unexpected HTTP status: 503 Service Unavailable",
                Meaning::Server,
            ),
            (
                "Put \"https://h/v2/r/blobs/uploads/0\": EOF",
                Meaning::Server,
            ),
            (
                "manifest for hashicorp/vault:nope not found: manifest unknown: manifest unknown",
                Meaning::Missing,
            ),
            (
                "name unknown: The repository with name 'immutable/denied' does not exist in the registry with id '0'",
                Meaning::Missing,
            ),
            (
                "An image does not exist locally with the tag: h/r",
                Meaning::LostName,
            ),
            (
                "no matching manifest for linux/s390x in the manifest list entries",
                Meaning::Rejected,
            ),
            (
                "no match for platform in manifest sha256:0: not found",
                Meaning::Rejected,
            ),
            (
                "pulling from host h:5000 failed with status code [manifests 1]: 401 Unauthorized",
                Meaning::Credentials,
            ),
            ("h:5000/r:1: not found", Meaning::Missing),
            (
                "h/r:1: failed to resolve source metadata for h/r:1: h/r:1: not found",
                Meaning::Missing,
            ),
            (
                "network mode \"mine\" not supported by buildkit",
                Meaning::Rejected,
            ),
        ] {
            assert_eq!(Meaning::of(message), meaning, "{message}");
        }
    }
}
