//! Runs that fail, as a whole or in part, and their exit codes.

use crate::harness::{
    Aws, Events, Image, LABEL, Registry, Relay, Run, World, docker, images_of, signal, wait_until,
};

#[test]
fn one_failure_does_not_stop_the_rest() {
    let world = World::new("one-of-three");
    world.write("images: [mongo, 'redis:7.missing', memcached]\n");
    world.offer("library/mongo", "latest", "mongo");
    world.offer("library/redis", "7", "redis");
    world.offer("library/memcached", "latest", "memcached");
    let run = world.applies(&["done", "failed", "done"]);
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
    world.write(
        "images:\n- source: mongo\n  builder_engine: classic\n  \
         lines: [RUN echo out; echo it broke >&2; exit 7]\n",
    );
    world.offer("library/mongo", "latest", "mongo");
    let mut events = Events::of(&world.name);
    let run = world.applies(&["failed"]);
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
    let aws = Aws::refusing();
    let call = world
        .longshore(&["apply", "--output", "json"])
        .env("AWS_ENDPOINT_URL", aws.url());
    let run = call.run().exits(3).says(&["error", "AWS", "hint"]);
    assert_eq!(run.json()["error"]["kind"], "refused");
    assert_eq!(world.destination.tags("wrong-key/mongo"), [""; 0]);
}

#[test]
fn wrong_upstream_credentials_everywhere_exit_3() {
    let world = World::with_upstream("wrong-login", Registry::private("acme", "right"));
    let login = "username: acme, password: {env: HUB}";
    world.write_with_login(login, "images: [mongo]\n");
    world.offer("library/mongo", "latest", "mongo");
    let call = world
        .longshore(&["apply", "--output", "json"])
        .env("HUB", "wrong");
    let run = call.run().exits(3).says(&["mongo"]);
    assert_eq!(run.json()["images"][0]["error"]["kind"], "refused");
}

#[test]
fn without_docker_the_exit_code_is_4_and_nothing_changes() {
    let world = World::new("no-docker");
    world.write(
        "defaults: {lines: [ENV A=1]}\n\
         images: [mongo, redis]\n",
    );
    world.offer("library/mongo", "latest", "mongo");
    world.offer("library/redis", "latest", "redis");
    let run = without_docker(&world).exits(4);
    assert_eq!(run.stderr, NO_DOCKER);
    assert_eq!(run.each("status"), ["failed"; 2]);
    assert_eq!(run.json()["images"][1]["error"]["kind"], "unreachable");
    assert!(
        world
            .aws
            .repository(world.region, "no-docker/mongo")
            .is_none()
    );
}

#[test]
fn what_is_copied_needs_no_docker() {
    let world = World::new("no-docker-needed");
    world.write("images: [mongo]\n");
    let mongo = world.offer("library/mongo", "latest", "mongo");
    world.offer("library/redis", "latest", "redis");
    let run = without_docker(&world).exits(0);
    assert_eq!(run.each("status"), ["done"]);
    assert!(!run.stderr.contains("Docker"), "{}", run.stderr);
    let held = world.destination.digest("no-docker-needed/mongo", "latest");
    assert_eq!(held, Some(mongo));

    world.write("images: [{source: redis, lines: [ENV A=1]}, 'mongo:new']\n");
    let mongo = world.offer("library/mongo", "new", "new");
    let run = without_docker(&world).exits(1).says(&[NO_DOCKER]);
    assert_eq!(run.each("status"), ["failed", "done"]);
    let held = world.destination.digest("no-docker-needed/mongo", "new");
    assert_eq!(held, Some(mongo));
}

const NO_DOCKER: &str = "error: cannot reach the Docker daemon at `unix:///nowhere/docker.sock`: \
     there is no such socket\n  \
     hint: start Docker, or name the daemon in DOCKER_HOST or with `docker context use`; \
     CodeBuild needs privileged mode\n";

fn without_docker(world: &World) -> Run {
    let call = world.longshore(&["apply", "--output", "json"]);
    call.env("DOCKER_HOST", "unix:///nowhere/docker.sock").run()
}

#[test]
fn without_aws_the_exit_code_is_4() {
    let world = World::new("no-aws");
    world.write("images: [mongo]\n");
    world.offer("library/mongo", "latest", "mongo");
    // Nothing listens on the discard port.
    let call = world
        .longshore(&["apply", "--output", "json"])
        .env("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
    let run = call.run().exits(4).says(&["AWS", "hint"]);
    assert_eq!(run.json()["error"]["kind"], "unreachable");
}

#[test]
fn an_interrupted_run_leaves_no_half_and_the_next_one_finishes() {
    let world = World::new("interrupted");
    let file = |seconds: u32| {
        format!(
            "images: [mongo, {{source: redis, builder_engine: classic, \
             lines: [ENV A=1, RUN sleep {seconds}]}}]\n"
        )
    };
    world.write(&file(60));
    world.offer("library/mongo", "latest", "mongo");
    world.offer("library/redis", "latest", "redis");
    let held = Image::new(&world.name, "held");
    world.destination.push("interrupted/redis", "latest", &held);
    let before = images_of("interrupted");
    let mut events = Events::of(&world.name);
    let child = world.longshore(&["apply"]).start();
    events.wait_for("start");
    wait_until(|| !world.destination.tags("interrupted/mongo").is_empty());
    signal(&child, "INT");
    Run::new(&child.wait_with_output().unwrap())
        .exits(130)
        .says(&["interrupted"]);
    // The daemon ends what nobody waits for.
    events.wait_for("die");
    let redis = world.destination.digest("interrupted/redis", "latest");
    assert_eq!(redis, Some(held.digest()));
    assert_eq!(images_of("interrupted"), before);

    world.write(&file(0));
    world.applies(&["in place", "done"]);
}

#[test]
fn an_interruption_takes_the_name_of_what_is_handed_over_along() {
    let world = World::new("interrupted-handover");
    world.write("images: [{source: mongo, lines: [RUN mkdir /x]}]\n");
    world.offer("library/mongo", "latest", "mongo");
    let relay = Relay::new();
    relay.hold("/push?");
    let before = images_of(&world.name);
    let ours = format!("label={LABEL}={}", world.name);
    let names = || {
        let format = "{{.Repository}}";
        let names = docker(&["images", "--filter", &ours, "--format", format]);
        names.matches("/longshore/scratch").count()
    };
    let host = relay.host_in(world.folder());
    let child = world
        .longshore(&["apply"])
        .env("DOCKER_HOST", &host)
        .start();
    relay.wait_for_held();
    assert_eq!(names(), 1);
    signal(&child, "INT");
    let run = Run::new(&child.wait_with_output().unwrap());
    run.exits(130).says(&["interrupted"]);
    assert_eq!(names(), 0);
    assert_eq!(images_of(&world.name), before);
    let tags = world.destination.tags("interrupted-handover/mongo");
    assert_eq!(tags, [""; 0]);
}
