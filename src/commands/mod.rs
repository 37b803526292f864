//! One file per verb: gathers, calls, prints. No HTTP happens here.

mod apply;
mod cache;
mod completions;
mod console;
mod doctor;
mod exit;
mod init;
mod man;
mod mirror;
mod partition;
mod plan;
mod render;
mod report;
mod run;
mod sandbox;
mod schema;
mod session;
mod starter;
mod upkeep;

pub use exit::Exit;
pub use run::run;
