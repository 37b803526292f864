//! Docker pulls through a rule of the sandbox.

use longshore::sandbox::{Fault, Login, Options, Server, Upstream};
use serde_json::{Value, json};

use crate::harness::{Lab, docker};

#[test]
fn docker_pulls_through_a_rule_and_needs_the_upstream_once() {
    let lab = Lab::with_upstream(Options::default(), |upstream| Upstream {
        login: Some(Login::new("acme", "good")),
        ..upstream
    });
    lab.offer_base("library/pulled", "3");
    let call = |operation: &str, input: &Value| lab.aws().call("eu-west-1", operation, input);
    let login = json!({"username": "acme", "accessToken": "good"}).to_string();
    let secret = "ecr-pullthroughcache/docker-hub";
    let arn = lab.aws().keep_secret("eu-west-1", secret, &login);
    let rule = json!({
        "ecrRepositoryPrefix": "docker-hub",
        "upstreamRegistryUrl": "registry-1.docker.io",
        "credentialArn": arn,
    });
    call("CreatePullThroughCacheRule", &rule);
    let template = json!({
        "prefix": "docker-hub",
        "appliedFor": ["PULL_THROUGH_CACHE"],
        "imageTagMutability": "IMMUTABLE",
    });
    call("CreateRepositoryCreationTemplate", &template);

    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().to_str().unwrap();
    let registry = lab.registry();
    let token = lab.aws().password("eu-west-1");
    docker(&[
        "--config", config, "login", "-u", "AWS", "-p", &token, &registry,
    ]);
    let image = format!("{registry}/docker-hub/library/pulled:3");
    let pull = || docker(&["--config", config, "pull", "--quiet", &image]);
    pull();
    let repository = "docker-hub/library/pulled";
    let created = lab.aws().repository("eu-west-1", repository).unwrap();
    assert_eq!(created["imageTagMutability"], "IMMUTABLE");

    docker(&["image", "rm", &image]);
    let stopped = Fault::status("", 503).at(Server::Upstream).times(1000);
    lab.inject(stopped);
    lab.age_cache();
    assert_eq!(pull(), image);
    docker(&["image", "rm", &image]);
}
