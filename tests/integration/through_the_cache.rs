//! Sources that are read through a rule of ECR's pull-through cache, in the sandbox.

use longshore::image::Digest;
use longshore::sandbox::{Fault, Server};
use serde_json::{Value, json};

use crate::harness::{Lab, Run};

/// A lab whose upstream lets only `acme` in, with a rule for Docker Hub that `cache apply` made.
fn lab() -> Lab {
    let lab = Lab::private("acme", "good-token");
    lab.write_whole(&file("images: []\n"));
    let run = lab.longshore(&["cache", "apply"]);
    run.env("DOCKERHUB_TOKEN", "good-token").run().exits(0);
    lab.requests();
    lab
}

/// A file that names no endpoint of Docker Hub: nothing but the rule leads there.
fn file(images: &str) -> String {
    format!(
        "version: 1\n\
         destination: {{namespace: mirror}}\n\
         upstreams: {{docker.io: {{via: pull_through_cache}}}}\n\
         pull_through_cache:\n  \
           docker-hub:\n    \
             registry: docker.io\n    \
             username: acme\n    \
             access_token: {{env: DOCKERHUB_TOKEN}}\n\
         {images}"
    )
}

#[track_caller]
fn longshore(lab: &Lab, images: &str, arguments: &[&str]) -> Run {
    lab.write_whole(&file(images));
    let longshore = lab.longshore_with_docker(arguments);
    longshore.env("DOCKERHUB_TOKEN", "good-token").run()
}

/// Nothing is asked of the upstream but by ECR, and for ECR it is one look at the tag a day.
#[test]
fn plan_copy_and_derive_read_through_the_rule() {
    let lab = lab();
    let source = lab.offer("library/app", "1", b"one");
    let images = "images:\n\
                  - app:1\n\
                  - {source: app:1, repository: derived, builder: direct, lines: [ENV A=1]}\n";
    let plan = longshore(&lab, images, &["plan"]).exits(0);
    let plan =
        plan.says(&["read through ECR's pull-through cache, so up to 24 hours old: docker.io"]);
    assert_eq!(plan.stderr.matches("24 hours").count(), 1);
    let apply = longshore(&lab, images, &["apply", "--output", "json"]).exits(0);
    assert_eq!(apply.each("status"), ["done", "done"]);
    assert_eq!(lab.digest("mirror/app", "1"), Some(source.clone()));
    let labels = labels(&lab, "mirror/derived", "1");
    assert_eq!(
        labels["org.opencontainers.image.base.name"],
        "docker.io/library/app:1"
    );
    assert_eq!(
        labels["org.opencontainers.image.base.digest"],
        source.as_str()
    );
    assert!(lab.repository("docker-hub/library/app").is_some());

    // The rule's login is the rule's own business: without the upstream all is as it was.
    lab.inject(Fault::status("", 503).at(Server::Upstream).times(1000));
    lab.requests();
    let apply = longshore(&lab, images, &["apply", "--output", "json"]).exits(0);
    assert_eq!(apply.each("status"), ["in place", "in place"]);
    insta::assert_snapshot!(lab.requests().join("\n"));

    // Nothing that was made says how it was read.
    lab.mend();
    let directly = file(images).replace(
        "{via: pull_through_cache}",
        &format!(
            "{{endpoint: 'http://{}', username: acme, password: {{env: DOCKERHUB_TOKEN}}}}",
            lab.upstream()
        ),
    );
    lab.write_whole(&directly);
    let plan = lab.longshore(&["plan", "--detailed-exitcode"]);
    plan.env("DOCKERHUB_TOKEN", "good-token").run().exits(0);
}

/// What a derived image carries.
fn labels(lab: &Lab, repository: &str, tag: &str) -> Value {
    lab.config(repository, tag)["config"]["Labels"].clone()
}

