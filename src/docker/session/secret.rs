//! The secrets that `RUN --mount=type=secret` lines see.

use std::fmt;
use std::sync::Arc;

use bollard::moby::buildkit::secrets::v1::secrets_server::Secrets;
use bollard::moby::buildkit::secrets::v1::{GetSecretRequest, GetSecretResponse};
use secrecy::{ExposeSecret, SecretSlice};
use tonic::{Request, Response, Status};

/// A secret of a build, by the `id` that lines know it by. `Debug` shows the `id` alone.
#[derive(Clone)]
pub struct BuildSecret {
    /// Its name in `RUN --mount=type=secret,id=...`.
    pub id: String,
    /// What it is, byte by byte.
    pub value: Arc<SecretSlice<u8>>,
}

impl fmt::Debug for BuildSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "BuildSecret({})", self.id)
    }
}

/// All secrets of one build. BuildKit asks for one when a line wants it, and keeps it in memory.
pub(super) struct Vault(pub(super) Vec<BuildSecret>);

#[tonic::async_trait]
impl Secrets for Vault {
    async fn get_secret(
        &self,
        request: Request<GetSecretRequest>,
    ) -> Result<Response<GetSecretResponse>, Status> {
        let id = &request.get_ref().id;
        let secret = self.0.iter().find(|secret| secret.id == *id);
        // BuildKit itself decides whether the line can do without.
        let secret = secret.ok_or_else(|| Status::not_found(format!("no secret `{id}`")))?;
        Ok(Response::new(GetSecretResponse {
            data: secret.value.expose_secret().to_vec(),
        }))
    }
}
