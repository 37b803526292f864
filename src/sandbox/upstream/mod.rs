//! A read-only upstream registry that behaves like Docker Hub. What is in it is read from OCI
//! layouts at each request, so that a test can move a tag.

mod access;
mod pulls;
mod serve;

pub(super) use access::Access;
pub(super) use pulls::Pulls;
pub(super) use serve::serve;
