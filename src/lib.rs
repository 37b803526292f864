//! longshore loads upstream container images into Amazon ECR.
//!
//! Data flows one way: configuration -> specification -> plan -> outcome -> report. Each module is
//! a room of the house that `docs/architecture.md` describes; a room imports only rooms below it.

pub mod aws;
pub mod cache;
pub mod cli;
pub mod commands;
pub mod config;
pub mod context;
pub mod credentials;
pub mod docker;
pub mod dockerfile;
pub mod doctor;
pub mod ecr;
pub mod event;
pub mod failure;
pub mod image;
pub mod layout;
pub mod once;
pub mod pipeline;
pub mod registry;
pub mod report;
pub mod sandbox;
pub mod selection;
pub mod store;
