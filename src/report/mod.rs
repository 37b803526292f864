//! Events and outcomes as lines, bars, tables and JSON; the only place that knows a terminal.

mod cache_json;
mod cache_table;
mod cache_warm_json;
mod doctor;
mod error_json;
mod failures;
mod gauge;
mod json;
mod lines;
mod merge;
mod merge_error;
mod observer;
mod output_log;
mod progress;
mod quantity;
mod table;
mod traffic_json;
mod upkeep_json;
mod upkeep_table;
mod wording;

pub use cache_json::{CacheOutcomeObject, CachePlanObject, CacheUrlsObject};
pub use cache_table::{cache_deletions, cache_outcome_table, cache_plan_table, cache_url_lines};
pub use cache_warm_json::CacheWarmObject;
pub use doctor::{DoctorObject, check_lines};
pub use error_json::FailureObject;
pub use failures::{tell_failure, tell_failures, tell_unknown_orphans, tell_unlisted};
pub use json::{OutcomeObject, PartitionObject, PlanObject};
pub use merge::MergedReport;
pub use merge_error::MergeError;
pub use observer::{Style, observer};
pub use table::{outcome_table, plan_table};
pub use wording::{error_lines, error_text};
