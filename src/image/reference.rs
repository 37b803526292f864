//! Image references as Docker reads them.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use super::Digest;

/// The registry that a reference without a host means.
pub const DOCKER_HUB: &str = "docker.io";

const OFFICIAL: &str = "library/";

/// A registry's name: host with an optional port. `index.docker.io` is `docker.io`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Registry(String);

/// A repository's path inside a registry: `library/mongo`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Repository(String);

/// A tag: letters, digits, `_`, `.` and `-`, at most 128 characters.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Tag(String);

/// An image reference, normalised as Docker does: `mongo` is `docker.io/library/mongo`. It may
/// carry a tag, a digest, both or neither; what neither means is for the caller to say.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Reference {
    /// Where the image lives.
    pub registry: Registry,
    /// The repository in that registry.
    pub repository: Repository,
    /// The tag.
    pub tag: Option<Tag>,
    /// The digest. It decides where both are given.
    pub digest: Option<Digest>,
}

/// A text is no image reference, or not the named part of one.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{text}` is not {what}: {reason}")]
pub struct ParseReferenceError {
    text: String,
    what: &'static str,
    reason: &'static str,
}

impl ParseReferenceError {
    fn new(text: &str, what: &'static str, reason: &'static str) -> Self {
        Self {
            text: text.to_owned(),
            what,
            reason,
        }
    }
}

impl Registry {
    /// Docker Hub.
    pub fn docker_hub() -> Self {
        Self(DOCKER_HUB.to_owned())
    }

    /// Whether this is Docker Hub.
    pub fn is_docker_hub(&self) -> bool {
        self.0 == DOCKER_HUB
    }

    /// The name: host with an optional port.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host without its port.
    pub fn host(&self) -> &str {
        match self.0.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => &self.0,
        }
    }

    /// Whether this registry is on the loopback interface of this machine.
    pub fn is_loopback(&self) -> bool {
        let host = self.host().trim_start_matches('[').trim_end_matches(']');
        host == "localhost"
            || host
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    }
}

impl Repository {
    /// The path: `library/mongo`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// This repository below a prefix: `ecsclone` and `redis` give `ecsclone/redis`.
    pub fn below(&self, prefix: &Self) -> Self {
        Self(format!("{}/{}", prefix.0, self.0))
    }
}

impl Tag {
    /// The tag that a reference without one means.
    pub fn latest() -> Self {
        Self("latest".to_owned())
    }

    /// The tag as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Reference {
    /// The repository's name with its registry, without tag and digest: `docker.io/library/mongo`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }

    /// The repository as Docker users write it: `mongo` for Docker Hub's `library/mongo`, the bare
    /// path for every other repository. This is the default name of the destination repository.
    pub fn familiar_repository(&self) -> Repository {
        match self.repository.0.strip_prefix(OFFICIAL) {
            Some(rest) if self.registry.is_docker_hub() && !rest.contains('/') => {
                Repository(rest.to_owned())
            }
            _ => self.repository.clone(),
        }
    }

    /// The reference as Docker users write it: `mongo:latest`, `ghcr.io/org/app:1`.
    pub fn familiar(&self) -> String {
        let repository = self.familiar_repository();
        let reads_as_hub = split_registry(&repository.0).0.is_none();
        let name = if self.registry.is_docker_hub() && reads_as_hub {
            repository.to_string()
        } else {
            format!("{}/{repository}", self.registry)
        };
        format!("{name}{}", Suffix(self))
    }

    /// The same repository, by this digest alone.
    pub fn by_digest(&self, digest: Digest) -> Self {
        Self {
            tag: None,
            digest: Some(digest),
            ..self.clone()
        }
    }

    /// The same repository, by this tag alone.
    pub fn by_tag(&self, tag: Tag) -> Self {
        Self {
            tag: Some(tag),
            digest: None,
            ..self.clone()
        }
    }
}

struct Suffix<'a>(&'a Reference);

