//! ECR's registry: the OCI distribution protocol in ECR's dialect.

mod blobs;
mod convert;
mod manifests;
mod referrers;
mod refusal;
mod serve;
mod tags;
mod uploads;

pub(super) use convert::{convert, is_accepted};
pub(super) use referrers::list as list_referrers;
pub(super) use refusal::Refusal;
pub(super) use serve::serve;
