//! longshore is not alone: other runs, the user's own images and other people's artifacts.

use longshore::image::media_type;
use serde_json::json;

use crate::harness::{Events, Image, World, docker, images_of};

#[test]
fn runs_that_overlap_all_succeed() {
    let world = World::new("overlap");
    world.write("images: [{source: mongo, lines: [ENV A=1, ENV B=2]}]\n");
    world.offer("library/mongo", "latest", "mongo");
    let runs: Vec<_> = (0..4)
        .map(|_| world.longshore(&["apply"]).start())
        .collect();
    for run in runs {
        let output = run.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    assert_eq!(world.destination.tags("overlap/mongo"), ["latest"]);
}

#[test]
fn the_daemon_is_left_as_it_was() {
    let world = World::new("tidy");
    world.write(
        "images:\n\
         - {source: mongo, lines: [ENV A=1]}\n\
         - {source: redis, lines: [ENV A=1, RUN exit 3]}\n",
    );
    world.offer("library/mongo", "latest", "mongo");
    world.offer("library/redis", "latest", "redis");
    let own = format!("{}/tidy/mongo:latest", world.destination.host());
    docker(&["pull", &format!("{}/library/redis", world.upstream.host())]);
    docker(&[
        "tag",
        &format!("{}/library/redis", world.upstream.host()),
        &own,
    ]);
    let id = docker(&["inspect", "--format", "{{.Id}}", &own]);
    let before = images_of("tidy");

    world.longshore(&["apply"]).run().exits(1);
    assert_eq!(docker(&["inspect", "--format", "{{.Id}}", &own]), id);
    // The base that was not there before is gone, what was made is, and so are the images of the
    // steps before a failing one.
    assert_eq!(images_of("tidy"), before);
    docker(&["rmi", &own]);
}

#[test]
fn what_is_built_stays_in_the_daemon_on_request() {
    let world = World::new("kept");
    world.offer_index("library/mongo", "7");
    let name = format!("{}/kept/mongo", world.destination.host());
    for publish in ["longshore", "daemon"] {
        let lines = format!("[ENV A={publish}]");
        world.write(&format!(
            "images: [{{source: 'mongo:7', lines: {lines}, publish: {publish}}}]\n"
        ));
        let apply = world.longshore(&["apply", "--keep-local"]);
        apply.run().exits(0);
        let filter = format!("reference={name}");
        let format = "{{.Tag}}";
        let tags = docker(&["images", "--filter", &filter, "--format", format]);
        let mut tags: Vec<&str> = tags.lines().collect();
        tags.sort_unstable();
        assert_eq!(tags, ["7", &format!("7-linux-{}", Image::foreign())]);
        let format = "{{.Architecture}} {{index .Config.Env 1}}";
        let kept = docker(&["inspect", "--format", format, &format!("{name}:7")]);
        assert_eq!(kept, format!("{} A={publish}", Image::native()));
    }
    for image in images_of("kept") {
        // One may have gone with another.
        let _ = std::panic::catch_unwind(|| docker(&["rmi", "--force", &image]));
    }
}

#[test]
fn images_on_one_base_have_it_pulled_once() {
    let world = World::new("one-pull");
    world.write(
        "defaults: {builder_engine: classic, lines: [RUN mkdir /x]}\n\
         images: [mongo, {source: mongo, repository: a}, {source: mongo, repository: b}]\n",
    );
    world.offer("library/mongo", "latest", "mongo");
    let before = images_of("one-pull");
    let mut events = Events::of(&world.name);
    world.applies(&["done"; 3]);
    let actions = events.actions();
    let pulls = actions.iter().filter(|action| *action == "pull");
    assert_eq!(pulls.count(), 1, "{actions:?}");
    assert_eq!(images_of("one-pull"), before);
}

#[test]
fn a_chart_under_the_tag_is_replaced_like_any_image_not_ours() {
    let world = World::new("chart");
    world.write("images: [{source: mongo, lines: [ENV A=1]}]\n");
    world.offer("library/mongo", "latest", "mongo");
    let chart = Image::artifact(
        "application/vnd.cncf.helm.config.v1+json",
        b"{\"name\":\"mongo\"}",
    );
    world.destination.push("chart/mongo", "latest", &chart);
    world
        .aws
        .create_repository(world.region, "chart/mongo", "MUTABLE");

    let run = world
        .longshore(&["apply", "--output", "json"])
        .run()
        .exits(0);
    assert_eq!(
        run.each("reason"),
        ["the tag holds an image not built by longshore"]
    );
    let config = &world.destination.manifest("chart/mongo", "latest")["config"];
    assert_eq!(config["mediaType"], json!(media_type::OCI_CONFIGURATION));
}

#[test]
fn a_slow_image_holds_no_other_back() {
    let world = World::new("slow");
    world.write(
        "images:\n\
         - {source: mongo, lines: [RUN sleep 4]}\n\
         - {source: redis, lines: [ENV A=1]}\n\
         - memcached\n\
         - postgres\n",
    );
    for name in ["mongo", "redis", "memcached", "postgres"] {
        world.offer(&format!("library/{name}"), "latest", name);
    }
    let run = world.longshore(&["apply", "--jobs", "2"]).run().exits(0);
    let last = run.stderr.lines().last().unwrap();
    assert!(
        last.starts_with("slow/mongo:latest: done"),
        "{}",
        run.stderr
    );
}
