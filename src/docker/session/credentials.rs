//! The logins that BuildKit may use at registries.

use bollard::moby::filesync::v1::auth_server::Auth;
use bollard::moby::filesync::v1::{
    CredentialsRequest, CredentialsResponse, FetchTokenRequest, FetchTokenResponse,
    GetTokenAuthorityRequest, GetTokenAuthorityResponse, VerifyTokenAuthorityRequest,
    VerifyTokenAuthorityResponse,
};
use secrecy::ExposeSecret;
use tonic::{Request, Response, Status};

use crate::image::Registry;
use crate::registry::Login;

/// The hosts under which BuildKit asks for Docker Hub's login.
const DOCKER_HUB: [&str; 2] = ["registry-1.docker.io", "https://index.docker.io/v1/"];

/// Logins by registry.
pub(super) struct Logins(pub(super) Vec<(Registry, Login)>);

impl Logins {
    fn of(&self, host: &str) -> CredentialsResponse {
        let asked = |registry: &Registry| {
            registry.as_str() == host || (registry.is_docker_hub() && DOCKER_HUB.contains(&host))
        };
        let login = self.0.iter().find(|(registry, _)| asked(registry));
        match login.map(|(_, login)| login) {
            Some(Login::Password { username, password }) => CredentialsResponse {
                username: username.clone(),
                secret: password.expose_secret().to_owned(),
            },
            // A secret without a name is a refresh token.
            Some(Login::IdentityToken(token)) => CredentialsResponse {
                username: String::new(),
                secret: token.expose_secret().to_owned(),
            },
            None => CredentialsResponse::default(),
        }
    }
}

/// BuildKit itself gets the tokens that a registry wants for a login: whoever does not say that it
/// can do that is not asked to.
#[tonic::async_trait]
impl Auth for Logins {
    async fn credentials(
        &self,
        request: Request<CredentialsRequest>,
    ) -> Result<Response<CredentialsResponse>, Status> {
        Ok(Response::new(self.of(&request.get_ref().host)))
    }

    async fn fetch_token(
        &self,
        _: Request<FetchTokenRequest>,
    ) -> Result<Response<FetchTokenResponse>, Status> {
        Err(Status::unimplemented("tokens are not fetched here"))
    }

    async fn get_token_authority(
        &self,
        _: Request<GetTokenAuthorityRequest>,
    ) -> Result<Response<GetTokenAuthorityResponse>, Status> {
        Err(Status::unimplemented("tokens are not fetched here"))
    }

    async fn verify_token_authority(
        &self,
        _: Request<VerifyTokenAuthorityRequest>,
    ) -> Result<Response<VerifyTokenAuthorityResponse>, Status> {
        Err(Status::unimplemented("tokens are not fetched here"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_registry_gets_its_own_login() {
        let login = |name: &str| Login::Password {
            username: name.to_owned(),
            password: format!("{name}'s").into(),
        };
        let logins = Logins(vec![
            ("docker.io".parse().unwrap(), login("hub")),
            ("h:5000".parse().unwrap(), login("h")),
            (
                "ghcr.io".parse().unwrap(),
                Login::IdentityToken("token".into()),
            ),
        ]);
        for (host, username, secret) in [
            ("registry-1.docker.io", "hub", "hub's"),
            ("https://index.docker.io/v1/", "hub", "hub's"),
            ("h:5000", "h", "h's"),
            ("ghcr.io", "", "token"),
            ("quay.io", "", ""),
        ] {
            let answer = logins.of(host);
            assert_eq!((&*answer.username, &*answer.secret), (username, secret));
        }
    }
}
