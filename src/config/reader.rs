//! From the tree to values of a type, with a mistake for everything that does not fit.

use super::hint::{nearest, suggest};
use super::mistakes::{Located, Mistakes, Place};
use super::schema::Schema;
use super::tree::{Entry, Node, Style, Value};

/// What can be read from a value of the file.
pub(super) trait Read: Sized {
    /// Reads the value. `None` when it does not fit, and why is among the mistakes.
    fn read(node: &Node, place: &Place, mistakes: &mut Mistakes) -> Option<Self>;

    /// What fits, for editors.
    fn schema() -> Schema;
}

/// A mapping whose keys are not known beforehand, in the file's order.
pub(super) type Table<T> = Vec<(Located<String>, T)>;

/// One of the extra Dockerfile lines.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) text: String,
    /// Whether each line of the text is a line of the file, the first at the value's position.
    pub(super) is_block: bool,
}

impl<T: Read> Read for Located<T> {
    fn read(node: &Node, place: &Place, mistakes: &mut Mistakes) -> Option<Self> {
        T::read(node, place, mistakes).map(|value| Self {
            value,
            place: place.clone(),
        })
    }

    fn schema() -> Schema {
        T::schema()
    }
}

impl Read for String {
    fn read(node: &Node, place: &Place, mistakes: &mut Mistakes) -> Option<Self> {
        match &node.value {
            Value::Text { text, style } if !text.is_empty() || *style != Style::Plain => {
                Some(text.clone())
            }
            _ => {
                mistakes.add(place, misfit("a text", node), None);
                None
            }
        }
    }

    fn schema() -> Schema {
        Schema::text()
    }
}

impl Read for Line {
    fn read(node: &Node, place: &Place, mistakes: &mut Mistakes) -> Option<Self> {
        let style = Style::Block;
        let is_block = matches!(&node.value, Value::Text { style: found, .. } if *found == style);
        String::read(node, place, mistakes).map(|text| Self { text, is_block })
    }

    fn schema() -> Schema {
        Schema::text()
    }
}

impl Read for bool {
    fn read(node: &Node, place: &Place, mistakes: &mut Mistakes) -> Option<Self> {
        match &node.value {
            Value::Text { text, .. } if matches!(text.as_str(), "true" | "True" | "TRUE") => {
                Some(true)
            }
            Value::Text { text, .. } if matches!(text.as_str(), "false" | "False" | "FALSE") => {
                Some(false)
            }
            other => {
                let meant = match other {
                    Value::Text { text, .. } => nearest(text, ["true", "false"]),
                    _ => None,
                };
                let hint = meant.map(|meant| format!("did you mean `{meant}`?"));
                mistakes.add(place, misfit("`true` or `false`", node), hint);
                None
            }
        }
    }

    fn schema() -> Schema {
        Schema::flag()
    }
}

/// What does not fit is `None`, so that a list keeps its places.
impl<T: Read> Read for Option<T> {
    fn read(node: &Node, place: &Place, mistakes: &mut Mistakes) -> Option<Self> {
        Some(T::read(node, place, mistakes))
    }

    fn schema() -> Schema {
        T::schema()
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(node: &Node, place: &Place, mistakes: &mut Mistakes) -> Option<Self> {
        let Value::List(items) = &node.value else {
            let hint = match &node.value {
                Value::Text { text, .. } if !node.is_null() && !text.contains('\n') => {
                    Some(format!("write `[{}]`", in_a_list(text)))
                }
                _ => None,
            };
            mistakes.add(place, misfit("a list", node), hint);
            return None;
        };
        let mut values = Self::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            values.extend(T::read(item, &place.index(index, item.position), mistakes));
        }
        Some(values)
    }

    fn schema() -> Schema {
        Schema::list(T::schema())
    }
}

