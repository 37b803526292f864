//! `cache warm`: images that ECR fetches ahead, in the sandbox.

use longshore::sandbox::{Fault, Server};

use crate::harness::{Lab, Run};

const FILE: &str = "version: 1\n\
                    pull_through_cache: {quay: {registry: quay.io}}\n";

fn lab() -> Lab {
    let lab = Lab::new();
    lab.write_whole(FILE);
    lab.longshore(&["cache", "apply"]).run().exits(0);
    lab.requests();
    lab
}

fn warm(lab: &Lab, arguments: &[&str]) -> Run {
    let all: Vec<&str> = ["cache", "warm"].iter().chain(arguments).copied().collect();
    lab.longshore(&all).run()
}

const PLATFORMS: [&str; 2] = ["linux/amd64", "linux/arm64"];

#[test]
fn images_are_cached_before_anybody_pulls_them() {
    let lab = lab();
    let index = lab.offer_for("org/app", "1", &PLATFORMS);
    let single = lab.offer("org/tool", "latest", b"tool");
    let pinned = format!("quay.io/org/tool@{single}");
    let run = warm(&lab, &["quay.io/org/app:1", "quay.io/org/tool", &pinned]).exits(0);
    let registry = lab.registry();
    assert_eq!(
        run.stdout,
        format!(
            "{registry}/quay/org/app:1@{index}\n{registry}/quay/org/tool:latest@{single}\n\
             {registry}/quay/org/tool@{single}\n"
        )
    );
    assert_eq!(lab.digest("quay/org/app", "1"), Some(index));

    // What is no index has a platform, too, which only its configuration tells.
    let tool = |platform: &str| warm(&lab, &["quay.io/org/tool", "--platform", platform]);
    tool("linux/amd64").exits(0);
    tool("linux/arm64")
        .exits(1)
        .says(&["/quay/org/tool:latest` has no linux/arm64; it has linux/amd64"]);

    // All is there: the upstream is asked for nothing more.
    lab.inject(Fault::status("", 503).at(Server::Upstream).times(1000));
    lab.requests();
    let arguments = [
        "quay.io/org/app:1",
        "--platform",
        "linux/arm64",
        "--output",
        "json",
    ];
    let run = warm(&lab, &arguments).exits(0);
    let text = lab.without_ports(&run.stdout);
    insta::assert_snapshot!(text);
    assert_eq!(lab.requests(), ["api BatchGetImage 200"; 2]);
}

#[test]
fn what_could_not_be_fetched_is_told_by_its_code() {
    let lab = lab();
    lab.offer_for("org/app", "1", &PLATFORMS);
    let mut told = Vec::new();
    for status in [403, 429, 503] {
        lab.inject(Fault::status("/manifests/", status).at(Server::Upstream));
        let run = warm(&lab, &["quay.io/org/app:1"]);
        told.push(run.stderr);
    }
    told.push(warm(&lab, &["quay.io/org/app:2"]).exits(1).stderr);
    let platform = [
        "quay.io/org/app:1",
        "quay.io/org/app:2",
        "--platform",
        "linux/s390x",
    ];
    told.push(warm(&lab, &platform).exits(1).stderr);
    told.push(warm(&lab, &["alpine"]).exits(2).stderr);
    insta::assert_snapshot!(lab.without_ports(&told.concat()));

    lab.inject(Fault::status("/manifests/", 503).at(Server::Upstream));
    let run = warm(&lab, &["quay.io/org/none:1", "--output", "json"]).exits(4);
    assert_eq!(run.each("code"), ["UpstreamUnavailable"]);
}
