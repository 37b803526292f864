//! How far bytes have moved, how fast they move and how long the rest takes.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::{ProgressState, style::ProgressTracker};
use parking_lot::Mutex;

use crate::event::Volume;

use super::quantity::{about, bytes};

/// How long the time is over which the speed is an average: long enough for a number that can be
/// read, short enough for one that is true.
const PERIOD: Duration = Duration::from_secs(10);

/// How often the speed is measured.
const INTERVAL: Duration = Duration::from_millis(500);

/// Shows volumes as text, `12.3 MiB of 45.6 MiB, 3.4 MiB/s, 10 s left`: what moves for an image, or
/// for all of them.
#[derive(Clone, Default)]
pub(super) struct Gauge {
    volumes: Arc<Mutex<Vec<Arc<Volume>>>>,
    speed: Speed,
}

impl Gauge {
    pub(super) fn add(&self, volume: &Arc<Volume>) {
        let mut volumes = self.volumes.lock();
        volumes.push(Arc::clone(volume));
    }

    /// What did not move after all counts no longer.
    pub(super) fn remove(&self, volume: &Arc<Volume>) {
        let mut volumes = self.volumes.lock();
        volumes.retain(|other| !Arc::ptr_eq(other, volume));
    }

    /// How many bytes have moved, and of how many.
    fn read(&self) -> (u64, u64) {
        let volumes = self.volumes.lock();
        volumes.iter().fold((0, 0), |(done, total), volume| {
            (done + volume.done(), total + volume.total())
        })
    }
}

impl ProgressTracker for Gauge {
    fn clone_box(&self) -> Box<dyn ProgressTracker> {
        Box::new(self.clone())
    }

    fn tick(&mut self, _: &ProgressState, now: Instant) {
        let (done, _) = self.read();
        self.speed.measure(now, done);
    }

    fn reset(&mut self, _: &ProgressState, _: Instant) {
        self.speed = Speed::default();
    }

    fn write(&self, _: &ProgressState, text: &mut dyn fmt::Write) {
        let (done, total) = self.read();
        // Nothing is left to show when the text cannot be written.
        let _ = text.write_str(&tell(done, total, self.speed.per_second()));
    }
}

fn tell(done: u64, total: u64, speed: Option<u64>) -> String {
    if total == 0 {
        return String::new();
    }
    let volume = format!("{} of {}", bytes(done), bytes(total));
    match speed {
        Some(speed) if speed > 0 && done < total => {
            let left = Duration::from_secs((total - done).div_ceil(speed));
            format!("{volume}, {}/s, {} left", bytes(speed), about(left))
        }
        _ => volume,
    }
}

/// How fast a number grows.
#[derive(Clone, Default)]
struct Speed(VecDeque<(Instant, u64)>);

impl Speed {
    fn measure(&mut self, now: Instant, done: u64) {
        let last = self.0.back();
        if last.is_some_and(|(at, _)| now.duration_since(*at) < INTERVAL) {
            return;
        }
        self.0.push_back((now, done));
        while self
            .0
            .front()
            .is_some_and(|(at, _)| now.duration_since(*at) > PERIOD)
        {
            self.0.pop_front();
        }
    }

    /// By how much it grows in a second; `None` while that is not known.
    fn per_second(&self) -> Option<u64> {
        let (begun, before) = self.0.front()?;
        let (ended, after) = self.0.back()?;
        let milliseconds = u64::try_from(ended.duration_since(*begun).as_millis()).ok()?;
        let grown = after.saturating_sub(*before);
        grown.saturating_mul(1000).checked_div(milliseconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1024 * 1024;

    #[test]
    fn tells_what_is_known() {
        let gauge = Gauge::default();
        let told = |speed| {
            let (done, total) = gauge.read();
            tell(done, total, speed)
        };
        assert_eq!(told(None), "");
        for (total, done) in [(40, 10), (60, 15)] {
            let volume = Arc::new(Volume::default());
            gauge.add(&volume);
            volume.expect(total * MIB);
            volume.moved(done * MIB);
        }
        assert_eq!(told(None), "25.0 MiB of 100.0 MiB");
        assert_eq!(told(Some(0)), "25.0 MiB of 100.0 MiB");
        assert_eq!(
            told(Some(3 * MIB)),
            "25.0 MiB of 100.0 MiB, 3.0 MiB/s, 25 s left"
        );
    }

    #[test]
    fn speed_is_that_of_the_last_seconds() {
        let mut speed = Speed::default();
        let begin = Instant::now();
        speed.measure(begin, 0);
        assert_eq!(speed.per_second(), None);
        for second in 1..=10 {
            speed.measure(begin + Duration::from_secs(second), second * MIB);
        }
        assert_eq!(speed.per_second(), Some(MIB));
        for second in 11..=30 {
            speed.measure(begin + Duration::from_secs(second), 10 * MIB);
        }
        assert_eq!(speed.per_second(), Some(0));
        // What moved in vain is no speed.
        speed.measure(begin + Duration::from_secs(31), MIB);
        assert_eq!(speed.per_second(), Some(0));
    }
}
