//! One file per verb: gathers, calls, prints. No HTTP happens here.

mod apply;
mod cache;
mod console;
mod doctor;
mod exit;
mod mirror;
mod plan;
mod render;
mod run;
mod sandbox;
mod session;
mod upkeep;

pub use exit::Exit;
pub use run::run;
