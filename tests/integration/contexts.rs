//! Files of a build context in an image.

use std::fs::{self, FileTimes};
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::harness::{World, wait_for_next_second};

/// Writes a context, with files of this age.
fn write(folder: &Path, age: u64) {
    fs::create_dir_all(folder.join("app/logs")).unwrap();
    for (name, text) in [
        ("app/main", "1"),
        ("app/logs/a.log", "noise"),
        ("Dockerfile", "mine"),
        (".dockerignore", "**/*.log\n.dockerignore\n"),
    ] {
        fs::write(folder.join(name), text).unwrap();
        let time = SystemTime::now() - Duration::from_secs(age);
        let file = fs::File::open(folder.join(name)).unwrap();
        file.set_times(FileTimes::new().set_modified(time)).unwrap();
    }
}

const OPTIONS: &str = "lines: ['COPY . /srv/', 'ENV A=1'], \
     build: {context: CONTEXT, network: none, labels: {team: platform}}";

#[test]
fn the_same_files_give_the_same_digest_from_another_folder() {
    let world = World::new("contexts");
    world.offer("library/mongo", "latest", "1");
    let options = |context: &str| OPTIONS.replace("CONTEXT", context);
    let mut digests = Vec::new();
    for (repository, context, age) in [("one", "here", 10), ("other", "elsewhere", 100_000)] {
        write(&world.folder().join(context), age);
        let options = options(context);
        world.write(&format!(
            "images: [{{source: mongo, repository: {repository}, {options}}}]\n"
        ));
        world.longshore(&["apply"]).run().exits(0);
        let name = format!("contexts/{repository}");
        digests.push(world.destination.digest(&name, "latest"));
        // What was built is gone from the daemon, so there is no cache.
        wait_for_next_second();
    }
    assert!(digests[0].is_some());
    assert_eq!(digests[0], digests[1]);

    let pulled = world.pull("contexts/one");
    let files = pulled.run("ls -AR /srv");
    let files: Vec<&str> = files.split_whitespace().collect();
    let expected = "/srv: Dockerfile app /srv/app: logs main /srv/app/logs:";
    assert_eq!(files.join(" "), expected);
    assert_eq!(pulled.inspect("{{.Config.Labels.team}}"), "platform");

    let status = || {
        let run = world.longshore(&["apply", "--output", "json"]).run();
        run.exits(0).each("status").join(" ")
    };
    assert_eq!(status(), "in place");
    fs::write(world.folder().join("elsewhere/app/logs/a.log"), "more").unwrap();
    assert_eq!(status(), "in place");
    fs::write(world.folder().join("elsewhere/app/main"), "2").unwrap();
    assert_ne!(status(), "in place");
    let changed = world.destination.digest("contexts/other", "latest");
    assert_ne!(changed, digests[1]);
}

#[test]
fn a_context_that_escapes_its_folder_is_a_mistake() {
    let world = World::new("escapes");
    world.offer("library/mongo", "latest", "1");
    write(&world.folder().join("here"), 0);
    for (lines, context, told) in [
        (
            "COPY ../x /x",
            "here",
            "`../x` is outside of the build context",
        ),
        ("COPY x /x", "here", "there is no `x` in the build context"),
        ("COPY x /x", "nowhere", "there is no folder"),
        ("COPY x /x", "here/Dockerfile", "is no folder"),
    ] {
        world.write(&format!(
            "images:\n- source: mongo\n  lines: ['{lines}']\n  build: {{context: {context}}}\n"
        ));
        let run = world.longshore(&["apply"]).run();
        let run = run.exits(2);
        assert!(run.stderr.contains(told), "{}", run.stderr);
        let line = if told.contains("no folder") { 7 } else { 6 };
        let place = format!("longshore.yaml:{line}:");
        assert!(run.stderr.contains(&place), "{}", run.stderr);
    }
    assert_eq!(world.destination.digest("escapes/mongo", "latest"), None);
}
