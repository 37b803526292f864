//! The entries that lines leave in an image's history.

use serde::Serialize;

/// One entry of an image's history, for a line that makes no layer.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct HistoryEntry {
    /// When it was made, RFC 3339: never the present, so that the result can be made again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// The line as BuildKit would write it, variables replaced.
    pub created_by: String,
    /// The program.
    pub comment: &'static str,
    /// Always true.
    pub empty_layer: bool,
}

impl HistoryEntry {
    pub(super) fn new(created_by: String, created: Option<String>) -> Self {
        Self {
            created,
            created_by,
            comment: "longshore",
            empty_layer: true,
        }
    }
}

/// A list of words in quotation marks, as BuildKit writes a command.
pub(super) fn quoted(words: &[String]) -> String {
    let words: Vec<_> = words.iter().map(|word| format!("{word:?}")).collect();
    format!("[{}]", words.join(" "))
}
