//! A Dockerfile whose lines are all metadata.

use std::collections::BTreeMap;

use super::configuration::{CREATED, Configuration};
use super::created::rfc3339;
use super::derivation::Derivation;
use super::history::HistoryEntry;
use super::reason::{NeedsBuild, Why};
use super::step::Step;
use crate::dockerfile::chunks::is_continued;
use crate::dockerfile::statement::Statement;
use crate::dockerfile::words;

/// A Dockerfile of one stage whose lines change nothing but the image's configuration. It is parsed
/// once and applied to the base of every platform.
#[derive(Clone, Debug)]
pub struct MetadataLines {
    steps: Vec<(Statement, Step)>,
}

/// What a derived configuration depends on, beside the lines and the base.
#[derive(Clone, Debug, Default)]
pub struct DeriveSettings {
    /// The values of `ARG` lines.
    pub args: BTreeMap<String, String>,
    /// Labels that are put on at the end, without a word in the history, as `docker build --label`
    /// does.
    pub labels: BTreeMap<String, String>,
    /// The time that the image and its new history get, in seconds since 1970; `None` for the
    /// base's own. See <https://reproducible-builds.org/specs/source-date-epoch/>.
    pub source_date_epoch: Option<u64>,
}

/// The configuration of a derived image. Equal inputs give equal bytes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Derived {
    /// The configuration's bytes. Its layers are the base's.
    pub configuration: Vec<u8>,
    /// What was added to the history: one entry per line, none with a layer.
    pub history: Vec<HistoryEntry>,
}

/// What describes how the base was made, or what both builders drop.
const DROPPED: [&str; 3] = ["container", "container_config", "docker_version"];
const DROPPED_SETTINGS: [&str; 3] = ["Image", "OpenStdin", "StdinOnce"];

impl MetadataLines {
    /// Reads a Dockerfile that begins with `FROM base`. The error says which line needs a build.
    pub fn parse(dockerfile: &str, base: &str) -> Result<Self, NeedsBuild> {
        let mut statements = Statement::all(dockerfile).into_iter();
        let from = statements.next().ok_or(NeedsBuild {
            line: None,
            instruction: String::new(),
            why: Why::Stages,
        })?;
        check_from(&from, base).map_err(|why| from.needs_build(why))?;
        if is_continued(dockerfile.trim_end()) {
            let why = Why::unsure("a backslash at the end of the last line");
            return Err(statements.next_back().unwrap_or(from).needs_build(why));
        }
        let steps = statements.map(|statement| match Step::parse(&statement) {
            Ok(step) => Ok((statement, step)),
            Err(why) => Err(statement.needs_build(why)),
        });
        Ok(Self {
            steps: steps.collect::<Result<_, _>>()?,
        })
    }

    /// Applies the lines to the base's configuration for one platform.
    pub fn derive(&self, base: &[u8], settings: &DeriveSettings) -> Result<Derived, NeedsBuild> {
        let of_the_base = |why| NeedsBuild {
            line: None,
            instruction: String::new(),
            why,
        };
        let base = Configuration::parse(base).map_err(|error| of_the_base(Why::Base(error)))?;
        let mut derivation = Derivation::new(&base, &settings.args).map_err(of_the_base)?;
        let created = match settings.source_date_epoch {
            Some(seconds) => Some(rfc3339(seconds)),
            None => base.created.clone(),
        };
        let mut history = Vec::new();
        for (statement, step) in &self.steps {
            let applied = derivation.apply(step);
            let created_by = applied.map_err(|why| statement.needs_build(why))?;
            history.push(HistoryEntry::new(created_by, created.clone()));
        }
        derivation.values.labels.extend(settings.labels.clone());
        Ok(Derived {
            configuration: finish(base, &derivation, created.as_deref(), &history),
            history,
        })
    }
}

/// The base's configuration with what the lines changed.
fn finish(
    mut base: Configuration,
    derivation: &Derivation<'_>,
    created: Option<&str>,
    history: &[HistoryEntry],
) -> Vec<u8> {
    for key in DROPPED {
        base.document.remove(key);
    }
    for key in DROPPED_SETTINGS {
        base.settings.remove(key);
    }
    derivation.values.write(&base.values, &mut base.settings);
    if let Some(healthcheck) = &derivation.healthcheck {
        base.settings.set("Healthcheck", healthcheck);
    }
    if let Some(author) = &derivation.author {
        base.document.set("author", author);
    }
    if created != base.created.as_deref() {
        base.document.set(CREATED, &created);
    }
    base.add_history(history);
    base.into_bytes()
}

fn check_from(from: &Statement, base: &str) -> Result<(), Why> {
    if from.keyword != "FROM" {
        return Err(Why::Stages);
    }
    let (_, rest) = from.flags();
    let words: Vec<_> = words::plain(rest).collect();
    match words.as_slice() {
        [image] | [image, _, _] if *image == base => Ok(()),
        _ => Err(Why::OtherBase {
            base: base.to_owned(),
        }),
    }
}

