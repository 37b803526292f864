//! Tags of resources.

use serde::{Deserialize, Serialize};

/// A tag of a resource.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ResourceTag {
    pub(super) key: String,
    #[serde(default)]
    pub(super) value: String,
}
