//! Policies in ECR's own JSON, written inline, as a JSON text or in a file.

use serde_json::{Number, Value as Json};

use super::check::Checker;
use super::tree::{Entry, Node, Style, Value};
use super::written;

/// One of ECR's kinds of policies.
pub(super) struct Kind {
    /// What mistakes call it.
    name: &'static str,
    /// The key that it must have.
    key: &'static str,
    /// How many characters ECR takes.
    longest: usize,
    /// The keys whose values are numbers. Elsewhere what looks like a number is a text, as in
    /// `tagPrefixList: [2024]` and `AWS: 123456789012`.
    numbers: &'static [&'static str],
    /// Keys that each element of `key` must have as mappings.
    parts: &'static [&'static str],
    /// Whether `key` is a list with at least one element; ECR says so only when it gets one.
    is_filled: bool,
}

/// A lifecycle policy: ECR's `PutLifecyclePolicy`.
pub(super) const LIFECYCLE: Kind = Kind {
    name: "a lifecycle policy",
    key: "rules",
    longest: 30_720,
    numbers: &["rulePriority", "countNumber"],
    parts: &["selection", "action"],
    is_filled: true,
};

/// A repository policy: ECR's `SetRepositoryPolicy`.
pub(super) const REPOSITORY: Kind = Kind {
    name: "a repository policy",
    key: "Statement",
    longest: 10_240,
    numbers: &[],
    parts: &[],
    is_filled: false,
};

/// The policy's JSON text.
pub(super) fn check(
    written: written::Policy,
    kind: &Kind,
    checker: &mut Checker<'_>,
) -> Option<String> {
    let (text, json, place) = match written {
        written::Policy::Inline(node) => {
            let json = kind.json(&node.value, "");
            (json.to_string(), Ok(json), node.place)
        }
        written::Policy::Json(text) => {
            let json = serde_json::from_str(&text.value);
            (text.value, json, text.place)
        }
        written::Policy::File(path) => {
            let text = checker.read(&path)?;
            let json = serde_json::from_str(&text);
            (text, json, path.place)
        }
    };
    let wrong = match &json {
        Err(error) => format!("this is not JSON: {error}"),
        Ok(Json::Object(object)) if object.contains_key(kind.key) => {
            if kind.is_filled && object[kind.key].as_array().is_none_or(Vec::is_empty) {
                let (name, key) = (kind.name, kind.key);
                let message = format!("`{key}` of {name} is a list of at least one");
                let hint = "write one, or leave the policy out".to_owned();
                checker.mistakes.add(&place, message, hint);
                return None;
            }
            if let Some((number, part)) = kind.lacking(&object[kind.key]) {
                let (name, key) = (kind.name, kind.key);
                let message = format!("`{key}[{number}]` of {name} has no mapping `{part}`");
                let hint = format!("write what belongs to `{part}` below it, two columns deeper");
                checker.mistakes.add(&place, message, hint);
                return None;
            }
            if text.chars().count() <= kind.longest {
                return Some(text);
            }
            format!("{} has at most {} characters", kind.name, kind.longest)
        }
        Ok(_) => format!("{} is a JSON object with the key `{}`", kind.name, kind.key),
    };
    checker.mistakes.add(&place, wrong, None);
    None
}

impl Kind {
    /// The first element that lacks one of its parts, and which.
    fn lacking(&self, elements: &Json) -> Option<(usize, &'static str)> {
        let elements = elements.as_array().into_iter().flatten().enumerate();
        elements
            .flat_map(|(number, element)| {
                self.parts.iter().map(move |part| (number, *part, element))
            })
            .find(|(_, part, element)| !element[part].is_object())
            .map(|(number, part, _)| (number, part))
    }

    fn json(&self, node: &Node, key: &str) -> Json {
        match &node.value {
            Value::Map(entries) => {
                let pair = |entry: &Entry| (entry.key.clone(), self.json(&entry.value, &entry.key));
                Json::Object(entries.iter().map(pair).collect())
            }
            Value::List(items) => items.iter().map(|item| self.json(item, key)).collect(),
            _ if node.is_null() => Json::Null,
            Value::Text { text, style } => match (text.as_str(), style) {
                ("true", Style::Plain) => Json::Bool(true),
                ("false", Style::Plain) => Json::Bool(false),
                (text, _) => match text.parse::<u32>() {
                    Ok(number) if self.numbers.contains(&key) => Json::Number(Number::from(number)),
                    _ => Json::String(text.to_owned()),
                },
            },
        }
    }
}
