//! `plan --lock` and what `--locked` does with it.

use std::fs;

use longshore::image::Digest;
use serde_json::json;

use crate::harness::{Lab, Run};

/// Two literal tags, one with platforms of its own, and a pattern.
const FILE: &str = "destination: {namespace: copies}\n\
                    images:\n\
                    - mongo\n\
                    - {source: redis, tags: ['7.*', '6.2'], repository: cache}\n\
                    - {source: 'vault:1', platforms: [linux/amd64, linux/arm64]}\n";

struct Digests {
    mongo: Digest,
    redis: [Digest; 3],
    vault: Digest,
}

fn lab() -> (Lab, Digests) {
    let lab = Lab::new();
    lab.write(FILE);
    let digests = Digests {
        mongo: lab.offer("library/mongo", "latest", b"mongo"),
        redis: ["6.2", "7.0", "7.2"].map(|tag| lab.offer("library/redis", tag, tag.as_bytes())),
        vault: offer_vault(&lab, 1),
    };
    (lab, digests)
}

fn offer_vault(lab: &Lab, version: u8) -> Digest {
    let platforms = ["linux/amd64", "linux/arm64", "linux/s390x"];
    let children = platforms.map(|platform| lab.offer_child("library/vault", platform));
    let index = json!({"schemaVersion": 2, "x-version": version, "manifests": children});
    lab.offer_index("library/vault", "1", &index.to_string())
}

fn lock(lab: &Lab) -> Run {
    lab.longshore(&["plan", "--lock", "images.lock"]).run()
}

fn read(lab: &Lab) -> Option<String> {
    fs::read_to_string(lab.path("images.lock")).ok()
}

/// Applies the lock and checks what became of each image.
#[track_caller]
fn applies_lock(lab: &Lab, statuses: &[&str]) {
    let apply = ["apply", "--locked", "images.lock", "--output", "json"];
    lab.longshore(&apply).becomes(statuses);
}

#[test]
fn a_lock_holds_what_every_tag_resolved_to() {
    let (lab, digests) = lab();
    lock(&lab).exits(0);
    let written = read(&lab).unwrap();
    let [six, seven, seven_two] = &digests.redis;
    let redis = |tag: &str, digest| {
        let source = format!("docker.io/library/redis:{tag}");
        json!({"source": source, "platforms": null, "digest": digest})
    };
    let expected = json!({
        "version": 1,
        "images": {
            "copies/cache:6.2": redis("6.2", six),
            "copies/cache:7.0": redis("7.0", seven),
            "copies/cache:7.2": redis("7.2", seven_two),
            "copies/mongo:latest": {
                "source": "docker.io/library/mongo:latest",
                "platforms": null,
                "digest": digests.mongo,
            },
            "copies/vault:1": {
                "source": "docker.io/library/vault:1",
                "platforms": ["linux/amd64", "linux/arm64"],
                "digest": digests.vault,
            },
        },
        "patterns": [{
            "repository": "copies/cache",
            "source": "docker.io/library/redis",
            "rules": {"include": ["7.*"], "semver": null, "exclude": [], "newest": null},
            "chosen": ["7.0", "7.2"],
        }],
    });
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&written).unwrap(),
        expected
    );
    lock(&lab).exits(0);
    assert_eq!(read(&lab), Some(written), "equal content is equal bytes");
    let names = fs::read_dir(lab.path("")).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let left: Vec<_> = names
        .filter(|name| name.starts_with(".longshore"))
        .collect();
    assert_eq!(left, [""; 0]);
}

#[test]
fn what_is_locked_goes_to_ecr_whatever_upstream_has_now() {
    let (lab, old) = lab();
    lock(&lab).exits(0);
    let new = lab.offer("library/mongo", "latest", b"moved");
    lab.offer("library/redis", "7.0", b"moved");
    lab.offer("library/redis", "7.4", b"new");
    offer_vault(&lab, 2);
    lab.requests();

    applies_lock(&lab, &["done"; 5]);
    // One HEAD, of a digest, tells what is left of Docker Hub's pulls.
    let requests = lab.requests();
    let asks: Vec<_> = requests
        .iter()
        .filter(|line| line.contains("tags/list") || line.contains("upstream HEAD"))
        .collect();
    assert_eq!(asks, ["upstream HEAD library/mongo manifest by digest 200"]);
    assert_eq!(lab.digest("copies/mongo", "latest"), Some(old.mongo));
    assert_eq!(lab.tags("copies/cache"), ["6.2", "7.0", "7.2"]);
    assert_eq!(
        lab.digest("copies/cache", "7.0").as_ref(),
        Some(&old.redis[1])
    );
    let vault = lab.manifest("copies/vault", "1").unwrap();
    assert!(vault.contains("\"x-version\":1"), "{vault}");

    applies_lock(&lab, &["in place"; 5]);
    let plan = ["plan", "--locked", "images.lock", "--detailed-exitcode"];
    lab.longshore(&plan).run().exits(0);

    lab.applies(&["done", "in place", "done", "in place", "done", "done"]);
    assert_eq!(lab.digest("copies/mongo", "latest"), Some(new));
}

#[test]
fn a_lock_leaves_no_trace_in_what_is_made() {
    let (lab, _) = lab();
    lab.write(
        "images:\n\
         - {source: 'vault:1', platforms: [linux/amd64, linux/arm64]}\n\
         - {source: 'vault:1', platforms: [linux/arm64], repository: one}\n\
         - {source: redis, tags: ['7.*'], lines: [ENV A=1]}\n",
    );
    lab.offer_base("library/redis", "7.0");
    lab.offer_base("library/redis", "7.2");
    let run = |arguments: &[&str]| lab.longshore_with_docker(arguments).run().exits(0);
    run(&["plan", "--lock", "images.lock"]);
    let apply = ["apply", "--locked", "images.lock", "--output", "json"];
    assert_eq!(run(&apply).each("status"), ["done"; 4]);
    let plan = run(&["plan", "--detailed-exitcode", "--output", "json"]);
    assert_eq!(plan.each("reason"), ["up to date"; 4]);
}

