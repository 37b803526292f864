//! The sandbox as its clients see it.

mod api;
mod client;
mod faults;
mod images;
mod pull;
mod pull_through;
mod push;
mod referrers;
mod restart;
mod rules;
mod secrets;
mod templates;
mod upstream;
