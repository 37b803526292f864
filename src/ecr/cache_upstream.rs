//! The registries that ECR's pull-through cache can have as its upstream.

use std::fmt;
use std::str::FromStr;

use super::EcrHost;
use crate::failure::{Failure, Kind};
use crate::image::{ParseReferenceError, Registry};

/// A registry that ECR caches, under the name that ECR knows it by.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CacheUpstream {
    /// Which one it is.
    pub kind: UpstreamKind,
    /// Its host as a rule names it: `registry-1.docker.io`, and never `docker.io`.
    pub host: String,
}

/// The kinds of upstream registries (ECR's user guide, "Creating a pull through cache rule").
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum UpstreamKind {
    /// Amazon ECR Public, `public.ecr.aws`.
    EcrPublic,
    /// The Kubernetes project's, `registry.k8s.io`.
    Kubernetes,
    /// Quay, `quay.io`.
    Quay,
    /// Docker Hub, `registry-1.docker.io`.
    DockerHub,
    /// GitHub, `ghcr.io`.
    GitHub,
    /// GitLab's own service, `registry.gitlab.com`.
    GitLab,
    /// An Azure container registry, `NAME.azurecr.io`.
    Azure,
    /// Chainguard, `cgr.dev`.
    Chainguard,
    /// A private registry of Amazon ECR in another region or account.
    Ecr,
}

/// What a rule needs to get into its upstream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum UpstreamAccess {
    /// Nothing: the upstream is public, and ECR reads it from AWS's own addresses. A secret may be
    /// named nevertheless.
    Open,
    /// A secret of Secrets Manager with a user name and a token.
    Secret,
    /// A role, where the upstream belongs to another account; nothing within one account.
    Role,
}

/// A registry that ECR does not cache.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum UnknownUpstream {
    /// This is no name of a registry.
    #[error(transparent)]
    Name(#[from] ParseReferenceError),
    /// ECR has no such upstream.
    #[error("ECR's pull-through cache does not know the registry `{host}`")]
    Unsupported {
        /// The host.
        host: String,
    },
}

/// Every upstream with one host, in the order of the user guide.
const HOSTS: [(&str, UpstreamKind); 7] = [
    ("public.ecr.aws", UpstreamKind::EcrPublic),
    ("registry.k8s.io", UpstreamKind::Kubernetes),
    ("quay.io", UpstreamKind::Quay),
    ("registry-1.docker.io", UpstreamKind::DockerHub),
    ("ghcr.io", UpstreamKind::GitHub),
    ("registry.gitlab.com", UpstreamKind::GitLab),
    ("cgr.dev", UpstreamKind::Chainguard),
];

impl UpstreamKind {
    /// What a rule needs to get in.
    pub fn access(self) -> UpstreamAccess {
        match self {
            Self::EcrPublic | Self::Kubernetes | Self::Quay => UpstreamAccess::Open,
            Self::DockerHub | Self::GitHub | Self::GitLab | Self::Azure | Self::Chainguard => {
                UpstreamAccess::Secret
            }
            Self::Ecr => UpstreamAccess::Role,
        }
    }
}

impl CacheUpstream {
    /// The registry under the name that images have: Docker Hub's is `docker.io`.
    pub fn registry(&self) -> Registry {
        if self.kind == UpstreamKind::DockerHub {
            return Registry::docker_hub();
        }
        self.host.parse().expect("it was parsed before")
    }

    /// The account that the upstream belongs to, where it is a private registry of ECR's.
    pub fn account_id(&self) -> Option<String> {
        let host = EcrHost::of(&self.registry())?;
        Some(host.account_id)
    }
}

impl FromStr for CacheUpstream {
    type Err = UnknownUpstream;

    /// Reads a host. Docker Hub goes by all its names.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let registry: Registry = text.parse()?;
        if registry.is_docker_hub() {
            return Ok(Self {
                kind: UpstreamKind::DockerHub,
                host: "registry-1.docker.io".to_owned(),
            });
        }
        let host = registry.as_str();
        let known = HOSTS.iter().find(|(known, _)| *known == host);
        let kind = match known {
            Some((_, kind)) => *kind,
            None if host.ends_with(".azurecr.io") => UpstreamKind::Azure,
            None if EcrHost::of(&registry).is_some() => UpstreamKind::Ecr,
            None => {
                return Err(UnknownUpstream::Unsupported {
                    host: host.to_owned(),
                });
            }
        };
        Ok(Self {
            kind,
            host: host.to_owned(),
        })
    }
}

impl fmt::Display for CacheUpstream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.host)
    }
}

impl Failure for UnknownUpstream {
    fn kind(&self) -> Kind {
        Kind::Configuration
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Name(_) => None,
            Self::Unsupported { host } if host.ends_with("docker.com") => {
                Some("write `registry-1.docker.io`, which is Docker Hub's registry".to_owned())
            }
            Self::Unsupported { host } => Some(format!(
                "ECR caches {}, Azure's (`NAME.azurecr.io`) and ECR's own registries; list the \
                 images of `{host}` under `images`, to copy them instead",
                HOSTS.map(|(host, _)| format!("`{host}`")).join(", ")
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_ecr_caches() {
        use UpstreamAccess::{Open, Role, Secret};

        let ecr = "210987654321.dkr.ecr.us-east-1.amazonaws.com";
        for (text, host, access) in [
            ("docker.io", "registry-1.docker.io", Secret),
            ("index.docker.io", "registry-1.docker.io", Secret),
            ("registry-1.docker.io", "registry-1.docker.io", Secret),
            ("public.ecr.aws", "public.ecr.aws", Open),
            ("registry.k8s.io", "registry.k8s.io", Open),
            ("quay.io", "quay.io", Open),
            ("ghcr.io", "ghcr.io", Secret),
            ("registry.gitlab.com", "registry.gitlab.com", Secret),
            ("cgr.dev", "cgr.dev", Secret),
            ("acme.azurecr.io", "acme.azurecr.io", Secret),
            (ecr, ecr, Role),
        ] {
            let upstream: CacheUpstream = text.parse().unwrap();
            assert_eq!(upstream.host, host);
            assert_eq!(upstream.kind.access(), access, "{text}");
            let again: CacheUpstream = upstream.registry().as_str().parse().unwrap();
            assert_eq!(again, upstream);
        }
        let upstream: CacheUpstream = ecr.parse().unwrap();
        assert_eq!(upstream.account_id().as_deref(), Some("210987654321"));
    }

    #[test]
    fn says_what_to_do_with_the_others() {
        for host in ["gcr.io", "mcr.microsoft.com", "nvcr.io", "gitlab.example"] {
            let error = host.parse::<CacheUpstream>().unwrap_err();
            assert!(error.hint().unwrap().contains(host));
        }
        let website = "hub.docker.com".parse::<CacheUpstream>().unwrap_err();
        let remedy = website.hint().unwrap();
        assert_eq!(
            remedy,
            "write `registry-1.docker.io`, which is Docker Hub's registry"
        );
        let error = "gcr.io".parse::<CacheUpstream>().unwrap_err();
        insta::assert_snapshot!(format!("{error}\n{}", error.hint().unwrap()));
    }
}
