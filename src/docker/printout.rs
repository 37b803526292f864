//! What the daemon prints.

use super::last_line::LastLine;

/// Passes on what the daemon prints, without terminal escapes and known noise, and remembers what
/// an error may need: the last line of the step that runs.
pub(super) struct Printout<'a> {
    sink: &'a mut (dyn FnMut(&str) + Send),
    escape: Escape,
    last_line: LastLine,
}

/// So begins the line with which the classic builder announces a step.
const STEP: &str = "Step ";

/// Where in a terminal escape the text is. Pieces of text may end in the middle of one.
#[derive(Clone, Copy)]
enum Escape {
    /// In none.
    Outside,
    /// After ESC, and perhaps a character set: ends with the next letter.
    Begun,
    /// After ESC and `[`: parameters are below `@` in ASCII, what ends it is not.
    Control,
    /// After ESC and `]`: ends with BEL or ESC and a backslash.
    Title,
}

impl<'a> Printout<'a> {
    pub(super) fn new(sink: &'a mut (dyn FnMut(&str) + Send)) -> Self {
        Self {
            sink,
            escape: Escape::Outside,
            last_line: LastLine::default(),
        }
    }

    /// Takes a piece of text that need not be a whole line.
    pub(super) fn print(&mut self, text: &str) {
        // The classic builder repeats this at each step even where a platform was asked for.
        if text.starts_with(" ---> [Warning] The requested image's platform") {
            return;
        }
        let text = self.without_escapes(text);
        let is_own = is_the_daemon_s_own(&text);
        // A command need not end its last line, and the daemon goes on behind it.
        if is_own && self.last_line.is_open() {
            (self.sink)("\n");
            self.last_line.end();
        }
        if text.starts_with(STEP) {
            self.last_line = LastLine::default();
        } else if !is_own {
            self.last_line.add(&text);
        }
        if !text.is_empty() {
            (self.sink)(&text);
        }
    }

    /// Passes a piece of text on as it is shown, and remembers nothing.
    pub(super) fn pass(&mut self, text: &str) -> String {
        let text = self.without_escapes(text);
        if !text.is_empty() {
            (self.sink)(&text);
        }
        text
    }

    /// Takes a line about a layer, unless it only counts bytes or announces what comes next.
    pub(super) fn status(&mut self, id: Option<&str>, status: &str, counts: bool) {
        const ANNOUNCEMENTS: [&str; 5] = [
            "Preparing",
            "Waiting",
            "Pulling fs layer",
            "Verifying Checksum",
            "Download complete",
        ];
        if counts || ANNOUNCEMENTS.contains(&status) {
            return;
        }
        match id {
            Some(id) => self.print(&format!("{id}: {status}\n")),
            None => self.print(&format!("{status}\n")),
        }
    }

    /// What the running step printed last.
    pub(super) fn last_line(&mut self) -> &mut LastLine {
        &mut self.last_line
    }

    fn without_escapes(&mut self, text: &str) -> String {
        let mut clean = String::with_capacity(text.len());
        for letter in text.chars() {
            self.escape = match (self.escape, letter) {
                (_, '\u{1b}') | (Escape::Begun, ' '..='/') => Escape::Begun,
                (Escape::Outside, _) => {
                    clean.push(letter);
                    Escape::Outside
                }
                (Escape::Begun, '[') | (Escape::Control, ' '..='?') => Escape::Control,
                (Escape::Begun, ']') => Escape::Title,
                (Escape::Title, letter) if letter != '\u{7}' => Escape::Title,
                _ => Escape::Outside,
            };
        }
        clean
    }
}

/// Whether a line is what the classic builder says of its own containers.
pub fn is_chatter(line: &str) -> bool {
    const BEGINNINGS: [&str; 3] = [" ---> ", "Removing intermediate", "Removed intermediate"];
    BEGINNINGS.iter().any(|start| line.starts_with(start))
}

/// Whether this is the daemon's own word and not a command's. It comes in a piece of its own.
fn is_the_daemon_s_own(text: &str) -> bool {
    text.starts_with(STEP) || is_chatter(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(pieces: &[&str]) -> (String, Option<String>, bool) {
        let mut text = String::new();
        let mut sink = |piece: &str| text.push_str(piece);
        let mut printout = Printout::new(&mut sink);
        for piece in pieces {
            printout.print(piece);
        }
        let last_line = printout.last_line().text();
        let exec_format_error = printout.last_line().exec_format_error();
        (text, last_line, exec_format_error)
    }

    #[test]
    fn escapes_and_noise_are_dropped() {
        let (text, ..) = printed(&[
            "\u{1b}[91mer\n\u{1b}[0m",
            "\u{1b}[1;3",
            "1mred\u{1b}]0;title\u{7} plain\u{1b}]8;;\u{1b}\\ \u{1b}[2K\u{1b}(B",
            " ---> [Warning] The requested image's platform (linux/arm64/v8) does not match the \
             detected host platform (linux/amd64) and no specific platform was requested\n",
            "\n",
        ]);
        assert_eq!(text, "er\nred plain \n");
    }

    #[test]
    fn the_running_step_s_last_line_is_remembered() {
        let (_, last_line, exec_format_error) = printed(&[
            "Step 2/3 : RUN a\n",
            "exec /bin/sh: exec format error\n",
            "Step 3/3 : RUN b\n ---> Running in 0a1b2c3d4e5f\n",
            "progress\rmkdir: can't create dir",
            "ectory '/x'\n",
            "Removing intermediate container 0a1b2c3d4e5f\n",
        ]);
        assert_eq!(
            last_line.as_deref(),
            Some("mkdir: can't create directory '/x'")
        );
        assert!(!exec_format_error);
        let (_, last_line, exec_format_error) = printed(&["exec /bin/sh: exec format error"]);
        assert_eq!(
            last_line.as_deref(),
            Some("exec /bin/sh: exec format error")
        );
        assert!(exec_format_error);
        let pieces = [
            "unfinished",
            "Removing intermediate container 0a1b2c3d4e5f\n",
        ];
        let (text, last_line, _) = printed(&pieces);
        assert_eq!(text, pieces.join("\n"));
        assert_eq!(last_line.as_deref(), Some("unfinished"));
    }
}
