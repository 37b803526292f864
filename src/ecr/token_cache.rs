//! Keeps the token, and decides when it is too old.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use secrecy::ExposeSecret as _;
use tokio::sync::Mutex;
use tracing::debug;

use super::{Error, Token};
use crate::image::Registry;
use crate::registry::{CredentialsError, Login};

/// How long an old token is used before another one is asked for again in vain.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_mins(1);

/// One token, fetched by one task while the others wait for it.
#[derive(Default)]
pub(super) struct TokenCache {
    kept: Mutex<Option<Kept>>,
}

struct Kept {
    token: Arc<Token>,
    life: Life,
}

/// When a token is to be replaced; it never is when nobody knows when it ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Life(Option<Span>);

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Span {
    refresh_at: SystemTime,
    expires_at: SystemTime,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Age {
    Fresh,
    Old,
    Dead,
}

impl Life {
    /// Half of the life is what amazon-ecr-credential-helper trusts (`cache/credentials.go`).
    fn new(expires_at: Option<SystemTime>, now: SystemTime) -> Self {
        let span = expires_at.and_then(|expires_at| {
            let left = expires_at.duration_since(now).ok()?;
            (!left.is_zero()).then(|| Span {
                refresh_at: now + left / 2,
                expires_at,
            })
        });
        Self(span)
    }

    fn age(self, now: SystemTime) -> Age {
        match self.0 {
            Some(span) if now >= span.expires_at => Age::Dead,
            Some(span) if now >= span.refresh_at => Age::Old,
            _ => Age::Fresh,
        }
    }

    fn postponed(self, now: SystemTime) -> Self {
        Self(self.0.map(|span| Span {
            refresh_at: now + PAUSE_AFTER_FAILURE,
            ..span
        }))
    }
}

impl TokenCache {
    /// The kept token, or the one that is fetched where there is none or it is too old.
    pub(super) async fn token<F>(&self, fetch: impl FnOnce() -> F) -> Result<Arc<Token>, Error>
    where
        F: Future<Output = Result<Token, Error>>,
    {
        let mut kept = self.kept.lock().await;
        let now = SystemTime::now();
        match &mut *kept {
            Some(Kept { token, life }) => match life.age(now) {
                Age::Fresh => Ok(Arc::clone(token)),
                Age::Old => match fetch().await {
                    Ok(token) => Ok(keep(&mut kept, token)),
                    Err(error) => {
                        debug!(%error, "the old token is kept");
                        *life = life.postponed(now);
                        Ok(Arc::clone(token))
                    }
                },
                Age::Dead => Ok(keep(&mut kept, fetch().await?)),
            },
            None => Ok(keep(&mut kept, fetch().await?)),
        }
    }

    /// How the kept token, or the one that is fetched, opens a registry.
    pub(super) async fn login<F>(
        &self,
        registry: &Registry,
        fetch: impl FnOnce() -> F,
    ) -> Result<Option<Login>, CredentialsError>
    where
        F: Future<Output = Result<Token, Error>>,
    {
        let token = self.token(fetch).await;
        let token = token.map_err(CredentialsError::at(registry))?;
        Ok(Some(token.login.clone()))
    }

    /// Drops the kept token if it is the one with this login.
    pub(super) async fn forget(&self, login: &Login) {
        let mut kept = self.kept.lock().await;
        let is_it = |kept: &mut Kept| is_same(&kept.token.login, login);
        if kept.take_if(is_it).is_some() {
            debug!("the token was refused");
        }
    }
}

fn is_same(one: &Login, other: &Login) -> bool {
    match (one, other) {
        (
            Login::Password { password: one, .. },
            Login::Password {
                password: other, ..
            },
        )
        | (Login::IdentityToken(one), Login::IdentityToken(other)) => {
            one.expose_secret() == other.expose_secret()
        }
        _ => false,
    }
}

fn keep(kept: &mut Option<Kept>, token: Token) -> Arc<Token> {
    let life = Life::new(token.expires_at, SystemTime::now());
    let token = Arc::new(token);
    *kept = Some(Kept {
        token: Arc::clone(&token),
        life,
    });
    token
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_token_is_old_after_half_its_life() {
        let hour = Duration::from_hours(1);
        let start = SystemTime::UNIX_EPOCH + hour;
        let life = Life::new(Some(start + 12 * hour), start);
        let ages = [0, 5, 6, 11, 12, 13].map(|hours| life.age(start + hours * hour));
        assert_eq!(
            ages,
            [
                Age::Fresh,
                Age::Fresh,
                Age::Old,
                Age::Old,
                Age::Dead,
                Age::Dead
            ]
        );

        let seven = start + 7 * hour;
        let postponed = life.postponed(seven);
        assert_eq!(postponed.age(seven), Age::Fresh);
        assert_eq!(postponed.age(seven + PAUSE_AFTER_FAILURE), Age::Old);
        assert_eq!(postponed.age(start + 12 * hour), Age::Dead);
    }

    #[test]
    fn an_end_in_the_past_is_no_end() {
        let now = SystemTime::now();
        let year = Duration::from_hours(365 * 24);
        for expires_at in [None, Some(now), Some(now - year)] {
            let life = Life::new(expires_at, now);
            assert_eq!(life.age(now), Age::Fresh, "{expires_at:?}");
            assert_eq!(life.age(now + year), Age::Fresh, "{expires_at:?}");
        }
    }

    #[tokio::test]
    async fn an_old_token_serves_while_there_is_no_new_one() {
        let (now, hour) = (SystemTime::now(), Duration::from_hours(1));
        let life = Life(Some(Span {
            refresh_at: now - hour,
            expires_at: now + hour,
        }));
        let token = Arc::new(Token {
            login: Login::IdentityToken("old".into()),
            proxy_endpoint: "https://example.com".parse().unwrap(),
            expires_at: None,
        });
        let kept = Kept {
            token: Arc::clone(&token),
            life,
        };
        let cache = TokenCache {
            kept: Mutex::new(Some(kept)),
        };
        let fetches = AtomicUsize::new(0);
        for _ in 0..2 {
            let answer = cache.token(|| async {
                fetches.fetch_add(1, Ordering::Relaxed);
                Err(Error::UnusableToken {
                    region: "eu-west-1".to_owned(),
                    reason: "it is empty".to_owned(),
                })
            });
            assert!(Arc::ptr_eq(&answer.await.unwrap(), &token));
        }
        assert_eq!(fetches.into_inner(), 1);
    }
}
