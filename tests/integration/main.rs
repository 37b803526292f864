//! Every integration test, in one binary.

mod aws_settings;
mod broken_files;
mod changes;
mod choices;
mod copies;
mod copy_faults;
mod dockerhub_clone;
mod documentation;
mod ecr_sources;
mod elsewhere;
mod equality;
mod failures;
mod harness;
mod house;
mod layouts;
mod local_exec;
mod neighbours;
mod outputs;
mod platforms;
mod proxies;
mod referrers;
mod repositories;
mod retries;
mod secrets;
mod shared_blobs;
mod verbatim;
