//! Docker's two builders, which make the same of the same lines.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::harness::{Registry, Run, World, docker, signal, wait_until};

/// What lines see and nobody else.
const SECRET: &str = "s3cret-of-the-build";

/// The files of a context, one of them large enough to travel in pieces.
fn write_context(world: &World, folder: &str) {
    let folder = world.folder().join(folder);
    fs::create_dir_all(folder.join("app/empty")).unwrap();
    let large: Vec<u8> = (0..1_000_000_u32).map(|n| (n % 251) as u8).collect();
    fs::write(folder.join("app/large"), large).unwrap();
    fs::write(folder.join("app/run.sh"), "#!/bin/sh\n").unwrap();
    fs::write(folder.join("app/nothing"), "").unwrap();
    fs::write(folder.join("noise.log"), "noise").unwrap();
    fs::write(folder.join(".dockerignore"), "*.log\n.dockerignore\n").unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::{PermissionsExt, symlink};
        symlink("run.sh", folder.join("app/link")).unwrap();
        let mode = fs::Permissions::from_mode(0o750);
        fs::set_permissions(folder.join("app/run.sh"), mode).unwrap();
    }
}

#[test]
fn both_take_the_same_files_and_hide_the_dockerfile() {
    let world = World::new("engines");
    world.offer("library/mongo", "latest", &fresh());
    let mut listings = Vec::new();
    let mut digests = Vec::new();
    for (repository, engine) in [
        ("classic", "classic"),
        ("buildkit", "buildkit"),
        ("again", "buildkit"),
    ] {
        write_context(&world, repository);
        world.write(&format!(
            "images:\n- source: mongo\n  repository: {repository}\n  builder_engine: {engine}\n  \
             lines: ['COPY . /srv/', 'ENV A=1', 'ADD app/run.sh /run.sh']\n  \
             build: {{context: {repository}}}\n"
        ));
        world.longshore(&["apply"]).run().exits(0);
        let name = format!("engines/{repository}");
        let list = "ls -lAR /srv /run.sh; md5sum /srv/app/large";
        listings.push(world.pull(&name).run(list));
        digests.push(world.destination.digest(&name, "latest"));
    }
    assert_eq!(listings[0], listings[1]);
    assert!(listings[0].contains("rwxr-x---"), "{}", listings[0]);
    assert!(!listings[0].contains("longshore"), "{}", listings[0]);
    assert!(!listings[0].contains("Dockerfile"), "{}", listings[0]);
    // The history tells who built.
    assert_ne!(digests[0], digests[1]);
    assert_eq!(digests[1], digests[2]);
}

#[test]
fn both_get_all_that_a_build_is_told() {
    let world = World::new("told");
    world.offer("library/mongo", "latest", &fresh());
    fs::write(
        world.folder().join("template"),
        "ARG WORD\n\
         FROM {{base}} AS wanted\n\
         ARG WORD\n\
         {{#each lines}}{{this}}\n{{/each}}\
         RUN ls /sys/class/net | tr '\\n' ' ' >/net\n\
         FROM {{base}}\n\
         RUN exit 3\n",
    )
    .unwrap();
    for engine in ["classic", "buildkit"] {
        world.write(&format!(
            "images:\n- source: mongo\n  repository: {engine}\n  builder_engine: {engine}\n  \
             lines: ['ENV SAID=$WORD']\n  \
             build: {{template: template, target: wanted, network: none, args: {{WORD: two words}}, \
             labels: {{team: platform}}}}\n"
        ));
        world.longshore(&["apply"]).run().exits(0);
        let pulled = world.pull(&format!("told/{engine}:latest"));
        assert_eq!(pulled.run("echo $SAID"), "two words", "{engine}");
        // Without a network there is only the loopback.
        assert_eq!(pulled.run("cat /net"), "lo", "{engine}");
        let team = pulled.inspect("{{.Config.Labels.team}}");
        assert_eq!(team, "platform", "{engine}");
    }
}

#[test]
fn both_say_the_same_of_what_fails() {
    let world = World::new("both-fail");
    world.offer("library/mongo", "latest", &fresh());
    for (line, told) in [
        (
            "RUN echo it broke >&2; exit 7",
            "The command '/bin/sh -c echo it broke >&2; exit 7' returned a non-zero code: 7, after \
             printing `it broke`",
        ),
        (
            &format!("COPY --from={}/none:1 /a /a", world.upstream.host()),
            "not found",
        ),
        ("ENV A=${B%%x}", "missing ':' in substitution"),
    ] {
        for engine in ["classic", "buildkit"] {
            world.write(&format!(
                "images: [{{source: mongo, builder_engine: {engine}, lines: ['{line}']}}]\n"
            ));
            let run = world.longshore(&["apply"]).run().exits(1).says(&[told]);
            for own in ["frontend", "LLB", "executor"] {
                assert!(!run.stderr.contains(own), "{}", run.stderr);
            }
        }
    }
    assert_eq!(world.destination.tags("both-fail/mongo"), [""; 0]);
}