impl Statement {
    fn needs_build(&self, why: Why) -> NeedsBuild {
        NeedsBuild {
            line: Some(self.line),
            instruction: self.shown(),
            why,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::chain;

    const BASE: &str = r#"{"architecture":"arm64","os":"linux","variant":"v8","x-top":1.50,
"created":"2024-01-02T03:04:05.678Z","container":"c","author":"someone",
"config":{"x-unknown":{ "z":1},"Env":["PATH=/bin","A=base"],"Cmd":["c"],"WorkingDir":"/srv/app","Image":"sha256:x","Labels":{"l":"1"}},
"rootfs":{"type":"layers","diff_ids":["sha256:d"]},"history":[{"created_by":"first", "x":1}]}"#;

    fn derive(lines: &str, settings: &DeriveSettings) -> Result<Derived, NeedsBuild> {
        let lines = MetadataLines::parse(&format!("FROM base\n{lines}"), "base")?;
        lines.derive(BASE.as_bytes(), settings)
    }

    #[test]
    fn what_lines_do_not_change_is_kept() {
        let settings = DeriveSettings {
            args: BTreeMap::from([("SECRET".to_owned(), "s3cret".to_owned())]),
            labels: BTreeMap::from([("own".to_owned(), "2".to_owned())]),
            source_date_epoch: None,
        };
        let lines = "ENV A=1 B=$A\nARG SECRET=d TARGETARCH\nLABEL x=$TARGETARCH\nEXPOSE 80-81\n\
                     HEALTHCHECK --interval=1m30s CMD true\nENTRYPOINT [\"e\"]\nMAINTAINER me\n\
                     WORKDIR ..\nONBUILD RUN x\n";
        let derived = derive(lines, &settings).unwrap();
        assert_eq!(derived, derive(lines, &settings).unwrap());
        let text = String::from_utf8(derived.configuration).unwrap();
        insta::assert_snapshot!(text.replace(",\"", ",\n\""));
    }

    #[test]
    fn the_time_can_be_chosen() {
        let settings = DeriveSettings {
            source_date_epoch: Some(1_709_208_000),
            ..DeriveSettings::default()
        };
        let derived = derive("USER x", &settings).unwrap();
        let time = "2024-02-29T12:00:00Z";
        assert_eq!(derived.history[0].created.as_deref(), Some(time));
        let configuration = Configuration::parse(&derived.configuration).unwrap();
        assert_eq!(configuration.created.as_deref(), Some(time));
    }

    #[test]
    fn what_needs_a_build_says_why() {
        let reasons = [
            "ENV A=1\nRUN true",
            "COPY --from=x /a /b",
            "FROM other",
            "WORKDIR /srv/other",
            "USER \\\n  ${A%%x}",
            "USER ${U:?who}",
            "ENV A",
            "ENV $U=1",
            "LABEL a='b",
            "EXPOSE 70000",
            "EXPOSE 127.0.0.1:80:80",
            "STOPSIGNAL TREM",
            "CMD [\"a\"] b",
            "SHELL bash",
            "ONBUILD ENV A",
            "ONBUILD FROM x",
            "HEALTHCHECK --interval=0s CMD x",
            "ARG A=1 B=$A",
            "VOLUME [\"$U\"]",
            "USER x\n# escape=`",
            "LABEL a=b \\",
            "CMD --x",
            "RUNN x",
        ]
        .map(|lines| {
            let error = derive(lines, &DeriveSettings::default()).unwrap_err();
            chain(&error) + "\n"
        });
        insta::assert_snapshot!(reasons.concat());
    }

    #[test]
    fn a_base_can_need_a_build() {
        let reasons = [
            r#"{"os":"linux","config":{"OnBuild":["RUN x"]}}"#,
            r#"{"os":"windows"}"#,
            r#"{"os":"linux","config":{"Env":["A=1","A=2"]}}"#,
            r#"{"os":"linux","config":{"Env":{}}}"#,
        ]
        .map(|base| {
            let lines = MetadataLines::parse("FROM --platform=x base AS y\nUSER x", "base");
            let derived = lines
                .unwrap()
                .derive(base.as_bytes(), &DeriveSettings::default());
            chain(&derived.unwrap_err()) + "\n"
        });
        insta::assert_snapshot!(reasons.concat());
        for dockerfile in ["", "ARG A\nFROM base", "FROM other", "USER x"] {
            let error = MetadataLines::parse(dockerfile, "base").unwrap_err();
            assert!(
                matches!(error.why, Why::Stages | Why::OtherBase { .. }),
                "{dockerfile}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn no_line_panics(
            line in "(ENV|LABEL|ARG|VOLUME|EXPOSE|CMD|HEALTHCHECK|SHELL|ONBUILD|onbuıld|WORKDIR|STOPSIGNAL|\\PC{0,4})[ \t][-=\"'\\[\\]$\\{}:a1/, \n\\\\]{0,30}",
        ) {
            let _ = derive(&line, &DeriveSettings::default());
        }
    }
}
