//! Dockerfile text cut into instructions.

/// The text of one instruction, or a comment that Docker would read as a parser directive.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Chunk {
    /// The line that it begins on, counted from 0.
    pub(super) line: usize,
    /// All its lines. A heredoc belongs to its instruction.
    pub(super) text: String,
}

/// Cuts a text as Docker does: a backslash at a line's end joins the next line; blank lines and
/// comments in between do not end an instruction.
pub(super) fn split(text: &str) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        if is_skipped(line) {
            if directive(line).is_some() {
                chunks.push(Chunk {
                    line: number,
                    text: line.to_owned(),
                });
            }
            continue;
        }
        let mut chunk = line.to_owned();
        let mut goes_on = is_continued(line);
        while goes_on {
            let Some((_, line)) = lines.next() else { break };
            chunk = format!("{chunk}\n{line}");
            goes_on = is_skipped(line) || is_continued(line);
        }
        for delimiter in heredocs(&chunk) {
            for (_, line) in lines.by_ref() {
                chunk = format!("{chunk}\n{line}");
                if line.trim_start_matches('\t') == delimiter {
                    break;
                }
            }
        }
        chunks.push(Chunk {
            line: number,
            text: chunk,
        });
    }
    chunks
}

/// Whether the last line would be joined to what follows it.
pub(super) fn is_continued(text: &str) -> bool {
    continued(text.trim_end_matches(['\r', '\n'])).is_some()
}

/// A line without the backslash that joins it to the next one. Two backslashes are none.
pub(super) fn continued(line: &str) -> Option<&str> {
    let line = line.trim_end_matches([' ', '\t']).strip_suffix('\\')?;
    (!line.ends_with('\\')).then_some(line)
}

/// The name of the parser directive that a comment is.
pub(super) fn directive(line: &str) -> Option<&'static str> {
    let (name, _) = line.trim_start().strip_prefix('#')?.split_once('=')?;
    ["syntax", "escape", "check"]
        .into_iter()
        .find(|known| name.trim().eq_ignore_ascii_case(known))
}

/// The words that end the heredocs of an instruction: `EOF` of `RUN <<EOF`. Only `RUN`, `COPY` and
/// `ADD` have heredocs.
pub(super) fn heredocs(chunk: &str) -> Vec<String> {
    let mut words = chunk
        .split_whitespace()
        .skip_while(|word| word.eq_ignore_ascii_case("ONBUILD"));
    let takes_them = words.next().is_some_and(|word| {
        ["RUN", "COPY", "ADD"]
            .iter()
            .any(|known| word.eq_ignore_ascii_case(known))
    });
    if takes_them {
        words.filter_map(delimiter).collect()
    } else {
        Vec::new()
    }
}

/// Whether a word begins a heredoc.
pub(super) fn is_heredoc(word: &str) -> bool {
    delimiter(word).is_some()
}

/// BuildKit's `^(\d*)<<(-?)([^<]*)$`, and the word must be a name.
fn delimiter(word: &str) -> Option<String> {
    let rest = word
        .trim_start_matches(|c: char| c.is_ascii_digit())
        .strip_prefix("<<")?;
    let rest = rest.strip_prefix('-').unwrap_or(rest);
    let name = rest.trim_matches(['"', '\'']);
    let sound = name.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || "_-.".contains(c));
    sound.then(|| name.to_owned())
}

pub(super) fn is_skipped(line: &str) -> bool {
    let line = line.trim_start();
    line.is_empty() || line.starts_with('#')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<(usize, String)> {
        let chunks = split(text).into_iter();
        chunks.map(|chunk| (chunk.line, chunk.text)).collect()
    }

    #[test]
    fn cuts_where_docker_cuts() {
        let text = "\n# a comment\nRUN a && \\\n  # inside\n\n  b\nENV A=1\n# syntax=x\nUSER me";
        assert_eq!(
            cut(text),
            [
                (2, "RUN a && \\\n  # inside\n\n  b".to_owned()),
                (6, "ENV A=1".to_owned()),
                (7, "# syntax=x".to_owned()),
                (8, "USER me".to_owned()),
            ]
        );
    }

    #[test]
    fn two_backslashes_join_nothing() {
        assert_eq!(
            cut("LABEL a=x\\\\\nLABEL b=1"),
            [(0, "LABEL a=x\\\\".to_owned()), (1, "LABEL b=1".to_owned())]
        );
        assert_eq!(continued("a \\ \t"), Some("a "));
        assert_eq!(continued("\\"), Some(""));
    }

    #[test]
    fn a_heredoc_belongs_to_its_instruction() {
        let text = "RUN cat <<-'E' > /x\nnot an instruction\n\tE\nRUN true";
        assert_eq!(
            cut(text),
            [
                (0, "RUN cat <<-'E' > /x\nnot an instruction\n\tE".to_owned()),
                (3, "RUN true".to_owned()),
            ]
        );
        for text in [
            "RUN echo $((1 << 2))",
            "RUN cat <<< word",
            "ENV A=<<E",
            "CMD x <<E",
        ] {
            assert_eq!(heredocs(text), [""; 0], "{text}");
        }
    }
}
