//! Copies that something lasting keeps from succeeding: a clear failure, and the old tag intact.

use std::thread;

use longshore::sandbox::{Effect, Fault, Server};

use crate::harness::{Lab, noise, refusal};

const EVER: u32 = 1_000_000;

/// What goes wrong for ever, by name.
fn faults() -> Vec<(&'static str, Fault)> {
    let upstream = |contains: &str, effect| Fault::new(contains, effect).at(Server::Upstream);
    let registry = |contains: &str, effect| Fault::new(contains, effect).at(Server::Registry);
    let status = |status| refusal(status, "UNKNOWN", "no luck");
    let after = 3_000_000;
    vec![
        ("blobs answer 500", upstream("/blobs/", status(500))),
        (
            "blobs are denied",
            upstream("/blobs/", refusal(403, "DENIED", "no")),
        ),
        (
            "blobs are missing",
            upstream("/blobs/", refusal(404, "BLOB_UNKNOWN", "no")),
        ),
        (
            "blobs break off at once",
            upstream("/blobs/", Effect::Cut { after: 10 }),
        ),
        (
            "blobs are truncated",
            upstream("/blobs/", Effect::Truncate { after }),
        ),
        ("blobs are corrupted", upstream("/blobs/", Effect::Corrupt)),
        (
            "manifests are corrupted",
            upstream("manifests/sha256", Effect::Corrupt),
        ),
        (
            "manifests are not sent",
            upstream("manifests/sha256", Effect::Drop),
        ),
        (
            "the source wants to be left alone",
            Fault::throttle("/blobs/", 3600).at(Server::Upstream),
        ),
        (
            "uploads answer 500",
            registry("/blobs/uploads/", status(500)),
        ),
        (
            "uploads are reset",
            registry("/blobs/uploads/", Effect::Reset { after }).method("PUT"),
        ),
        (
            "layers are lost",
            registry("manifests/", refusal(404, "MANIFEST_BLOB_UNKNOWN", "lost")).method("PUT"),
        ),
        (
            "the tag answers 500",
            registry("manifests/latest", status(500)).method("PUT"),
        ),
        (
            "logins are expired",
            registry(
                "/blobs/uploads/",
                refusal(403, "DENIED", "Your authorization token has expired."),
            ),
        ),
    ]
}

/// Copies a new image over an old one while the fault lasts, and then without it. Returns what is
/// said of the failure, without what differs from run to run.
fn fails(name: &str, fault: Fault) -> String {
    let lab = Lab::new();
    lab.write("images: [mongo]\n");
    let old = lab.offer("library/mongo", "latest", b"old");
    lab.applies(&["done"]);
    let new = lab.offer("library/mongo", "latest", &noise(13));
    let layer = lab.layer_of("library/mongo", &new);
    let size = lab.upstream_bytes("library/mongo", &layer).len();
    lab.requests();

    lab.inject(fault.times(EVER));
    let run = lab.longshore(&["apply", "--output", "json"]).run();
    assert_eq!(run.each("status"), ["failed"], "{name}");
    assert_eq!(lab.digest("mongo", "latest"), Some(old), "{name}");
    let tagged = |line: &String| line == "registry PUT mongo manifest latest 201";
    assert!(!lab.requests().iter().any(tagged), "{name}");

    lab.mend();
    lab.applies(&["done"]);
    assert_eq!(lab.digest("mongo", "latest"), Some(new), "{name}");

    let error = &run.json()["images"][0]["error"];
    let text = |key: &str| error[key].as_str().unwrap_or("-").to_owned();
    let told = format!(
        "{name} ({}): {}\n  {}",
        text("kind"),
        text("message"),
        text("hint")
    );
    let told = without_causes(&without_digests(&told));
    lab.without_ports(&told.replace(&size.to_string(), "SIZE"))
}

/// How a broken connection shows depends on who was faster.
fn without_causes(text: &str) -> String {
    let lines = text.lines().map(|line| match line.split_once(" broke: ") {
        Some((what, _)) => format!("{what} broke: ..."),
        None => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Which of the blobs fails first is not known.
fn without_digests(text: &str) -> String {
    let mut parts = text.split("sha256:");
    let first = parts.next().unwrap_or_default().to_owned();
    let hex = |c: char| c.is_ascii_hexdigit();
    parts.fold(first, |text, part| {
        text + "DIGEST" + part.trim_start_matches(hex)
    })
}

#[test]
fn what_lasts_fails_clearly_and_leaves_the_old_tag() {
    let told: Vec<String> = thread::scope(|scope| {
        let cases = faults().into_iter();
        let cases: Vec<_> = cases
            .map(|(name, fault)| scope.spawn(move || fails(name, fault)))
            .collect();
        cases.into_iter().map(|case| case.join().unwrap()).collect()
    });
    insta::assert_snapshot!("lasting_faults", told.join("\n"));
}
