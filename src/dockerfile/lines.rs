//! The extra Dockerfile lines.

use super::chunks::{self, Chunk};
use super::demands::Demands;
use super::instructions;

/// Extra Dockerfile lines, checked. Each entry is one instruction, which may span several lines;
/// an entry that spans several lines may also hold several instructions.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Lines {
    entries: Vec<String>,
    demands: Demands,
}

/// One mistake in the extra lines.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LineError {
    /// Which entry, counted from 0.
    pub entry: usize,
    /// Which line inside the entry, counted from 0.
    pub line: usize,
    /// What is wrong: lower case, no final period.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
}

impl Lines {
    /// Checks the entries and reports every mistake in them. White space at an entry's end is
    /// dropped.
    pub fn parse(entries: &[String]) -> Result<Self, Vec<LineError>> {
        let mut lines = Self::default();
        let mut errors = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            let entry = entry.trim_end();
            match check(entry, false) {
                Ok(demands) => lines.demands.add_entry(demands, index),
                Err(found) => errors.extend(found.into_iter().map(|error| LineError {
                    entry: index,
                    ..error
                })),
            }
            lines.entries.push(entry.to_owned());
        }
        if errors.is_empty() {
            Ok(lines)
        } else {
            Err(errors)
        }
    }

    /// The entries, in order.
    pub fn as_slice(&self) -> &[String] {
        &self.entries
    }

    /// Whether there are no lines.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether a line runs a program of the image, which a foreign platform needs emulation for.
    /// `ONBUILD RUN` does not: it is remembered for other builds.
    pub fn has_run(&self) -> bool {
        self.demands.runs
    }

    /// What they ask of whoever builds.
    pub fn demands(&self) -> &Demands {
        &self.demands
    }
}

/// Checks a whole Dockerfile, which a template gave, as lines are checked, and says what it asks of
/// whoever builds. All is counted as of entry 0.
pub fn check_dockerfile(text: &str) -> Result<Demands, Vec<LineError>> {
    check(text.trim_end(), true)
}

