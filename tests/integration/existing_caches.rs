//! `cache apply --existing`: cached repositories that exist are brought in line, in the sandbox.

use serde_json::{Value, json};

use crate::harness::{Lab, Run};

const READERS: &str = "repository_read_access_arns: ['arn:aws:iam::210987654321:root']";

/// A file whose one rule has these settings.
fn file(settings: &str) -> String {
    format!(
        "version: 1\npull_through_cache: {{quay: {{registry: quay.io, custom_role_arn: \
         'arn:aws:iam::123456789012:role/template', {settings}}}}}\n"
    )
}

#[track_caller]
fn cache(lab: &Lab, settings: &str, arguments: &[&str]) -> Run {
    lab.write_whole(&file(settings));
    let all: Vec<&str> = ["cache"].iter().chain(arguments).copied().collect();
    lab.longshore(&all).run()
}

fn call(lab: &Lab, operation: &str, input: &Value) -> Value {
    lab.aws().call("eu-west-1", operation, input)
}

/// What was written since the last call.
fn writes(lab: &Lab) -> Vec<String> {
    let requests = lab.requests().into_iter();
    let reads = [
        "api Describe",
        "api Get",
        "api List",
        "api Validate",
        "api secretsmanager.Describe",
        "upstream",
    ];
    requests
        .filter(|line| !reads.iter().any(|read| line.starts_with(read)))
        .collect()
}

/// A lab that caches `quay.io/org/app:1`, with repositories beside it that are not the cache's.
fn lab() -> Lab {
    let lab = Lab::new();
    lab.offer("org/app", "1", b"app");
    let old = format!("image_tag_mutability: IMMUTABLE, {READERS}");
    cache(&lab, &old, &["apply"]).exits(0);
    cache(&lab, &old, &["warm", "quay.io/org/app:1"]).exits(0);
    let theirs = json!({"prefix": "quay/team", "appliedFor": ["PULL_THROUGH_CACHE"]});
    call(&lab, "CreateRepositoryCreationTemplate", &theirs);
    for name in ["quay/team/api", "quays", "elsewhere/quay/app"] {
        lab.aws().create_repository("eu-west-1", name, "IMMUTABLE");
    }
    lab.requests();
    lab
}

#[test]
fn existing_repositories_are_brought_in_line() {
    let lab = lab();
    let new = "lifecycle_policy: {rules: [{rulePriority: 1, selection: {tagStatus: any, \
               countType: imageCountMoreThan, countNumber: 5}, action: {type: expire}}]}, \
               tags: {team: platform}";
    let run = cache(&lab, new, &["apply"]).exits(0);
    assert!(run.stdout.contains("`--existing` brings"), "{}", run.stdout);
    assert_eq!(writes(&lab), ["api UpdateRepositoryCreationTemplate 200"]);

    let plan = ["plan", "--existing", "--detailed-exitcode"];
    let run = cache(&lab, new, &plan).exits(5);
    insta::assert_snapshot!(run.stdout);
    assert_eq!(writes(&lab), [""; 0]);
    let run = cache(&lab, new, &["apply", "--existing", "--output", "json"]).exits(0);
    let items = run.json()["items"].as_array().unwrap().clone();
    assert_eq!(items[2]["kind"], "repository");
    assert_eq!(items[2]["status"], "updated");
    assert_eq!(
        writes(&lab),
        [
            "api DeleteRepositoryPolicy 200",
            "api PutImageTagMutability 200",
            "api PutLifecyclePolicy 200",
            "api TagResource 200",
        ]
    );
    cache(&lab, new, &plan).exits(0);

    // What somebody else gave to a repository is not the file's to take away.
    let policy = json!({"Statement": [{"Sid": "Theirs"}]}).to_string();
    let name = "quay/org/app";
    let set = json!({"repositoryName": name, "policyText": policy});
    call(&lab, "SetRepositoryPolicy", &set);
    cache(&lab, new, &plan).exits(0);
    let readers = format!("{new}, {READERS}");
    cache(&lab, &readers, &["apply", "--existing"]).exits(0);
    let found = call(
        &lab,
        "GetRepositoryPolicy",
        &json!({"repositoryName": name}),
    );
    let found = found["policyText"].as_str().unwrap();
    assert!(found.contains("ReadCachedImages"), "{found}");
}

#[test]
fn what_nothing_can_change_is_told() {
    let lab = lab();
    let kms = format!(
        "image_tag_mutability: IMMUTABLE, {READERS}, encryption: {{kms_key_arn: \
         'arn:aws:kms:eu-west-1:123456789012:key/0f4d'}}"
    );
    let run = cache(&lab, &kms, &["apply", "--existing"]).exits(1);
    insta::assert_snapshot!(run.stderr);
    assert_eq!(writes(&lab), ["api UpdateRepositoryCreationTemplate 200"]);
}
