//! The arguments that Docker checks only when a build reaches their line. What a `$` stands for is
//! left to the daemon, which alone knows the variables.

use parse_dockerfile::{Flag, JsonOrStringArray};

use super::expansion::{ExpansionError, expand};
use super::instructions::Wrong;
use super::words;

/// Checks `ENV` and `LABEL`: `NAME=VALUE` pairs, or the old form `NAME some words`.
pub(super) fn pairs(instruction: &str, text: &str) -> Vec<Wrong> {
    let words = match words::split(text) {
        Ok(words) => words,
        Err(quote) => {
            let message = format!("a quotation mark ({quote}) is not closed");
            return vec![Wrong::new(message, None)];
        }
    };
    // Which other forms are sound differs with Docker's versions.
    if let Err(error @ (ExpansionError::Malformed | ExpansionError::Unclosed { .. })) =
        expand(text, |_| None)
    {
        let hint = "write `\\$` for a dollar sign itself";
        return vec![Wrong::new(error.to_string(), hint)];
    }
    let first = words.first().map_or("", String::as_str);
    if !first.contains('=') {
        return match words.get(1) {
            None => vec![Wrong {
                message: format!("`{instruction} {first}` has no value"),
                hint: Some(format!("write `{instruction} {first}=VALUE`")),
            }],
            Some(second) if second.starts_with('=') => {
                let value = match second.trim_start_matches('=') {
                    "" => words.get(2).map_or("", String::as_str),
                    value => value,
                };
                vec![Wrong {
                    message: format!("this sets `{first}` to a value that begins with `=`"),
                    hint: Some(format!("write `{instruction} {first}={value}`")),
                }]
            }
            Some(_) => Vec::new(),
        };
    }
    words
        .iter()
        .filter_map(|word| match word.split_once('=') {
            None => Some(Wrong::new(
                format!("`{word}` is not `NAME=VALUE`"),
                "put a value with spaces into quotation marks",
            )),
            Some((name, _)) if name.trim_matches(['"', '\'']).is_empty() => {
                Some(Wrong::new(format!("`{word}` has no name"), None))
            }
            Some(_) => None,
        })
        .collect()
}

/// Checks a word of `EXPOSE`: `80`, `443/tcp`, `9000-9002/udp`, `127.0.0.1:8080:80`.
pub(super) fn port(text: &str) -> Option<Wrong> {
    if text.contains('$') {
        return None;
    }
    let (ports, protocol) = text.rsplit_once('/').unwrap_or((text, "tcp"));
    let known = ["tcp", "udp", "sctp"];
    if !known
        .iter()
        .any(|known| protocol.eq_ignore_ascii_case(known))
    {
        let message = format!("`{protocol}` in `{text}` is no protocol");
        return Some(Wrong::new(
            message,
            "the protocols are `tcp`, `udp` and `sctp`",
        ));
    }
    let mut sides = ports.rsplit(':');
    let container = sides.next().unwrap_or_default();
    let host = sides.next().filter(|port| !port.is_empty());
    if is_range(container) && host.is_none_or(is_range) {
        return None;
    }
    let message = format!("`{text}` is not a port");
    Some(Wrong::new(
        message,
        "write it as `80`, `443/tcp` or `9000-9002`",
    ))
}

fn is_range(text: &str) -> bool {
    let number = |text: &str| {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u16>().ok().filter(|_| digits)
    };
    match text.split_once('-') {
        Some((first, last)) => match (number(first), number(last)) {
            (Some(first), Some(last)) => first <= last,
            _ => false,
        },
        None => number(text).is_some(),
    }
}

/// The signals of `moby/sys/signal` on Linux, without `SIG`.
const SIGNALS: [&str; 36] = [
    "ABRT", "ALRM", "BUS", "CHLD", "CLD", "CONT", "FPE", "HUP", "ILL", "INT", "IO", "IOT", "KILL",
    "PIPE", "POLL", "PROF", "PWR", "QUIT", "SEGV", "STKFLT", "STOP", "SYS", "TERM", "TRAP", "TSTP",
    "TTIN", "TTOU", "URG", "USR1", "USR2", "VTALRM", "WINCH", "XCPU", "XFSZ", "RTMIN", "RTMAX",
];

/// Checks the argument of `STOPSIGNAL`: a number or a signal's name, with or without `SIG`.
pub(super) fn signal(text: &str) -> Option<Wrong> {
    if text.contains('$') {
        return None;
    }
    let upper = text.to_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let real_time = |prefix: &str, most: u8| {
        let offset = name.strip_prefix(prefix).and_then(|rest| rest.parse().ok());
        offset.is_some_and(|offset: u8| (1..=most).contains(&offset))
    };
    let known = text
        .parse()
        .is_ok_and(|number: u8| (1..=64).contains(&number))
        || SIGNALS.contains(&name)
        || real_time("RTMIN+", 15)
        || real_time("RTMAX-", 14);
    if known {
        return None;
    }
    let nearest = SIGNALS
        .iter()
        .map(|known| (strsim::damerau_levenshtein(name, known), known))
        .min()
        .filter(|(distance, _)| *distance <= (name.len() / 3).max(1));
    Some(Wrong {
        message: format!("`{text}` is not a signal"),
        hint: Some(match nearest {
            Some((_, nearest)) => format!("did you mean `SIG{nearest}`?"),
            None => "write it as `SIGTERM` or as a number from 1 to 64".to_owned(),
        }),
    })
}

