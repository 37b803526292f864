//! Repositories that exist and are not what the file says.

use serde_json::{Value, json};

use crate::harness::{Lab, denied};

const STATED: &str = "tag_immutability: [latest, 'dev-*'], \
    scan_on_push: true, \
    lifecycle_policy: {rules: [{rulePriority: 1, selection: {tagStatus: any, \
    countType: imageCountMoreThan, countNumber: 3}, action: {type: expire}}]}, \
    policy: {Version: '2012-10-17', Statement: [{Sid: read, Effect: Allow, \
    Principal: {AWS: '012345678901'}, Action: 'ecr:BatchGetImage'}]}, \
    tags: {team: platform, env: prod}";

/// An image in a repository that somebody else made, without any of the file's settings.
fn lab(stated: &str) -> Lab {
    let lab = Lab::new();
    lab.offer("library/redis", "7", b"redis");
    let settings = json!({
        "repositoryName": "mine/redis",
        "imageTagMutability": "IMMUTABLE",
        "tags": [{"Key": "env", "Value": "dev"}, {"Key": "theirs", "Value": "1"}],
    });
    lab.aws().call("eu-west-1", "CreateRepository", &settings);
    write(&lab, stated);
    lab.longshore(&["apply"]).run().exits(0);
    lab.requests();
    lab
}

fn write(lab: &Lab, stated: &str) {
    lab.write(&format!(
        "destination: {{namespace: mine}}\nrepositories: {{{stated}}}\nimages: ['redis:7']\n"
    ));
}

/// The calls of ECR's API since the last look.
fn calls(lab: &Lab) -> Vec<String> {
    let mut requests = lab.requests();
    requests.retain(|request| request.starts_with("api"));
    requests
}

#[test]
fn only_what_the_file_states_is_compared() {
    let lab = lab("create: true");
    let plan = ["plan", "--repair-repositories", "--output", "json"];
    let run = lab.longshore(&plan).run().exits(0);
    assert_eq!(run.json()["drift"], json!([]));
    let few = ["api DescribeRepositories 200", "api ListImages 200"];
    assert_eq!(calls(&lab), few);

    write(&lab, STATED);
    lab.longshore(&["apply"]).run().exits(0);
    assert_eq!(calls(&lab), few);
    lab.longshore(&["plan"]).run().exits(0);
    assert_eq!(
        calls(&lab),
        [
            "api DescribeRepositories 200",
            "api GetLifecyclePolicy 400",
            "api GetRepositoryPolicy 400",
            "api ListImages 200",
            "api ListTagsForResource 200",
        ]
    );
}

#[test]
fn drift_is_shown_and_repaired() {
    let lab = lab(STATED);
    let run = lab
        .longshore(&["plan", "--detailed-exitcode"])
        .run()
        .exits(0);
    insta::assert_snapshot!("drift", without_digests(&run.stdout));
    let run = lab.longshore(&["plan", "--output", "json"]).run().exits(0);
    insta::assert_json_snapshot!("drift_json", run.json()["drift"]);

    let repair = ["plan", "--repair-repositories", "--detailed-exitcode"];
    let run = lab.longshore(&repair).run().exits(5);
    assert!(run.stdout.ends_with("5 settings to update, 0 failed\n"));
    calls(&lab);
    let run = lab
        .longshore(&["apply", "--repair-repositories"])
        .run()
        .exits(0);
    insta::assert_snapshot!("repaired", without_digests(&run.stdout));
    run.says(&["mine/redis: tag_immutability updated"]);
    let mut writes = calls(&lab);
    writes.retain(|call| {
        !["Get", "List", "Describe"]
            .iter()
            .any(|it| call[4..].starts_with(it))
    });
    assert_eq!(
        writes,
        [
            "api PutImageScanningConfiguration 200",
            "api PutImageTagMutability 200",
            "api PutLifecyclePolicy 200",
            "api SetRepositoryPolicy 200",
            "api TagResource 200",
        ]
    );
    let arn = &lab.repository("mine/redis").unwrap()["repositoryArn"];
    let resource = json!({"resourceArn": arn});
    let tags = lab
        .aws()
        .call("eu-west-1", "ListTagsForResource", &resource);
    let tag = |key: &str, value: &str| json!({"Key": key, "Value": value});
    assert_eq!(
        tags["tags"],
        json!([
            tag("env", "prod"),
            tag("team", "platform"),
            tag("theirs", "1")
        ])
    );

    let run = lab.longshore(&repair).run().exits(0);
    assert!(!run.stdout.contains("REPOSITORY"), "{}", run.stdout);
}

