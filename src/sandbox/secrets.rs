//! The secrets of Secrets Manager.

use std::collections::BTreeMap;

use parking_lot::{Mutex, MutexGuard};
use secrecy::{ExposeSecret as _, SecretString};

use super::fresh;

/// All secrets by name.
#[derive(Default)]
pub(super) struct Secrets(Mutex<BTreeMap<String, Secret>>);

/// A secret. Of its values only the current one is kept.
pub(super) struct Secret {
    pub(super) arn: String,
    pub(super) description: Option<String>,
    pub(super) kms_key_id: Option<String>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) created_at: f64,
    pub(super) changed_at: f64,
    /// When it will be gone, where its deletion was asked for.
    pub(super) deleted_at: Option<f64>,
    pub(super) value: Option<Version>,
}

/// A value.
pub(super) struct Version {
    pub(super) id: String,
    pub(super) text: SecretString,
    pub(super) created_at: f64,
}

impl Secrets {
    pub(super) fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Secret>> {
        self.0.lock()
    }

    /// Whether a secret that can be used has this name or ARN, with or without a value.
    pub(super) fn has(&self, id: &str) -> bool {
        let secrets = self.lock();
        let secret = name_of(&secrets, id).and_then(|name| secrets.get(&name));
        secret.is_some_and(|secret| secret.deleted_at.is_none())
    }

    /// The value of a secret that can be used.
    pub(super) fn value(&self, id: &str) -> Option<String> {
        let secrets = self.lock();
        let secret = secrets.get(&name_of(&secrets, id)?)?;
        let value = secret.value.as_ref()?;
        let usable = secret.deleted_at.is_none();
        usable.then(|| value.text.expose_secret().to_owned())
    }
}

/// The name of the secret that a name, an ARN, or an ARN without its last six characters means.
pub(super) fn name_of(secrets: &BTreeMap<String, Secret>, id: &str) -> Option<String> {
    let means = |name: &str, secret: &Secret| {
        let short = secret.arn.rsplit_once('-').map(|(short, _)| short);
        name == id || secret.arn == id || short == Some(id)
    };
    let mut found = secrets.iter().filter(|(name, secret)| means(name, secret));
    found.next().map(|(name, _)| name.clone())
}

impl Version {
    pub(super) fn new(id: Option<String>, text: String) -> Self {
        Self {
            id: id.unwrap_or_else(fresh::uuid),
            text: text.into(),
            created_at: fresh::now(),
        }
    }
}
