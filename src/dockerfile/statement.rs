//! One instruction, with its lines joined.

use super::chunks::{Chunk, continued, is_skipped, split};
use super::words;

/// As many characters of a statement stand in a message.
const SHOWN: usize = 80;

/// One instruction of a Dockerfile as Docker reads it: its lines joined, comments in between left
/// out.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Statement {
    /// The line that it begins on, counted from 1.
    pub(super) line: usize,
    /// The keyword in capitals.
    pub(super) keyword: String,
    /// All that follows the keyword, flags included, without white space around it.
    pub(super) arguments: String,
    /// The joined lines.
    pub(super) text: String,
}

impl Statement {
    /// The statements of a text, in order. A heredoc's lines are left out.
    pub(super) fn all(text: &str) -> Vec<Self> {
        split(text).iter().map(Self::from_chunk).collect()
    }

    fn from_chunk(chunk: &Chunk) -> Self {
        let mut text = String::new();
        for (index, line) in chunk.text.lines().enumerate() {
            let line = if index == 0 { line.trim_start() } else { line };
            if index > 0 && is_skipped(line) {
                continue;
            }
            let joined = continued(line);
            text.push_str(joined.unwrap_or(line));
            if joined.is_none() {
                break;
            }
        }
        Self::from_joined(chunk.line + 1, text)
    }

    /// A statement without line breaks.
    pub(super) fn from_joined(line: usize, text: String) -> Self {
        let trimmed = text.trim();
        let (keyword, arguments) = words::cut(trimmed).unwrap_or((trimmed, ""));
        Self {
            line,
            keyword: keyword.to_ascii_uppercase(),
            arguments: arguments.trim().to_owned(),
            text,
        }
    }

    /// The statement in a message: its blanks joined, its end cut off where it is long.
    pub(super) fn shown(&self) -> String {
        let words: Vec<_> = self.text.split_whitespace().collect();
        let text = words.join(" ");
        match text.char_indices().nth(SHOWN) {
            Some((end, _)) => format!("{}...", &text[..end]),
            None => text,
        }
    }

    /// Takes the flags, which begin with `--`, off the arguments.
    pub(super) fn flags(&self) -> (Vec<&str>, &str) {
        let mut flags = Vec::new();
        let mut rest = self.arguments.as_str();
        while rest.starts_with("--") {
            let (flag, after) = words::cut(rest).unwrap_or((rest, ""));
            flags.push(flag);
            rest = after;
        }
        (flags, rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_joined_as_docker_joins_them() {
        let statements = Statement::all(
            "from x\n  ENV A=1 \\\n   # a comment\n\n  B=2 \\\t \n C=3\nLABEL \"x\\\n  y\"=z\n\
             HEALTHCHECK --interval=1s   --retries=2 CMD  a\n",
        );
        let seen: Vec<_> = statements
            .iter()
            .map(|one| (one.line, one.keyword.as_str(), one.arguments.as_str()))
            .collect();
        assert_eq!(
            seen,
            [
                (1, "FROM", "x"),
                (2, "ENV", "A=1   B=2  C=3"),
                (7, "LABEL", "\"x  y\"=z"),
                (9, "HEALTHCHECK", "--interval=1s   --retries=2 CMD  a"),
            ]
        );
        assert_eq!(statements[1].shown(), "ENV A=1 B=2 C=3");
        let flags = (vec!["--interval=1s", "--retries=2"], "CMD  a");
        assert_eq!(statements[3].flags(), flags);
    }
}
