//! YAML and JSON text as a tree in which everything knows its position.
//!
//! A scalar stays the text that was written: `1.10`, `no` and `0x1F` become what the key they
//! belong to makes of them, not what YAML would guess.

use super::mistakes::Position;

/// About how many bytes a node takes without its text.
const NODE: usize = 64;

/// One value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Node {
    pub(super) position: Position,
    pub(super) value: Value,
}

/// What a value is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Value {
    /// A scalar, as written.
    Text {
        text: String,
        style: Style,
    },
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// How a scalar was written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Style {
    /// Without quotes.
    Plain,
    /// In quotes, or folded.
    Quoted,
    /// After `|`: each of its lines is a line of the text.
    Block,
}

/// A key of a mapping and its value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) position: Position,
    pub(super) value: Node,
}

impl Node {
    /// Whether this is how YAML and JSON write nothing.
    pub(super) fn is_null(&self) -> bool {
        matches!(&self.value, Value::Text { text, style: Style::Plain }
            if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// The value in a few words, for a mistake.
    pub(super) fn describe(&self) -> String {
        match &self.value {
            _ if self.is_null() => "nothing".to_owned(),
            Value::Text { text, .. } if text.chars().count() > 40 || text.contains('\n') => {
                "a long text".to_owned()
            }
            Value::Text { text, .. } => format!("`{text}`"),
            _ => self.kind().to_owned(),
        }
    }

    /// What kind of value this is, without repeating it.
    pub(super) fn kind(&self) -> &'static str {
        match &self.value {
            _ if self.is_null() => "nothing",
            Value::Text { .. } => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }

    /// How large the value is.
    pub(super) fn cost(&self) -> Cost {
        let below = |children: &mut dyn Iterator<Item = Cost>| {
            children.fold(
                Cost {
                    bytes: NODE,
                    depth: 1,
                },
                |sum, child| Cost {
                    bytes: sum.bytes + child.bytes,
                    depth: sum.depth.max(child.depth + 1),
                },
            )
        };
        match &self.value {
            Value::Text { text, .. } => Cost {
                bytes: NODE + text.len(),
                depth: 0,
            },
            Value::List(items) => below(&mut items.iter().map(Self::cost)),
            Value::Map(entries) => below(&mut entries.iter().map(|entry| {
                let cost = entry.value.cost();
                Cost {
                    bytes: cost.bytes + entry.key.len(),
                    ..cost
                }
            })),
        }
    }
}

/// How large a value is.
#[derive(Clone, Copy)]
pub(super) struct Cost {
    /// About how many bytes it takes.
    pub(super) bytes: usize,
    /// How deep collections stand in each other.
    pub(super) depth: usize,
}
