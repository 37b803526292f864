//! The JSON form of an instruction's arguments.

use serde_json::Value;

use super::Why;

/// What follows a keyword that may be followed by a JSON list of texts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::dockerfile) enum Arguments {
    /// The list.
    List(Vec<String>),
    /// Anything else, also a list that is no sound JSON.
    Text(String),
}

impl Arguments {
    pub(super) fn parse(text: &str) -> Result<Self, Why> {
        if !text.starts_with('[') {
            return Ok(Self::Text(text.to_owned()));
        }
        if let Ok(values) = serde_json::from_str::<Vec<Value>>(text) {
            let texts = values.into_iter().map(|value| match value {
                Value::String(text) => Ok(text),
                _ => Err(Why::refused("only texts may stand in a JSON list")),
            });
            return Ok(Self::List(texts.collect::<Result<_, _>>()?));
        }
        // Engine 20.10 reads the list and forgets the rest; newer ones take the whole for text.
        let first = serde_json::Deserializer::from_str(text)
            .into_iter::<Value>()
            .next();
        if matches!(first, Some(Ok(_))) {
            return Err(Why::unsure("what follows a JSON list"));
        }
        // Go reads half of a surrogate pair as a replacement character.
        if text.to_ascii_lowercase().contains("\\ud") {
            return Err(Why::unsure("this JSON"));
        }
        Ok(Self::Text(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_json_is_text() {
        let list =
            |words: &[&str]| Arguments::List(words.iter().map(ToString::to_string).collect());
        let text = |text: &str| Arguments::Text(text.to_owned());
        for (arguments, expected) in [
            (r#"["a", "b\u0020c"]"#, list(&["a", "b c"])),
            ("[]", list(&[])),
            ("[ 'a' ]", text("[ 'a' ]")),
            (r#"["a", "#, text(r#"["a", "#)),
            ("echo", text("echo")),
        ] {
            assert_eq!(Arguments::parse(arguments).unwrap(), expected);
        }
        for uncertain in [r#"["a"] b"#, r#"["\ud800"]"#, r#"["a", 1]"#] {
            assert!(Arguments::parse(uncertain).is_err(), "{uncertain}");
        }
    }
}