#[test]
fn a_build_pulls_its_base_through_the_rule() {
    let lab = lab();
    let base = lab.offer_base("library/through-base", "3");
    let layer = lab.layer_of("library/through-base", &base);
    let images = "images:\n- {source: through-base:3, lines: [LABEL a=b]}\n";
    let render = longshore(&lab, images, &["render"]).exits(0);
    let from = format!(
        "FROM {}/docker-hub/library/through-base:3@{base}",
        lab.registry()
    );
    assert!(render.stdout.contains(&from), "{}", render.stdout);
    longshore(&lab, images, &["apply"]).exits(0);
    let labels = labels(&lab, "mirror/through-base", "3");
    assert_eq!(
        labels["org.opencontainers.image.base.name"],
        "docker.io/library/through-base:3"
    );
    let built = lab.manifest("mirror/through-base", "3").unwrap();
    assert!(built.contains(layer.as_str()), "{built}");
    let again = longshore(&lab, images, &["plan", "--detailed-exitcode"]);
    again.exits(0);
}

#[test]
fn one_image_is_read_through_a_rule_without_a_file() {
    let lab = lab();
    let source = lab.offer("acme/app", "1", b"one");
    let run = lab
        .longshore(&["mirror", "acme/app:1", "--via", "docker-hub"])
        .run()
        .exits(0);
    let printed = format!("{}/acme/app:1@{source}\n", lab.registry());
    assert_eq!(run.stdout, printed);
    for (arguments, said) in [
        (
            &["mirror", "gcr.io/a/b:1", "--via", "gcr"][..],
            "ECR's pull-through cache does not know the registry `gcr.io`",
        ),
        (
            &["mirror", "acme/app:1", "--via", "Hub"],
            "`Hub` is not a prefix",
        ),
        (
            &["mirror", "oci:x:1", "app:1", "--via", "docker-hub"],
            "an OCI layout is read through no cache",
        ),
    ] {
        lab.longshore(arguments).run().exits(2).says(&[said]);
    }
}

/// A rule lists only what it has, so that lists come from the upstream itself.
#[test]
fn tags_are_listed_at_the_upstream_itself() {
    let lab = lab();
    for tag in ["1.0", "1.1", "2.0"] {
        lab.offer("library/app", tag, tag.as_bytes());
    }
    let images = "images: [{source: app, tags: [\"1.*\"]}]\n";
    let closed = "upstreams: {docker.io: {via: pull_through_cache, endpoint: 'http://127.0.0.1:9'";
    let open = format!(
        "upstreams: {{docker.io: {{via: pull_through_cache, endpoint: 'http://{}', \
         username: acme, password: {{env: DOCKERHUB_TOKEN}}",
        lab.upstream()
    );
    let run = |upstreams: &str| {
        let plain = "upstreams: {docker.io: {via: pull_through_cache";
        lab.write_whole(&file(images).replace(plain, upstreams));
        lab.longshore(&["apply"])
            .env("DOCKERHUB_TOKEN", "good-token")
            .run()
    };
    run(closed).exits(4).says(&[
        "the pull-through cache lists only what it has, so `docker.io` itself is asked",
        "where `docker.io` cannot be reached, name tags instead of patterns",
    ]);
    run(&open).exits(0);
    assert_eq!(lab.tags("mirror/app"), ["1.0", "1.1"]);
    assert_eq!(lab.tags("docker-hub/library/app"), ["1.0", "1.1"]);
}

#[test]
fn what_ecr_says_of_an_upstream_is_told_with_its_remedy() {
    let lab = lab();
    let images = "images: [app:1]\n";
    lab.offer("library/app", "0", b"zero");
    let missing = longshore(&lab, images, &["apply"]).exits(1);
    missing.says(&[
        "`docker.io/library/app:1` does not exist, as `",
        "--for puller",
    ]);
    let login = json!({"username": "acme", "accessToken": "old"});
    lab.aws()
        .change_secret("eu-west-1", "ecr-pullthroughcache/docker-hub", &login);
    lab.offer("library/app", "1", b"one");
    let refused = longshore(&lab, images, &["apply"]);
    refused.says(&["run `longshore cache apply`, which asks the upstream"]);
    assert_eq!(lab.digest("mirror/app", "1"), None::<Digest>);
}
