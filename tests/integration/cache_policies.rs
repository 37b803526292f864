//! What `cache policy` prints.

use std::fs;
use std::path::Path;

use crate::harness::{Lab, findings};

/// A file with every kind of login, for this region.
fn file(region: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/pull-through-cache");
    let text = fs::read_to_string(folder.join("system-4.yaml")).unwrap();
    let text = text.replace(
        "region: eu-west-1",
        &format!("region: {region}\n  account_id: \"123456789012\"\n  namespace: mirror"),
    );
    let text = text.replace(
        "  quay:\n",
        "  gitlab: {registry: registry.gitlab.com, username: a, access_token: {ssm: /token}}\n  \
         mine: {registry: cgr.dev, access_token: {secret: ecr-pullthroughcache/own}}\n  quay:\n",
    );
    text + "upstreams: {quay.io: {via: pull_through_cache}}\n\
            images: [mongo, {source: redis, tags: [\"7.*\"]}, quay.io/org/app:1]\n\
            repositories: {tag_immutability: true, scan_on_push: true, tags: {a: b}, \
            lifecycle_policy: '{\"rules\": [{\"selection\": {}, \"action\": {}}]}', policy: '{\"Statement\": []}'}\n"
}

/// Every policy, and whose it is.
fn policies(lab: &Lab) -> Vec<(String, String)> {
    let mut policies = Vec::new();
    for region in ["eu-west-1", "cn-north-1", "us-gov-west-1"] {
        let upkeep = "pusher --repair-repositories --prune-orphans";
        let existing = "manager --existing";
        for arguments in ["puller", "manager", existing, "pusher", upkeep] {
            let all = ["cache", "policy", "-f", "-", "--for"].into_iter();
            let all: Vec<&str> = all.chain(arguments.split(' ')).collect();
            let run = lab.longshore(&all).stdin(&file(region));
            let run = run.env("DOCKERHUB_TOKEN", "a").env("GITHUB_TOKEN", "b");
            let name = format!("{region} {arguments}");
            policies.push((name, run.run().exits(0).stdout));
        }
    }
    policies
}

#[test]
fn policies_allow_the_least_in_each_partition() {
    let lab = Lab::new();
    let policies = policies(&lab).into_iter();
    let policies: Vec<String> = policies
        .map(|(name, policy)| format!("{name}\n{policy}"))
        .collect();
    insta::assert_snapshot!(policies.join("\n"));
    assert_eq!(lab.requests(), [""; 0]);
    let text = "{version: 1, pull_through_cache: {quay: {registry: quay.io}}}";
    let run = lab.longshore(&["cache", "policy", "--for", "puller", "-f", "-"]);
    let policy = run.stdin(text).run().exits(0).stdout;
    let cached = "arn:aws:ecr:eu-west-1:123456789012:repository/quay/*";
    assert!(policy.contains(cached), "{policy}");
}

#[test]
fn a_linter_finds_nothing_in_them() {
    let folder = tempfile::tempdir().unwrap();
    let policies = policies(&Lab::new());
    for (name, policy) in &policies {
        fs::write(folder.path().join(format!("{name}.json")), policy).unwrap();
    }
    assert_eq!(policies.len(), 15);
    assert_eq!(findings(folder.path()), [""; 0]);

    // It would find what is wrong.
    let (_, policy) = &policies[0];
    let bad = policy.replace("ecr:BatchGetImage", "ecr:BatchGetImages");
    assert_ne!(bad, *policy);
    fs::write(folder.path().join("bad.json"), bad).unwrap();
    assert_eq!(
        findings(folder.path()),
        ["bad.json: UNKNOWN_ACTION: Unknown action ecr:BatchGetImages"]
    );
}
