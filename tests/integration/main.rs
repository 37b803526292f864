//! Every integration test, in one binary.
#![allow(dead_code, unused_imports)]
mod harness;
mod house;
