//! What may follow each instruction: the common, and all that is known to be tricky.

use super::base::Base;
use super::random::Random;

/// The arguments of an instruction.
pub(super) fn arguments(random: &mut Random, keyword: &str, base: &Base) -> String {
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
