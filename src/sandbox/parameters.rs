//! The parameters of SSM.

use std::collections::BTreeMap;

use parking_lot::{Mutex, MutexGuard};
use secrecy::SecretString;

/// All parameters by name.
#[derive(Default)]
pub(super) struct Parameters(Mutex<BTreeMap<String, Parameter>>);

/// A parameter.
pub(super) struct Parameter {
    /// `String`, `StringList` or `SecureString`.
    pub(super) kind: String,
    pub(super) value: SecretString,
    pub(super) version: u64,
    pub(super) changed_at: f64,
}

impl Parameters {
    pub(super) fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Parameter>> {
        self.0.lock()
    }
}
