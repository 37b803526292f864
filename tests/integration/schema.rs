//! `longshore schema`: what it says of the file is what longshore itself makes of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use jsonschema::Validator;
use longshore::config::{Document, Mistakes, Specification, schema};
use serde_json::{Value, json};

use crate::harness::{Longshore, files, yaml};

/// A key and a word that nobody means.
const UNKNOWN: &str = "zzzzzzzzzzzz";

/// Why the schema refuses a file; `None` where it does not.
pub(crate) fn refusal(file: &Value) -> Option<String> {
    static VALIDATOR: LazyLock<Validator> =
        LazyLock::new(|| jsonschema::draft202012::new(&schema()).unwrap());
    let errors = VALIDATOR.iter_errors(file);
    let lines: Vec<String> = errors
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    (!lines.is_empty()).then(|| format!("by its schema: {}", lines.join("\n")))
}

/// What longshore makes of a file, where each variable that it may name holds a password.
pub(crate) fn parse(text: &str, folder: &Path) -> Result<Specification, Mistakes> {
    let document = Document {
        name: "file".to_owned(),
        text: text.to_owned(),
        folder: folder.to_owned(),
    };
    Specification::parse(&document, &|name| {
        (name != "SOURCE_DATE_EPOCH").then(|| "secret".to_owned())
    })
}

/// What longshore says of a file that is wrong.
fn mistakes(text: &str, folder: &Path) -> String {
    parse(text, folder).map_or_else(|mistakes| mistakes.to_string(), |_| String::new())
}

/// Every file of YAML below a folder.
fn yaml_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = files(folder);
    files.retain(|path| path.extension().is_some_and(|end| end == "yaml"));
    files
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

