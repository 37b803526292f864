//! The registries that a rule can have as its upstream.

/// An upstream registry that ECR knows (its user guide, "Creating a pull through cache rule").
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::sandbox) enum Kind {
    EcrPublic,
    Kubernetes,
    Quay,
    DockerHub,
    GitHub,
    GitLab,
    Azure,
    Chainguard,
    Ecr,
}

impl Kind {
    /// The registry at a host; `None` for every host that ECR does not cache.
    pub(in crate::sandbox) fn of(host: &str) -> Option<Self> {
        let is_named = |name: &str| {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
            !name.is_empty() && name.chars().all(plain)
        };
        Some(match host {
            "public.ecr.aws" => Self::EcrPublic,
            "registry.k8s.io" => Self::Kubernetes,
            "quay.io" => Self::Quay,
            "registry-1.docker.io" => Self::DockerHub,
            "ghcr.io" => Self::GitHub,
            "registry.gitlab.com" => Self::GitLab,
            "cgr.dev" => Self::Chainguard,
            _ if host.strip_suffix(".azurecr.io").is_some_and(is_named) => Self::Azure,
            _ if account_of(host).is_some() => Self::Ecr,
            _ => return None,
        })
    }

    /// The API's name for it, its enumeration `UpstreamRegistry`.
    pub(in crate::sandbox) fn name(self) -> &'static str {
        match self {
            Self::EcrPublic => "ecr-public",
            Self::Kubernetes => "k8s",
            Self::Quay => "quay",
            Self::DockerHub => "docker-hub",
            Self::GitHub => "github-container-registry",
            Self::GitLab => "gitlab-container-registry",
            Self::Azure => "azure-container-registry",
            Self::Chainguard => "chainguard",
            Self::Ecr => "ecr",
        }
    }

    /// Whether a rule must name a secret.
    pub(in crate::sandbox) fn needs_secret(self) -> bool {
        match self {
            Self::EcrPublic | Self::Kubernetes | Self::Quay | Self::Ecr => false,
            Self::DockerHub | Self::GitHub | Self::GitLab | Self::Azure | Self::Chainguard => true,
        }
    }
}

/// The account in `123456789012.dkr.ecr.REGION.amazonaws.com`.
pub(super) fn account_of(host: &str) -> Option<&str> {
    let (account, rest) = host.split_once(".dkr.ecr.")?;
    let digits = account.len() == 12 && account.chars().all(|c| c.is_ascii_digit());
    (digits && rest.contains(".amazonaws.")).then_some(account)
}
