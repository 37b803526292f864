//! Quotation marks, backslashes and `$VARIABLES` in a word, as Docker reads them.

use std::iter::Peekable;
use std::str::Chars;

/// A word whose quotation marks are taken away and whose variables are replaced.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Expanded {
    /// The word.
    pub(super) text: String,
    /// The word split at the spaces that no quotation mark or backslash protects.
    pub(super) words: Vec<String>,
    /// The variables that were asked for.
    pub(super) names: Vec<String>,
    /// Those that have no value, where nothing was written in their place (`${NAME:-this}`).
    pub(super) unset: Vec<String>,
}

/// A word that Docker refuses, or that its versions read in different ways.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ExpansionError {
    /// A quotation mark is never closed.
    #[error("a quotation mark ({quote}) is not closed")]
    Unclosed {
        /// The mark.
        quote: char,
    },
    /// `${...}` has no end, or no name.
    #[error("`${{` is not followed by a name and `}}`")]
    Malformed,
    /// A modifier that only some versions know, such as `${NAME#pattern}` or `${NAME-word}`.
    #[error("only some versions of Docker know this form of `${{{name}...}}`")]
    Modifier {
        /// The variable.
        name: String,
    },
    /// `${NAME:?message}` of a variable without a value.
    #[error("`{name}` has no value: {message}")]
    Required {
        /// The variable.
        name: String,
        /// The Dockerfile's own words.
        message: String,
    },
}

/// Expands a word. `value` knows the variables.
pub(super) fn expand<'a>(
    word: &str,
    value: impl Fn(&str) -> Option<&'a str>,
) -> Result<Expanded, ExpansionError> {
    let mut expander = Expander {
        rest: word.chars().peekable(),
        value: &value,
        names: Vec::new(),
        unset: Vec::new(),
    };
    let pieces = expander.until(None)?;
    Ok(Expanded {
        text: pieces.text,
        words: pieces.words.finish(),
        names: expander.names,
        unset: expander.unset,
    })
}

struct Expander<'a, 'b> {
    rest: Peekable<Chars<'b>>,
    value: &'b dyn Fn(&str) -> Option<&'a str>,
    names: Vec<String>,
    unset: Vec<String>,
}

#[derive(Default)]
struct Pieces {
    text: String,
    words: Words,
}

impl Expander<'_, '_> {
    /// Reads up to the closing character, or to the end.
    fn until(&mut self, close: Option<char>) -> Result<Pieces, ExpansionError> {
        let mut pieces = Pieces::default();
        while let Some(character) = self.rest.next() {
            match character {
                _ if Some(character) == close => return Ok(pieces),
                '\'' => pieces.protected(&self.single()?),
                '"' => pieces.protected(&self.double()?),
                '$' => {
                    let value = self.dollar()?;
                    value.chars().for_each(|one| pieces.words.push(one));
                    pieces.text.push_str(&value);
                }
                '\\' => {
                    if let Some(hidden) = self.rest.next() {
                        pieces.protected(hidden.encode_utf8(&mut [0; 4]));
                    }
                }
                _ => {
                    pieces.words.push(character);
                    pieces.text.push(character);
                }
            }
        }
        match close {
            Some(_) => Err(ExpansionError::Malformed),
            None => Ok(pieces),
        }
    }

    fn single(&mut self) -> Result<String, ExpansionError> {
        let mut text = String::new();
        for character in self.rest.by_ref() {
            if character == '\'' {
                return Ok(text);
            }
            text.push(character);
        }
        Err(ExpansionError::Unclosed { quote: '\'' })
    }

    fn double(&mut self) -> Result<String, ExpansionError> {
        let mut text = String::new();
        while let Some(character) = self.rest.next() {
            match character {
                '"' => return Ok(text),
                '$' => text.push_str(&self.dollar()?),
                '\\' => match self.rest.next_if(|next| matches!(next, '"' | '$' | '\\')) {
                    Some(hidden) => text.push(hidden),
                    None => text.push('\\'),
                },
                _ => text.push(character),
            }
        }
        Err(ExpansionError::Unclosed { quote: '"' })
    }

    /// What stands after a dollar sign.
    fn dollar(&mut self) -> Result<String, ExpansionError> {
        if self.rest.next_if_eq(&'{').is_none() {
            let name = self.name();
            if name.is_empty() {
                return Ok("$".to_owned());
            }
            return Ok(self.get(name, true).unwrap_or_default());
        }
        if matches!(self.rest.peek(), None | Some('{' | '}' | ':')) {
            return Err(ExpansionError::Malformed);
        }
        let name = self.name();
        match self.rest.next() {
            Some('}') => Ok(self.get(name, true).unwrap_or_default()),
            Some(':') => self.modifier(name),
            Some('-' | '+' | '?' | '#' | '%' | '/') if !name.is_empty() => {
                Err(ExpansionError::Modifier { name })
            }
            _ => Err(ExpansionError::Malformed),
        }
    }

