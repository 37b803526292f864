//! ECR's pull-through cache, set up from the file, in the sandbox.

use std::fs;
use std::path::Path;

use longshore::sandbox::{Fault, Server};
use serde_json::{Value, json};

use crate::harness::{Lab, Run, denied};

const SYSTEM_3: &str = "system-3.yaml";
const SYSTEM_4: &str = "system-4.yaml";

fn fixture(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/pull-through-cache");
    fs::read_to_string(folder.join(name)).unwrap()
}

/// A lab whose upstreams let only `acme` in.
fn lab() -> Lab {
    Lab::private("acme", "good-token")
}

/// `longshore cache ...` with this file. No output may ever hold a token.
#[track_caller]
fn cache(lab: &Lab, text: &str, token: &str, arguments: &[&str]) -> Run {
    let arguments: Vec<&str> = ["-vvv", "cache"]
        .into_iter()
        .chain(arguments.iter().copied())
        .chain(["-f", "-"])
        .collect();
    let run = lab
        .longshore(&arguments)
        .env("DOCKERHUB_TOKEN", token)
        .env("GITHUB_TOKEN", "good-token")
        .stdin(text)
        .run();
    for output in [&run.stdout, &run.stderr] {
        assert!(!output.contains("-token"), "{output}");
    }
    run
}

/// What was written since the last call, by operation.
fn writes(lab: &Lab) -> Vec<String> {
    let requests = lab.requests();
    let operations = requests.iter().map(|line| line.trim_start_matches("api "));
    let reads = [
        "Describe",
        "Get",
        "Validate",
        "secretsmanager.Describe",
        "secretsmanager.Get",
    ];
    let is_write = |operation: &&str| {
        !reads.iter().any(|read| operation.starts_with(read)) && !operation.starts_with("upstream")
    };
    operations.filter(is_write).map(str::to_owned).collect()
}

fn held(lab: &Lab, prefix: &str) -> Value {
    let name = format!("ecr-pullthroughcache/{prefix}");
    lab.aws().secret("eu-west-1", &name)
}

/// An answer without what differs from run to run.
fn settled(mut answer: Value) -> Value {
    fn settle(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                fields.retain(|key, _| !key.ends_with("At"));
                fields.values_mut().for_each(settle);
            }
            Value::Array(items) => items.iter_mut().for_each(settle),
            Value::String(text) if text.contains(":secret:") => {
                text.truncate(text.len() - "AbCdEf".len());
            }
            _ => {}
        }
    }
    settle(&mut answer);
    answer
}

