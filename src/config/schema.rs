//! The JSON Schema of the file. Each type that can be read says what it takes, so that a key is known
//! to the schema where it is known to the reader.

use serde_json::{Map, Value as Json, json};

use super::reader::Read as _;
use super::written::File;

/// The JSON Schema of the configuration file (draft 2020-12), with a description of each key. It knows
/// shapes and words; what names and values mean is checked by [`Specification::parse`].
///
/// [`Specification::parse`]: super::Specification::parse
pub fn schema() -> Json {
    let mut object = Map::from_iter([
        (
            "$schema".to_owned(),
            json!("https://json-schema.org/draft/2020-12/schema"),
        ),
        ("title".to_owned(), json!("The configuration of longshore")),
    ]);
    object.extend(File::schema().0);
    Json::Object(object)
}

/// The schema of one value.
pub(super) struct Schema(Map<String, Json>);

/// The keys of a mapping and what they take.
pub(super) type Properties = Vec<(&'static str, Schema)>;

impl Schema {
    /// These keywords.
    pub(super) fn of<const N: usize>(keywords: [(&str, Json); N]) -> Self {
        let owned = |(keyword, value): (&str, Json)| (keyword.to_owned(), value);
        Self(keywords.into_iter().map(owned).collect())
    }

    /// Any scalar: `1.10` is the text that was written, whatever YAML makes of it.
    pub(super) fn text() -> Self {
        Self::of([("type", json!(["string", "number", "boolean"]))])
    }

    pub(super) fn flag() -> Self {
        Self::of([("type", json!("boolean"))])
    }

    /// One of a few scalars.
    pub(super) fn words(words: &[&str]) -> Self {
        Self::of([("enum", json!(words))])
    }

    pub(super) fn list(items: Self) -> Self {
        Self::of([("type", json!("array")), ("items", items.into())])
    }

    /// A list that is not empty.
    pub(super) fn filled_list(items: Self) -> Self {
        Self::list(items).with("minItems", json!(1))
    }

    /// A mapping whose keys are not known beforehand.
    pub(super) fn table(values: Self) -> Self {
        Self::of([
            ("type", json!("object")),
            ("additionalProperties", values.into()),
        ])
    }

    /// A mapping whose keys are known, those among them that must be there last. Each of the others may
    /// be absent, and `null` is absent too.
    pub(super) fn mapping(properties: Properties, required: &[&str]) -> Self {
        let properties = properties.into_iter().map(|(key, schema)| {
            let is_required = required.contains(&key);
            let schema = if is_required {
                schema
            } else {
                schema.nullable()
            };
            (key.to_owned(), schema.into())
        });
        let properties: Map<String, Json> = properties.collect();
        Self::of([
            ("type", json!("object")),
            ("properties", Json::Object(properties)),
            ("additionalProperties", json!(false)),
            ("required", json!(required)),
        ])
    }

    pub(super) fn any_of<const N: usize>(schemas: [Self; N]) -> Self {
        Self::of([("anyOf", schemas.into_iter().map(Json::from).collect())])
    }

    /// With what its key means, for whoever writes it.
    pub(super) fn described(self, text: &str) -> Self {
        self.with("description", json!(text.trim()))
    }

    pub(super) fn with(mut self, keyword: &str, value: Json) -> Self {
        self.0.insert(keyword.to_owned(), value);
        self
    }

    fn nullable(mut self) -> Self {
        if let Some(Json::Array(words)) = self.0.get_mut("enum") {
            words.push(Json::Null);
        } else if let Some(Json::Array(schemas)) = self.0.get_mut("anyOf") {
            schemas.push(json!({"type": "null"}));
        } else if let Some(kind) = self.0.get_mut("type") {
            match kind {
                Json::Array(kinds) => kinds.push(json!("null")),
                kind => *kind = json!([kind, "null"]),
            }
        }
        self
    }
}

impl From<Schema> for Json {
    fn from(schema: Schema) -> Self {
        Self::Object(schema.0)
    }
}
