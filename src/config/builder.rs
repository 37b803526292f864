//! Builds the tree from the events of the YAML parser: resolves aliases and merge keys, and finds
//! keys that stand twice.

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, Span};

use super::mistakes::{Mistakes, Place, Position};
use super::tree::{Cost, Entry, Node, Style, Value};

/// How many bytes aliases may add to a tree, so that a small text cannot grow without end.
const COPIES: usize = 4 << 20;

/// How deep collections may stand in each other.
const DEPTH: usize = 64;

/// Reads a text. `None` when there is no tree, and why is among the mistakes.
pub(super) fn parse(text: &str, mistakes: &mut Mistakes) -> Option<Node> {
    let options = granit_parser::options! {
        emit_comments: false,
        flow_nesting_limit: DEPTH,
        block_nesting_limit: DEPTH,
    };
    let mut builder = Builder {
        open: Vec::new(),
        anchors: HashMap::new(),
        copied: 0,
        root: None,
        mistakes,
    };
    let mut documents = 0;
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, span) = match event {
            Ok(event) => event,
            Err(error) => {
                let mark = error.marker();
                let place = Place::root(Position {
                    line: mark.line(),
                    column: mark.col() + 1,
                });
                let message = format!("this is not YAML or JSON: {}", error.info());
                builder.mistakes.add(&place, message, None);
                return None;
            }
        };
        if let Event::DocumentStart(..) = event {
            documents += 1;
            if documents == 2 {
                let place = Place::root(start(&span));
                let message = "a second document begins here";
                let hint = "a file holds one document".to_owned();
                builder.mistakes.add(&place, message, hint);
                return None;
            }
        }
        builder.take(event, &span)?;
    }
    let root = builder.root.take();
    if root.is_none() {
        let place = Place::root(Position { line: 1, column: 1 });
        mistakes.add(&place, "nothing is written here", None);
    }
    root
}

fn start(span: &Span) -> Position {
    Position {
        line: span.start.line(),
        column: span.start.col() + 1,
    }
}

/// A collection whose end has not been seen.
enum Open {
    List {
        position: Position,
        anchor: usize,
        items: Vec<Node>,
    },
    Map {
        position: Position,
        anchor: usize,
        entries: Vec<Entry>,
        merged: Vec<Node>,
        key: Option<Key>,
    },
}

struct Key {
    text: String,
    position: Position,
    /// Whether it is `<<` without quotes.
    merges: bool,
}

struct Builder<'a> {
    open: Vec<Open>,
    anchors: HashMap<usize, (Node, Cost)>,
    copied: usize,
    root: Option<Node>,
    mistakes: &'a mut Mistakes,
}

impl Builder<'_> {
    /// Takes one event. `None` when nothing useful can follow.
    fn take(&mut self, event: Event<'_>, span: &Span) -> Option<()> {
        let mut position = start(span);
        if let Some(tag) = event.tag().filter(|tag| tag.is_custom()) {
            let place = self.place(position);
            let message = format!("the tag `{tag}` means nothing here");
            self.mistakes.add(&place, message, None);
        }
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let style = match style {
                    ScalarStyle::Plain if tag.is_none() => Style::Plain,
                    ScalarStyle::Literal => Style::Block,
                    _ => Style::Quoted,
                };
                // The parser gives `~` for a value that is not there at all.
                let text = if span.start.index() >= span.end.index() && style == Style::Plain {
                    String::new()
                } else {
                    text.into_owned()
                };
                // The parser points at the first line that is not blank.
                if style == Style::Block {
                    let blank = text.bytes().take_while(|&byte| byte == b'\n').count();
                    position.line = position.line.saturating_sub(blank).max(1);
                }
                let value = Value::Text { text, style };
                self.close(Node { position, value }, anchor);
            }
            Event::SequenceStart(_, anchor, _) => self.open.push(Open::List {
                position,
                anchor,
                items: Vec::new(),
            }),
            Event::MappingStart(_, anchor, _) => self.open.push(Open::Map {
                position,
                anchor,
                entries: Vec::new(),
                merged: Vec::new(),
                key: None,
            }),
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => {
                let node = self.copy(anchor, position)?;
                self.close(node, 0);
            }
            _ => {}
        }
        Some(())
    }

    fn end(&mut self) {
        let (node, anchor) = match self.open.pop() {
            Some(Open::List {
                position,
                anchor,
                items,
            }) => {
                let value = Value::List(items);
                (Node { position, value }, anchor)
            }
            Some(Open::Map {
                position,
                anchor,
                mut entries,
                merged,
                ..
            }) => {
                for node in merged {
                    if let Value::Map(others) = node.value {
                        for other in others {
                            if entries.iter().all(|entry| entry.key != other.key) {
                                entries.push(other);
                            }
                        }
                    }
                }
                let value = Value::Map(entries);
                (Node { position, value }, anchor)
            }
            None => return,
        };
        self.close(node, anchor);
    }

    /// What an alias stands for.
    fn copy(&mut self, anchor: usize, position: Position) -> Option<Node> {
        let place = self.place(position);
        let Some((node, cost)) = self.anchors.get(&anchor) else {
            self.mistakes
                .add(&place, "the alias stands inside what it names", None);
            return None;
        };
        self.copied += cost.bytes;
        if self.copied > COPIES || self.open.len() + cost.depth > DEPTH {
            self.mistakes
                .add(&place, "aliases repeat too much or too deeply", None);
            return None;
        }
        Some(node.clone())
    }

    /// Puts a whole value where it belongs.
    fn close(&mut self, node: Node, anchor: usize) {
        if anchor != 0 {
            let cost = node.cost();
            self.anchors.insert(anchor, (node.clone(), cost));
        }
        let place = self.place(node.position);
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::List { items, .. }) => items.push(node),
            Some(Open::Map {
                entries,
                merged,
                key,
                ..
            }) => match key.take() {
                None => {
                    let text = if let Value::Text { text, .. } = &node.value {
                        text.clone()
                    } else {
                        let message = format!("a key must be a text, this is {}", node.describe());
                        self.mistakes.add(&place, message, None);
                        String::new()
                    };
                    *key = Some(Key {
                        merges: matches!(&node.value, Value::Text { text, style: Style::Plain }
                            if text == "<<"),
                        position: node.position,
                        text,
                    });
                }
                Some(key) if key.merges => match node.value {
                    Value::Map(_) => merged.push(node),
                    Value::List(items)
                        if items.iter().all(|item| matches!(item.value, Value::Map(_))) =>
                    {
                        merged.extend(items);
                    }
                    _ => self.mistakes.add(
                        &place,
                        "`<<` takes a mapping or a list of mappings",
                        None,
                    ),
                },
                Some(key) => {
                    if let Some(first) = entries.iter().find(|entry| entry.key == key.text) {
                        let message = format!(
                            "the key stands twice, first on line {}",
                            first.position.line
                        );
                        let place = Place {
                            position: Some(key.position),
                            ..place
                        };
                        self.mistakes.add(&place, message, None);
                    } else {
                        entries.push(Entry {
                            key: key.text,
                            position: key.position,
                            value: node,
                        });
                    }
                }
            },
        }
    }

    /// The way to what is being read.
    fn place(&self, position: Position) -> Place {
        let mut place = Place::root(position);
        for open in &self.open {
            place = match open {
                Open::List { items, .. } => place.index(items.len(), position),
                Open::Map { key: Some(key), .. } => place.key(&key.text, position),
                Open::Map { .. } => place,
            };
        }
        place
    }
}
