//! Immutable tags that hold something else.

use std::time::Duration;

use longshore::sandbox::{Effect, Fault, Request, Server};

use crate::harness::{Lab, Run, refusal, wait_until};

const IMMUTABLE: &str = "tag_immutability: true";

/// Writes a file whose tags are fixed.
fn write(lab: &Lab, more: &str, images: &str) {
    lab.write(&format!(
        "repositories: {{{IMMUTABLE}{more}}}\nimages: {images}\n"
    ));
}

#[test]
fn a_conflict_names_what_is_held_and_what_is_wanted() {
    let lab = Lab::new();
    write(&lab, "", "[mongo]");
    let held = lab.offer("library/mongo", "latest", b"old");
    lab.applies(&["done"]);
    let wanted = lab.offer("library/mongo", "latest", b"new");
    for command in ["plan", "apply"] {
        let run = lab.longshore(&[command, "--output", "json"]).run().exits(1);
        let image = &run.json()["images"][0];
        assert_eq!(image["digest"], held.as_str());
        assert_eq!(image["source_digest"], wanted.as_str());
        assert_eq!(image["error"]["kind"], "conflict");
        let expected = format!(
            "cannot overwrite the tag: it is immutable and holds `{held}` instead of `{wanted}`"
        );
        assert_eq!(image["error"]["message"], expected);
    }
}

/// Copies into a tag that another run fixes to this image after the plan has looked at it. Returns
/// what became of the copy.
fn race(lab: &Lab, on_conflict: &str, other: &str) -> Run {
    write(lab, on_conflict, "['mongo:1']");
    lab.offer("library/mongo", "1", b"one");
    lab.applies(&["done"]);
    lab.take_log();

    let slow = Effect::Delay(Duration::from_secs(3));
    let reading = Fault::new("library/mongo/manifests/sha256", slow);
    lab.inject(reading.at(Server::Upstream));
    write(lab, on_conflict, "['mongo:2']");
    let late = lab.longshore(&["apply", "--output", "json"]).start();
    let has_looked = || {
        let log = lab.log();
        let is_list = |it: &Request| it.operation.as_deref() == Some("ListImages");
        let is_head = |it: &Request| it.at == Server::Upstream && it.method == "HEAD";
        log.iter().any(is_list) && log.iter().any(is_head)
    };
    wait_until(has_looked);
    let source = format!("{}/{other}", lab.upstream());
    let mirror = lab.longshore(&["mirror", &source, "mongo:2"]);
    mirror.run().exits(0);
    Run::new(&late.wait_with_output().unwrap())
}

#[test]
fn a_tag_that_was_fixed_meanwhile_is_a_conflict_or_kept() {
    for (on_conflict, code, status) in [("", 1, "failed"), (", on_conflict: keep", 0, "skipped")] {
        let lab = Lab::new();
        let wanted = lab.offer("library/mongo", "2", b"two");
        let held = lab.offer("team/other", "2", b"other");
        let run = race(&lab, on_conflict, "team/other:2").exits(code);
        let requests = lab.requests();
        let refused = "registry PUT mongo manifest 2 400";
        assert_eq!(requests.iter().filter(|it| *it == refused).count(), 1);
        assert_eq!(lab.digest("mongo", "2"), Some(held.clone()));
        assert_eq!(run.each("status"), [status]);
        let image = &run.json()["images"][0];
        assert_eq!(image["digest"], held.as_str());
        if code == 1 {
            let told = format!("it is immutable and holds `{held}` instead of `{wanted}`");
            assert_eq!(
                image["error"]["message"],
                format!("cannot overwrite the tag: {told}")
            );
            assert_eq!(image["error"]["kind"], "conflict");
            run.says(&[&told]);
        } else {
            assert_eq!(image["action"], "keep");
            let told = format!("mongo:2: is immutable and keeps `{held}`, which it got after");
            run.says(&[&told]);
        }
    }
}

#[test]
fn a_tag_that_was_fixed_to_the_same_meanwhile_is_in_place() {
    let lab = Lab::new();
    let two = lab.offer("library/mongo", "2", b"two");
    lab.offer("team/mongo", "2", b"two");
    // ECR's API refuses what it has already, by this name.
    let refused = refusal(400, "ImageTagAlreadyExistsException", "it exists");
    // The second run writes the tag last.
    let taken = Effect::Delay(Duration::ZERO);
    lab.inject(Fault::new("manifests/2", taken).method("PUT"));
    lab.inject(Fault::new("manifests/2", refused).method("PUT"));
    let run = race(&lab, "", "team/mongo:2").exits(0);
    assert_eq!(run.each("status"), ["in place"]);
    assert_eq!(run.json()["images"][0]["digest"], two.as_str());
    let requests = lab.requests();
    let refused = "registry PUT mongo manifest 2 400";
    assert!(requests.iter().any(|it| it == refused), "{requests:?}");
}
