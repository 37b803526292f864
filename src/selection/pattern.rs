//! Patterns of tags.

use std::fmt;
use std::str::FromStr;

use globset::{ErrorKind, GlobBuilder, GlobMatcher};

use super::SelectionError;
use crate::image::Tag;

/// How many bytes a pattern may have.
const LONGEST: usize = 512;

/// How many `{` a pattern may have: globset panics where the regular expression that it makes of
/// them nests more than 250 deep.
const BRACES: usize = 32;

/// A pattern that a whole tag must match: `*` is any text without `/`, `**` any text, `?` one
/// character, `[0-9]` one of these characters, `[!0-9]` none of them, `{a,b}` one of these patterns,
/// which may hold further ones; `\` takes the next character as it is. Letters match as they are
/// written. No tag holds a `/`, so that `*` and `**` mean the same here.
#[derive(Clone)]
pub struct TagPattern {
    text: String,
    matcher: GlobMatcher,
}

impl TagPattern {
    /// The pattern of all tags.
    pub fn any() -> Self {
        "**".parse().expect("`**` is a pattern")
    }

    /// Whether a text has a character that only patterns have, so that it cannot be a tag.
    pub fn is_meant(text: &str) -> bool {
        text.contains(['*', '?', '{', '}', '[', ']'])
    }

    /// Whether the tag matches.
    pub fn matches(&self, tag: &Tag) -> bool {
        self.accepts(tag.as_str())
    }

    pub(super) fn accepts(&self, text: &str) -> bool {
        self.matcher.is_match(text)
    }
}

impl FromStr for TagPattern {
    type Err = SelectionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = |reason: String, hint: Option<String>| SelectionError::Pattern {
            pattern: text.to_owned(),
            reason,
            hint,
        };
        if text.is_empty() {
            return Err(fail("it is empty".to_owned(), None));
        }
        if text.len() > LONGEST {
            let reason = format!("it has more than {LONGEST} characters");
            let hint = "write several patterns".to_owned();
            return Err(fail(reason, Some(hint)));
        }
        if text.matches('{').count() > BRACES {
            return Err(fail(format!("it has more than {BRACES} `{{`"), None));
        }
        if let Some(rest) = text.strip_prefix('!') {
            let reason = "`!` does not negate a pattern".to_owned();
            let hint = format!("write `exclude: [\"{rest}\"]`");
            return Err(fail(reason, Some(hint)));
        }
        let possible = |c: char| c.is_ascii_alphanumeric() || "._-*?{},[]!^\\/".contains(c);
        if let Some(c) = text.chars().find(|c| !possible(*c)) {
            return Err(fail(format!("no tag has a `{}`", c.escape_debug()), None));
        }
        // As in doublestar, `a/**` matches `a` too. No tag can match what else it stands for.
        let matched = match text.strip_suffix("/**") {
            Some(folder) if !folder.is_empty() => folder,
            _ => text,
        };
        let glob = GlobBuilder::new(matched)
            .literal_separator(true)
            .backslash_escape(true)
            .empty_alternates(true)
            .build()
            .map_err(|error| fail(reason(error.kind()), None))?;
        Ok(Self {
            text: text.to_owned(),
            matcher: glob.compile_matcher(),
        })
    }
}

/// The cause in our words: globset's own speak of paths and of the regular expression inside.
fn reason(kind: &ErrorKind) -> String {
    match kind {
        ErrorKind::UnclosedClass => "a `[` has no `]`".to_owned(),
        ErrorKind::InvalidRange(first, last) => {
            format!("`{first}-{last}` runs backwards")
        }
        ErrorKind::UnopenedAlternates => "a `}` has no `{`".to_owned(),
        ErrorKind::UnclosedAlternates => "a `{` has no `}`".to_owned(),
        ErrorKind::DanglingEscape => "nothing follows the `\\`".to_owned(),
        _ => "it is too large".to_owned(),
    }
}

impl fmt::Debug for TagPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("TagPattern")
            .field(&self.text)
            .finish()
    }
}

