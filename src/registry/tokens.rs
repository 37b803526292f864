//! The tokens of one registry, each fetched once however many requests wait for it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;

use super::token::{Scopes, Token};
use super::{Authorization, Cause};
use crate::failure::Kind;

/// Tokens by what they allow.
#[derive(Default)]
pub(super) struct Tokens(Mutex<HashMap<Scopes, Arc<tokio::sync::Mutex<Slot>>>>);

/// Its lock is held while the token is fetched, so that those who wait share the outcome.
#[derive(Default)]
enum Slot {
    #[default]
    Empty,
    Granted(Token),
    Failed {
        at: Instant,
        cause: Arc<Cause>,
    },
}

impl Tokens {
    /// The token for these scopes, fetched where there is none, where it nears its end or where it
    /// is the one that was refused. A refusal to grant it is kept.
    pub(super) async fn get(
        &self,
        scopes: &Scopes,
        refused: Option<&Authorization>,
        fetch: impl Future<Output = Result<Token, Cause>>,
    ) -> Result<Authorization, Arc<Cause>> {
        let begun = Instant::now();
        let slot = self.slot(scopes);
        let mut slot = slot.lock().await;
        match &*slot {
            Slot::Granted(token) if token.is_fresh() && !token.is(refused) => {
                return Ok(Authorization::Bearer(Arc::clone(&token.secret)));
            }
            Slot::Failed { at, cause } if *at > begun || cause.kind() == Kind::Refused => {
                return Err(Arc::clone(cause));
            }
            Slot::Empty | Slot::Granted(_) | Slot::Failed { .. } => {}
        }
        match fetch.await {
            Ok(token) => {
                let secret = Arc::clone(&token.secret);
                *slot = Slot::Granted(token);
                Ok(Authorization::Bearer(secret))
            }
            Err(cause) => {
                let cause = Arc::new(cause);
                *slot = Slot::Failed {
                    at: Instant::now(),
                    cause: Arc::clone(&cause),
                };
                Err(cause)
            }
        }
    }

    fn slot(&self, scopes: &Scopes) -> Arc<tokio::sync::Mutex<Slot>> {
        let mut slots = self.0.lock();
        Arc::clone(slots.entry(scopes.clone()).or_default())
    }
}
