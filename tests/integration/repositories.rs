//! Repositories that are missing, and tags that may not change.

use crate::harness::{Request, World};

#[test]
fn a_missing_repository_that_is_not_to_be_created_is_skipped() {
    let world = World::new("no-create");
    world.write("repositories: {create: false}\nimages: [mongo, redis]\n");
    world.offer("library/mongo", "latest", "mongo");
    world.offer("library/redis", "latest", "redis");
    world
        .aws
        .create_repository(world.region, "no-create/redis", "MUTABLE");

    let run = world.applies(&["skipped", "done"]);
    assert_eq!(run.each("reason")[0], "no repository");
    assert_eq!(world.destination.tags("no-create/mongo"), [""; 0]);
    assert_eq!(world.destination.tags("no-create/redis"), ["latest"]);
    assert_eq!(world.aws.repository(world.region, "no-create/mongo"), None);
}

#[test]
fn repositories_are_created_as_configured() {
    let world = World::new("created");
    world.write(
        "repositories: {tag_immutability: true, scan_on_push: false}\n\
         images: [mongo]\n",
    );
    world.offer("library/mongo", "latest", "mongo");
    let run = world
        .longshore(&["apply", "--output", "json"])
        .run()
        .exits(0);
    assert_eq!(run.json()["repositories_created"][0], "created/mongo");
    let repository = world.aws.repository(world.region, "created/mongo").unwrap();
    assert_eq!(repository["imageTagMutability"], "IMMUTABLE");
    assert_eq!(
        repository["imageScanningConfiguration"]["scanOnPush"],
        false
    );
}

#[test]
fn an_immutable_tag_is_never_overwritten() {
    let world = World::new("immutable");
    for (name, repository) in [
        ("library/mongo", "immutable/mongo"),
        ("library/redis", "immutable/redis"),
    ] {
        world
            .aws
            .create_repository(world.region, repository, "IMMUTABLE");
        world.offer(name, "latest", "1");
    }
    let images = "images: [mongo, {source: redis, lines: [ENV A=1]}]\n";
    world.write(images);
    let run = world
        .longshore(&["apply", "--output", "json"])
        .run()
        .exits(0);
    assert_eq!(run.each("action"), ["copy", "build"]);
    let held = || {
        ["immutable/mongo", "immutable/redis"]
            .map(|repository| world.destination.digest(repository, "latest").unwrap())
    };
    let first = held();
    world.applies(&["in place"; 2]);

    world.offer("library/mongo", "latest", "2");
    world.offer("library/redis", "latest", "2");
    world.destination.requests();
    let run = world.applies(&["failed"; 2]);
    for image in run.json()["images"].as_array().unwrap() {
        assert_eq!(image["error"]["kind"], "conflict");
    }

    world.write(&format!("repositories: {{on_conflict: keep}}\n{images}"));
    let run = world
        .longshore(&["apply", "--output", "json"])
        .run()
        .exits(0);
    assert_eq!(run.each("action"), ["keep"; 2]);
    assert_eq!(run.each("status"), ["skipped"; 2]);
    assert!(!world.destination.requests().iter().any(Request::is_write));
    assert_eq!(held(), first);
}
