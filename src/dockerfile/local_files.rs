//! The lines that take files from the build context.

use super::chunks::is_heredoc;
use super::demands::Mount;
use super::statement::Statement;

/// A line that takes files from the build context: `COPY`, `ADD`, or `RUN` with a mount of them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LocalFiles {
    /// The line that it begins on, counted from 0.
    pub line: usize,
    /// `COPY`, `ADD` or `RUN --mount`.
    pub keyword: &'static str,
    /// What it names, in order.
    pub sources: Vec<String>,
}

impl LocalFiles {
    /// All such lines of a text, in order. `COPY --from` takes files from elsewhere, `ADD` takes
    /// web addresses too, what follows `ONBUILD` happens in other builds, and a heredoc brings its
    /// file along.
    pub fn all(text: &str) -> Vec<Self> {
        let statements = Statement::all(text);
        let of = |statement| Self::of(statement).or_else(|| Self::mounted(statement));
        statements.iter().filter_map(of).collect()
    }

    /// What a `RUN` line mounts.
    fn mounted(statement: &Statement) -> Option<Self> {
        if statement.keyword != "RUN" {
            return None;
        }
        let (flags, _) = statement.flags();
        let mounts = flags
            .iter()
            .filter_map(|flag| flag.strip_prefix("--mount="))
            .map(Mount::parse);
        let of_context =
            mounts.filter(|mount| mount.kind() == "bind" && mount.field(&["from"]).is_none());
        let sources: Vec<String> = of_context
            .map(|mount| mount.field(&["source", "src"]).unwrap_or(".").to_owned())
            .collect();
        (!sources.is_empty()).then_some(Self {
            line: statement.line - 1,
            keyword: "RUN --mount",
            sources,
        })
    }

    fn of(statement: &Statement) -> Option<Self> {
        let keyword = ["COPY", "ADD"]
            .into_iter()
            .find(|keyword| *keyword == statement.keyword)?;
        let (flags, words) = statement.flags();
        if flags.iter().any(|flag| flag.starts_with("--from")) {
            return None;
        }
        let list = || words.split_whitespace().map(str::to_owned).collect();
        let mut sources: Vec<String> = serde_json::from_str(words).unwrap_or_else(|_| list());
        // The last word is where they go.
        sources.pop()?;
        let is_far =
            |source: &String| source.starts_with("https://") || source.starts_with("http://");
        sources.retain(|source| !is_heredoc(source) && (keyword == "COPY" || !is_far(source)));
        (!sources.is_empty()).then_some(Self {
            line: statement.line - 1,
            keyword,
            sources,
        })
    }

    /// Whether it takes files from the context, whatever its variables stand for: those of `ADD`
    /// may be web addresses.
    pub fn is_certain(&self) -> bool {
        self.keyword != "ADD" || !self.sources.iter().all(|source| source.starts_with('$'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_the_context_must_have() {
        let text = "FROM base AS one\n\
                    COPY --chown=1:1 a b/ /x/\n\
                    copy [\"with blank\", \"/x\"]\n\
                    COPY --from=one /a /b\n\
                    ADD https://example.com/a b.tar /x\n\
                    ADD https://example.com/a /x\n\
                    ADD $URL /x\n\
                    ONBUILD COPY . /x\n\
                    COPY <<EOF /x\nx\nEOF\n\
                    RUN --mount=type=cache,target=/c --mount=target=/d --mount=source=e,target=/e a\n\
                    RUN --mount=type=bind,from=one,target=/d a\n\
                    COPY c \\\n  # comment\n  d /x\n";
        let found: Vec<_> = LocalFiles::all(text)
            .into_iter()
            .map(|it| (it.line, it.keyword, it.sources.join(","), it.is_certain()))
            .collect();
        let expected = [
            (1, "COPY", "a,b/", true),
            (2, "COPY", "with blank", true),
            (4, "ADD", "b.tar", true),
            (6, "ADD", "$URL", false),
            (11, "RUN --mount", ".,e", true),
            (13, "COPY", "c,d", true),
        ];
        let expected = expected.map(|(line, word, list, sure)| (line, word, list.to_owned(), sure));
        assert_eq!(found, expected);
    }
}
