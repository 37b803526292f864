//! Chooses how events are shown.

use std::io::IsTerminal;
use std::sync::Arc;

use crate::event::Observer;

use super::lines::Lines;
use super::progress::Progress;

/// How much is shown of what happens.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Style {
    /// Warnings and failures only.
    Quiet,
    /// Bars on a terminal, one line per finished image elsewhere.
    Normal,
    /// A line per step, and everything that Docker prints, as it comes.
    Verbose,
}

/// The observer for this style and this stderr. Bars and lines are never mixed.
pub fn observer(style: Style) -> Arc<dyn Observer> {
    if style == Style::Normal && std::io::stderr().is_terminal() {
        Arc::new(Progress::new())
    } else {
        Arc::new(Lines::new(style))
    }
}
