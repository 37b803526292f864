//! Settings of the account.

use super::{Ecr, Error};
use crate::aws;

/// The setting's name (UG/blob-mounting.html).
const BLOB_MOUNTING: &str = "BLOB_MOUNTING";

impl Ecr {
    /// Whether blobs can be mounted from another repository of the registry; `None` for another
    /// account's registry, of whose settings the API tells nothing.
    pub async fn mounts_blobs(&self) -> Result<Option<bool>, Error> {
        if self.registry().await? != self.token().await?.proxy_endpoint {
            return Ok(None);
        }
        let setting = self.client.get_account_setting().name(BLOB_MOUNTING);
        let output = setting.send().await.map_err(|error| Error::Setting {
            name: BLOB_MOUNTING,
            source: aws::Error::from_sdk("ecr", "GetAccountSetting", error),
        })?;
        Ok(Some(output.value() == Some("ENABLED")))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::stand_in::{StandIn, refusal, token};
    use super::*;

    #[tokio::test]
    async fn an_accounts_own_setting_is_known() {
        let value = |value: &str| (200, json!({"name": BLOB_MOUNTING, "value": value}));
        let denied = || refusal("AccessDeniedException", "not authorized");
        for (account_id, answer, expected) in [
            (None, value("ENABLED"), Some(Some(true))),
            (Some("123456789012"), value("DISABLED"), Some(Some(false))),
            (Some("210987654321"), denied(), Some(None)),
            (None, denied(), None),
        ] {
            let api = StandIn::answering([token("one", 4_102_444_800), answer]).await;
            assert_eq!(api.ecr(account_id).mounts_blobs().await.ok(), expected);
        }
    }
}
