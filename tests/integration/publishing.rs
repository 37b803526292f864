//! How built images get into the registry.

use serde_json::{Value, json};

use crate::harness::{Events, Image, Relay, World, wait_for_next_second};

/// The layers of an upstream image, and of what was made of it.
fn layers(manifest: &Value) -> Vec<String> {
    let layers = manifest["layers"].as_array().expect("a manifest").iter();
    layers
        .map(|layer| layer["digest"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn base_layers_keep_their_digests_and_only_the_new_ones_are_sent() {
    let world = World::new("base-layers");
    let index = world.offer_index("hashicorp/vault", "1.14");
    world.write(
        "images:\n\
         - source: hashicorp/vault:1.14\n  \
           platforms: [linux/amd64, linux/arm64]\n  \
           lines: ['ENV A=1', 'VOLUME [\"/etc/vault\"]']\n\
         - source: hashicorp/vault:1.14\n  \
           repository: made/vault\n  \
           lines: ['RUN mkdir /etc/vault && echo x > /etc/vault/y', 'VOLUME [\"/etc/vault\"]']\n",
    );
    world.longshore(&["apply"]).run().exits(0);

    let pushed = world
        .destination
        .manifest("base-layers/hashicorp/vault", "1.14");
    let children = pushed["manifests"].as_array().expect("an index");
    for (child, upstream) in children.iter().zip(&index.images) {
        let digest = child["digest"].as_str().unwrap();
        let child = world
            .destination
            .manifest("base-layers/hashicorp/vault", digest);
        let upstream = world
            .upstream
            .manifest("hashicorp/vault", &upstream.digest());
        assert_eq!(layers(&child), layers(&upstream));
    }
    let tags = world.destination.tags("base-layers/hashicorp/vault");
    assert_eq!(tags, ["1.14"]);

    let made = world.destination.manifest("base-layers/made/vault", "1.14");
    let native = Image::of(&world.name, "1", Image::native()).digest();
    let upstream = world.upstream.manifest("hashicorp/vault", &native);
    let (base, new) = (layers(&upstream), layers(&made));
    assert_eq!(new[..base.len()], base);
    assert_eq!(new.len(), base.len() + 1);
    for layer in made["layers"].as_array().unwrap() {
        let gzip = "application/vnd.oci.image.layer.v1.tar+gzip";
        assert_eq!(layer["mediaType"], gzip);
    }
    assert_eq!(
        made["annotations"]["org.opencontainers.image.base.digest"],
        index.digest()
    );

    let pulled = world.pull("base-layers/made/vault:1.14");
    assert_eq!(pulled.run("cat /etc/vault/y"), "x");
    let volumes = pulled.inspect("{{json .Config.Volumes}}");
    assert_eq!(volumes, r#"{"/etc/vault":{}}"#);
}

#[test]
fn both_ways_out_of_the_daemon_end_in_the_same_image() {
    let world = World::new("ways-out");
    world.offer("library/mongo", "latest", "1");
    let relay = Relay::new();
    let mut events = Events::of(&world.name);
    let near = relay.host_in(world.folder());
    let mut digests = Vec::new();
    for (repository, host, ways) in [
        ("handed-over", &*near, ["push"]),
        ("saved", relay.host(), ["save"]),
    ] {
        // The last two layers are equal.
        world.write(&format!(
            "images: [{{source: mongo, repository: {repository}, builder_engine: buildkit, \
             lines: ['RUN echo 1 > /made', RUN true, RUN true]}}]\n"
        ));
        let apply = world.longshore(&["apply"]);
        apply.env("DOCKER_HOST", host).run().exits(0);
        let mut actions = events.actions();
        actions.retain(|action| ["push", "save"].contains(&action.as_str()));
        assert_eq!(actions, ways, "{repository}");
        let name = format!("ways-out/{repository}");
        let made = world.destination.manifest(&name, "latest");
        digests.push((layers(&made), world.destination.digest(&name, "latest")));
    }
    let base = world.upstream.manifest("library/mongo", "latest");
    assert_eq!(digests[0].0.len(), layers(&base).len() + 3);
    assert_eq!(digests[0], digests[1]);
}

#[test]
fn the_same_recipe_on_the_same_base_gives_the_same_digest() {
    let world = World::new("again");
    world.offer("library/mongo", "latest", "1");
    let lines = "[ENV A=1, 'RUN mkdir -p /data/x && echo 1 > /data/x/y', WORKDIR /srv, USER 7]";
    let mut digests = Vec::new();
    for (repository, compression) in [("one", "gzip"), ("other", "gzip"), ("third", "zstd")] {
        world.write(&format!(
            "images: [{{source: mongo, repository: {repository}, lines: {lines}, \
             compression: {compression}}}]\n"
        ));
        world.longshore(&["apply"]).run().exits(0);
        digests.push(
            world
                .destination
                .digest(&format!("again/{repository}"), "latest"),
        );
        wait_for_next_second();
    }
    assert!(digests[0].is_some());
    assert_eq!(digests[0], digests[1]);
    let third = world.destination.manifest("again/third", "latest");
    let zstd = "application/vnd.oci.image.layer.v1.tar+zstd";
    assert_eq!(third["layers"][1]["mediaType"], zstd);
}

#[test]
fn a_wanted_time_is_that_of_the_image_and_the_latest_of_its_files() {
    let world = World::new("epoch");
    world.offer("library/mongo", "latest", "1");
    let mut digests = Vec::new();
    for repository in ["one", "other"] {
        world.write(&format!(
            "images: [{{source: mongo, repository: {repository}, lines: [ENV A=1, 'RUN echo 1 > /made']}}]\n"
        ));
        let apply = world.longshore(&["apply"]);
        apply.env("SOURCE_DATE_EPOCH", "1735689600").run().exits(0);
        let name = format!("epoch/{repository}");
        digests.push(world.destination.digest(&name, "latest"));
        wait_for_next_second();
    }
    assert!(digests[0].is_some());
    assert_eq!(digests[0], digests[1]);
    let config = world.destination.config("epoch/one", "latest");
    assert_eq!(config["created"], "2025-01-01T00:00:00Z");
    for entry in &config["history"].as_array().unwrap()[1..] {
        assert_eq!(entry["created"], "2025-01-01T00:00:00Z");
    }
    let made = world.pull("epoch/one").run("stat -c %Y /made");
    assert_eq!(made, "1735689600");
}

#[test]
fn where_the_daemon_pushes_the_base_s_layers_are_there_before() {
    let world = World::new("by-daemon");
    world.offer("library/mongo", "latest", "1");
    let base = world.upstream.manifest("library/mongo", "latest");
    world.write("images: [{source: mongo, publish: daemon, lines: [RUN mkdir /x]}]\n");
    world.longshore(&["apply"]).run().exits(0);
    // Whether the daemon takes these layers depends on what it pushed before to other registries.
    let requests = world.destination.requests();
    let seeded = |layer: &str| {
        let end = format!("digest={}", layer.replace(':', "%3A"));
        requests
            .iter()
            .position(|it| it.method == "PUT" && it.path.ends_with(&end))
    };
    let pushed_at = requests
        .iter()
        .position(|it| it.path.contains("/manifests/"));
    for layer in layers(&base) {
        assert!(
            seeded(&layer).is_some() && seeded(&layer) < pushed_at,
            "{requests:?}"
        );
    }
    let pushed = world.destination.manifest("by-daemon/mongo", "latest");
    assert_eq!(
        pushed["config"]["mediaType"],
        json!("application/vnd.docker.container.image.v1+json")
    );
    world.applies(&["in place"]);
}
