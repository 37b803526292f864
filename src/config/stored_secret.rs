//! Secrets that AWS keeps.

use std::fmt;

/// A secret that AWS keeps, by the name under which it does.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum StoredSecret {
    /// A secret of Secrets Manager, by name or ARN.
    SecretsManager(String),
    /// A parameter of SSM's Parameter Store, by name or ARN.
    Parameter(String),
}

impl StoredSecret {
    /// The region that its ARN names; `None` for a name, which is one in every region.
    pub fn region(&self) -> Option<&str> {
        let (Self::SecretsManager(id) | Self::Parameter(id)) = self;
        id.strip_prefix("arn:")?.split(':').nth(2)
    }
}

impl fmt::Display for StoredSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SecretsManager(id) => write!(formatter, "the secret `{id}` of Secrets Manager"),
            Self::Parameter(name) => write!(formatter, "the parameter `{name}` of SSM"),
        }
    }
}