impl fmt::Display for TagPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::failure::Failure as _;

    /// The tags that match, of those a repository might have.
    fn matches(pattern: &str) -> Vec<&'static str> {
        let tags = [
            "1",
            "1.2",
            "latest",
            "stable",
            "v1",
            "v1.",
            "v1.0",
            "v1.2",
            "v1.23",
            "v1.2.3",
            "v1.2.34",
            "v1.2.3-rc1",
            "v10.2",
            "v2.0",
            "V1.2",
        ];
        let pattern: TagPattern = pattern.parse().unwrap();
        let matching = |tag: &&str| pattern.matches(&tag.parse().unwrap());
        tags.into_iter().filter(matching).collect()
    }

    #[test]
    fn every_example_of_the_pull_sync_module() {
        assert_eq!(matches("**").len(), 15);
        assert_eq!(
            matches("v1.*"),
            [
                "v1.",
                "v1.0",
                "v1.2",
                "v1.23",
                "v1.2.3",
                "v1.2.34",
                "v1.2.3-rc1"
            ]
        );
        assert_eq!(matches("latest"), ["latest"]);
        assert_eq!(matches("stable"), ["stable"]);
        assert_eq!(matches("{latest,stable}"), ["latest", "stable"]);
        assert_eq!(matches("v?.?.?"), ["v1.2.3"]);
        assert_eq!(matches("v?.?"), ["v1.0", "v1.2", "v2.0"]);
    }

    #[test]
    fn patterns_mean_what_doublestar_means() {
        for (pattern, tags) in [
            ("*", 15),
            ("**/*", 15),
            ("*/**", 15),
            ("v**3", 2),
            ("{v1.{0,2*},latest}", 7),
            ("v1{,.2}", 2),
            ("v[0-9].?", 3),
            ("v[!1]*", 1),
            ("v1\\.2", 1),
            ("*/*", 0),
            ("v1.2/**", 1),
        ] {
            assert_eq!(matches(pattern).len(), tags, "{pattern}");
        }
    }

    #[test]
    fn says_what_is_wrong() {
        let long = "a".repeat(600);
        let nested = format!("{}{}", "{".repeat(250), "}".repeat(250));
        let told = |text: &str| {
            let error = text.parse::<TagPattern>().unwrap_err();
            let told = match error.hint() {
                Some(hint) => format!("{error}\n  {hint}"),
                None => error.to_string(),
            };
            told.replace(&long, "<long>").replace(&nested, "<nested>")
        };
        let texts = [
            "", "!*-rc*", "a *", "{a", "a}", "[a", "[z-a]", "a\\", &long, &nested,
        ];
        insta::assert_snapshot!(texts.map(told).join("\n"), @r#"
`` is not a pattern of tags: it is empty
`!*-rc*` is not a pattern of tags: `!` does not negate a pattern
  write `exclude: ["*-rc*"]`
`a *` is not a pattern of tags: no tag has a ` `
`{a` is not a pattern of tags: a `{` has no `}`
`a}` is not a pattern of tags: a `}` has no `{`
`[a` is not a pattern of tags: a `[` has no `]`
`[z-a]` is not a pattern of tags: `z-a` runs backwards
`a\` is not a pattern of tags: nothing follows the `\`
`<long>` is not a pattern of tags: it has more than 512 characters
  write several patterns
`<nested>` is not a pattern of tags: it has more than 32 `{`
"#);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".*") {
            let _ = text.parse::<TagPattern>();
        }

        #[test]
        fn no_nearly_sound_text_panics(text in "[a0.*?{},\\[\\]!^\\\\/-]{0,40}") {
            let _ = text.parse::<TagPattern>();
        }

        #[test]
        fn no_nesting_panics(depth in 0_usize..=BRACES, inner in "[a,*]{0,3}") {
            let text = format!("{}{inner}{}", "{a*,".repeat(depth), "}".repeat(depth));
            prop_assert!(text.parse::<TagPattern>().is_ok() || text.is_empty());
        }

        #[test]
        fn a_tag_is_a_pattern_of_itself(text in "\\w[\\w.-]{0,20}") {
            if let Ok(tag) = text.parse::<Tag>() {
                prop_assert!(text.parse::<TagPattern>().unwrap().matches(&tag));
            }
        }
    }
}
