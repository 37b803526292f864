//! What a later try can help is tried once more at the end of the run.

use longshore::sandbox::{Fault, Server};

use crate::harness::StandIn;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_down_is_tried_again_at_the_end() {
    let world = StandIn::new("retries").await;
    world.write("images: [{source: mongo, lines: [ENV A=1]}, {source: redis, lines: [ENV A=1]}]\n");
    world.offer("library/mongo", "latest", &["amd64"]);
    world.offer("library/redis", "latest", &["amd64"]);
    // One more than the registry client tries by itself would be the end of the image.
    let down = Fault::status("mongo/manifests", 503)
        .at(Server::Upstream)
        .times(4);
    world.sandbox.inject(down);

    let run = world
        .longshore(&["apply", "--output", "json"])
        .run()
        .exits(0);
    assert_eq!(run.each("status"), ["done"; 2]);
    let told: Vec<&str> = run.stderr.lines().collect();
    assert!(
        told.contains(
            &"retries/mongo:latest: cannot resolve the source; it will be tried again at the end"
        ),
        "{told:?}"
    );
    assert!(
        told.last()
            .unwrap()
            .starts_with("retries/mongo:latest: done in ")
    );
}