#[test]
fn several_upstreams_from_nothing() {
    let lab = lab();
    let text = fixture(SYSTEM_4);
    let run = cache(&lab, &text, "good-token", &["plan", "--detailed-exitcode"]).exits(5);
    insta::assert_snapshot!("several_plan", run.stdout);
    assert_eq!(writes(&lab), [""; 0]);

    let run = cache(&lab, &text, "good-token", &["apply"]).exits(0);
    insta::assert_snapshot!("several_apply", run.stdout);
    let call = |operation: &str| settled(lab.aws().call("eu-west-1", operation, &json!({})));
    insta::assert_json_snapshot!(
        "several_found",
        [
            call("DescribePullThroughCacheRules"),
            call("DescribeRepositoryCreationTemplates"),
            call("GetRegistryScanningConfiguration"),
        ]
    );
    let login = json!({"username": "acme", "accessToken": "good-token"});
    assert_eq!(held(&lab, "dockerhub"), login);

    lab.requests();
    let run = cache(&lab, &text, "good-token", &["plan", "--detailed-exitcode"]).exits(0);
    assert!(
        run.stdout.contains("0 to create, 0 to update"),
        "{}",
        run.stdout
    );
    let run = cache(&lab, &text, "good-token", &["apply", "--output", "json"]).exits(0);
    insta::assert_json_snapshot!("several_again", run.json());
    assert_eq!(writes(&lab), [""; 0]);

    let run = cache(&lab, &text, "good-token", &["urls"]).exits(0);
    insta::assert_snapshot!(run.stdout.replace(&lab.registry(), "REGISTRY"), @r"
    registry-1.docker.io  REGISTRY/dockerhub/
    ghcr.io               REGISTRY/ghcr/
    quay.io               REGISTRY/quay/
    registry.k8s.io       REGISTRY/k8s/
    ");
    let images = ["alpine:3", "ghcr.io/org/app", "quay.io/org/app:1"];
    let pinned = format!("quay.io/org/app:1@sha256:{}", "0".repeat(64));
    let images = images.into_iter().chain([&*pinned]);
    let arguments: Vec<&str> = ["urls"].into_iter().chain(images).collect();
    let run = cache(&lab, &text, "good-token", &arguments).exits(0);
    insta::assert_snapshot!(run.stdout.replace(&lab.registry(), "REGISTRY"), @r"
    REGISTRY/dockerhub/library/alpine:3
    REGISTRY/ghcr/org/app:latest
    REGISTRY/quay/org/app:1
    REGISTRY/quay/org/app@sha256:0000000000000000000000000000000000000000000000000000000000000000
    ");
    let json = ["urls", "--output", "json", "alpine:3"];
    let run = cache(&lab, &text, "good-token", &json).exits(0);
    assert_eq!(
        run.json()["urls"],
        json!([{
            "prefix": "dockerhub",
            "upstream": "registry-1.docker.io",
            "image": "docker.io/library/alpine:3",
            "url": format!("{}/dockerhub/library/alpine:3", lab.registry()),
        }])
    );
    let run = cache(&lab, &text, "good-token", &["urls", "gcr.io/org/app:1"]).exits(2);
    insta::assert_snapshot!(last_lines(&run, 2), @r"
    error: no rule caches `gcr.io/org/app:1`
      hint: the rules cache registry-1.docker.io, ghcr.io, quay.io, registry.k8s.io; write its registry under `pull_through_cache`
    ");
}

#[test]
fn every_upstream_and_every_key() {
    let lab = Lab::new();
    let text = fixture("every-upstream.yaml");
    cache(&lab, &text, "good-token", &["apply"]).exits(0);
    let call = |operation: &str| settled(lab.aws().call("eu-west-1", operation, &json!({})));
    insta::assert_json_snapshot!([
        call("DescribePullThroughCacheRules"),
        call("DescribeRepositoryCreationTemplates"),
        call("GetRegistryScanningConfiguration"),
    ]);
    lab.requests();
    cache(&lab, &text, "good-token", &["apply"]).exits(0);
    assert_eq!(writes(&lab), [""; 0]);

    lab.inject(Fault::status("", 503).at(Server::Upstream).times(1000));
    let run = cache(&lab, &text, "good-token", &["apply"]).exits(1);
    insta::assert_snapshot!(last_lines(&run, 2), @r"
    error: `210987654321.dkr.ecr.us-east-1.amazonaws.com` does not let the rule `ecr-other` in: The upstream registry is unavailable. Try again later.
      hint: check that `arn:aws:iam::123456789012:role/ecr-reader` trusts `pullthroughcache.ecr.amazonaws.com`, and that the policies of the repositories there let it read them
    ");
}

fn last_lines(run: &Run, number: usize) -> String {
    let lines: Vec<&str> = run.stderr.lines().collect();
    lines[lines.len() - number..].join("\n")
}

#[test]
fn a_change_touches_only_what_it_is_about() {
    let lab = lab();
    let text = fixture(SYSTEM_4);
    cache(&lab, &text, "other-token", &["apply"])
        .exits(1)
        .says(&["`registry-1.docker.io` does not let the rule `dockerhub` in"]);
    lab.requests();

    cache(&lab, &text, "good-token", &["apply"]).exits(0);
    assert_eq!(writes(&lab), ["secretsmanager.PutSecretValue 200"]);

    let text = text.replace("countNumber: 10", "countNumber: 5");
    let run = cache(&lab, &text, "good-token", &["apply"]).exits(0);
    insta::assert_snapshot!(run.stdout);
    assert_eq!(writes(&lab), ["UpdateRepositoryCreationTemplate 200"]);

    let text = text.replace("registry: quay.io", "registry: public.ecr.aws");
    cache(&lab, &text, "good-token", &["plan"]).exits(1);
    let run = cache(&lab, &text, "good-token", &["apply"]).exits(1);
    insta::assert_snapshot!(last_lines(&run, 2), @r"
    error: the rule `quay` would have to be replaced (registry)
      hint: run with `--allow-replace`: the rule is deleted and made anew, what is cached stays
    ");
    assert_eq!(writes(&lab), [""; 0]);
    let replace = ["apply", "--allow-replace"];
    lab.inject(denied("ecr:CreatePullThroughCacheRule"));
    let run = cache(&lab, &text, "good-token", &replace).exits(1);
    insta::assert_snapshot!("not_replaced", last_lines(&run, 2));
    lab.mend();
    lab.requests();
    cache(&lab, &text, "good-token", &["apply"]).exits(0);
    assert_eq!(writes(&lab), ["CreatePullThroughCacheRule 200"]);

    let text = text.replace("registry: public.ecr.aws", "registry: quay.io");
    cache(&lab, &text, "good-token", &replace).exits(0);
    assert_eq!(
        writes(&lab),
        [
            "CreatePullThroughCacheRule 200",
            "DeletePullThroughCacheRule 200"
        ]
    );
}

#[test]
fn what_the_file_no_longer_names_goes_only_when_told() {
    let lab = lab();
    let rule = json!({"ecrRepositoryPrefix": "theirs", "upstreamRegistryUrl": "quay.io"});
    lab.aws()
        .call("eu-west-1", "CreatePullThroughCacheRule", &rule);
    cache(&lab, &fixture(SYSTEM_4), "good-token", &["apply"]).exits(0);
    lab.requests();
    let nothing = "{version: 1, pull_through_cache: {}}";
    let run = cache(&lab, nothing, "", &["apply"]).exits(0);
    insta::assert_snapshot!("orphans", run.stdout);
    assert_eq!(writes(&lab), [""; 0]);
    let run = cache(&lab, nothing, "", &["apply", "--prune"]).exits(0);
    insta::assert_snapshot!("pruned", run.stdout);
    let announced = run
        .stderr
        .lines()
        .filter(|line| line.starts_with("deleting "));
    insta::assert_snapshot!(announced.collect::<Vec<_>>().join("\n"));
    let run = cache(
        &lab,
        nothing,
        "",
        &["plan", "--prune", "--detailed-exitcode"],
    )
    .exits(0);
    assert!(run.stdout.contains("1 left"), "{}", run.stdout);

    // What was deleted can be made again, though Secrets Manager keeps the secrets' names.
    lab.requests();
    cache(&lab, &fixture(SYSTEM_4), "good-token", &["apply"]).exits(0);
    let restored = writes(&lab);
    assert!(restored.contains(&"secretsmanager.RestoreSecret 200".to_owned()));
}

/// A rule of the file that gives up its login leaves a secret behind, which nobody else would miss.
#[test]
fn a_secret_that_no_rule_takes_any_more_is_an_orphan() {
    let lab = lab();
    let rule = |more: &str| {
        format!("{{version: 1, pull_through_cache: {{quay: {{registry: quay.io{more}}}}}}}")
    };
    let with = rule(", username: acme, access_token: {env: DOCKERHUB_TOKEN}");
    cache(&lab, &with, "good-token", &["apply"]).exits(0);
    let secrets = |run: &Run| {
        let lines = run.stdout.lines().filter(|line| line.contains(" secret "));
        lines
            .map(|line| line.split_once(' ').unwrap().0.to_owned())
            .collect::<Vec<_>>()
    };
    let prune = |more: &[&str], code: i32| {
        let arguments = [&["apply", "--prune"], more].concat();
        secrets(&cache(&lab, &rule(""), "", &arguments).exits(code))
    };
    // The rule that must not be replaced has it still.
    assert_eq!(prune(&[], 1), [""; 0]);
    lab.inject(Fault::status("DeletePullThroughCacheRule", 400));
    assert_eq!(prune(&["--allow-replace"], 1), ["orphan"]);
    lab.mend();
    assert_eq!(prune(&["--allow-replace"], 0), ["deleted"]);
    assert_eq!(prune(&[], 0), [""; 0]);

    // The secret of the same name that the file names itself is no orphan.
    cache(&lab, &with, "good-token", &["apply"]).exits(0);
    let own = rule(", access_token: {secret: ecr-pullthroughcache/quay}");
    let run = cache(&lab, &own, "", &["apply", "--prune"]).exits(0);
    assert_eq!(secrets(&run), [""; 0]);
}

/// What `cache policy` prints allows nothing at the secrets of prefixes that the file had once.
#[test]
fn a_prefix_that_went_needs_no_permission_before_it_is_pruned() {
    let lab = lab();
    let one = "quay: {registry: quay.io}";
    let file = |rules: &str| format!("{{version: 1, pull_through_cache: {{{rules}}}}}");
    let both = file(&format!("{one}, k8s: {{registry: registry.k8s.io}}"));
    cache(&lab, &both, "", &["apply"]).exits(0);
    lab.inject(denied("secretsmanager:DescribeSecret").times(99));
    let run = cache(&lab, &file(one), "", &["apply"]).exits(0);
    assert!(run.stdout.contains("2 left"), "{}", run.stdout);
    let run = cache(&lab, &file(one), "", &["apply", "--prune"]).exits(1);
    run.says(&["cannot look up the secret `ecr-pullthroughcache/k8s`"]);
    lab.mend();
    let run = cache(&lab, &file(one), "", &["apply", "--prune"]).exits(0);
    assert!(run.stdout.contains("0 left"), "{}", run.stdout);
}

#[test]
fn a_region_without_a_cache_is_told() {
    let lab = lab();
    let doubt = "warning: ECR's user guide says that `us-gov-west-1` has no pull-through cache";
    for (region, told) in [("us-gov-west-1", true), ("us-east-1", false)] {
        let text = fixture(SYSTEM_4).replace("eu-west-1", region);
        for verb in ["plan", "apply"] {
            let run = cache(&lab, &text, "good-token", &[verb]);
            assert_eq!(run.stderr.contains(doubt), told, "{}", run.stderr);
        }
    }
}

#[test]
fn a_secret_is_filled_in_by_hand() {
    let lab = lab();
    let text = fixture(SYSTEM_3);
    let run = cache(&lab, &text, "", &["apply"]).exits(0);
    insta::assert_snapshot!("by_hand", run.stdout);
    let dummy = json!({"username": "FILL-ME", "accessToken": "FILL-ME"});
    assert_eq!(held(&lab, "docker-hub"), dummy);
    lab.requests();
    let run = cache(&lab, &text, "", &["apply"]).exits(1);
    insta::assert_snapshot!(last_lines(&run, 2), @r"
    error: `registry-1.docker.io` does not let the rule `docker-hub` in: The authentication to the upstream registry failed. Verify that the credentials are correct and try again.
      hint: put `username` and `accessToken` into the secret `ecr-pullthroughcache/docker-hub`: aws secretsmanager put-secret-value --secret-id ecr-pullthroughcache/docker-hub --secret-string file://login.json
    ");

    let filled = json!({"username": "acme", "accessToken": "good-token"});
    lab.aws()
        .change_secret("eu-west-1", "ecr-pullthroughcache/docker-hub", &filled);
    lab.requests();
    cache(&lab, &text, "", &["apply"]).exits(0);
    assert_eq!(writes(&lab), [""; 0]);

    let run = cache(&lab, &text, "", &["urls", "alpine:3", "org/app:1"]).exits(0);
    insta::assert_snapshot!(run.stdout.replace(&lab.registry(), "REGISTRY"), @r"
    REGISTRY/docker-hub/library/alpine:3
    REGISTRY/docker-hub/org/app:1
    ");
}

/// One secret is named by the rule and by `upstreams`; nothing is written twice.
#[test]
fn a_secret_of_the_caches_own_is_used_as_it_is() {
    let lab = lab();
    let text = "{version: 1, pull_through_cache: {hub: {registry: docker.io, \
                access_token: {secret: ecr-pullthroughcache/mine}}}}";
    let run = cache(&lab, text, "", &["apply"]).exits(1);
    run.says(&["there is no secret `ecr-pullthroughcache/mine` in `eu-west-1`"]);
    let value = json!({"username": "acme", "accessToken": "good-token"}).to_string();
    let arn = lab
        .aws()
        .keep_secret("eu-west-1", "ecr-pullthroughcache/mine", &value);
    lab.requests();
    cache(&lab, text, "", &["apply"]).exits(0);
    assert_eq!(writes(&lab), ["CreatePullThroughCacheRule 200"]);
    let rules = lab
        .aws()
        .call("eu-west-1", "DescribePullThroughCacheRules", &json!({}));
    assert_eq!(rules["pullThroughCacheRules"][0]["credentialArn"], arn);

    // Any other secret is copied into one that ECR can read.
    lab.aws()
        .keep_secret("eu-west-1", "elsewhere", "good-token");
    let text = "{version: 1, pull_through_cache: {hub: {registry: docker.io, username: acme, \
                access_token: {secret: elsewhere}}}}";
    cache(&lab, text, "", &["apply"]).exits(0);
    assert_eq!(
        held(&lab, "hub"),
        json!({"username": "acme", "accessToken": "good-token"})
    );
}

#[test]
fn one_failure_keeps_nothing_else_from_being_done() {
    let lab = lab();
    lab.inject(Fault::status("CreateSecret", 400));
    let text = fixture(SYSTEM_4);
    let run = cache(&lab, &text, "good-token", &["apply"]).exits(1);
    run.says(&[
        "cannot create the secret `ecr-pullthroughcache/dockerhub`",
        "the rule `dockerhub` waits for its secret",
    ]);
    cache(&lab, &text, "good-token", &["apply"]).exits(0);
    cache(&lab, "{version: 1, images: [mongo]}", "", &["plan"])
        .exits(2)
        .says(&["the file has no `pull_through_cache`"]);
    let images = lab
        .longshore(&["plan", "-f", "-"])
        .stdin(&fixture(SYSTEM_3));
    images.run().exits(0).says(&["the file names no images"]);
}

/// Whoever pulls, and whoever writes policies, has no token.
#[test]
fn only_what_logs_in_needs_a_token() {
    let lab = lab();
    cache(&lab, &fixture(SYSTEM_4), "good-token", &["apply"]).exits(0);
    lab.offer("library/alpine", "3", b"layer");
    let text = fixture(SYSTEM_4)
        + "images: [{source: redis, lines: [RUN true], build: {secrets: [{id: a, file: nowhere}]}}]\n";
    let run = |arguments: &[&str]| {
        let arguments = [&["cache"], arguments, &["-f", "-"]].concat();
        lab.longshore(&arguments).stdin(&text).run()
    };
    let url = format!("{}/dockerhub/library/alpine:3", lab.registry());
    let printed = run(&["urls", "alpine:3"]).exits(0).stdout;
    assert_eq!(printed.trim_end(), url);
    run(&["policy", "--for", "manager"]).exits(0);
    let warmed = run(&["warm", "alpine:3", "--platform", "linux/amd64"]).exits(0);
    assert!(warmed.stdout.starts_with(&url), "{}", warmed.stdout);
    for verb in ["plan", "apply"] {
        run(&[verb]).exits(2).says(&[
            "3 mistakes",
            "the environment variable `DOCKERHUB_TOKEN` is not set or empty",
        ]);
    }
}