#[test]
fn buildkit_tells_what_it_does() {
    let world = World::new("buildkit-talks");
    world.offer("library/mongo", "latest", &fresh());
    world.write(
        "images:\n- source: mongo\n  builder_engine: buildkit\n  lines:\n  \
         - RUN --mount=type=cache,target=/c echo one; echo two\n  \
         - VOLUME /v\n  \
         - RUN mkdir -p /v && touch /v/x\n",
    );
    let run = world.longshore(&["-v", "apply"]).run().exits(0);
    let run = run.says(&[
        "] RUN --mount=type=cache,target=/c echo one; echo two",
        "one",
        "two",
    ]);
    // It keeps what is written into a volume.
    assert!(!run.stderr.contains("loses"), "{}", run.stderr);
    world.applies(&["in place"]);
}

#[test]
fn secrets_reach_the_lines_and_stay_nowhere() {
    let world = World::with_upstream("secret-lines", Registry::private("acme", "p>?~s"));
    world.offer("team/api", "1", &fresh());
    fs::write(world.folder().join("token"), "from-a-file\n").unwrap();
    let longshore = |one: &str| {
        let call = world.longshore(&["-vvv", "apply", "--output", "json"]);
        call.env("HUB", "p>?~s").env("ONE", one)
    };
    // The line itself would betray it.
    let spelled = SECRET.replace("s3", "s'3'");
    world.write_with_login(
        "username: acme, password: {env: HUB}",
        &format!(
            "images:\n\
             - source: team/api:1\n  \
               lines:\n  \
               - RUN --mount=type=secret,id=one test \"$(cat /run/secrets/one)\" = '{spelled}'\n  \
               - RUN --mount=type=secret,id=two,target=/two test \"$(cat /two)\" = from-'a'-file\n  \
               build: {{secrets: [{{id: one, env: ONE}}, {{id: two, file: token}}]}}\n"
        ),
    );
    let run = longshore(SECRET).run().exits(0);
    assert_eq!(run.each("status"), ["done"]);
    assert!(!run.stderr.contains(SECRET), "{}", run.stderr);
    assert!(!run.stderr.contains("from-a-file"), "{}", run.stderr);
    // Another value builds nothing anew.
    let run = longshore("another").run().exits(0);
    assert_eq!(run.each("status"), ["in place"]);

    let pulled = world.pull("secret-lines/team/api:1");
    let search = format!("grep -rl '{SECRET}' / --exclude-dir=proc --exclude-dir=sys || true");
    assert_eq!(pulled.run(&search), "");
    let history = pulled.history();
    assert!(!history.contains(SECRET), "{history}");
}

#[test]
fn what_the_daemon_s_buildkit_lacks_is_told_before_anything_happens() {
    if !is_older_than_23() {
        return;
    }
    let world = World::new("no-heredoc");
    world.offer("library/mongo", "latest", &fresh());
    let lines = "  lines:\n  - |\n    RUN <<EOF\n    true\n    EOF\n";
    world.write(&format!("images:\n- source: mongo\n{lines}"));
    let run = world.longshore(&["apply"]).run().exits(1);
    run.says(&["a heredoc needs the BuildKit of Docker 23.0 or newer"]);
    assert_eq!(world.destination.tags("no-heredoc/mongo"), [""; 0]);
}

fn is_older_than_23() -> bool {
    let version = docker(&["version", "--format", "{{.Server.APIVersion}}"]);
    let minor = version.trim().trim_start_matches("1.").parse::<u32>();
    minor.unwrap() < 42
}

#[test]
fn an_interrupted_build_ends_in_buildkit_too() {
    let world = World::new("cancelled-buildkit");
    world.offer("library/mongo", "latest", &fresh());
    let line = "RUN sleep 4321";
    world.write(&format!(
        "images: [{{source: mongo, builder_engine: buildkit, lines: [{line}]}}]\n"
    ));
    let child = world.longshore(&["apply"]).start();
    wait_until(|| runs("sleep\x004321\0"));
    signal(&child, "INT");
    let run = Run::new(&child.wait_with_output().unwrap());
    run.exits(130).says(&["interrupted"]);
    wait_until(|| !runs("sleep\x004321\0"));
    assert_eq!(world.destination.tags("cancelled-buildkit/mongo"), [""; 0]);
}

/// What no base of an earlier run was made of: BuildKit remembers what it built on those.
fn fresh() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    since.as_nanos().to_string()
}

/// Whether a process with these arguments runs on this machine, the daemon's containers included.
fn runs(arguments: &str) -> bool {
    let mut processes = fs::read_dir("/proc").unwrap().flatten();
    processes.any(|process| {
        let line = fs::read(process.path().join("cmdline")).unwrap_or_default();
        line.windows(arguments.len())
            .any(|part| part == arguments.as_bytes())
    })
}