#[test]
fn images_are_picked_from_a_lock_by_name() {
    let (lab, _) = lab();
    lock(&lab).exits(0);
    let apply = ["apply", "--locked", "images.lock", "redis:7.2", "mongo"];
    lab.longshore(&apply).run().exits(0);
    assert_eq!(lab.tags("copies/cache"), ["7.2"]);
    assert!(lab.digest("copies/mongo", "latest").is_some());
    let plan = ["plan", "--lock", "images.lock", "mongo"];
    let run = lab.longshore(&plan).run().exits(2);
    run.says(&["`--lock` and names of images exclude each other"]);
}

#[test]
fn a_lock_that_does_not_fit_says_all_that_differs() {
    let (lab, _) = lab();
    lock(&lab).exits(0);
    lab.requests();
    lab.write(
        "destination: {namespace: copies}\n\
         images:\n\
         - {source: team/mongo, repository: mongo}\n\
         - {source: redis, tags: ['7.*', '6.4'], repository: cache}\n\
         - {source: redis, tags: {include: ['8.*'], exclude: ['*-rc*'], newest: 2}}\n\
         - {source: 'vault:1', platforms: [linux/amd64]}\n",
    );
    let run = lab.longshore(&["apply", "--locked", "images.lock"]).run();
    insta::assert_snapshot!(run.exits(2).stderr, @r"
    error: the lock `images.lock` does not fit the configuration
      `copies/cache:6.2` is not in the configuration any more
      `copies/cache:6.4` is not in the lock
      `copies/mongo:latest` was locked from `docker.io/library/mongo:latest` and comes from `docker.io/team/mongo:latest` now
      `copies/vault:1` was locked with linux/amd64, linux/arm64 and has linux/amd64 now
      the choice of `docker.io/library/redis` for `copies/redis` (tags like `8.*`, without `*-rc*`, `newest: 2`) is not in the lock
      hint: `longshore plan --lock images.lock` locks what the configuration says now
    ");
    assert_eq!(lab.requests(), [""; 0]);

    // Patterns that are no more, and rules that are others now.
    lab.write("destination: {namespace: copies}\nimages: [mongo]\n");
    let run = lab.longshore(&["plan", "--locked", "images.lock"]).run();
    insta::assert_snapshot!(run.exits(2).stderr, @r"
    error: the lock `images.lock` does not fit the configuration
      `copies/cache:6.2` is not in the configuration any more
      `copies/vault:1` is not in the configuration any more
      the choice of `docker.io/library/redis` for `copies/cache` (tags like `7.*`) is not in the configuration any more
      hint: `longshore plan --lock images.lock` locks what the configuration says now
    ");
}

#[test]
fn a_lock_is_whole_or_not_written() {
    let (lab, _) = lab();
    lock(&lab).exits(0);
    let whole = read(&lab);
    lab.write(&FILE.replace("- mongo", "- mongo\n- missing"));
    let run = lock(&lab).exits(1);
    run.says(&["the lock `images.lock` is not written"]);
    assert_eq!(read(&lab), whole);

    lab.write(FILE);
    let run = lab.longshore(&["plan", "--lock", "nowhere/images.lock"]);
    run.run()
        .exits(2)
        .says(&["cannot write the lock `nowhere/images.lock`"]);
}

#[test]
fn a_repository_that_is_not_there_yet_is_locked_too() {
    let (lab, digests) = lab();
    let file = format!("repositories: {{create: false}}\n{FILE}");
    lab.write(&file);
    lock(&lab).exits(0);
    let written = read(&lab).unwrap();
    assert!(written.contains(digests.mongo.as_str()), "{written}");
    applies_lock(&lab, &["skipped"; 5]);

    fs::remove_file(lab.path("images.lock")).unwrap();
    lab.write(&file.replace("mongo", "missing"));
    let run = lock(&lab).exits(1);
    run.says(&[
        "copies/missing:latest",
        "the lock `images.lock` is not written",
    ]);
    assert_eq!(read(&lab), None);
}

#[test]
fn a_file_that_is_no_lock_is_named() {
    let (lab, _) = lab();
    let refused = |text: Option<&str>| {
        if let Some(text) = text {
            fs::write(lab.path("images.lock"), text).unwrap();
        }
        let run = lab.longshore(&["apply", "--locked", "images.lock"]).run();
        run.exits(2).stderr
    };
    let told = [
        refused(None),
        refused(Some("{}")),
        refused(Some(r#"{"version": 2, "pictures": []}"#)),
        refused(Some(
            r#"{"version": 1, "images": {"a:1": {"source": "a", "digest": "1"}}}"#,
        )),
    ];
    insta::assert_snapshot!(told.concat(), @r"
    error: cannot read the lock `images.lock`: No such file or directory (os error 2)
      hint: `longshore plan --lock images.lock` writes it
    error: `images.lock` is not a lock: missing field `version` at line 1 column 2
      hint: `longshore plan --lock images.lock` writes it
    error: the lock `images.lock` is of version 2, and this longshore reads version 1
      hint: `longshore plan --lock images.lock` writes it
    error: `images.lock` is not a lock: `1` is not a digest; a digest is `sha256:` and 64 lower-case hexadecimal digits at line 1 column 63
      hint: `longshore plan --lock images.lock` writes it
    ");
}
