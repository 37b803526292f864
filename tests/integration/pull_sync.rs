//! The examples of the Terraform module "ECR Pull-Sync", between two accounts and two regions.

use std::fs;
use std::path::Path;

use longshore::image::Digest;
use serde_json::{Value, json};

use crate::harness::Lab;

const HOST: &str = "111122223333.dkr.ecr.us-east-1.amazonaws.com";

/// The account that the source's owner lets in.
const CONSUMER: &str = "444455556666";

/// Everything that the source account has: repositories and their tags.
const SOURCE: [(&str, &[&str]); 6] = [
    (
        "my-app/backend",
        &["1.0", "build-77", "latest", "v1.2.3", "v2.0.0-rc1"],
    ),
    (
        "gadgets/ui",
        &["latest", "v1", "v1.0", "v1.2.3", "v10.0", "v2.1"],
    ),
    (
        "project/api",
        &["latest", "latest-1", "stable", "unstable", "v1"],
    ),
    (
        "team-a/shared-library",
        &[
            "v1", "v1.2", "v1.2.3", "v1.2.34", "v1.23", "v10.2", "v2.0.0",
        ],
    ),
    ("my-app", &["latest", "v1.0", "v1.1", "v2.0"]),
    ("another-app", &["latest", "stable"]),
];

/// A lab with the source, and a file of `fixtures/` as users have it; `change` tells what a test
/// has otherwise.
fn lab(fixture: &str, change: impl FnOnce(String) -> String) -> Lab {
    let lab = Lab::beside_ecr(CONSUMER, "us-east-1");
    for (repository, tags) in SOURCE {
        for tag in tags {
            lab.offer(repository, tag, format!("{repository}:{tag}").as_bytes());
        }
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let text = change(fs::read_to_string(folder.join(fixture)).unwrap());
    let role = format!("arn:aws:iam::{CONSUMER}:role/pull");
    lab.write_whole(&format!(
        "{text}upstreams:\n  {HOST}: {{role_arn: '{role}', endpoint: 'http://{}'}}\n",
        lab.upstream()
    ));
    lab
}

/// What the source has under a tag.
fn source(lab: &Lab, repository: &str, tag: &str) -> Digest {
    // The same content gives the same image.
    lab.offer(repository, tag, format!("{repository}:{tag}").as_bytes())
}

/// What each repository of the destination holds.
fn held(lab: &Lab, repositories: &[&str]) -> Value {
    let tags = |name: &&str| ((*name).to_owned(), json!(lab.tags(name)));
    Value::Object(repositories.iter().map(tags).collect())
}

/// How a repository was created.
fn settings(lab: &Lab, name: &str) -> Value {
    let repository = lab.repository(name).unwrap();
    json!([
        repository["imageTagMutability"],
        repository["imageScanningConfiguration"]["scanOnPush"],
        repository["encryptionConfiguration"],
    ])
}

#[test]
fn the_four_examples_sync_what_the_module_says() {
    let lab = lab("pull-sync.yaml", |text| text);
    let run = lab.longshore(&["apply", "--output", "json"]).run().exits(0);
    let created = [
        "my-app/backend",
        "my-team/ui-gadgets",
        "project/api",
        "team-a/shared-library",
    ];
    assert_eq!(run.json()["repositories_created"], json!(created));
    assert_eq!(
        held(&lab, &created),
        json!({
            "my-app/backend": ["1.0", "build-77", "latest", "v1.2.3", "v2.0.0-rc1"],
            "my-team/ui-gadgets": ["v1.0", "v1.2.3"],
            "project/api": ["latest", "stable"],
            "team-a/shared-library": ["v1.2", "v1.2.3", "v2.0.0"],
        })
    );
    for name in created {
        let expected = json!(["IMMUTABLE", true, {"encryptionType": "AES256"}]);
        assert_eq!(settings(&lab, name), expected, "{name}");
    }
    assert_eq!(
        lab.digest("my-team/ui-gadgets", "v1.2.3"),
        Some(source(&lab, "gadgets/ui", "v1.2.3"))
    );

    lab.requests();
    lab.applies(&["in place"; 12]);
    let requests = lab.requests();
    let count = |text: &str| requests.iter().filter(|line| line.contains(text)).count();
    assert_eq!(count("upstream HEAD"), 12);
    assert_eq!(count("upstream GET"), 4, "{requests:?}");
    assert_eq!(count("tags/list 200"), 4);
    assert_eq!(count("registry "), 0);
    assert_eq!(count("ListImages"), 4);

    // A tag of a new version arrives with the next run; one that moved is fixed.
    lab.offer("gadgets/ui", "v1.3", b"new");
    lab.offer("gadgets/ui", "v1.0", b"moved");
    let run = lab
        .longshore(&["apply", "--output", "json", "my-team/ui-gadgets"])
        .run();
    let run = run.exits(1);
    assert_eq!(run.each("status"), ["failed", "in place", "done"]);
    assert_eq!(run.json()["images"][0]["error"]["kind"], "conflict");
}

#[test]
fn refresh_fills_the_repositories_that_there_are() {
    let lab = lab("pull-sync.yaml", |text| {
        assert!(text.contains("create: true "));
        text.replace("create: true ", "create: false ")
    });
    lab.create_repository("project/api");
    let run = lab.longshore(&["apply", "--output", "json"]).run().exits(0);
    let summary = run.json()["summary"].clone();
    let counts = ["done", "in_place", "skipped", "failed"].map(|key| summary[key].clone());
    assert_eq!(counts, [2, 0, 10, 0]);
    assert_eq!(lab.tags("project/api"), ["latest", "stable"]);
    for name in [
        "my-app/backend",
        "my-team/ui-gadgets",
        "team-a/shared-library",
    ] {
        assert_eq!(lab.repository(name), None);
    }
}

#[test]
fn the_example_of_its_usage_syncs_what_it_says() {
    let lab = lab("pull-sync-usage.yaml", |text| text);
    lab.applies(&["done"; 4]);
    assert_eq!(
        held(&lab, &["my-app", "renamed-app"]),
        json!({"my-app": ["latest", "v1.0", "v1.1"], "renamed-app": ["stable"]})
    );
    let expected = json!(["IMMUTABLE", true, {"encryptionType": "AES256"}]);
    assert_eq!(settings(&lab, "renamed-app"), expected);
}

#[test]
fn repositories_are_encrypted_with_the_key_that_is_named() {
    let key = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    let lab = lab("pull-sync-usage.yaml", |text| {
        assert!(text.contains("AES256 "));
        let text = text.replace("AES256 ", &format!("{{kms_key_arn: '{key}'}} "));
        let text = text.replace("tag_immutability: true", "tag_immutability: false");
        text.replace("scan_on_push: true", "scan_on_push: false")
    });
    lab.applies(&["done"; 4]);
    let expected = json!(["MUTABLE", false, {"encryptionType": "KMS", "kmsKey": key}]);
    assert_eq!(settings(&lab, "my-app"), expected);
}

#[test]
fn a_token_of_another_account_or_region_opens_nothing() {
    let lab = Lab::beside_ecr(CONSUMER, "us-west-2");
    lab.write_whole(&format!(
        "version: 1\nimages: ['{HOST}/my-app:latest']\nupstreams:\n  \
         {HOST}: {{role_arn: 'arn:aws:iam::{CONSUMER}:role/pull', endpoint: 'http://{}'}}\n",
        lab.upstream()
    ));
    lab.offer("my-app", "latest", b"my-app");
    let run = lab.longshore(&["plan"]).run().exits(3);
    run.says(&[&format!("the login for `{HOST}` comes from the AWS role")]);
}
