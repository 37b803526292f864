//! `longshore cache`: one file per verb.

mod apply;
mod plan;
mod policy;
mod unknown;
mod urls;
mod warm;

pub(super) use apply::apply;
pub(super) use plan::plan;
pub(super) use policy::policy;
pub(super) use unknown::Unknown;
pub(super) use urls::urls;
pub(super) use warm::warm;
