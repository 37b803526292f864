//! Image references as Docker reads them.

use std::fmt;
use std::str::FromStr;

use super::{Digest, Registry, Repository, Tag};

const OFFICIAL: &str = "library/";

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
    pub(super) reason: &'static str,
}

impl ParseReferenceError {
    pub(super) fn new(text: &str, what: &'static str, reason: &'static str) -> Self {
        Self {
            text: text.to_owned(),
            what,
            reason,
        }
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
        match self.repository.as_str().strip_prefix(OFFICIAL) {
            Some(rest) if self.registry.is_docker_hub() && !rest.contains('/') => rest
                .parse()
                .expect("the end of a sound repository is sound"),
            _ => self.repository.clone(),
        }
    }

    /// The reference as Docker users write it: `mongo:latest`, `ghcr.io/org/app:1`.
    pub fn familiar(&self) -> String {
        let repository = self.familiar_repository();
        let reads_as_hub = split_registry(repository.as_str()).0.is_none();
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
