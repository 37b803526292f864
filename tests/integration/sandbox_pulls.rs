//! Docker pulls through a rule of the sandbox that `cache apply` made.

use longshore::sandbox::{Fault, Server};
use serde_json::{Value, json};

use crate::harness::{Lab, docker};

const FILE: &str = "version: 1\n\
    pull_through_cache:\n  \
      docker-hub:\n    \
        registry: docker.io\n    \
        username: acme\n    \
        access_token: {env: TOKEN}\n    \
        image_tag_mutability: IMMUTABLE\n    \
        repository_read_access_arns: ['arn:aws:iam::210987654321:root']\n";

#[test]
fn docker_pulls_through_a_rule_and_needs_the_upstream_once() {
    let lab = Lab::private("acme", "good");
    lab.offer_base("library/pulled", "3");
    lab.write_whole(FILE);
    let run = |arguments: &[&str]| lab.longshore(arguments).env("TOKEN", "good").run().exits(0);
    run(&["cache", "apply"]);
    let printed = run(&["cache", "urls", "pulled:3"]).stdout;
    let image = printed.trim_end();

    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().to_str().unwrap();
    let registry = lab.registry();
    let token = lab.aws().password("eu-west-1");
    docker(&[
        "--config", config, "login", "-u", "AWS", "-p", &token, &registry,
    ]);
    let pull = || docker(&["--config", config, "pull", "--quiet", image]);
    pull();
    let name = "docker-hub/library/pulled";
    let created = lab.repository(name).unwrap();
    assert_eq!(created["imageTagMutability"], "IMMUTABLE");
    let text = |operation: &str, key: &str| -> Value {
        let input = json!({"repositoryName": name});
        let answer = lab.aws().call("eu-west-1", operation, &input);
        serde_json::from_str(answer[key].as_str().unwrap()).unwrap()
    };
    let lifecycle = text("GetLifecyclePolicy", "lifecyclePolicyText");
    assert_eq!(lifecycle["rules"][0]["selection"]["countNumber"], 3);
    let policy = text("GetRepositoryPolicy", "policyText");
    assert_eq!(
        policy["Statement"][0]["Principal"]["AWS"],
        json!(["arn:aws:iam::210987654321:root"])
    );

    docker(&["image", "rm", image]);
    let stopped = Fault::status("", 503).at(Server::Upstream).times(1000);
    lab.inject(stopped);
    lab.age_cache();
    assert_eq!(pull(), image);
    docker(&["image", "rm", image]);
}
