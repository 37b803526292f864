//! One pattern of a `.dockerignore`.

use std::iter::Peekable;
use std::str::Chars;

use regex::Regex;

/// What begins something else than the character itself.
const SPECIAL: [char; 4] = ['*', '?', '[', '\\'];

/// A pattern over whole paths: `*` and `?` are text and a character of one name, `**` is any text,
/// `[a-z]` and `[^a-z]` are characters, `\` hides the next one. Go's `filepath.Match`, with the
/// `**` of moby's `patternmatcher`.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    text: String,
    regex: Regex,
}

impl Pattern {
    /// Reads a clean path with wildcards; `None` where it is no pattern.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let regex = Regex::new(&translate(text)?).ok()?;
        Some(Self {
            text: text.to_owned(),
            regex,
        })
    }

    /// Whether a path, or a folder above it, is meant.
    pub(super) fn covers(&self, path: &str) -> bool {
        self.regex.is_match(path) || super::path::parents(path).any(|it| self.regex.is_match(it))
    }

    /// Whether something below this folder may be meant, and not the folder itself.
    pub(super) fn reaches_into(&self, folder: &str) -> bool {
        let mut names = self.text.split('/');
        for outer in folder.split('/') {
            match names.next() {
                Some(name) if name.contains(SPECIAL) => return true,
                Some(name) if name == outer => {}
                _ => return false,
            }
        }
        names.next().is_some()
    }
}

/// The pattern as a regular expression.
fn translate(text: &str) -> Option<String> {
    let mut regex = "(?s)^".to_owned();
    let mut rest = text;
    // At the beginning, `**` before plain text is any text, also in the middle of a name.
    if let Some(plain) = text.strip_prefix("**")
        && !plain.starts_with('/')
        && !plain.contains(SPECIAL)
    {
        regex.push_str(".*");
        rest = plain;
    }
    let mut characters = rest.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '*' if characters.next_if_eq(&'*').is_some() => {
                characters.next_if_eq(&'/');
                let is_last = characters.peek().is_none();
                regex.push_str(if is_last { ".*" } else { "(.*/)?" });
            }
            '*' => regex.push_str("[^/]*"),
            '?' => regex.push_str("[^/]"),
            '[' => class(&mut characters, &mut regex)?,
            '\\' => literal(characters.next()?, &mut regex),
            plain => literal(plain, &mut regex),
        }
    }
    regex.push('$');
    Some(regex)
}

/// What follows `[`, up to its `]`. Go wants a backslash before a `-` or `]` that stands for itself.
fn class(characters: &mut Peekable<Chars<'_>>, regex: &mut String) -> Option<()> {
    regex.push('[');
    if characters.next_if_eq(&'^').is_some() {
        regex.push('^');
    }
    let mut is_empty = true;
    while is_empty || characters.next_if_eq(&']').is_none() {
        literal(member(characters)?, regex);
        if characters.next_if_eq(&'-').is_some() {
            regex.push('-');
            literal(member(characters)?, regex);
        }
        is_empty = false;
    }
    regex.push(']');
    Some(())
}

fn member(characters: &mut Peekable<Chars<'_>>) -> Option<char> {
    match characters.next()? {
        '-' | ']' => None,
        '\\' => characters.next(),
        plain => Some(plain),
    }
}

fn literal(character: char, regex: &mut String) {
    regex.push_str(&regex::escape(character.encode_utf8(&mut [0; 4])));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(pattern: &str, path: &str) -> bool {
        Pattern::parse(pattern).unwrap().covers(path)
    }

    /// The rules that Docker documents for `.dockerignore`, and those of `filepath.Match`.
    #[test]
    fn patterns_mean_what_docker_says() {
        for (pattern, yes, no) in [
            (
                "*/temp*",
                &["a/temporary.txt", "a/temp", "a/temp/x"][..],
                &["temp", "a/b/temp"][..],
            ),
            ("*/*/temp*", &["a/b/temporary.txt"], &["a/temp"]),
            ("temp?", &["tempa", "tempb"], &["temp", "tempab", "a/tempa"]),
            ("**/*.go", &["x.go", "a/x.go", "a/b/x.go"], &["x.gox"]),
            ("**", &["x", "a/x"], &[]),
            ("**/x", &["x", "a/x", "a/b/x", "x/y"], &["ax", "a/bx"]),
            ("**x", &["x", "ax", "a/bx"], &["xa"]),
            ("**x*", &["x", "a/xb"], &["ax"]),
            ("a/**", &["a/b", "a/b/c"], &["a", "ab"]),
            ("a**/x", &["a/x", "a/b/x"], &["b/x"]),
            ("**/a/**", &["a/x", "b/a/x/y"], &["a", "b/a"]),
            ("docs", &["docs", "docs/README.md"], &["docs2", "a/docs"]),
            ("a.b", &["a.b"], &["axb"]),
            ("a[b-d]e", &["ace"], &["ae", "aae"]),
            ("a[^b-d]e", &["aze"], &["ace"]),
            ("a[!b]e", &["a!e", "abe"], &["aze"]),
            ("[\\]\\-a&&~[]", &["]", "-", "a", "&", "~", "["], &["b"]),
            ("a\\*b", &["a*b"], &["axb"]),
            ("(a|b)+{1}$^", &["(a|b)+{1}$^"], &["a"]),
            ("?", &["é"], &["/"]),
        ] {
            for path in yes {
                assert!(covers(pattern, path), "{pattern} {path}");
            }
            for path in no {
                assert!(!covers(pattern, path), "{pattern} {path}");
            }
        }
    }

    #[test]
    fn what_go_refuses_is_refused() {
        for pattern in [
            "[", "a[", "[]a]", "[-]", "[x-]", "[-x]", "[a-b-c]", "[^", "\\", "[z-a]",
        ] {
            assert!(Pattern::parse(pattern).is_none(), "{pattern}");
        }
    }

    #[test]
    fn only_what_may_lie_below_is_reached() {
        for (pattern, folder, expected) in [
            ("a/b/c", "a", true),
            ("a/b/c", "a/b", true),
            ("a/b/c", "a/b/c", false),
            ("a/b", "a/b/c", false),
            ("a/b", "x", false),
            ("a/*/c", "a/x", true),
            ("**/c", "x/y", true),
        ] {
            let pattern = Pattern::parse(pattern).unwrap();
            assert_eq!(
                pattern.reaches_into(folder),
                expected,
                "{pattern:?} {folder}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "[-ab*?!\\[\\]^\\\\/.]{0,12}", path in "[ab/]{0,8}") {
            if let Some(pattern) = Pattern::parse(&text) {
                pattern.covers(&path);
            }
        }
    }
}
