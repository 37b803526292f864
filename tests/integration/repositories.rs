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

    let run = world
        .longshore(&["apply", "--output", "json"])
        .run()
        .exits(0);
    assert_eq!(run.each("status"), ["skipped", "done"]);
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
    world
        .aws
        .create_repository(world.region, "immutable/mongo", "IMMUTABLE");
    world.offer("library/mongo", "latest", "1");
    world.write("images: [mongo]\n");
    world.longshore(&["apply"]).run().exits(0);
    let held = world.destination.digest("immutable/mongo", "latest");
    let rerun = world
        .longshore(&["apply", "--output", "json"])
        .run()
        .exits(0);
    assert_eq!(rerun.each("status"), ["in place"]);

    world.offer("library/mongo", "latest", "2");
    world.destination.requests();
    let run = world
        .longshore(&["apply", "--output", "json"])
        .run()
        .exits(1);
    assert_eq!(run.each("status"), ["failed"]);
    assert_eq!(run.json()["images"][0]["error"]["kind"], "conflict");

    world.write("repositories: {on_conflict: keep}\nimages: [mongo]\n");
    let run = world
        .longshore(&["apply", "--output", "json"])
        .run()
        .exits(0);
    assert_eq!(run.each("action"), ["keep"]);
    assert_eq!(run.each("status"), ["skipped"]);
    assert!(!world.destination.requests().iter().any(Request::is_write));
    assert_eq!(world.destination.digest("immutable/mongo", "latest"), held);
}
