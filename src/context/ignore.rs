//! The rules of a `.dockerignore`.

use super::path::clean;
use super::pattern::Pattern;

/// What a `.dockerignore` leaves out. The last rule that means a path, or a folder above it,
/// decides.
#[derive(Clone, Debug, Default)]
pub(super) struct Ignore {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    pattern: Pattern,
    /// Whether it takes back in: `!pattern`.
    is_exception: bool,
}

/// A line that is no pattern.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct BadLine {
    /// Counted from 1.
    pub(super) line: usize,
    pub(super) text: String,
}

impl Ignore {
    /// Reads a file as Docker does: lines that begin with `#` are comments, white space around a
    /// pattern and a slash before it mean nothing.
    pub(super) fn parse(text: &str) -> Result<Self, BadLine> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut rules = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let written = line.trim();
            if line.starts_with('#') || written.is_empty() {
                continue;
            }
            let (is_exception, pattern) = match written.strip_prefix('!') {
                Some(pattern) => (true, pattern.trim()),
                None => (false, written),
            };
            let bad = || BadLine {
                line: number + 1,
                text: written.to_owned(),
            };
            if pattern.is_empty() {
                return Err(bad());
            }
            let pattern = clean(pattern);
            let pattern = pattern.strip_prefix('/').unwrap_or(&pattern);
            rules.push(Rule {
                pattern: Pattern::parse(pattern).ok_or_else(bad)?,
                is_exception,
            });
        }
        Ok(Self { rules })
    }

    /// Whether a path is left out.
    pub(super) fn excludes(&self, path: &str) -> bool {
        let last = self.rules.iter().rev().find(|it| it.pattern.covers(path));
        last.is_some_and(|rule| !rule.is_exception)
    }

    /// Whether something below a folder that is left out may be taken back in.
    pub(super) fn may_except_below(&self, folder: &str) -> bool {
        let mut exceptions = self.rules.iter().filter(|rule| rule.is_exception);
        exceptions.any(|rule| rule.pattern.reaches_into(folder))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left_out(rules: &str, paths: &str) -> String {
        let ignore = Ignore::parse(rules).unwrap();
        let paths = paths.split(' ').filter(|path| ignore.excludes(path));
        paths.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_last_rule_decides() {
        let docs = "README.md README-secret.md x.md docs/x.md";
        for (rules, expected) in [
            ("*.md\n!README.md", "README-secret.md x.md"),
            (
                "*.md\n!README*.md\nREADME-secret.md",
                "README-secret.md x.md",
            ),
            ("*.md\nREADME-secret.md\n!README*.md", "x.md"),
            ("!README.md\n*.md", "README.md README-secret.md x.md"),
            ("**\n!docs", "README.md README-secret.md x.md"),
            ("docs\n!docs/x.md", ""),
        ] {
            assert_eq!(left_out(rules, docs), expected, "{rules}");
        }
    }

    #[test]
    fn lines_are_read_as_docker_reads_them() {
        let rules = "\u{feff}# comment\n\n  /a/./b/ \r\n! /a/b/../b/c\n #x\n./d\n.\n/\n";
        let paths = "a/b/x a/b/c/y #x d/e x a";
        assert_eq!(left_out(rules, paths), "a/b/x #x d/e");
        for (rules, line, text) in [("a\n!", 2, "!"), ("[\n", 1, "["), ("\n! [", 2, "! [")] {
            let text = text.to_owned();
            assert_eq!(Ignore::parse(rules).unwrap_err(), BadLine { line, text });
        }
    }
}
