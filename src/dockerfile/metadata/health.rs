//! `HEALTHCHECK`.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::Why;
use super::history::quoted;
use super::json::Arguments;
use crate::dockerfile::words;

/// The member `Healthcheck` of a configuration. Durations are nanoseconds; 0 stands for Docker's
/// default and is not written.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::dockerfile) struct Health {
    test: Vec<String>,
    #[serde(skip_serializing_if = "is_zero")]
    interval: i64,
    #[serde(skip_serializing_if = "is_zero")]
    timeout: i64,
    #[serde(skip_serializing_if = "is_zero")]
    start_period: i64,
    #[serde(skip_serializing_if = "is_zero")]
    start_interval: i64,
    #[serde(skip_serializing_if = "is_zero")]
    retries: i64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

impl fmt::Display for Health {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let durations = [
            ("interval", self.interval),
            ("timeout", self.timeout),
            ("start-period", self.start_period),
            ("start-interval", self.start_interval),
        ];
        for (name, nanoseconds) in durations {
            if nanoseconds != 0 {
                let duration = Duration::from_nanos(nanoseconds.unsigned_abs());
                write!(formatter, "--{name}={duration:?} ")?;
            }
        }
        if self.retries != 0 {
            write!(formatter, "--retries={} ", self.retries)?;
        }
        formatter.write_str(&quoted(&self.test))
    }
}

impl Health {
    /// Reads what follows `HEALTHCHECK`: flags and rest.
    pub(super) fn parse(flags: &[&str], rest: &str) -> Result<Self, Why> {
        let (form, command) = words::cut(rest).unwrap_or((rest, ""));
        match form.to_uppercase().as_str() {
            // Flags before it mean nothing.
            "NONE" if command.is_empty() => Ok(Self {
                test: vec!["NONE".to_owned()],
                ..Self::default()
            }),
            "CMD" => Self {
                test: test(command)?,
                ..Self::default()
            }
            .with_flags(flags),
            _ => Err(Why::refused(
                "write `HEALTHCHECK CMD ...` or `HEALTHCHECK NONE`",
            )),
        }
    }

    fn with_flags(mut self, flags: &[&str]) -> Result<Self, Why> {
        for (at, flag) in flags.iter().enumerate() {
            let (name, value) = flag.split_once('=').unwrap_or((flag, ""));
            let is_repeated = flags[..at]
                .iter()
                .any(|other| other.split('=').next() == Some(name));
            if is_repeated || value.is_empty() || value.contains(['"', '\'', '\\']) {
                return Err(Why::refused(format!("`{flag}` is no sound flag")));
            }
            let place = match name {
                "--interval" => &mut self.interval,
                "--timeout" => &mut self.timeout,
                "--start-period" => &mut self.start_period,
                "--start-interval" => &mut self.start_interval,
                "--retries" => {
                    self.retries = retries(value)?;
                    continue;
                }
                _ => return Err(Why::refused(format!("there is no flag `{name}`"))),
            };
            let refused = || Why::refused(format!("`{value}` is no duration"));
            *place = match nanoseconds(value).ok_or_else(refused)? {
                // Engine 20.10 refuses it; newer ones take it for the default.
                0 => return Err(Why::unsure("a duration of 0")),
                short if short < 1_000_000 => {
                    return Err(Why::refused(format!("`{value}` is less than 1 ms")));
                }
                duration => duration,
            };
        }
        Ok(self)
    }
}

fn test(command: &str) -> Result<Vec<String>, Why> {
    let (form, words) = match Arguments::parse(command)? {
        Arguments::List(words) => ("CMD", words),
        Arguments::Text(text) => ("CMD-SHELL", vec![text]),
    };
    if words.is_empty() || words == [""] {
        return Err(Why::refused("no command follows `CMD`"));
    }
    Ok([vec![form.to_owned()], words].concat())
}

fn retries(value: &str) -> Result<i64, Why> {
    match value.parse::<i32>() {
        // Engine 20.10 refuses it; newer ones take it for the default.
        Ok(0) => Err(Why::unsure("`--retries=0`")),
        Ok(retries) if retries > 0 => Ok(retries.into()),
        _ => Err(Why::refused(format!("`{value}` is no number of retries"))),
    }
}

/// Reads a duration as Go's `time.ParseDuration` does: `1h30m`, `1.5s`.
fn nanoseconds(text: &str) -> Option<i64> {
    let mut total = 0_i64;
    let mut rest = text;
    while !rest.is_empty() {
        let number = take(&mut rest, |c| c.is_ascii_digit() || c == '.');
        let unit = match take(&mut rest, |c| !c.is_ascii_digit() && c != '.') {
            "ns" => 1,
            "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return None,
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let whole: i64 = if whole.is_empty() {
            0
        } else {
            whole.parse().ok()?
        };
        total = total
            .checked_add(whole.checked_mul(unit)?)?
            .checked_add(part(fraction, unit)?)?;
    }
    (!text.is_empty()).then_some(total)
}

/// A fraction of a unit: digits after the point. More than nine are not read alike everywhere.
fn part(digits: &str, unit: i64) -> Option<i64> {
    if digits.is_empty() {
        return Some(0);
    }
    let scale = 10_i128.pow(
        u32::try_from(digits.len())
            .ok()
            .filter(|&count| count <= 9)?,
    );
    let part = i128::from(digits.parse::<i64>().ok()?) * i128::from(unit);
    // Where nanoseconds are split, rounding decides.
    (part % scale == 0).then(|| i64::try_from(part / scale).ok())?
}

fn take<'a>(rest: &mut &'a str, belongs: impl Fn(char) -> bool) -> &'a str {
    let end = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
    let (taken, after) = rest.split_at(end);
    *rest = after;
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_nanoseconds() {
        for (text, expected) in [
            ("1m30s", Some(90_000_000_000)),
            ("1h1.5s", Some(3_601_500_000_000)),
            (".5s", Some(500_000_000)),
            ("1.s", Some(1_000_000_000)),
            ("100us", Some(100_000)),
            ("0s", Some(0)),
            ("", None),
            ("30", None),
            ("-1s", None),
            ("1x", None),
            (".s", None),
            ("1..5s", None),
            ("9999999h", None),
        ] {
            assert_eq!(nanoseconds(text), expected, "{text}");
        }
    }

    #[test]
    fn a_check_is_written_as_docker_writes_it() {
        let check = Health::parse(&["--start-interval=5s", "--retries=3"], "cmd x $A \"y\"");
        assert_eq!(
            serde_json::to_string(&check.unwrap()).unwrap(),
            r#"{"Test":["CMD-SHELL","x $A \"y\""],"StartInterval":5000000000,"Retries":3}"#
        );
        let none = Health::parse(&["--interval=1s"], "none").unwrap();
        assert_eq!(
            serde_json::to_string(&none).unwrap(),
            r#"{"Test":["NONE"]}"#
        );
        for (flags, rest) in [
            (&["--interval=0s"][..], "CMD x"),
            (&["--interval=1us"], "CMD x"),
            (&["--interval="], "CMD x"),
            (&["--interval=1s", "--interval=2s"], "CMD x"),
            (&["--retries=0"], "CMD x"),
            (&["--retries=-1"], "CMD x"),
            (&["--tries=1"], "CMD x"),
            (&[], "CMD"),
            (&[], "CMD []"),
            (&[], "NONE x"),
            (&[], "x"),
        ] {
            assert!(Health::parse(flags, rest).is_err(), "{flags:?} {rest}");
        }
    }
}