#[test]
fn it_is_a_schema_with_a_description_of_each_key() {
    let folder = tempfile::tempdir().unwrap();
    let printed = Longshore::new(folder.path(), &["schema"])
        .run()
        .exits(0)
        .json();
    assert_eq!(printed, schema());
    assert_eq!(
        printed["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
    assert!(jsonschema::meta::is_valid(&printed));

    let reference = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/configuration.md");
    let reference = fs::read_to_string(reference).unwrap();
    let words: Vec<&str> = reference
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .collect();
    let mut without = Vec::new();
    for place in Place::all() {
        for (key, schema) in place.properties() {
            let description = schema["description"].as_str().unwrap_or_default();
            if !description.ends_with('.') {
                without.push(format!("no description of `{}`", place.below(key)));
            }
            if !words.contains(&key.as_str()) {
                without.push(format!("`{key}` is not in docs/configuration.md"));
            }
        }
    }
    assert_eq!(without, [""; 0]);
}

/// The reader names what it knows where it finds something else; that is asked at every place that the
/// schema knows.
#[test]
fn it_knows_the_keys_and_words_that_the_reader_knows() {
    let places = Place::all();
    assert!(
        places
            .iter()
            .any(|place| place.below("") == "images[0].build.")
    );
    let mut different = Vec::new();
    for place in &places {
        if let Some(found) = place.differs() {
            different.push(found);
        }
    }
    assert_eq!(different, [""; 0]);
}

#[test]
fn sound_files_validate() {
    let folder = fixtures();
    let files = yaml_files(&folder).into_iter();
    let files: Vec<_> = files
        .filter(|path| !path.starts_with(folder.join("config/broken")))
        .collect();
    assert!(files.contains(&folder.join("config/every-key.yaml")));
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        parse(&text, path.parent().unwrap()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(refusal(&yaml(&text)), None, "{}", path.display());
    }
}

/// Where longshore finds a key, a type or a list wrong, the schema does too. What names and values mean
/// it cannot tell.
#[test]
fn files_of_another_shape_do_not() {
    const SHAPES: [&str; 4] = [": unknown key", ": expected ", " is missing", " is empty"];
    let folder = fixtures().join("config/broken");
    let mut refused = Vec::new();
    for path in yaml_files(&folder) {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&path).unwrap();
        let said = mistakes(&text, &folder);
        assert_ne!(said, "", "{name}");
        if SHAPES.iter().any(|shape| said.contains(shape)) {
            assert!(refusal(&yaml(&text)).is_some(), "{name}\n{said}");
            refused.push(name);
        }
    }
    for name in ["unknown-keys.yaml", "wrong-types.yaml", "tags.yaml"] {
        assert!(refused.iter().any(|refused| refused == name), "{refused:?}");
    }
}

/// A step from a value to one below it.
#[derive(Clone)]
enum Step {
    Key(String),
    Item,
}

/// A place in the file and what the schema says of it.
struct Place {
    path: Vec<Step>,
    schema: Value,
}

impl Place {
    /// Every place that has keys or takes a few words only.
    fn all() -> Vec<Self> {
        let mut places = Vec::new();
        Self::collect(&schema(), &[], &mut places);
        places
    }

    fn collect(schema: &Value, path: &[Step], places: &mut Vec<Self>) {
        let below = |step: Step| [path, &[step]].concat();
        if schema["properties"].is_object() || schema["enum"].is_array() {
            places.push(Self {
                path: path.to_vec(),
                schema: schema.clone(),
            });
        }
        for (key, schema) in schema["properties"].as_object().into_iter().flatten() {
            Self::collect(schema, &below(Step::Key(key.clone())), places);
        }
        // A name that is both a registry and a prefix.
        if schema["additionalProperties"].is_object() {
            let path = below(Step::Key("quay.io".to_owned()));
            Self::collect(&schema["additionalProperties"], &path, places);
        }
        if schema["items"].is_object() {
            Self::collect(&schema["items"], &below(Step::Item), places);
        }
        for schema in schema["anyOf"].as_array().into_iter().flatten() {
            Self::collect(schema, path, places);
        }
    }

    fn properties(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.schema["properties"].as_object().into_iter().flatten()
    }

    /// What a key here is called.
    fn below(&self, key: &str) -> String {
        let step = |step: &Step| match step {
            Step::Key(key) => format!(".{key}"),
            Step::Item => "[0]".to_owned(),
        };
        let path: String = self.path.iter().map(step).collect();
        format!("{path}.{key}").trim_start_matches('.').to_owned()
    }

    /// A file with this value at this place, and nothing else.
    fn file(&self, value: Value) -> String {
        let around = |value: Value, step: &Step| match step {
            Step::Key(key) => json!({ key: value }),
            Step::Item => json!([value]),
        };
        self.path.iter().rev().fold(value, around).to_string()
    }

    /// What the schema knows here and what the reader knows, where that is not the same.
    fn differs(&self) -> Option<String> {
        let (mut ours, mut theirs): (Vec<String>, Vec<String>) =
            match self.schema["enum"].as_array() {
                // The version is a number, and the reader has no hint for another one.
                Some(words) if words.iter().any(Value::is_number) => return None,
                Some(words) => {
                    let said = mistakes(&self.file(json!(UNKNOWN)), Path::new(""));
                    let words = words.iter().filter_map(Value::as_str).map(str::to_owned);
                    (words.collect(), named(&said, &format!("`{UNKNOWN}`")))
                }
                None => {
                    let said = mistakes(&self.file(json!({UNKNOWN: 1})), Path::new(""));
                    let keys = self.properties().map(|(key, _)| key.clone());
                    (
                        keys.collect(),
                        named(&said, &format!("{UNKNOWN}: unknown key")),
                    )
                }
            };
        ours.sort();
        theirs.sort();
        (ours != theirs).then(|| {
            let place = self.below("");
            format!("`{place}`: the schema knows {ours:?}, the reader {theirs:?}")
        })
    }
}

/// The words in backticks that the mistake about something has, and its hint.
fn named(said: &str, about: &str) -> Vec<String> {
    let mut lines = said.lines().skip_while(|line| !line.contains(about));
    let mistake = lines.next().unwrap_or_default().to_owned();
    let hint = lines.next().filter(|line| line.starts_with("  hint: "));
    let text = mistake + hint.unwrap_or_default();
    let words = text.split('`').skip(1).step_by(2);
    let words = words.filter(|word| !word.contains(UNKNOWN) && !word.starts_with('{'));
    words.map(str::to_owned).collect()
}