    fn modifier(&mut self, name: String) -> Result<String, ExpansionError> {
        let modifier = self.rest.next().ok_or(ExpansionError::Malformed)?;
        let word = self.until(Some('}'))?.text;
        let value = self.get(name.clone(), false);
        let value = value.filter(|value| !value.is_empty());
        match modifier {
            '-' => Ok(value.unwrap_or(word)),
            '+' => Ok(value.map_or_else(String::new, |_| word)),
            '?' => value.ok_or(ExpansionError::Required {
                name,
                message: word,
            }),
            _ => Err(ExpansionError::Modifier { name }),
        }
    }

    /// A name, a number, or one of the shell's special characters.
    fn name(&mut self) -> String {
        let mut name = String::new();
        match self.rest.peek() {
            Some(digit) if digit.is_numeric() => {
                while let Some(digit) = self.rest.next_if(|next| next.is_numeric()) {
                    name.push(digit);
                }
            }
            Some('@' | '*' | '#' | '?' | '-' | '$' | '!') => name.extend(self.rest.next()),
            _ => {
                let belongs = |next: &char| next.is_alphanumeric() || *next == '_';
                while let Some(next) = self.rest.next_if(belongs) {
                    name.push(next);
                }
            }
        }
        name
    }

    fn get(&mut self, name: String, is_needed: bool) -> Option<String> {
        let value = (self.value)(&name).map(str::to_owned);
        if value.is_none() && is_needed {
            self.unset.push(name.clone());
        }
        self.names.push(name);
        value
    }
}

impl Pieces {
    fn protected(&mut self, text: &str) {
        self.text.push_str(text);
        self.words.push_protected(text);
    }
}

#[derive(Default)]
struct Words {
    done: Vec<String>,
    word: String,
}

impl Words {
    fn push(&mut self, character: char) {
        if !character.is_whitespace() {
            self.word.push(character);
        } else if !self.word.is_empty() {
            self.done.push(std::mem::take(&mut self.word));
        }
    }

    fn push_protected(&mut self, text: &str) {
        self.word.push_str(text);
    }

    fn finish(mut self) -> Vec<String> {
        self.push(' ');
        self.done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(name: &str) -> Option<&'static str> {
        match name {
            "A" => Some("base"),
            "B" => Some("two words"),
            "E" => Some(""),
            _ => None,
        }
    }

    /// What the builders of engine 20.10 make of these.
    #[test]
    fn words_are_read_as_docker_reads_them() {
        for (word, text) in [
            ("$A", "base"),
            ("${A}x$A", "basexbase"),
            ("$Ax", ""),
            ("$1x", "x"),
            ("$", "$"),
            ("a$", "a$"),
            ("$ b", "$ b"),
            ("$?$@", ""),
            ("\"$\"", "$"),
            ("'$A'", "$A"),
            (r"\$A", "$A"),
            (r"$A\x", "basex"),
            (r#""\$A \x \\ \"""#, r#"$A \x \ ""#),
            (r"'\'", r"\"),
            ("\"b c' d\"' e '", "b c' d e "),
            ("${E:-d}", "d"),
            ("${U:-${A:+\"w w\"}}", "w w"),
            ("${A:-'q'}", "base"),
            ("${U:-'q'}", "q"),
            ("${E:+w}", ""),
            ("${A:+w}", "w"),
            ("${A:?message}", "base"),
            ("\"${B}\"", "two words"),
        ] {
            assert_eq!(expand(word, value).unwrap().text, text, "{word}");
        }
    }

    #[test]
    fn words_of_a_value_are_split_where_nothing_protects_them() {
        for (word, words) in [
            ("x$B", &["xtwo", "words"][..]),
            ("\"x$B\"", &["xtwo words"]),
            (r"a\ b c", &["a b", "c"]),
            ("$U", &[]),
        ] {
            assert_eq!(expand(word, value).unwrap().words, words, "{word}");
        }
    }

    #[test]
    fn what_is_wrong_or_uncertain_is_an_error() {
        let name = || "A".to_owned();
        for (word, error) in [
            ("'a", ExpansionError::Unclosed { quote: '\'' }),
            ("\"a", ExpansionError::Unclosed { quote: '"' }),
            ("${A", ExpansionError::Malformed),
            ("${}", ExpansionError::Malformed),
            ("${A:-", ExpansionError::Malformed),
            ("${A:-x", ExpansionError::Malformed),
            ("${A*x}", ExpansionError::Malformed),
            ("${A-x}", ExpansionError::Modifier { name: name() }),
            ("${A%%x}", ExpansionError::Modifier { name: name() }),
            ("${A/x/y}", ExpansionError::Modifier { name: name() }),
            ("${A:=x}", ExpansionError::Modifier { name: name() }),
        ] {
            assert_eq!(expand(word, value).unwrap_err(), error, "{word}");
        }
        assert_eq!(
            expand("${E:?m}", value).unwrap_err().to_string(),
            "`E` has no value: m"
        );
    }

    #[test]
    fn variables_are_remembered() {
        let expanded = expand("$A ${U} ${V:-x} \"$W\"", value).unwrap();
        assert_eq!(expanded.names, ["A", "U", "V", "W"]);
        assert_eq!(expanded.unset, ["U", "W"]);
    }

    proptest::proptest! {
        #[test]
        fn no_word_panics(word in "[$\\\\{}:+\\-?'\" aAB_1é]{0,24}") {
            let _ = expand(&word, value);
        }
    }
}
