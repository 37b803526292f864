//! A private upstream whose password is as awkward as can be, and where secrets must not be.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE};

use crate::harness::{Registry, Run, World};

/// In standard base64 this needs `+` and `/`, which the daemon does not read.
const PASSWORD: &str = "p>?~s";

#[test]
fn secrets_are_used_and_never_seen() {
    let world = World::with_upstream("secrets", Registry::private("acme", PASSWORD));
    world.write_with_login(
        "username: acme, password: {env: HUB_PASSWORD}",
        "images: [{source: team/api:1, lines: [RUN sleep 1]}, team/web:1]\n",
    );
    world.offer("team/api", "1", "1");
    world.offer("team/web", "1", "1");
    let temporary = world.folder().join("tmp");
    fs::create_dir(&temporary).unwrap();
    let needles: Vec<_> = [PASSWORD, &world.aws.password(world.region)]
        .into_iter()
        .flat_map(forms)
        .collect();

    let child = world
        .longshore(&["-vvv", "apply", "--output", "json"])
        .env("HUB_PASSWORD", PASSWORD)
        .env("TMPDIR", &temporary)
        .start();
    let waiting = thread::spawn(|| child.wait_with_output().unwrap());
    let mut looks = 0;
    while !waiting.is_finished() {
        for text in arguments_of_all_processes()
            .into_iter()
            .chain(contents(world.folder()))
        {
            assert_absent(&needles, &text);
        }
        looks += 1;
        thread::sleep(Duration::from_millis(5));
    }
    assert!(looks > 10, "looked only {looks} times");
    let run = Run::new(&waiting.join().unwrap()).exits(0);
    assert_eq!(run.each("status"), ["done"; 2]);
    assert_eq!(run.each("action"), ["build", "copy"]);
    assert_absent(&needles, &run.stdout);
    assert_absent(&needles, &run.stderr);
    for text in contents(world.folder()) {
        assert_absent(&needles, &text);
    }
}

/// A secret as it stands, and the part of its base64 that does not depend on its neighbours, for
/// each of the three places where it may begin.
fn forms(secret: &str) -> Vec<String> {
    let mut forms = vec![secret.to_owned()];
    for offset in 0..3 {
        let before = "\0".repeat(offset);
        for engine in [BASE64_STANDARD, BASE64_URL_SAFE] {
            let encoded = engine.encode(before.clone() + secret);
            let from = (offset * 8).div_ceil(6);
            let to = (offset + secret.len()) * 8 / 6;
            forms.push(encoded[from..to].to_owned());
        }
    }
    forms.dedup();
    forms
}

fn assert_absent(needles: &[String], text: &str) {
    for needle in needles {
        if let Some(at) = text.find(needle) {
            panic!("a secret is in `{}`", &text[at.saturating_sub(80)..]);
        }
    }
}

fn arguments_of_all_processes() -> Vec<String> {
    let entries = fs::read_dir("/proc")
        .unwrap()
        .map(|entry| entry.unwrap().path());
    // A process may end while it is read.
    let arguments = entries.filter_map(|path| fs::read(path.join("cmdline")).ok());
    arguments
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .collect()
}

/// The names and contents of all files below a folder.
fn contents(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths
        .flat_map(|path| match fs::read(&path) {
            Ok(bytes) => vec![format!(
                "{}: {}",
                path.display(),
                String::from_utf8_lossy(&bytes)
            )],
            Err(_) => contents(&path),
        })
        .collect()
}

#[test]
fn a_secret_would_be_found() {
    let needles = forms(PASSWORD);
    for text in [
        "user:p>?~s@host",
        "{\"password\":\"p>?~s\"}",
        "acme:p>?~s",
        "acmes:p>?~s",
    ] {
        for encoded in [
            text.to_owned(),
            BASE64_STANDARD.encode(text),
            BASE64_URL_SAFE.encode(text),
        ] {
            assert!(
                needles.iter().any(|needle| encoded.contains(needle)),
                "{encoded}"
            );
        }
    }
    let own = std::env::args().next().unwrap();
    let seen = arguments_of_all_processes();
    assert!(seen.iter().any(|arguments| arguments.contains(&own)));
}
