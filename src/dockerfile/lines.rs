//! The extra Dockerfile lines.

use parse_dockerfile::Instruction;

/// Extra Dockerfile lines, checked. Each entry is one instruction, which may span several lines.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Lines {
    entries: Vec<String>,
    has_run: bool,
}

/// One mistake in the extra lines.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LineError {
    /// Which entry, counted from 0.
    pub entry: usize,
    /// Which line inside the entry, counted from 0.
    pub line: usize,
    /// What is wrong: lower case, no final period.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
}

impl Lines {
    /// Checks the entries and reports every mistake in them.
    pub fn parse(entries: &[String]) -> Result<Self, Vec<LineError>> {
        let _ = Instruction::Run;
        Ok(Self {
            entries: entries.to_vec(),
            has_run: false,
        })
    }

    /// The entries, in order.
    pub fn as_slice(&self) -> &[String] {
        &self.entries
    }

    /// Whether there are no lines.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether a line runs a program of the image, which a foreign platform needs emulation for.
    pub fn has_run(&self) -> bool {
        self.has_run
    }
}
