//! What Docker printed, kept per image until it is known whether anybody needs it.

use std::collections::BTreeMap;

use crate::image::{Location, Platform};

/// The most that is kept of one image's output: the end counts, and memory stays bounded.
const KEPT_BYTES: usize = 4 << 20;

/// What Docker printed, per image.
#[derive(Debug, Default)]
pub(super) struct OutputLog {
    texts: BTreeMap<Location, String>,
}

impl OutputLog {
    /// Adds a piece of output.
    pub(super) fn add(&mut self, image: &Location, text: &str) {
        let kept = self.texts.entry(image.clone()).or_default();
        kept.push_str(text);
        if kept.len() > KEPT_BYTES {
            let cut = kept.len() - KEPT_BYTES / 2;
            let cut = (cut..kept.len())
                .find(|&at| kept.is_char_boundary(at))
                .unwrap_or(cut);
            kept.replace_range(..cut, "[the beginning was cut]\n");
        }
    }

    /// The lines of an image's output, which are kept no longer.
    pub(super) fn take(&mut self, image: &Location) -> Vec<String> {
        let text = self.texts.remove(image).unwrap_or_default();
        text.lines()
            .map(|line| line.trim_end().to_owned())
            .collect()
    }
}

/// Cuts pieces of output into lines: a piece need not end where a line does.
#[derive(Debug, Default)]
pub(super) struct LineCutter {
    open: BTreeMap<(Location, Platform), String>,
}

impl LineCutter {
    /// The lines that this piece completes.
    pub(super) fn cut(&mut self, image: &Location, platform: &Platform, text: &str) -> Vec<String> {
        let open = self
            .open
            .entry((image.clone(), platform.clone()))
            .or_default();
        open.push_str(text);
        let Some(end) = open.rfind('\n') else {
            return Vec::new();
        };
        let rest = open.split_off(end + 1);
        let complete = std::mem::replace(open, rest);
        complete
            .lines()
            .map(str::trim_end)
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_become_lines() {
        let (image, platform) = ("a/b:1".parse().unwrap(), "linux/amd64".parse().unwrap());
        let mut cutter = LineCutter::default();
        assert!(cutter.cut(&image, &platform, "Step 1").is_empty());
        assert_eq!(cutter.cut(&image, &platform, "/2\n\nout"), ["Step 1/2"]);
        assert_eq!(cutter.cut(&image, &platform, "put\r\n"), ["output"]);
    }

    #[test]
    fn a_long_output_keeps_its_end() {
        let image: Location = "a/b:1".parse().unwrap();
        let mut log = OutputLog::default();
        for number in 0..600_000 {
            log.add(&image, &format!("line {number}\n"));
        }
        let lines = log.take(&image);
        assert_eq!(lines[0], "[the beginning was cut]");
        assert_eq!(lines.last().unwrap(), "line 599999");
        assert!(log.take(&image).is_empty());
    }
}
