//! Several platforms under one tag.

use serde_json::json;

use crate::harness::{Aws, World};

#[test]
fn two_platforms_become_one_index() {
    let world = World::new("platforms");
    world.write(
        "images:\n\
         - source: mongo\n  \
           platforms: [linux/amd64, linux/arm64]\n  \
           lines: [ENV A=1, 'VOLUME [\"/data\"]']\n",
    );
    let index = world.offer_index("library/mongo", "latest");
    world.longshore(&["apply"]).run().exits(0);

    let pushed = world.destination.manifest("platforms/mongo", "latest");
    let children = pushed["manifests"].as_array().expect("an index");
    assert_eq!(children.len(), 2);
    for (child, upstream) in children.iter().zip(&index.images) {
        let digest = child["digest"].as_str().unwrap();
        let config = world.destination.config("platforms/mongo", digest);
        assert_eq!(child["platform"]["architecture"], config["architecture"]);
        assert_eq!(config["config"]["Volumes"], json!({"/data": {}}));
        assert!(
            config["config"]["Env"]
                .as_array()
                .unwrap()
                .contains(&"A=1".into())
        );
        let labels = &config["config"]["Labels"];
        assert_eq!(
            labels["org.opencontainers.image.base.digest"],
            index.digest()
        );
        assert_eq!(labels["longshore.base.platform.digest"], upstream.digest());
    }

    world.applies(&["in place"]);
}

#[test]
fn nothing_but_the_tag_stays_in_ecr() {
    let world = World::new("temporary-tags");
    let sandbox = Aws::sandbox();
    world.write_whole(&format!(
        "version: 1\n\
         destination: {{namespace: temporary-tags}}\n\
         upstreams: {{docker.io: {{endpoint: 'http://{}'}}}}\n\
         defaults: {{platforms: [linux/amd64, linux/arm64], lines: [ENV A=1]}}\n\
         images: [mongo, {{source: mongo, repository: by/daemon, publish: daemon}}]\n",
        world.upstream.host()
    ));
    world.offer_index("library/mongo", "latest");
    for status in ["done", "in place"] {
        let call = world.longshore(&["apply", "--output", "json"]);
        let run = call.env("AWS_ENDPOINT_URL", sandbox.url()).run().exits(0);
        assert_eq!(run.each("status"), [status; 2]);
        assert!(!run.stderr.contains("warning"), "{}", run.stderr);
        for repository in ["mongo", "by/daemon"] {
            let repository = format!("temporary-tags/{repository}");
            assert_eq!(sandbox.tags(world.region, &repository), ["latest"]);
        }
    }
}

#[test]
fn one_platform_is_a_single_image() {
    let world = World::new("one-platform");
    world.write("images: [{source: mongo, platforms: [linux/arm64], lines: [ENV A=1]}]\n");
    world.offer_index("library/mongo", "latest");
    world.longshore(&["apply"]).run().exits(0);
    let config = world.destination.config("one-platform/mongo", "latest");
    assert_eq!(config["architecture"], "arm64");
}
