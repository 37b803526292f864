//! A Docker daemon that fails in the middle of its work.

use crate::harness::{Events, Relay, Run, World, images_of};

fn world(name: &str, lines: &str) -> World {
    let world = World::new(name);
    world.offer("library/mongo", "latest", "mongo");
    world.write(&format!("images: [{{source: mongo, lines: [{lines}]}}]\n"));
    world
}

fn apply(world: &World, relay: &Relay) -> Run {
    let apply = world.longshore(&["apply", "--output", "json"]);
    apply.env("DOCKER_HOST", relay.host()).run()
}

#[test]
fn a_daemon_that_dies_in_a_build_is_asked_once_more() {
    let world = world("dies", "ENV A=1, RUN sleep 1");
    let relay = Relay::new();
    relay.break_at("Running in", 1);
    let before = images_of("dies");
    let run = apply(&world, &relay).exits(0);
    assert_eq!(run.each("status"), ["done"]);
    run.says(&["it will be tried again at the end"]);
    assert_eq!(images_of("dies"), before);
}

#[test]
fn a_daemon_that_dies_again_is_told() {
    let world = world("dies-again", "ENV A=1, RUN sleep 1");
    let relay = Relay::new();
    relay.break_at("Running in", 2);
    let run = apply(&world, &relay).exits(1);
    assert_eq!(run.json()["images"][0]["error"]["kind"], "transient");
    run.says(&[
        "cannot build for linux/",
        "lost the Docker daemon while trying to build the image",
        "hint: the daemon may have restarted",
    ]);
    assert_eq!(world.destination.tags("dies-again/mongo"), [""; 0]);
}

#[test]
fn a_full_disk_of_the_daemon_is_told() {
    const PULL: &str = "{\"errorDetail\":{\"message\":\"failed to register layer: Error processing \
         tar file(exit status 1): write /bin/sh: no space left on device\"}}\n";
    const BUILD: &str = "{\"stream\":\"Step 1/2 : FROM base\\n\"}\n{\"errorDetail\":{\"message\":\
         \"failed to create temp dir: mkdir /var/lib/docker/tmp/x: no space left on device\"}}\n";
    const EXPORT: &str = "{\"message\":\"write /var/lib/docker/tmp/docker-export-1/layer.tar: no \
         space left on device\"}";
    for (name, path, status, answer) in [
        ("full-pull", "/images/create?", 200, PULL),
        ("full-build", "/build?", 200, BUILD),
        ("full-export", "/get", 500, EXPORT),
    ] {
        let world = world(name, "RUN mkdir /x");
        let relay = Relay::new();
        relay.answer(path, status, answer);
        let before = images_of(name);
        let run = apply(&world, &relay).exits(1);
        assert_eq!(run.json()["images"][0]["error"]["kind"], "permanent");
        run.says(&[
            "no space left on device",
            "hint: free space where the daemon runs: `docker system prune`",
        ]);
        let tags = world.destination.tags(&format!("{name}/mongo"));
        assert_eq!(tags, [""; 0]);
        assert_eq!(images_of(name), before, "{name}");
    }
}

#[test]
fn builds_share_the_slots_of_the_daemon() {
    let world = World::new("slots");
    // What is called foreign here runs all the same.
    let relay = Relay::emulating(true);
    world.offer_index("library/mongo", "latest");
    let mut events = Events::of(&world.name);
    for (jobs, expected) in [
        ("2", ["start", "start", "die", "die"]),
        ("1", ["start", "die", "start", "die"]),
    ] {
        world.write(&format!(
            "images:\n- source: mongo\n  platforms: [linux/amd64, linux/arm64]\n  \
             lines: [ENV A={jobs}, RUN sleep 2]\n"
        ));
        let apply = world
            .longshore(&["apply"])
            .env("LONGSHORE_BUILD_JOBS", jobs);
        apply.env("DOCKER_HOST", relay.host()).run().exits(0);
        let mut actions = events.actions();
        actions.retain(|action| ["start", "die"].contains(&action.as_str()));
        assert_eq!(actions, expected, "{jobs}");
    }
}
