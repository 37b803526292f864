//! Which lines run a program.

use std::collections::BTreeSet;

use super::statement::Statement;

/// Whether a line of a Dockerfile runs a program of the platform that is built for. Stages that are
/// fixed to the platform of the build itself (`FROM --platform=$BUILDPLATFORM`), and stages on such
/// ones, run others.
pub fn runs_for_target(dockerfile: &str) -> bool {
    let mut native = BTreeSet::new();
    let mut is_native = false;
    for statement in Statement::all(dockerfile) {
        match statement.keyword.as_str() {
            "FROM" => {
                let (flags, rest) = statement.flags();
                let words: Vec<String> = rest.split_whitespace().map(str::to_lowercase).collect();
                let of_build = |flag: &str| {
                    let value = flag.strip_prefix("--platform=");
                    value.is_some_and(|value| {
                        ["$BUILDPLATFORM", "${BUILDPLATFORM}"].contains(&value.trim_matches('"'))
                    })
                };
                is_native = flags.into_iter().any(of_build)
                    || words.first().is_some_and(|image| native.contains(image));
                if let ([_, as_, name], true) = (&words[..], is_native)
                    && as_ == "as"
                {
                    native.insert(name.clone());
                }
            }
            "RUN" if !is_native => return true,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_run_lines_for_the_target_count() {
        for (dockerfile, runs) in [
            (
                "FROM base\nENV A=1\nCOPY a /b\nADD c /d\nWORKDIR /e\n",
                false,
            ),
            ("FROM base\nrun true\n", true),
            (
                "FROM base\nONBUILD RUN true\nCMD [\"RUN\"]\n# RUN true\n",
                false,
            ),
            (
                "FROM --platform=$BUILDPLATFORM go AS Tools\nRUN make\nFROM tools AS more\n\
                 RUN make more\nFROM base\nCOPY --from=more /a /b\n",
                false,
            ),
            (
                "FROM --platform=\"${BUILDPLATFORM}\" go AS tools\nRUN make\nFROM base\nRUN true\n",
                true,
            ),
            ("FROM --platform=$TARGETPLATFORM base\nRUN true\n", true),
        ] {
            assert_eq!(runs_for_target(dockerfile), runs, "{dockerfile}");
        }
    }
}
