//! The real parts that the tests stand on, and longshore's binary between them.

mod archive;
mod artifact;
mod aws;
mod docker;
mod engine;
mod events;
mod file_server;
mod files;
mod http;
mod image;
mod lab;
mod longshore;
mod process;
mod pulled;
mod python;
mod refusals;
mod registry;
mod relay;
mod requests;
mod terraform;
mod upstream;
mod wait;
mod world;

pub(crate) use archive::archive;
pub(crate) use artifact::digest_of;
pub(crate) use aws::Aws;
pub(crate) use docker::{discard, docker, images_of};
pub(crate) use engine::{Builder, Engine};
pub(crate) use events::Events;
pub(crate) use file_server::FileServer;
pub(crate) use files::{entries, files};
pub(crate) use image::{Image, Index, LABEL};
pub(crate) use lab::Lab;
pub(crate) use longshore::{Longshore, Run, signal};
pub(crate) use pulled::Pulled;
pub(crate) use python::{findings, try_yaml, yaml};
pub(crate) use refusals::{denied, exception, refusal};
pub(crate) use registry::{Registry, Request};
pub(crate) use relay::Relay;
pub(crate) use requests::count;
pub(crate) use terraform::{Root, Terraform, calmed, say_not_run};
pub(crate) use upstream::noise;
pub(crate) use wait::{wait_for_next_second, wait_until};
pub(crate) use world::World;

/// What `make test` says about the services that it started.
fn service(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| {
        panic!("the end-to-end tests need services that only `make test` starts: run `make test` ({variable} is not set)")
    })
}
