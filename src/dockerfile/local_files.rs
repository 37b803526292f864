//! The lines that take files from the build context.

use super::statement::Statement;

/// A `COPY` or `ADD` line that takes files from the build context.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LocalFiles {
    /// The line that it begins on, counted from 0.
    pub line: usize,
    /// `COPY` or `ADD`.
    pub keyword: &'static str,
    /// What it names, in order.
    pub sources: Vec<String>,
}

impl LocalFiles {
    /// All such lines of a text, in order. `COPY --from` takes files from elsewhere, `ADD` takes
    /// web addresses too, and what follows `ONBUILD` happens in other builds.
    pub fn all(text: &str) -> Vec<Self> {
        Statement::all(text).iter().filter_map(Self::of).collect()
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
        sources.retain(|source| keyword == "COPY" || !is_far(source));
        (!sources.is_empty()).then_some(Self {
            line: statement.line - 1,
            keyword,
            sources,
        })
    }

    /// Whether it takes files from the context, whatever its variables stand for: those of `ADD`
    /// may be web addresses.
    pub fn is_certain(&self) -> bool {
        self.keyword == "COPY" || !self.sources.iter().all(|source| source.starts_with('$'))
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
            (8, "COPY", "c,d", true),
        ];
        let expected = expected.map(|(line, word, list, sure)| (line, word, list.to_owned(), sure));
        assert_eq!(found, expected);
    }
}
