//! Files with mistakes: every one is told, in one go, before anything is asked of the network.
//! What each message says is proven beside the code that says it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::harness::Longshore;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/config/broken")
}

#[test]
fn every_broken_file_exits_2() {
    let paths = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let names: Vec<_> = paths
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert!(names.len() >= 12, "{names:?}");
    for name in names {
        // Neither AWS nor Docker is there to be asked.
        let run = Longshore::new(&folder(), &["apply", "--file", &name])
            .run()
            .exits(2);
        assert_eq!(run.stdout, "", "{name}");
        let first = run.stderr.lines().next().unwrap();
        let (count, rest) = first
            .strip_prefix("error: ")
            .unwrap()
            .split_once(' ')
            .unwrap();
        let noun = if count == "1" { "mistake" } else { "mistakes" };
        assert_eq!(rest, format!("{noun} in {name}"));
        let places = run
            .stderr
            .lines()
            .filter(|line| line.starts_with(&format!("{name}:")));
        assert_eq!(places.count().to_string(), count, "{}", run.stderr);
    }
}

#[test]
fn each_mistake_has_its_line_its_key_and_a_hint() {
    let run = Longshore::new(&folder(), &["plan", "--file", "unknown-keys.yaml"])
        .run()
        .exits(2);
    insta::assert_snapshot!(run.stderr, @r"
    error: 5 mistakes in unknown-keys.yaml
    unknown-keys.yaml:3:3: destination.regoin: unknown key
      hint: did you mean `region`?
    unknown-keys.yaml:4:1: repository: unknown key
      hint: did you mean `repositories`?
    unknown-keys.yaml:6:5: images[0].sorce: unknown key
      hint: did you mean `source`?
    unknown-keys.yaml:7:5: images[0].tag: unknown key
      hint: did you mean `tags`?
    unknown-keys.yaml:9:5: images[1].build_commands: unknown key
      hint: the keys here are `source`, `tags`, `repository`, `platforms`, `attestations`, `referrers`, `lines`, `builder`, `builder_engine`, `build`, `publish`, `compression`
    ");
}

#[test]
fn wrong_arguments_exit_2() {
    for arguments in [
        &["aply"][..],
        &["apply", "--job", "2"],
        &["apply", "-f", "missing.yaml"],
        &["plan", "no-such-image"],
    ] {
        let run = Longshore::new(&folder(), arguments)
            .env("LONGSHORE_CONFIG", "{version: 1, images: [mongo]}")
            .run()
            .exits(2);
        assert_eq!(run.stdout, "");
        assert!(run.stderr.starts_with("error: "), "{}", run.stderr);
    }
}
