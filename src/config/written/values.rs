//! Values that may be written in several shapes.

use serde_json::json;

use super::{KmsKey, PasswordSource, TagRules, Text};
use crate::config::mistakes::{Located, Mistakes, Place};
use crate::config::reader::{Read, misfit};
use crate::config::schema::Schema;
use crate::config::tree::{Node, Value};

/// `tags`: a list of tags and patterns, or rules.
#[derive(Debug)]
pub(in crate::config) enum Tags {
    List(Vec<Text>),
    Rules(Box<Located<TagRules>>),
}

impl Read for Tags {
    fn read(node: &Node, place: &Place, mistakes: &mut Mistakes) -> Option<Self> {
        match &node.value {
            Value::Map(entries) if entries.iter().all(|entry| entry.value.is_null()) => {
                let hint = "write `[\"**\"]` for all tags".to_owned();
                mistakes.add(place, "the mapping is empty", hint);
                None
            }
            Value::Map(_) => {
                let rules = Located::read(node, place, mistakes)?;
                Some(Self::Rules(Box::new(rules)))
            }
            _ => Vec::read(node, place, mistakes).map(Self::List),
        }
    }

    fn schema() -> Schema {
        let rules = TagRules::schema().with("minProperties", json!(1));
        Schema::any_of([Schema::filled_list(Schema::text()), rules])
    }
}

/// `platforms`: a list, or one word.
#[derive(Debug)]
pub(in crate::config) enum Platforms {
    Word(Text),
    List(Vec<Text>),
}

impl Read for Platforms {
    fn read(node: &Node, place: &Place, mistakes: &mut Mistakes) -> Option<Self> {
        match &node.value {
            Value::Text { .. } => Text::read(node, place, mistakes).map(Self::Word),
            Value::List(items) if items.is_empty() => {
                let hint = "leave the key out, or write `all`".to_owned();
                mistakes.add(place, "the list is empty", hint);
                None
            }
            _ => Vec::read(node, place, mistakes).map(Self::List),
        }
    }

    fn schema() -> Schema {
        Schema::any_of([Schema::words(&["all"]), Schema::filled_list(Schema::text())])
    }
}

/// `tag_immutability`: a boolean, or the patterns of tags to exempt.
#[derive(Debug)]
pub(in crate::config) enum TagImmutability {
    Flag(bool),
    Except(Located<Vec<Text>>),
}

impl Read for TagImmutability {
    fn read(node: &Node, place: &Place, mistakes: &mut Mistakes) -> Option<Self> {
        match &node.value {
            Value::List(_) => Located::read(node, place, mistakes).map(Self::Except),
            _ => bool::read(node, place, mistakes).map(Self::Flag),
        }
    }

    fn schema() -> Schema {
        Schema::any_of([Schema::flag(), Schema::list(Schema::text())])
    }
}

/// `encryption`: a word, or a key.
#[derive(Debug)]
pub(in crate::config) enum Encryption {
    Word(Text),
    Key(Located<KmsKey>),
}

impl Read for Encryption {
    fn read(node: &Node, place: &Place, mistakes: &mut Mistakes) -> Option<Self> {
        match &node.value {
            Value::Text { .. } => Text::read(node, place, mistakes).map(Self::Word),
            _ => Located::read(node, place, mistakes).map(Self::Key),
        }
    }

    fn schema() -> Schema {
        let key = Schema::mapping(KmsKey::properties(), &["kms_key_arn"]);
        Schema::any_of([Schema::words(&["AES256"]), key])
    }
}

/// A policy: inline, as JSON text, or in a file.
#[derive(Debug)]
pub(in crate::config) enum Policy {
    Inline(Located<Node>),
    Json(Text),
    File(Text),
}

impl Read for Policy {
    fn read(node: &Node, place: &Place, mistakes: &mut Mistakes) -> Option<Self> {
        match &node.value {
            Value::Text { .. } => Text::read(node, place, mistakes).map(Self::Json),
            Value::Map(entries) => match &entries[..] {
                [entry] if entry.key == "file" => {
                    let place = place.key("file", entry.value.position);
                    Text::read(&entry.value, &place, mistakes).map(Self::File)
                }
                _ => Some(Self::Inline(Located {
                    value: node.clone(),
                    place: place.clone(),
                })),
            },
            Value::List(_) => {
                let message = misfit("a mapping, `{file: PATH}` or a JSON text", node);
                mistakes.add(place, message, None);
                None
            }
        }
    }

    fn schema() -> Schema {
        Schema::of([("type", json!(["object", "string"]))])
    }
}

/// `password`: where it is, never the password itself.
#[derive(Debug)]
pub(in crate::config) enum Password {
    Source(Box<Located<PasswordSource>>),
    /// It cannot be used, and why is among the mistakes.
    Unusable,
}

impl Read for Password {
    fn read(node: &Node, place: &Place, mistakes: &mut Mistakes) -> Option<Self> {
        // What was found must not be repeated: it may be a password.
        if let Value::Map(_) = &node.value {
            let source = Located::read(node, place, mistakes);
            Some(source.map_or(Self::Unusable, |source| Self::Source(Box::new(source))))
        } else {
            let hint = "write `{env: NAME}`, `{file: PATH}`, `{secret: NAME}` or `{ssm: /PATH}`";
            let message = "a password does not belong in the file";
            mistakes.add(place, message, hint.to_owned());
            Some(Self::Unusable)
        }
    }

    fn schema() -> Schema {
        PasswordSource::schema().with("minProperties", json!(1))
    }
}