#[test]
fn encryption_cannot_be_repaired() {
    let key = "encryption: {kms_key_arn: 'arn:aws:kms:eu-west-1:123456789012:key/k'}";
    let lab = lab(key);
    let plan = lab.longshore(&["plan"]).run().exits(0);
    insta::assert_snapshot!(
        "fixed",
        without_digests(&format!("{}\n{}", plan.stdout, plan.stderr))
    );
    let plan = ["plan", "--repair-repositories", "--output", "json"];
    let run = lab.longshore(&plan).run().exits(1);
    assert_eq!(run.json()["summary"]["failed"], 1);
    lab.offer("library/redis", "7", b"moved");
    write(&lab, &format!("{key}, tag_immutability: false"));
    // The other setting is repaired, before the image that needs it arrives.
    let apply = ["apply", "--repair-repositories", "--output", "json"];
    let run = lab.longshore(&apply).run().exits(1);
    assert_eq!(run.each("status"), ["done"]);
    insta::assert_json_snapshot!("fixed_json", run.json()["drift"]);
    run.says(&["hint: delete `mine/redis` with its images and run again"]);
}

#[test]
fn a_failing_repair_names_what_is_missing_and_stops_nothing_else() {
    let lab = lab(STATED);
    lab.offer("library/redis", "dev-1", b"redis");
    lab.write(&format!(
        "destination: {{namespace: mine}}\nrepositories: {{{STATED}}}\n\
         images: [{{source: redis, tags: [7, dev-1]}}]\n"
    ));
    lab.inject(denied("ecr:PutLifecyclePolicy"));
    let apply = ["apply", "--repair-repositories", "--output", "json"];
    let run = lab.longshore(&apply).run().exits(1);
    assert_eq!(run.each("status"), ["in place", "done"]);
    let json = run.json();
    assert_eq!(json["summary"]["failed"], 1);
    let statuses: Vec<&Value> = json["drift"]
        .as_array()
        .unwrap()
        .iter()
        .map(|drift| &drift["status"])
        .collect();
    assert_eq!(
        statuses,
        ["updated", "updated", "failed", "updated", "updated"]
    );
    run.says(&[
        "error: mine/redis: cannot make the repository what the file says: cannot set the \
         lifecycle policy of the ECR repository `mine/redis`",
        "`AccessDeniedException`",
        "hint: allow `ecr:PutLifecyclePolicy` to this user or role",
    ]);

    // Who may not read it can still plan.
    lab.inject(denied("ecr:GetLifecyclePolicy"));
    let run = lab.longshore(&["plan"]).run().exits(0);
    run.says(&[
        "warning: mine/redis: cannot compare the repository with the file",
        "hint: allow `ecr:GetLifecyclePolicy` to this user or role",
    ]);
    lab.inject(denied("ecr:GetLifecyclePolicy"));
    let plan = ["plan", "--repair-repositories"];
    lab.longshore(&plan)
        .run()
        .exits(1)
        .says(&["error: mine/redis: cannot compare the repository with the file"]);
}

/// Digests do not differ from run to run, but say nothing.
fn without_digests(text: &str) -> String {
    let words = text.split_inclusive(char::is_whitespace);
    let settled = words.map(|word| match word.find("sha256:") {
        Some(at) => format!("{}...{}", &word[..at], &word[word.trim_end().len()..]),
        None => word.to_owned(),
    });
    settled.collect()
}
