//! What a later try can help is tried once more at the end of the run.

use longshore::sandbox::{Fault, Server};

use crate::harness::{Lab, Longshore};

#[test]
fn what_was_down_is_tried_again_at_the_end() {
    let lab = Lab::new();
    lab.write("images: [{source: mongo, lines: [ENV A=1]}, {source: redis, lines: [ENV A=1]}]\n");
    lab.offer_base("library/mongo", "latest");
    lab.offer_base("library/redis", "latest");
    // One more than the registry client tries by itself would be the end of the image.
    let down = Fault::status("mongo/manifests", 503)
        .at(Server::Upstream)
        .times(4);
    lab.inject(down);

    let run = lab
        .longshore_with_docker(&Longshore::APPLY)
        .becomes(&["done"; 2]);
    let told: Vec<&str> = run.stderr.lines().collect();
    assert!(
        told.contains(
            &"mongo:latest: cannot resolve the source; it will be tried again at the end"
        ),
        "{told:?}"
    );
    let last = told.last().unwrap();
    assert!(last.starts_with("mongo:latest: done, "), "{told:?}");
}