impl fmt::Display for Suffix<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(tag) = &self.0.tag {
            write!(formatter, ":{tag}")?;
        }
        match &self.0.digest {
            Some(digest) => write!(formatter, "@{digest}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}/{}{}",
            self.registry,
            self.repository,
            Suffix(self)
        )
    }
}

impl FromStr for Reference {
    type Err = ParseReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = |reason| ParseReferenceError::new(text, "an image reference", reason);
        if text.is_empty() {
            return Err(fail("it is empty"));
        }
        if text.contains("://") {
            return Err(fail(
                "write it without a scheme, as `registry/repository:tag`",
            ));
        }
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => {
                let digest = digest.parse().map_err(|_| {
                    fail("what follows `@` must be `sha256:` and 64 lower-case hexadecimal digits")
                })?;
                (rest, Some(digest))
            }
            None => (text, None),
        };
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => {
                let tag = tag
                    .parse()
                    .map_err(|error: ParseReferenceError| fail(error.reason))?;
                (name, Some(tag))
            }
            _ => (rest, None),
        };
        let (registry, path) = split_registry(name);
        let registry = registry.map_or_else(|| Ok(Registry::docker_hub()), str::parse);
        let registry = registry.map_err(|error: ParseReferenceError| fail(error.reason))?;
        let path = if registry.is_docker_hub() && !path.contains('/') {
            format!("{OFFICIAL}{path}")
        } else {
            path.to_owned()
        };
        let repository = path
            .parse()
            .map_err(|error: ParseReferenceError| fail(error.reason))?;
        Ok(Self {
            registry,
            repository,
            tag,
            digest,
        })
    }
}

/// Docker's rule: the first part is a registry when it has a dot or a colon, is `localhost`, or has
/// an upper-case letter, which no repository may have.
fn split_registry(name: &str) -> (Option<&str>, &str) {
    match name.split_once('/') {
        Some((first, rest))
            if first.contains(['.', ':'])
                || first == "localhost"
                || first.bytes().any(|byte| byte.is_ascii_uppercase()) =>
        {
            (Some(first), rest)
        }
        _ => (None, name),
    }
}

impl FromStr for Registry {
    type Err = ParseReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = |reason| ParseReferenceError::new(text, "a registry", reason);
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, Some(port)),
            _ => (text, None),
        };
        if port.is_some_and(|port| port.parse::<u16>().is_err()) {
            return Err(fail("the registry's port must be a number from 0 to 65535"));
        }
        let host_is_sound = match host
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => host.split('.').all(|label| {
                !label.is_empty()
                    && !label.starts_with('-')
                    && !label.ends_with('-')
                    && label
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            }),
        };
        if !host_is_sound {
            return Err(fail(
                "the registry must be a host name with an optional port",
            ));
        }
        Ok(match text {
            "index.docker.io" => Self::docker_hub(),
            other => Self(other.to_owned()),
        })
    }
}

impl FromStr for Repository {
    type Err = ParseReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = |reason| ParseReferenceError::new(text, "a repository", reason);
        if text.is_empty() {
            return Err(fail("the repository is empty"));
        }
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(fail("the repository must be lower case"));
        }
        if text.len() > 255 {
            return Err(fail("the repository is longer than 255 characters"));
        }
        if text.split('/').all(is_path_component) {
            Ok(Self(text.to_owned()))
        } else {
            Err(fail(
                "each part of the repository must be lower-case letters and digits, \
                 separated by single `.`, `_`, `__` or dashes",
            ))
        }
    }
}

