//! The Docker Hub cloner's own example, twice.

use std::fs;

use serde_json::{Value, json};

use crate::harness::{Events, Request, World, files};

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/dockerhub-clone.yaml");

#[test]
fn the_second_run_costs_one_question_per_image() {
    let world = World::new("ecsclone");
    world.write_whole(&example(&world));
    let mongo = world.offer("library/mongo", "latest", "mongo");
    let redis = world.offer("library/redis", "latest", "redis");
    let base = world.offer("hashicorp/vault", "1.14", "vault 1.14");
    let vault = world.offer("hashicorp/vault", "1.13.3", "vault 1.13.3");
    let mut events = Events::of(&world.name);

    let run = world.applies(&["done"; 4]);
    assert_eq!(run.each("action"), ["copy", "copy", "build", "copy"]);
    let summary = &run.json()["summary"];
    let counts = ["done", "in_place", "skipped", "failed"].map(|key| summary[key].clone());
    assert_eq!(counts, [4, 0, 0, 0].map(Value::from));
    // A configuration each, the layer that all four share, and the two that the lines add.
    assert_eq!(summary["blobs"]["copied"], 7);
    assert_eq!(
        run.json()["repositories_created"].as_array().unwrap().len(),
        3
    );
    for (repository, tags) in [
        ("ecsclone/mongo", &["latest"][..]),
        ("ecsclone/redis", &["latest"]),
        ("ecsclone/hashicorp/vault", &["1.13.3", "1.14"]),
    ] {
        assert_eq!(world.destination.tags(repository), tags);
        assert!(world.aws.repository(world.region, repository).is_some());
    }
    let volumes =
        |repository, tag| world.destination.config(repository, tag)["config"]["Volumes"].clone();
    assert_eq!(
        volumes("ecsclone/hashicorp/vault", "1.14"),
        json!({"/etc/vault": {}})
    );
    assert_eq!(volumes("ecsclone/hashicorp/vault", "1.13.3"), Value::Null);
    assert_eq!(volumes("ecsclone/mongo", "latest"), Value::Null);
    let labels = &world.destination.config("ecsclone/hashicorp/vault", "1.14")["config"]["Labels"];
    assert_eq!(
        labels["org.opencontainers.image.base.name"],
        "docker.io/hashicorp/vault:1.14"
    );
    assert_eq!(
        labels["org.opencontainers.image.base.digest"],
        base.as_str()
    );
    assert_eq!(labels["longshore.base.platform.digest"], base.as_str());
    assert!(labels["longshore.recipe"].is_string());
    for (repository, tag, source) in [
        ("ecsclone/mongo", "latest", mongo),
        ("ecsclone/redis", "latest", redis),
        ("ecsclone/hashicorp/vault", "1.13.3", vault),
    ] {
        assert_eq!(world.destination.digest(repository, tag), Some(source));
    }

    // What is counted below was there the first time.
    assert!(world.upstream.requests().iter().any(Request::transfers));
    assert!(world.destination.requests().iter().any(Request::is_write));
    let actions = events.actions();
    for action in ["pull", "push"] {
        let count = actions.iter().filter(|seen| *seen == action).count();
        assert_eq!(
            count, 1,
            "{action} of the one image with lines: {actions:?}"
        );
    }
    assert!(actions.iter().any(|seen| seen == "create"), "{actions:?}");

    world.applies(&["in place"; 4]);
    let mut asked: Vec<_> = world.upstream.requests();
    asked.retain(|request| request.path != "/v2/");
    asked.sort_by(|one, other| one.path.cmp(&other.path));
    let head = |path: &str| Request {
        method: "HEAD".to_owned(),
        path: path.to_owned(),
        status: 200,
    };
    assert_eq!(
        asked,
        [
            head("/v2/hashicorp/vault/manifests/1.13.3"),
            head("/v2/hashicorp/vault/manifests/1.14"),
            head("/v2/library/mongo/manifests/latest"),
            head("/v2/library/redis/manifests/latest"),
        ]
    );
    let written: Vec<_> = world
        .destination
        .requests()
        .into_iter()
        .filter(Request::is_write)
        .collect();
    assert_eq!(written, []);
    assert_eq!(events.actions(), [""; 0]);

    world
        .longshore(&["plan", "--detailed-exitcode"])
        .run()
        .exits(0);
}

#[test]
fn the_lines_are_rendered_as_they_are_configured() {
    let world = World::new("render");
    world.write_whole(&example(&world));
    let digest = world.offer("hashicorp/vault", "1.14", "1.14");
    world
        .longshore(&["render", "--directory", "files"])
        .run()
        .exits(0);
    let files = files(&world.folder().join("files"));
    let [vault] = files.as_slice() else {
        panic!("not the one image with lines: {files:?}")
    };
    let host = world.upstream.host();
    assert_eq!(
        fs::read_to_string(vault).unwrap(),
        format!(
            "FROM {host}/hashicorp/vault:1.14@{digest}\n\
             RUN mkdir /etc/vault\n\
             RUN chmod 777 /etc/vault\n\
             VOLUME [\"/etc/vault\"]\n"
        )
    );
    assert!(!world.destination.requests().iter().any(Request::is_write));
}

/// The example as users have it, with this world's registries.
fn example(world: &World) -> String {
    let example = fs::read_to_string(EXAMPLE).unwrap();
    let namespace = "  namespace: ecsclone\n";
    assert!(example.contains(namespace));
    let registry = format!(
        "{namespace}  registry: http://{}\n",
        world.destination.host()
    );
    let upstream = format!(
        "upstreams: {{docker.io: {{endpoint: 'http://{}'}}}}\n",
        world.upstream.host()
    );
    example.replace(namespace, &registry) + &upstream
}
