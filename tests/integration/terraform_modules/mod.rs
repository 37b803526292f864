//! The Terraform modules: each by itself, and applied for real.

mod dockerhub_clone;
mod ecr_mirror;
mod filled_in;
mod pull_sync;
mod pull_through;
mod readmes;
mod sound;

/// The provider of a root module. The environment says where its API is; moto and the sandbox know
/// no host of a bucket's own.
pub(crate) const PROVIDER: &str = r#"
provider "aws" {
  region            = "eu-west-1"
  s3_use_path_style = true
}
"#;
