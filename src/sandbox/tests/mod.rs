//! The sandbox as its clients see it.

mod api;
mod client;
mod faults;
mod images;
mod pull;
mod push;
mod referrers;
mod restart;
mod upstream;
