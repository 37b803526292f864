//! What stands under the namespace and is not named by the file.

use std::time::Duration;

use longshore::sandbox::{Effect, Fault, Request};
use serde_json::{Value, json};

use crate::harness::{Lab, Run, denied, wait_until};

fn write(lab: &Lab, images: &str) {
    lab.write(&format!(
        "destination: {{namespace: mine}}\nimages: {images}\n"
    ));
}

/// Applies a file, and forgets what that took.
fn bring(lab: &Lab, images: &str) {
    write(lab, images);
    lab.longshore(&["apply"]).run().exits(0);
    lab.requests();
}

fn lab() -> Lab {
    let lab = Lab::new();
    for tag in ["6", "7", "7.2"] {
        lab.offer("library/redis", tag, tag.as_bytes());
    }
    lab.offer("library/mongo", "7", b"mongo");
    lab.offer_for("library/nats", "2", &["linux/amd64", "linux/arm64"]);
    lab
}

/// The writes of ECR's API since the last look.
fn deletions(lab: &Lab) -> Vec<String> {
    let mut requests = lab.requests();
    requests.retain(|request| request.starts_with("api") && request.contains("Delete"));
    requests
}

fn sections(run: &Run) -> String {
    let (_, sections) = run.stdout.split_once("ORPHAN").unwrap();
    let lines = sections.lines().map(str::trim_end);
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn what_the_file_no_longer_names_is_shown_and_goes_only_when_told() {
    let lab = lab();
    bring(
        &lab,
        "[{source: redis, tags: [6, 7]}, 'nats:2', {source: 'mongo:7', repository: hub/mongo}, \
         {source: 'mongo:7', repository: 'redis:sha256-0000.sig'}]",
    );
    lab.create_repository("mine/empty");
    lab.create_repository("theirs/redis");
    lab.create_repository("mine-too/redis");
    // What refers to an image that stays does not go, and neither does what is cached.
    let digest = lab.digest("mine/redis", "7").unwrap();
    let signature = format!("redis:sha256-{}.sig", digest.hex());
    let kept =
        format!("[{{source: redis, tags: [7]}}, {{source: 'mongo:7', repository: '{signature}'}}]");
    bring(&lab, &kept);
    let rule = json!({"ecrRepositoryPrefix": "mine/hub", "upstreamRegistryUrl": "quay.io"});
    lab.aws()
        .call("eu-west-1", "CreatePullThroughCacheRule", &rule);
    lab.requests();
    write(&lab, "['redis:7']");

    let plan = ["plan", "--orphans", "--detailed-exitcode"];
    let run = lab.longshore(&plan).run().exits(0);
    insta::assert_snapshot!("orphans_shown", sections(&run));
    // Each repository is listed once.
    let mut lists = lab.requests();
    lists.retain(|request| request.starts_with("api"));
    assert_eq!(
        lists,
        [
            "api DescribePullThroughCacheRules 200",
            "api DescribeRepositories 200",
            "api DescribeRepositories 200",
            "api ListImages 200",
            "api ListImages 200",
            "api ListImages 200",
        ]
    );
    let plan = ["plan", "--prune-orphans", "--detailed-exitcode"];
    lab.longshore(&plan).run().exits(5);
    lab.longshore(&["apply"]).run().exits(0);
    assert_eq!(deletions(&lab), [""; 0]);

    let run = lab.longshore(&["apply", "--prune-orphans", "-q"]).run();
    let run = run.exits(0);
    insta::assert_snapshot!("orphans_named", run.stderr);
    insta::assert_snapshot!("orphans_pruned", sections(&run));
    assert_eq!(
        deletions(&lab),
        [
            "api BatchDeleteImage 200",
            "api BatchDeleteImage 200",
            "api BatchDeleteImage 200",
            "api DeleteRepository 200",
            "api DeleteRepository 200",
        ]
    );
    assert_eq!(
        lab.tags("mine/redis"),
        ["7".to_owned(), format!("sha256-{}.sig", digest.hex())]
    );
    for gone in ["mine/empty", "mine/nats"] {
        assert_eq!(lab.repository(gone), None);
    }
    for kept in ["mine/hub/mongo", "theirs/redis", "mine-too/redis"] {
        assert!(lab.repository(kept).is_some(), "{kept}");
    }
    let again = ["apply", "--prune-orphans", "--output", "json"];
    let run = lab.longshore(&again).run().exits(0);
    assert_eq!(run.json()["orphans"], json!([]));
    assert_eq!(deletions(&lab), [""; 0]);
}

/// In a repository that stays, what loses its tag is the lifecycle policy's to remove.
#[test]
fn a_tag_takes_only_itself_along() {
    let lab = lab();
    bring(
        &lab,
        "[{source: 'nats:2', repository: 'nats:old'}, {source: 'redis:7', repository: nats:2}, \
         {source: 'redis:7', repository: nats:3}]",
    );
    write(&lab, "[{source: 'redis:7', repository: nats:2}]");
    let run = lab
        .longshore(&["apply", "--prune-orphans", "--output", "json"])
        .run()
        .exits(0);
    let orphans = run.json()["orphans"].clone();
    assert_eq!(orphans.as_array().unwrap().len(), 2);
    assert_eq!(orphans[0]["name"], "mine/nats:3");
    assert_eq!(orphans[0]["status"], "deleted");
    assert_eq!(lab.tags("mine/nats"), ["2"]);
    let listed = json!({"repositoryName": "mine/nats", "filter": {"tagStatus": "UNTAGGED"}});
    let listed = lab.aws().call("eu-west-1", "ListImages", &listed);
    assert_eq!(listed["imageIds"].as_array().unwrap().len(), 2);
}

#[test]
fn what_cannot_be_known_makes_no_orphans() {
    let lab = lab();
    bring(&lab, "[{source: redis, tags: ['7*', '6']}, 'mongo:7']");
    lab.longshore(&["plan", "--orphans", "redis:7"])
        .run()
        .exits(2)
        .says(&["cannot be told while images are picked by name"]);

    // A repository that cannot be listed, or in which nothing fits, keeps its tags.
    write(&lab, "[{source: redis, tags: ['7*']}]");
    let json = ["plan", "--prune-orphans", "--output", "json"];
    let planned = |run: &Run| {
        let orphans = run.json()["orphans"].as_array().unwrap().clone();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let orphan = |it: &Value| format!("{} {}", text(&it["action"]), text(&it["name"]));
        orphans.iter().map(orphan).collect::<Vec<_>>()
    };
    let run = lab.longshore(&json).run().exits(0);
    assert_eq!(
        planned(&run),
        [
            "delete mine/mongo:7",
            "delete mine/mongo",
            "delete mine/redis:6"
        ]
    );
    lab.inject(Fault::status("tags/list", 404).times(2));
    let run = lab.longshore(&json).run().exits(1);
    let rest = ["orphan mine/mongo:7", "orphan mine/mongo"];
    assert_eq!(planned(&run), rest);
    let run = lab.longshore(&["apply", "--prune-orphans"]).run().exits(1);
    insta::assert_snapshot!("orphans_left", sections(&run));
    run.says(&["what the file no longer names stays, because not everything else is in place"]);
    assert_eq!(deletions(&lab), [""; 0]);
    write(&lab, "[{source: redis, tags: ['9*']}]");
    let run = lab.longshore(&json).run().exits(0);
    assert_eq!(planned(&run), ["delete mine/mongo:7", "delete mine/mongo"]);

    // The last image that is there is worth more than a clean repository.
    write(&lab, "['missing:1']");
    lab.longshore(&["apply", "--prune-orphans"]).run().exits(3);
    assert_eq!(deletions(&lab), [""; 0]);
    lab.inject(Fault::status("DescribePullThroughCacheRules", 400));
    write(&lab, "['redis:7']");
    lab.longshore(&["apply", "--prune-orphans"])
        .run()
        .exits(1)
        .says(&["cannot find what the file no longer names: cannot list ECR's pull-through"]);
    assert_eq!(deletions(&lab), [""; 0]);
}

#[test]
fn only_a_namespace_of_its_own_can_be_cleaned_up() {
    let lab = lab();
    bring(&lab, "['redis:7']");
    let refused = |text: &str, code: i32, message: &str| {
        lab.write(text);
        let run = lab.longshore(&["apply", "--prune-orphans"]).run();
        run.exits(code).says(&[message, "hint: "]);
        assert_eq!(deletions(&lab), [""; 0]);
    };
    refused(
        "images: ['redis:7']",
        2,
        "without `destination.namespace` the whole registry would be",
    );
    refused(
        "destination: {namespace: mine}\npull_through_cache: {}",
        2,
        "the file names no image, so that everything under `mine` would go",
    );
    let registry = format!(
        "destination: {{namespace: mine, registry: 'http://{}'}}\nimages: ['redis:7']",
        lab.registry()
    );
    refused(&registry, 2, "only ECR's own registry can be cleaned up");
    assert_eq!(lab.requests(), [""; 0]);
    let rule = json!({"ecrRepositoryPrefix": "ROOT", "upstreamRegistryUrl": "quay.io"});
    lab.aws()
        .call("eu-west-1", "CreatePullThroughCacheRule", &rule);
    refused(
        "destination: {namespace: mine}\nimages: ['redis:7']",
        1,
        "everything under `mine` belongs to the pull-through cache rule `ROOT`",
    );
}

#[test]
fn what_arrives_meanwhile_stays() {
    let lab = lab();
    bring(&lab, "['redis:7', 'mongo:7']");
    let late = Effect::Delay(Duration::from_secs(4));
    lab.inject(Fault::new("BatchDeleteImage", late));
    write(&lab, "['mongo:7']");
    let pruning = lab.longshore(&["apply", "--prune-orphans"]).start();
    // Two for the plan, the third before anything is deleted.
    let is_list = |request: &&Request| request.operation.as_deref() == Some("ListImages");
    wait_until(|| lab.log().iter().filter(is_list).count() >= 3);
    write(&lab, "['redis:7.2']");
    lab.longshore(&["apply"]).run().exits(0);
    let run = Run::new(&pruning.wait_with_output().unwrap()).exits(1);
    insta::assert_snapshot!("orphans_meanwhile", sections(&run));
    run.says(&["hint: run again to see what is there now"]);
    assert_eq!(lab.tags("mine/redis"), ["7.2"]);
}

#[test]
fn what_is_denied_is_named() {
    let lab = lab();
    bring(&lab, "['redis:7', 'mongo:7']");
    lab.inject(denied("ecr:DeleteRepository"));
    write(&lab, "['mongo:7']");
    let run = lab
        .longshore(&["apply", "--prune-orphans", "--output", "json"])
        .run()
        .exits(1);
    let json = run.json();
    assert_eq!(json["summary"]["failed"], 1);
    assert_eq!(json["orphans"][0]["status"], "deleted");
    assert_eq!(json["orphans"][1]["status"], "failed");
    run.says(&["hint: allow `ecr:DeleteRepository` to this user or role"]);
}
