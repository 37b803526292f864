//! What was asked of the sandbox.

use std::fmt;

/// One of the sandbox's servers.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Server {
    /// The AWS API: ECR, STS, Secrets Manager and SSM.
    Api,
    /// The registry.
    Registry,
    /// The storage that blob downloads are redirected to.
    Storage,
    /// The upstream registry.
    Upstream,
}

/// A request that a server answered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Request {
    /// The server that was asked.
    pub at: Server,
    /// `GET`, `HEAD` and so on.
    pub method: String,
    /// The path with its query.
    pub path_and_query: String,
    /// The operation of the AWS API: `ListImages`, `secretsmanager.GetSecretValue`,
    /// `AmazonSSM.GetParameter`. Every one of them is a `POST /`.
    pub operation: Option<String>,
    /// The status answered; `None` when a fault broke the connection instead.
    pub status: Option<u16>,
}

impl fmt::Display for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Api => "api",
            Self::Registry => "registry",
            Self::Storage => "storage",
            Self::Upstream => "upstream",
        })
    }
}

impl fmt::Display for Request {
    /// One line for a test to compare: `registry HEAD /v2/app/manifests/1 404`,
    /// `api ListImages 200`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ", self.at)?;
        match &self.operation {
            Some(operation) => formatter.write_str(operation)?,
            None => write!(formatter, "{} {}", self.method, self.path_and_query)?,
        }
        match self.status {
            Some(status) => write!(formatter, " {status}"),
            None => formatter.write_str(" broken"),
        }
    }
}