impl FromStr for Tag {
    type Err = ParseReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let sound = text.len() <= 128
            && text.bytes().next().is_some_and(word)
            && text
                .bytes()
                .all(|byte| word(byte) || byte == b'.' || byte == b'-');
        if sound {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseReferenceError::new(
                text,
                "a tag",
                "a tag is at most 128 letters, digits, `_`, `.` and `-`, \
                 and starts with a letter, a digit or `_`",
            ))
        }
    }
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`, the OCI distribution specification's path component.
fn is_path_component(part: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let mut rest = part;
    loop {
        let after_word = rest.trim_start_matches(alphanumeric);
        if after_word.len() == rest.len() {
            return false;
        }
        if after_word.is_empty() {
            return true;
        }
        let after_separator = after_word.trim_start_matches(|c: char| !alphanumeric(c));
        let separator = &after_word[..after_word.len() - after_separator.len()];
        let dashes = separator.bytes().all(|byte| byte == b'-');
        if !(dashes || matches!(separator, "." | "_" | "__")) {
            return false;
        }
        rest = after_separator;
    }
}

macro_rules! text_value {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    )*};
}

text_value!(Registry, Repository, Tag);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn normalises_as_docker_does() {
        let digest = Digest::of(b"x");
        let pinned = format!("redis:7.2@{digest}");
        for (written, normal, familiar) in [
            ("mongo", "docker.io/library/mongo", "mongo"),
            (
                "mongo:latest",
                "docker.io/library/mongo:latest",
                "mongo:latest",
            ),
            (
                "hashicorp/vault:1.14",
                "docker.io/hashicorp/vault:1.14",
                "hashicorp/vault:1.14",
            ),
            ("docker.io/mongo", "docker.io/library/mongo", "mongo"),
            ("index.docker.io/a/b", "docker.io/a/b", "a/b"),
            ("localhost/app", "localhost/app", "localhost/app"),
            (
                "localhost:5000/app:1",
                "localhost:5000/app:1",
                "localhost:5000/app:1",
            ),
            (
                "ghcr.io/org/app:1",
                "ghcr.io/org/app:1",
                "ghcr.io/org/app:1",
            ),
            ("[::1]:5000/app", "[::1]:5000/app", "[::1]:5000/app"),
            ("Host/app", "Host/app", "Host/app"),
            ("a__b/c-d--e.f", "docker.io/a__b/c-d--e.f", "a__b/c-d--e.f"),
            (
                pinned.as_str(),
                &format!("docker.io/library/{pinned}"),
                pinned.as_str(),
            ),
        ] {
            let reference: Reference = written.parse().unwrap();
            assert_eq!(reference.to_string(), normal);
            assert_eq!(reference.familiar(), familiar);
        }
    }

    #[test]
    fn says_what_is_wrong() {
        let messages: Vec<String> = [
            "",
            "https://ghcr.io/a",
            "Mongo",
            "mongo:",
            "mongo:a b",
            "mongo@sha256:abc",
            "ghcr.io/a//b",
            "ghcr.io:x/a",
            "a..b",
            "-a",
            "ghcr.io/",
        ]
        .iter()
        .map(|text| text.parse::<Reference>().unwrap_err().to_string())
        .collect();
        insta::assert_snapshot!(messages.join("\n"));
    }

    #[test]
    fn knows_loopback() {
        for (registry, loopback) in [
            ("127.0.0.1:5000", true),
            ("localhost", true),
            ("[::1]:5000", true),
            ("10.0.0.1:5000", false),
            ("docker.io", false),
        ] {
            assert_eq!(
                registry.parse::<Registry>().unwrap().is_loopback(),
                loopback,
                "{registry}"
            );
        }
    }

    proptest! {
        #[test]
        fn what_parses_prints_and_parses_again(
            text in "([a-zA-Z0-9.:-]{1,12}/)?[a-z0-9._-]{1,8}(/[a-z0-9._-]{1,8})?(:[\\w.-]{1,8})?"
        ) {
            if let Ok(reference) = text.parse::<Reference>() {
                prop_assert_eq!(reference.to_string().parse(), Ok(reference.clone()));
                prop_assert_eq!(reference.familiar().parse(), Ok(reference));
            }
        }

        #[test]
        fn no_text_panics(text in ".*") {
            let _ = text.parse::<Reference>();
        }
    }
}
