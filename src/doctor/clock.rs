//! Whether this machine's clock is right.

use std::time::Duration;

use super::Check;
use super::findings::{AWS, Sighting};
use super::span::span;
use crate::failure::Kind;

const NAME: &str = "clock";

/// How far a request's own time may be off before AWS refuses it
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html>).
const REFUSED: Duration = Duration::from_mins(5);

/// How far a clock that somebody sets is never off.
const ODD: Duration = Duration::from_mins(1);

/// AWS's clock counts, which judges requests. Where it told nothing the one that agrees best does: a
/// cache between here and a registry tells an old time.
pub(super) fn examine(sightings: &[Sighting]) -> Check {
    let mut all = sightings.iter();
    let judge = all.find(|sighting| sighting.whose == AWS);
    let Some(sighting) = judge.or_else(|| sightings.iter().min_by_key(|it| skew(it))) else {
        return Check::not_checked(NAME, "nobody who was asked told the time");
    };
    let skew = skew(sighting);
    let direction = if sighting.here > sighting.there {
        "ahead of"
    } else {
        "behind"
    };
    let (amount, whose) = (span(skew), &sighting.whose);
    if skew < ODD {
        return Check::ok(NAME, format!("agrees with that of {whose}"));
    }
    let message = format!("{amount} {direction} that of {whose}");
    let hint = "set the clock, by `timedatectl set-ntp true` for one; a virtual machine's may have \
                stood while it slept";
    let check = if skew > REFUSED {
        let message = format!("{message}; AWS refuses what is more than 5 minutes off");
        Check::failed(NAME, Kind::Refused, message)
    } else {
        Check::warning(NAME, message)
    };
    check.hint(hint)
}

fn skew(sighting: &Sighting) -> Duration {
    let Sighting { there, here, .. } = sighting;
    here.duration_since(*there)
        .unwrap_or_else(|error| error.duration())
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::super::Verdict;
    use super::*;

    #[test]
    fn a_clock_is_right_or_not() {
        let here = SystemTime::now();
        let sighting = |whose: &str, seconds: i64| {
            let skew = Duration::from_secs(seconds.unsigned_abs());
            let there = if seconds < 0 {
                here - skew
            } else {
                here + skew
            };
            let whose = whose.to_owned();
            Sighting { whose, there, here }
        };
        for (sightings, verdict, message) in [
            (
                vec![],
                Verdict::NotChecked,
                "nobody who was asked told the time",
            ),
            (
                vec![sighting("`ghcr.io`", 0), sighting(AWS, 2)],
                Verdict::Ok,
                "agrees with that of AWS",
            ),
            (
                vec![sighting("`a`", -4000), sighting("`b`", 2)],
                Verdict::Ok,
                "agrees with that of `b`",
            ),
            (
                vec![sighting(AWS, 200)],
                Verdict::Warning,
                "3 min behind that of AWS",
            ),
            (
                vec![sighting("`ghcr.io`", 0), sighting(AWS, -7200)],
                Verdict::Failed(Kind::Refused),
                "2 h ahead of that of AWS; AWS refuses what is more than 5 minutes off",
            ),
        ] {
            let check = examine(&sightings);
            assert_eq!((check.verdict, &*check.message), (verdict, message));
        }
    }
}