fn check(text: &str, has_from: bool) -> Result<Demands, Vec<LineError>> {
    let mut demands = Demands::default();
    let mut errors = Vec::new();
    let mut is_empty = true;
    for Chunk { line, text } in chunks::split(text) {
        is_empty = false;
        match instructions::check(&text, has_from) {
            Ok(found) => demands.add(found, line),
            Err(wrongs) => errors.extend(wrongs.into_iter().map(|wrong| LineError {
                entry: 0,
                line,
                message: wrong.message,
                hint: wrong.hint,
            })),
        }
    }
    if is_empty {
        errors.push(LineError {
            entry: 0,
            line: 0,
            message: "there is no instruction here".to_owned(),
            hint: None,
        });
    }
    if errors.is_empty() {
        Ok(demands)
    } else {
        Err(errors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(entries: &[&str]) -> Result<Lines, Vec<LineError>> {
        let entries: Vec<String> = entries.iter().map(|&entry| entry.to_owned()).collect();
        Lines::parse(&entries)
    }

    fn wrong(entries: &[&str]) -> String {
        let errors = lines(entries).unwrap_err();
        let line = |error: LineError| {
            let hint = error
                .hint
                .map_or(String::new(), |hint| format!(" ({hint})"));
            format!("{}.{} {}{hint}\n", error.entry, error.line, error.message)
        };
        errors.into_iter().map(line).collect()
    }

    #[test]
    fn sound_lines_stay_as_they_are() {
        let entries = [
            "RUN mkdir /etc/vault",
            "run [\"chmod\", \"777\", \"/etc/vault\"]",
            "RUN [ -d /etc/vault ] && echo $((1 << 2)) <<< x",
            "VOLUME [\"/etc/vault\"]",
            "ENV A=1 \\\n  # inside\n  B=2\nLABEL a=b",
            "COPY --from=busybox --chown=1:1 /bin/busybox /bin/",
            "ADD https://example.com/ca.pem /etc/ca.pem",
            "COPY app /app",
            "ARG VERSION=1",
            "HEALTHCHECK --interval=30s CMD true",
            "ONBUILD COPY . /app",
            "SHELL [\"/bin/bash\", \"-c\"]",
            "CMD [\"a\"]",
            "EXPOSE 80 443/tcp",
            "STOPSIGNAL SIGTERM",
            "LABEL a=x\\\\\nLABEL b=1\\\\",
        ];
        let lines = lines(&entries).unwrap();
        assert_eq!(lines.as_slice(), entries);
        assert!(lines.has_run());
        assert_eq!(lines.demands().buildkit, []);
    }

    #[test]
    fn only_run_runs() {
        for (line, runs) in [
            ("RUN true", true),
            ("USER x\nrun true", true),
            ("ONBUILD RUN true", false),
            ("CMD true", false),
        ] {
            assert_eq!(lines(&[line]).unwrap().has_run(), runs, "{line}");
        }
        assert!(check_dockerfile("FROM a\nRUN true\n").unwrap().runs);
        assert!(!check_dockerfile("ARG X\nFROM a\n").unwrap().runs);
    }

    #[test]
    fn says_all_that_is_wrong() {
        insta::assert_snapshot!(wrong(&[
            "FROM alpine",
            "",
            "# only a comment",
            "# escape=`",
            "RUNN true",
            "apt-get update",
            "RUN",
            "RUN --mount=type=ssh --network=none make",
            "RUN <<EOF\ntrue\nEOF\nUSR x",
            "RUN cat <<EOF > /x",
            "RUN true \\",
            "ENV A = b\nLABEL a",
            "EXPOSE 80 http 443/https",
            "STOPSIGNAL TREM",
            "VOLUME [\"/a\", ",
            "HEALTHCHECK --interval=30 --tries=3 CMD true",
            "ONBUILD FROM x",
            "SHELL /bin/sh",
        ]), @r#"
0.0 `FROM` is written by longshore (the upstream image is named by `source`)
1.0 there is no instruction here
2.0 there is no instruction here
3.0 a parser directive (`# escape=`) has no effect (leave it out)
4.0 `RUNN` is not an instruction of a Dockerfile (did you mean `RUN`?)
5.0 `apt-get` is not an instruction of a Dockerfile (to run a program, write `RUN` before it)
6.0 `RUN` has no arguments
7.0 there is no SSH agent in a build (give what it needs as a secret: `RUN --mount=type=secret,id=...`)
8.3 `USR` is not an instruction of a Dockerfile (did you mean `USER`?)
10.0 the last line ends with a backslash, which would join the next instruction (leave the backslash out)
11.0 this sets `A` to a value that begins with `=` (write `ENV A=b`)
11.1 `LABEL a` has no value (write `LABEL a=VALUE`)
12.0 `http` is not a port (write it as `80`, `443/tcp` or `9000-9002`)
12.0 `https` in `443/https` is no protocol (the protocols are `tcp`, `udp` and `sctp`)
13.0 `TREM` is not a signal (did you mean `SIGTERM`?)
14.0 the list of volumes is not JSON (write `VOLUME ["/data"]`)
15.0 `30` is no value for `--interval` (write it as `--interval=1m30s`)
15.0 `HEALTHCHECK` knows no `--tries` (it knows `--interval`, `--timeout`, `--start-period`, `--start-interval` and `--retries`)
16.0 Docker refuses this instruction after `ONBUILD`
17.0 expected JSON array
"#);
    }

    #[test]
    fn says_what_only_buildkit_understands() {
        let lines = lines(&[
            "ENV A=1",
            "USER x\nRUN --mount=type=cache,target=/x --network=none make",
            "RUN <<EOF\ntrue\nEOF",
            "COPY <<A <<B /x/\na\nA\nb\nB",
            "COPY --chmod=1 --link app /app",
            "ADD --chmod=1 --chown=1 app.tar /app",
            "RUN --mount=type=secret,id=one \\\n --mount=type=secret,dst=/a/two true",
            "RUN --mount=type=secret,id=three,required=false --mount=target=/c true",
        ])
        .unwrap();
        let needs: Vec<String> = lines
            .demands()
            .buildkit
            .iter()
            .map(|need| {
                let since = need.since.map_or("any", |release| release.name);
                format!("{}.{} {}, {since}", need.entry, need.line, need.what)
            })
            .collect();
        insta::assert_snapshot!(needs.join("\n"), @r"
1.1 `RUN --mount`, any
1.1 `RUN --network`, 23.0
2.0 a heredoc, 23.0
3.0 a heredoc, 23.0
4.0 `COPY --chmod`, any
4.0 `COPY --link`, 23.0
5.0 `ADD --chmod`, any
6.0 `RUN --mount`, any
6.0 `RUN --mount`, any
7.0 `RUN --mount`, any
7.0 `RUN --mount`, any
");
        let secrets: Vec<_> = lines
            .demands()
            .secrets
            .iter()
            .map(|it| (it.entry, &*it.id))
            .collect();
        assert_eq!(secrets, [(6, "one"), (6, "two")]);
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "(RUN|ENV|COPY|ADD|EXPOSE|VOLUME|ONBUILD|HEALTHCHECK|STOPSIGNAL|\\PC{0,4})[ \n]\\PC{0,40}") {
            let _ = lines(&[&text]);
        }
    }
}
