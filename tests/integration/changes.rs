//! What makes an image be built again.

use crate::harness::World;

#[test]
fn a_moved_upstream_tag_is_built_again() {
    let world = World::new("moved");
    world.write("images: [{source: redis:7, lines: [ENV A=1]}, mongo]\n");
    world.offer("library/mongo", "latest", "mongo");
    let old = world.offer("library/redis", "7", "7.0");
    world.longshore(&["apply"]).run().exits(0);
    let base = || {
        let config = world.destination.config("moved/redis", "7");
        config["config"]["Labels"]["org.opencontainers.image.base.digest"].clone()
    };
    assert_eq!(base(), old.as_str());

    let new = world.offer("library/redis", "7", "7.2");
    let plan = world
        .longshore(&["plan", "--detailed-exitcode", "--output", "json"])
        .run()
        .exits(5);
    assert_eq!(plan.each("action"), ["build", "in place"]);
    assert!(plan.each("reason")[0].contains("moved"), "{plan:?}");
    world.applies(&["done", "in place"]);
    assert_eq!(base(), new.as_str());
    let config = world.destination.config("moved/redis", "7");
    assert_eq!(config["config"]["Labels"]["version"], "7.2");
}

#[test]
fn changed_lines_are_built_again() {
    let world = World::new("lines");
    world.offer("library/redis", "7", "7.0");
    world.write("images: [{source: redis:7, lines: [ENV A=1]}]\n");
    world.longshore(&["apply"]).run().exits(0);

    world.write("images: [{source: redis:7, lines: [ENV A=2]}]\n");
    world.applies(&["done"]);
    let config = world.destination.config("lines/redis", "7");
    let env = config["config"]["Env"].as_array().unwrap().clone();
    assert!(env.contains(&"A=2".into()), "{env:?}");
}
