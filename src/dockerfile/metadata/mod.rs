//! Lines that change nothing but an image's configuration, applied without a daemon. What the
//! builders do stands in `docs/derive.md`.

mod configuration;
mod created;
mod derivation;
mod health;
mod history;
mod json;
mod lines;
mod object;
mod ports;
mod reason;
mod step;

pub use configuration::{Configuration, ConfigurationError};
pub use history::HistoryEntry;
pub use lines::{DeriveSettings, Derived, MetadataLines};
pub use reason::{NeedsBuild, Why};
pub(super) use step::Step;
