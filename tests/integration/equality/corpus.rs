//! Combinations of lines, from a seed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::base::Base;

/// SplitMix64: equal seeds give equal combinations, on every machine and with every version.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }
}

/// A Dockerfile on one of the bases, with build arguments.
pub(super) struct Combination {
    pub(super) base: &'static Base,
    pub(super) lines: String,
    pub(super) args: BTreeMap<String, String>,
    /// The instructions, in capitals, as often as they occur.
    pub(super) keywords: Vec<&'static str>,
}

pub(super) const KEYWORDS: [&str; 14] = [
    "ENV",
    "LABEL",
    "ARG",
    "VOLUME",
    "USER",
    "EXPOSE",
    "CMD",
    "ENTRYPOINT",
    "STOPSIGNAL",
    "HEALTHCHECK",
    "SHELL",
    "ONBUILD",
    "MAINTAINER",
    "WORKDIR",
];

impl Combination {
    pub(super) fn next(random: &mut Random, bases: &'static [Base]) -> Self {
        let base = &bases[random.below(bases.len())];
        let count = 1 + random.below(8);
        let keywords: Vec<_> = (0..count).map(|_| random.one(&KEYWORDS)).collect();
        // BuildKit looks up the user who makes a folder.
        let has_workdir = keywords.contains(&"WORKDIR");
        let mut lines = String::new();
        for keyword in &keywords {
            let arguments = match *keyword {
                "USER" if has_workdir => random.one(&["0", "1000:1000", "base", "root"]).to_owned(),
                keyword => arguments(random, keyword, base),
            };
            let keyword = if random.once_in(5) {
                keyword.to_lowercase()
            } else {
                (*keyword).to_owned()
            };
            lines.push_str(random.one(&["", "", "", "# a comment\n", "\n", "  "]));
            let blank = random.one(&[" ", " ", "\t", "  "]);
            lines.extend([keyword.as_str(), blank, &arguments, "\n"]);
        }
        let mut args = BTreeMap::new();
        for (name, value) in [("Q", "given"), ("A", "given $B"), ("UNUSED", "x")] {
            if random.once_in(3) {
                args.insert(name.to_owned(), value.to_owned());
            }
        }
        Self {
            base,
            lines,
            args,
            keywords,
        }
    }

    pub(super) fn dockerfile(&self) -> String {
        format!("FROM {}\n{}", self.base.name(), self.lines)
    }

    pub(super) fn distinct_keywords(&self) -> BTreeSet<String> {
        self.keywords.iter().map(ToString::to_string).collect()
    }
}

fn arguments(random: &mut Random, keyword: &str, base: &Base) -> String {
    match keyword {
        "ENV" => pairs(
            random,
            &[
                "A", "B", "NEW", "K1", "K2", "PATH", "P", "\"Q\"", "'x y'", "Q",
            ],
        ),
        "LABEL" => pairs(
            random,
            &["l", "m", "$A", "\"two words\"", "a.b/c", "é", "'$A'"],
        ),
        "ARG" => arg(random),
        "VOLUME" => volume(random),
        "USER" => random
            .one(&[
                "0",
                "1000:1000",
                "me",
                "$A",
                "\"two words\"",
                "${U:-nobody}",
                "'$A'",
                "$U",
            ])
            .to_owned(),
        "EXPOSE" => several(
            random,
            &[
                "80",
                "443/TCP",
                "53/udp",
                "9000-9002",
                "9-9/sctp",
                "080",
                "81/",
                "$P",
                "${P}",
                "\"82\"",
                "$U",
                "0",
                "65535",
                "${U:-90-91}",
            ],
        ),
        "CMD" | "ENTRYPOINT" => command(random),
        "STOPSIGNAL" => stop_signal(random),
        "HEALTHCHECK" => healthcheck(random),
        "SHELL" => random
            .one(&[
                r#"["/bin/bash", "-c"]"#,
                r#"[ "sh" ]"#,
                r#"["$A", "a b", "\"q\""]"#,
            ])
            .to_owned(),
        "ONBUILD" => random
            .one(&[
                "RUN x",
                "env X=$A",
                "COPY . /app",
                "ENTRYPOINT [\"x\"]",
                "  LABEL a=b \\\n  c=d",
                "USER \"me\"  ",
                "RUN [\"a\", 'b']",
                "CMD echo  $A",
            ])
            .to_owned(),
        "MAINTAINER" => random
            .one(&[
                "me",
                "\"Me $A\" <me@example.com>",
                "a   b \\\n c",
                "é <é@example.com>",
            ])
            .to_owned(),
        "WORKDIR" if base.has_folders() => random
            .one(&[
                "/",
                "..",
                ".",
                "/srv",
                "/srv/",
                "/srv/app/data",
                "/srv//app",
                "/srv/app/../app",
                "$W",
                "\"/srv/app\"",
                "${U:-/srv}",
                "./../",
                "'/srv'",
            ])
            .to_owned(),
        "WORKDIR" => random.one(&["/", ".", "..", "\"/\"", "//"]).to_owned(),
        other => panic!("nothing follows {other}"),
    }
}

/// Pieces of a word: text, quotation marks, backslashes, variables.
const PIECES: [&str; 32] = [
    "1",
    "x-y",
    "é",
    "\"two  words\"",
    "'single $A'",
    "$A",
    "${A}",
    "$B",
    "\"$B\"",
    "${U:-default}",
    "\"${E:-d e}\"",
    "${A:+set}",
    "${U:+set}",
    "${E:+set}",
    "\\$A",
    "a\\ b",
    "$U",
    "\"a \\\"$A\\\" \\\\ \\x\"",
    "${U:-${A}}",
    "${U:-'q q'}",
    "${A:-\"q q\"}",
    "$1",
    "$1x",
    "\"$\"",
    "'\\'",
    "\\\\",
    "=",
    "==",
    "#",
    "$A$B",
    "${A:?message}",
    "\"it's\"",
];