impl<T: Read> Read for Table<T> {
    fn read(node: &Node, place: &Place, mistakes: &mut Mistakes) -> Option<Self> {
        let Value::Map(entries) = &node.value else {
            mistakes.add(place, no_mapping(node), None);
            return None;
        };
        let mut table = Self::with_capacity(entries.len());
        for Entry {
            key,
            position,
            value,
        } in entries
        {
            let key = Located {
                value: key.clone(),
                place: place.key(key, *position),
            };
            let place = place.key(&key.value, value.position);
            if value.is_null() {
                mistakes.add(&place, "expected a value, found nothing", None);
            } else if let Some(value) = T::read(value, &place, mistakes) {
                table.push((key, value));
            }
        }
        Some(table)
    }

    fn schema() -> Schema {
        Schema::table(T::schema())
    }
}

/// A mapping whose keys are known. Each is asked for once, then the mapping is closed.
pub(super) struct Fields<'a> {
    entries: &'a [Entry],
    place: &'a Place,
    mistakes: &'a mut Mistakes,
    known: Vec<&'static str>,
    missing: Vec<(&'static str, String)>,
}

impl<'a> Fields<'a> {
    pub(super) fn open(
        node: &'a Node,
        place: &'a Place,
        mistakes: &'a mut Mistakes,
    ) -> Option<Self> {
        let Value::Map(entries) = &node.value else {
            mistakes.add(place, no_mapping(node), None);
            return None;
        };
        Some(Self {
            entries,
            place,
            mistakes,
            known: Vec::new(),
            missing: Vec::new(),
        })
    }

    /// The value of a key that may be absent. `null` is absent too.
    pub(super) fn read<T: Read>(&mut self, key: &'static str) -> Option<T> {
        self.known.push(key);
        let entry = self.find(key)?;
        let place = self.place.key(key, entry.value.position);
        T::read(&entry.value, &place, self.mistakes)
    }

    /// The value of a key that must not be absent.
    pub(super) fn required<T: Read>(&mut self, key: &'static str, hint: &str) -> Option<T> {
        if !self.has(key) {
            self.missing.push((key, hint.to_owned()));
        }
        self.filled(key, hint)
    }

    /// A list that may be absent, but not empty.
    pub(super) fn filled<T: Read>(&mut self, key: &'static str, hint: &str) -> Option<T> {
        if let Some(Node {
            position,
            value: Value::List(items),
        }) = self.find(key).map(|entry| &entry.value)
            && items.is_empty()
        {
            let place = self.place.key(key, *position);
            self.mistakes
                .add(&place, "the list is empty", hint.to_owned());
        }
        self.read(key)
    }

    /// Whether a key is present.
    pub(super) fn has(&self, key: &str) -> bool {
        self.find(key).is_some()
    }

    /// Reports the keys that nobody asked for, and those that are missing without being misspelt.
    pub(super) fn close(mut self) {
        for entry in self.entries {
            if self.known.contains(&entry.key.as_str()) {
                continue;
            }
            let place = self.place.key(&entry.key, entry.position);
            let hint = suggest(&entry.key, &self.known, "the keys here are");
            self.mistakes.add(&place, "unknown key", hint);
            let meant = nearest(&entry.key, self.known.iter().copied());
            self.missing.retain(|(key, _)| Some(*key) != meant);
        }
        for (key, hint) in self.missing {
            let message = format!("the key `{key}` is missing");
            self.mistakes.add(self.place, message, hint);
        }
    }

    fn find(&self, key: &str) -> Option<&'a Entry> {
        let mut entries = self.entries.iter();
        entries.find(|entry| entry.key == key && !entry.value.is_null())
    }
}

/// A text as it stands in a list.
fn in_a_list(text: &str) -> String {
    let marks = text.starts_with(|c: char| c.is_ascii_punctuation() && c != '.' && c != '/');
    if marks || text.contains([',', '[', ']', '{', '}', '#']) || text.contains(": ") {
        format!("'{}'", text.replace('\'', "''"))
    } else {
        text.to_owned()
    }
}

/// What to say when a value has the wrong shape.
pub(super) fn misfit(expected: &str, node: &Node) -> String {
    format!("expected {expected}, found {}", node.describe())
}

/// What to say of a value that is no mapping. It is not repeated, because among `upstreams` it may
/// be a password.
fn no_mapping(node: &Node) -> String {
    format!("expected a mapping, found {}", node.kind())
}
