//! Logins as the daemon takes them.

use std::collections::HashMap;

use bollard::auth::DockerCredentials;
use secrecy::ExposeSecret;

use crate::image::Registry;
use crate::registry::Login;

/// The name under which the classic builder looks for Docker Hub's login.
const DOCKER_HUB_KEY: &str = "https://index.docker.io/v1/";

/// One login, for one registry.
pub(super) fn credentials(login: &Login) -> DockerCredentials {
    match login {
        Login::Password { username, password } => DockerCredentials {
            username: Some(username.clone()),
            password: Some(password.expose_secret().to_owned()),
            ..DockerCredentials::default()
        },
        Login::IdentityToken(token) => DockerCredentials {
            identitytoken: Some(token.expose_secret().to_owned()),
            ..DockerCredentials::default()
        },
    }
}

/// The logins that a build may need, each under the name that the classic builder looks for.
pub(super) fn by_registry(logins: &[(Registry, Login)]) -> HashMap<String, DockerCredentials> {
    let entry = |(registry, login): &(Registry, Login)| {
        let key = if registry.is_docker_hub() {
            DOCKER_HUB_KEY
        } else {
            registry.as_str()
        };
        let mut credentials = credentials(login);
        credentials.serveraddress = Some(key.to_owned());
        (key.to_owned(), credentials)
    };
    logins.iter().map(entry).collect()
}
