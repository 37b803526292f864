//! Runs that fail, as a whole or in part, and their exit codes.

use crate::harness::{Events, Moto, Registry, World};

#[test]
fn one_failure_does_not_stop_the_rest() {
    let world = World::new("one-of-three");
    world.write("images: [mongo, 'redis:7.missing', memcached]\n");
    world.offer("library/mongo", "latest", "mongo");
    world.offer("library/redis", "7", "redis");
    world.offer("library/memcached", "latest", "memcached");
    let run = world
        .longshore(&["apply", "--output", "json"])
        .run()
        .exits(1);
    assert_eq!(run.each("status"), ["done", "failed", "done"]);
    let error = &run.json()["images"][1]["error"];
    assert_eq!(error["kind"], "permanent");
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("redis:7.missing"),
        "{error}"
    );
    run.says(&["redis:7.missing"]);
    assert_eq!(world.destination.tags("one-of-three/memcached"), ["latest"]);
}

#[test]
fn a_failing_line_shows_its_output_and_is_not_tried_again() {
    let world = World::new("failing-line");
    world.write("images:\n- source: mongo\n  lines: [RUN echo out; echo it broke >&2; exit 7]\n");
    world.offer("library/mongo", "latest", "mongo");
    let mut events = Events::of(&world.name);
    let run = world
        .longshore(&["apply", "--output", "json"])
        .run()
        .exits(1);
    assert_eq!(run.each("status"), ["failed"]);
    assert_eq!(run.json()["images"][0]["error"]["kind"], "permanent");
    run.says(&["it broke", "returned a non-zero code: 7"]);
    let actions = events.actions();
    assert_eq!(
        actions.iter().filter(|action| *action == "die").count(),
        1,
        "{actions:?}"
    );
    assert_eq!(world.destination.tags("failing-line/mongo"), [""; 0]);
}

#[test]
fn a_wrong_aws_key_exits_3() {
    let world = World::new("wrong-key");
    world.write("images: [mongo]\n");
    world.offer("library/mongo", "latest", "mongo");
    let moto = Moto::refusing();
    let run = world
        .longshore(&["apply"])
        .env("AWS_ENDPOINT_URL", moto.url())
        .run();
    run.exits(3).says(&["error", "AWS"]);
    assert_eq!(world.destination.tags("wrong-key/mongo"), [""; 0]);
}

#[test]
fn wrong_upstream_credentials_everywhere_exit_3() {
    let world = World::with_upstream("wrong-login", Registry::private("acme", "right"));
    world.write_whole(&format!(
        "version: 1\n\
         destination: {{namespace: wrong-login, registry: 'http://{}'}}\n\
         upstreams: {{docker.io: {{endpoint: 'http://{}', username: acme, password: {{env: HUB}}}}}}\n\
         images: [mongo]\n",
        world.destination.host(),
        world.upstream.host()
    ));
    world.offer("library/mongo", "latest", "mongo");
    let run = world.longshore(&["apply"]).env("HUB", "wrong").run();
    run.exits(3).says(&["mongo"]);
}

#[test]
fn without_docker_the_exit_code_is_4() {
    let world = World::new("no-docker");
    world.write("images: [mongo]\n");
    world.offer("library/mongo", "latest", "mongo");
    let run = world
        .longshore(&["apply"])
        .env("DOCKER_HOST", "unix:///nowhere/docker.sock")
        .run();
    run.exits(4)
        .says(&["Docker", "/nowhere/docker.sock", "hint"]);
}

#[test]
fn without_aws_the_exit_code_is_4() {
    let world = World::new("no-aws");
    world.write("images: [mongo]\n");
    world.offer("library/mongo", "latest", "mongo");
    // Nothing listens on the discard port.
    let run = world
        .longshore(&["apply"])
        .env("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        .run();
    run.exits(4).says(&["AWS"]);
}
