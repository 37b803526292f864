//! `terraform/pull-through-cache`: what was filled into its secret by hand.

use std::fs;

use serde_json::json;

use super::PROVIDER;
use crate::harness::{Terraform, World};

/// What the system to be replaced leaves in the state of its users, but for the rule.
const BEFORE: &str = r#"
resource "aws_secretsmanager_secret" "ecr_pullthroughcache" {
  name = "ecr-pullthroughcache/taken-over"
}
resource "aws_secretsmanager_secret_version" "ecr_pullthroughcache" {
  secret_id     = aws_secretsmanager_secret.ecr_pullthroughcache.id
  secret_string = jsonencode({ username = "FILL-ME", accessToken = "FILL-ME" })
  lifecycle {
    ignore_changes = [secret_string]
  }
}
resource "aws_iam_policy" "ecr_pullthroughcache" {
  name        = "ecr-pullthroughcache"
  description = "Policy to allow to pull images from ECR pull through cache."
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "ecr:CreateRepository", Resource = "*" }]
  })
}
"#;

/// moto knows the versions of secrets, which this is about, and no rules: all but the rule is applied.
#[test]
fn pull_through_cache_leaves_alone_what_was_filled_in() {
    let Some(terraform) = Terraform::with_provider("pull-through-cache's secret") else {
        return;
    };
    let world = World::new("taken-over");
    let module = |source: &str, more: &str| {
        format!("{PROVIDER}\nmodule \"cache\" {{\n  source = \"{source}\"\n{more}}}\n")
    };
    let main = world.folder().join("main.tf");
    fs::create_dir(world.folder().join("before")).unwrap();
    fs::write(world.folder().join("before/main.tf"), BEFORE).unwrap();
    let before = module("./before", "");
    let root = terraform.root(world.folder(), &before, |program, arguments| {
        world.call(program, arguments)
    });
    root.apply(&[]).exits(0);
    let name = "ecr-pullthroughcache/taken-over";
    let filled_in = json!({"username": "acme", "accessToken": "dckr_pat_filled-in"});
    world.aws.change_secret(world.region, name, &filled_in);
    let login = || world.aws.secret(world.region, name);

    let source = "./longshore/terraform/pull-through-cache";
    let registry = "upstream_registry = \"taken-over\"\npolicy_name = \"ecr-pullthroughcache\"\n";
    fs::write(&main, module(source, registry)).unwrap();
    root.run(&["init"]).exits(0);
    let [secret_itself, version] = ["secret", "secret_version"]
        .map(|kind| format!("module.cache.aws_secretsmanager_{kind}.ecr_pullthroughcache"));
    let policy = "module.cache.aws_iam_policy.ecr_pullthroughcache".to_owned();
    let targets = [&secret_itself, &version, &policy].map(|address| format!("-target={address}"));
    let targets = targets.each_ref().map(String::as_str);
    let applied = root.apply(&targets).exits(0);
    // Whoever has the policy keeps it.
    let changed = format!("{policy} will be updated in-place");
    assert!(applied.stdout.contains(&changed), "{}", applied.stdout);
    assert_eq!(login(), filled_in);
    root.run(&["state", "rm", &format!("{version}[0]")])
        .exits(0);
    root.apply(&targets).exits(0);
    assert_eq!(login(), filled_in);

    let given = json!({"username": "other", "accessToken": "dckr_pat_given"});
    let more = format!(
        "{registry}credentials = {{ username = \"other\", accessToken = \"dckr_pat_given\" }}\n\
         credentials_version = 2\n"
    );
    fs::write(&main, module(source, &more)).unwrap();
    root.apply(&targets).exits(0);
    assert_eq!(login(), given);
    let state = fs::read_to_string(world.folder().join("terraform.tfstate")).unwrap();
    assert!(!state.contains("dckr_pat"), "{state}");
    root.destroy(&targets);
}