fn word(random: &mut Random) -> String {
    (0..random.below(4)).map(|_| random.one(&PIECES)).collect()
}

fn pairs(random: &mut Random, names: &[&str]) -> String {
    if random.once_in(6) {
        let name = random.one(&["OLD", "A", "K1"]);
        let value = random.one(&["some   words", "\"q\"  $A 'w'", "x=y $B", "a\\ \\b", "é"]);
        return format!("{name} {value}");
    }
    let pairs: Vec<_> = (0..=random.below(4))
        .map(|_| format!("{}={}", random.one(names), word(random)))
        .collect();
    pairs.join(random.one(&[" ", "  ", " \\\n", "\\\n  # inside\n\n  ", "\t"]))
}

fn several(random: &mut Random, of: &[&str]) -> String {
    let words: Vec<_> = (0..=random.below(3)).map(|_| random.one(of)).collect();
    words.join(random.one(&[" ", "  ", " \\\n "]))
}

fn arg(random: &mut Random) -> String {
    several(
        random,
        &[
            "Q",
            "Q=default",
            "A=shadow",
            "A",
            "R=$A",
            "R='x y'",
            "S=\"$B\"",
            "TARGETARCH",
            "TARGETPLATFORM",
            "TARGETVARIANT",
            "TARGETOS=own",
            "E",
            "T=",
            "P=7000",
        ],
    )
}

fn volume(random: &mut Random) -> String {
    match random.below(3) {
        0 => random
            .one(&[
                r#"["/v1", "/v 2"]"#,
                r#"["$A"]"#,
                r#"["C:\\x", " /trimmed "]"#,
                r#"["/v1", "#,
                "['/v1']",
                r#"["\u002fv3"]"#,
            ])
            .to_owned(),
        _ => several(
            random,
            &[
                "/v1",
                "/v2/",
                "/a/../b",
                "relative",
                "$W",
                "\"/q\"",
                "'/$A'",
                "/x\\y",
                "/${A}/${U:-u}",
            ],
        ),
    }
}

fn command(random: &mut Random) -> String {
    random
        .one(&[
            "echo $A  \"x\" 'y'",
            "exec a \\\n  --flag \\\n  # inside\n  b",
            r#"["a", "$A", "q\"\\"]"#,
            "[]",
            r#"["a", 'b']"#,
            "[ -x /a ] && b",
            r#"[ "x", "#,
            r#"["é\u0041\n"]"#,
            "a",
            "   b   ",
            r#"[ "a" , "" ]"#,
            "echo \\\\",
        ])
        .to_owned()
}

fn stop_signal(random: &mut Random) -> String {
    random
        .one(&[
            "SIGTERM",
            "kill",
            "9",
            "64",
            "SIGRTMIN+3",
            "RTMAX-14",
            "sigwinch",
            "\"SIGINT\"",
            "${U:-SIGQUIT}",
            "CLD",
            "IOT",
            "STKFLT",
            "POLL",
            "RTMIN",
            "SIGRTMAX",
        ])
        .to_owned()
}

fn healthcheck(random: &mut Random) -> String {
    let mut flags = String::new();
    for (name, values) in [
        ("interval", &["30s", "1m30s", "1h", "1.5s"][..]),
        ("timeout", &["1ms", "3s", "100ms"]),
        ("start-period", &["1h2m3.25s", "2000us"]),
        ("retries", &["1", "03", "10"]),
    ] {
        if random.once_in(3) {
            flags.extend(["--", name, "=", random.one(values), " "]);
        }
    }
    let check = random.one(&[
        "CMD true",
        "CMD [\"a\", \"$A\"]",
        "cmd  curl $A || \"exit\" 1",
        "NONE",
        "none",
        "CMD [\"a\", 'b']",
        "CMD \\\n  x",
    ]);
    format!("{flags}{check}")
}

/// A base's `config` with every field that Docker knows set, and one that it does not know.
pub(super) fn full() -> Value {
    json!({
        "Hostname": "host", "Domainname": "domain", "User": "base",
        "AttachStdin": true, "AttachStdout": true, "AttachStderr": true,
        "ExposedPorts": {"1/tcp": {}, "80/tcp": {}}, "Tty": true, "OpenStdin": true, "StdinOnce": true,
        "Env": ["PATH=/bin", "A=base", "B=two words", "E=", "W=/srv/app", "P=8080 8081/udp"],
        "Cmd": ["base-cmd"],
        "Healthcheck": {
            "Test": ["CMD", "base"], "Interval": 5_000_000_000_u64, "Timeout": 6_000_000_000_u64,
            "StartPeriod": 7_000_000_000_u64, "Retries": 4,
        },
        "ArgsEscaped": true, "Image": "sha256:base", "Volumes": {"/base": {}},
        "WorkingDir": "/srv/app/data", "Entrypoint": ["base-entrypoint"], "NetworkDisabled": true,
        "MacAddress": "02:42:ac:11:00:02", "OnBuild": [], "Labels": {"l": "base", "z": "base"},
        "StopSignal": "SIGINT", "StopTimeout": 7, "Shell": ["/bin/ash", "-c"],
        "x-unknown": {"z": 1, "a": 2},
    })
}