/// Checks the flags of `HEALTHCHECK`.
pub(super) fn healthcheck(flags: &[Flag<'_>]) -> Vec<Wrong> {
    flags.iter().filter_map(health_flag).collect()
}

fn health_flag(flag: &Flag<'_>) -> Option<Wrong> {
    let name = flag.name.value.as_ref();
    let value = flag.value.as_ref().map_or("", |value| value.value.as_ref());
    let (is_sound, example) = match name {
        "interval" | "timeout" | "start-period" | "start-interval" => (is_duration(value), "1m30s"),
        "retries" => (value.parse::<u32>().is_ok(), "3"),
        _ => {
            let message = format!("`HEALTHCHECK` knows no `--{name}`");
            let hint = "it knows `--interval`, `--timeout`, `--start-period`, `--start-interval` \
                        and `--retries`";
            return Some(Wrong::new(message, hint));
        }
    };
    (!is_sound).then(|| Wrong {
        message: format!("`{value}` is no value for `--{name}`"),
        hint: Some(format!("write it as `--{name}={example}`")),
    })
}

/// Go's durations: numbers, each with its unit.
fn is_duration(text: &str) -> bool {
    let is_digit = |c: char| c.is_ascii_digit() || c == '.';
    let mut rest = text;
    while !rest.is_empty() {
        let after = rest.trim_start_matches(is_digit);
        let number = &rest[..rest.len() - after.len()];
        let next = after.find(is_digit).unwrap_or(after.len());
        let unit = &after[..next];
        if number.parse::<f64>().is_err()
            || !["ns", "us", "µs", "ms", "s", "m", "h"].contains(&unit)
        {
            return false;
        }
        rest = &after[next..];
    }
    !text.is_empty()
}

/// Checks `VOLUME`, of which Docker makes words when its JSON is broken.
pub(super) fn volume(paths: &JsonOrStringArray<'_, 1>) -> Vec<Wrong> {
    match paths {
        JsonOrStringArray::Json(paths) if paths.value.iter().any(|path| path.value.is_empty()) => {
            vec![Wrong::new("a volume has an empty path", None)]
        }
        JsonOrStringArray::String(words)
            if words
                .first()
                .is_some_and(|word| word.value.starts_with('[')) =>
        {
            vec![Wrong::new(
                "the list of volumes is not JSON",
                "write `VOLUME [\"/data\"]`",
            )]
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(wrongs: impl IntoIterator<Item = Wrong>) -> Vec<String> {
        wrongs.into_iter().map(|wrong| wrong.message).collect()
    }

    #[test]
    fn pairs_are_read_as_docker_reads_them() {
        for sound in [
            "A=1",
            "A=1 B=\"two words\" C='x y'",
            "A some words",
            "A=$B C=${D:-e}",
            "A=\\${B C='${D' E=${F%%x}",
            "A ${B:-two words}",
            "A=x\\ y",
            "A=\"a \\\" b\"",
            "A=",
            "A==b",
            "\"quoted name\"=x",
        ] {
            assert_eq!(pairs("ENV", sound), [], "{sound}");
        }
        for (text, message) in [
            ("A", "`ENV A` has no value"),
            ("A=1 B", "`B` is not `NAME=VALUE`"),
            ("A = b", "this sets `A` to a value that begins with `=`"),
            ("A =b", "this sets `A` to a value that begins with `=`"),
            ("=b", "`=b` has no name"),
            ("\"\"=b", "`\"\"=b` has no name"),
            ("A=\"b", "a quotation mark (\") is not closed"),
            ("A it's", "a quotation mark (') is not closed"),
            ("A=1 B=${C", "`${` is not followed by a name and `}`"),
            ("A x ${}", "`${` is not followed by a name and `}`"),
            ("A=\"${B:-x\"", "a quotation mark (\") is not closed"),
        ] {
            assert_eq!(messages(pairs("ENV", text)), [message], "{text}");
        }
    }

    #[test]
    fn ports_are_read_as_docker_reads_them() {
        for sound in [
            "80",
            "0",
            "443/TCP",
            "80/sctp",
            "9000-9002",
            "127.0.0.1:8080:80/tcp",
            "127.0.0.1::80",
            "$PORT",
        ] {
            assert_eq!(port(sound), None, "{sound}");
        }
        for wrong in [
            "70000",
            "http",
            "80/http",
            "9002-9000",
            "",
            "/tcp",
            "80-",
            "+80",
            "x:80",
        ] {
            assert!(port(wrong).is_some(), "{wrong}");
        }
    }

    #[test]
    fn signals_are_known() {
        for sound in ["9", "kill", "SIGTERM", "SIGRTMIN+3", "RTMAX-14", "$SIGNAL"] {
            assert_eq!(signal(sound), None, "{sound}");
        }
        for wrong in ["0", "65", "SIGFOO", "SIGTERM SIGINT", "RTMAX-15"] {
            assert!(signal(wrong).is_some(), "{wrong}");
        }
    }

    #[test]
    fn durations_have_units() {
        for sound in ["30s", "1m30s", "1.5h", "0s", "100ms"] {
            assert!(is_duration(sound), "{sound}");
        }
        for wrong in ["", "30", "s", "1x", "1m30", "1..5s"] {
            assert!(!is_duration(wrong), "{wrong}");
        }
    }
}
