//! The images that the classic builder leaves on its way.

/// How much of a line is looked at, in bytes.
const LINE: usize = 200;

/// Reads what the classic builder prints and remembers the image of the latest step that it did
/// itself: one per step, without a name, which stays when a later step fails. Removing it removes
/// those of the steps before.
#[derive(Debug, Default)]
pub struct StepImages {
    line: String,
    step: Step,
    latest: Option<String>,
}

/// What the line before said of the step.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Step {
    /// The image is somebody else's: that of `FROM`, or one that was there before.
    #[default]
    Foreign,
    /// The image is made here.
    Own,
}

impl StepImages {
    /// Takes a piece of what the daemon prints, which need not be a whole line.
    pub fn read(&mut self, text: &str) {
        for piece in text.split_inclusive('\n') {
            let room = LINE.saturating_sub(self.line.len());
            self.line
                .push_str(&piece[..piece.floor_char_boundary(room)]);
            if piece.ends_with('\n') {
                let line = std::mem::take(&mut self.line);
                self.end_line(line.trim_end());
            }
        }
    }

    /// The image of the latest step that was done here.
    pub fn latest(&self) -> Option<&str> {
        self.latest.as_deref()
    }

    fn end_line(&mut self, line: &str) {
        if let Some((_, instruction)) = step(line) {
            let is_from = instruction
                .get(..5)
                .is_some_and(|it| it.eq_ignore_ascii_case("FROM "));
            self.step = if is_from { Step::Foreign } else { Step::Own };
        } else if line == " ---> Using cache" {
            self.step = Step::Foreign;
        } else if let Some(id) = line.strip_prefix(" ---> ")
            && self.step == Step::Own
            && id.len() == 12
            && id.bytes().all(|byte| byte.is_ascii_hexdigit())
        {
            self.latest = Some(id.to_owned());
        }
    }
}

/// The parts of `Step 2/3 : RUN true`.
fn step(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix("Step ")?.split_once(" : ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_images_that_were_made_here_count() {
        let mut images = StepImages::default();
        let mut latest = |text: &str| {
            images.read(text);
            images.latest().map(str::to_owned)
        };
        assert_eq!(latest("Step 1/5 : FROM a\n ---> aaaaaaaaaaaa\n"), None);
        let cached = "Step 2/5 : ENV A=1\n ---> Using cache\n ---> bbbbbbbbbbbb\n";
        assert_eq!(latest(cached), None);
        assert_eq!(latest("Step 3/5 : RUN x\n ---> Running in cccccccc"), None);
        assert_eq!(latest("cccc\nout ---> dddddddddddd\n"), None);
        let made = Some("eeeeeeeeeeee".to_owned());
        assert_eq!(latest(" ---> eeeeeeeeeeee\n"), made);
        assert_eq!(latest("Step 4/5 : from b\n ---> ffffffffffff\n"), made);
    }
}
