//! Tokens from a registry's token service.

use std::sync::atomic::Ordering;

use reqwest::StatusCode;

use super::Session;
use crate::registry::token::{Scopes, Token, TokenService};
use crate::registry::{Answer, Cause, Login};

impl Session {
    /// Asks for a token with the login, and judges from a refusal what was refused.
    pub(super) async fn grant(
        &self,
        service: &TokenService,
        scopes: &Scopes,
    ) -> Result<Token, Cause> {
        let Some(login) = self.login().await? else {
            return service.grant(&self.transport, None, scopes).await;
        };
        let answer = match service.grant(&self.transport, Some(&login), scopes).await {
            Err(Cause::Answered(answer)) if is_login_refused(&answer) => answer,
            other => {
                if other.is_ok() {
                    self.trial.end();
                }
                return other;
            }
        };
        if self.registry.is_public_ecr() {
            // A forgotten `docker login public.ecr.aws` must not break what needs no login.
            self.is_anonymous.store(true, Ordering::Relaxed);
            return service.grant(&self.transport, None, scopes).await;
        }
        if !self.trial.is_over() && answer.status == StatusCode::FORBIDDEN {
            // A token without scope is what `docker login` asks for: it tells a refused login from a
            // refused repository.
            let scopes = Scopes::default();
            match service.grant(&self.transport, Some(&login), &scopes).await {
                Ok(_) => self.trial.end(),
                Err(Cause::Answered(answer)) if is_login_refused(&answer) => {}
                Err(_) => return Err(Cause::Answered(answer)),
            }
        }
        if self.trial.is_over() {
            return Err(Cause::Answered(answer));
        }
        let login = match login {
            Login::Password { username, .. } => format!("the login of `{username}`"),
            Login::IdentityToken(_) => "the identity token".to_owned(),
        };
        Err(Cause::LoginRefused { login, answer })
    }
}

/// Whether a token service refuses a login. OAuth2 has 400 `invalid_grant` for a bad refresh token.
fn is_login_refused(answer: &Answer) -> bool {
    answer.is_refusal() || answer.code.as_deref() == Some("invalid_grant")
}
