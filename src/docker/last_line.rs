//! What a step printed last.

/// How much of one line is remembered, in bytes.
const LENGTH: usize = 500;

/// The last line that a step printed that is not blank, and whether one of its lines told of a
/// program of another platform.
#[derive(Default)]
pub(super) struct LastLine {
    line: String,
    last: Option<String>,
    exec_format_error: bool,
}

impl LastLine {
    /// Takes a piece of text that need not be a whole line.
    pub(super) fn add(&mut self, text: &str) {
        for piece in text.split_inclusive(['\n', '\r']) {
            let content = piece.trim_end_matches(['\n', '\r']);
            let room = LENGTH.saturating_sub(self.line.len());
            self.line
                .push_str(&content[..content.floor_char_boundary(room)]);
            if content.len() < piece.len() {
                self.end();
            }
        }
    }

    /// Whether the line that is printed right now has no end yet.
    pub(super) fn is_open(&self) -> bool {
        !self.line.is_empty()
    }

    /// Takes what was printed so far for a whole line.
    pub(super) fn end(&mut self) {
        let line = std::mem::take(&mut self.line);
        let line = line.trim_end();
        if !line.is_empty() {
            self.exec_format_error |= line.contains("exec format error");
            self.last = Some(line.to_owned());
        }
    }

    /// The line.
    pub(super) fn text(&mut self) -> Option<String> {
        self.end();
        self.last.clone()
    }

    /// Whether a program of another platform was met.
    pub(super) fn exec_format_error(&mut self) -> bool {
        self.end();
        self.exec_format_error
    }
}
