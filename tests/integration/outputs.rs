//! What people and scripts read, as a whole.

use crate::harness::StandIn;

/// One image in every state that a plan can see.
async fn world() -> StandIn {
    let world = StandIn::new("outputs").await;
    let lines = "lines: [ENV A=1]";
    let file = |version: u8| {
        format!(
            "repositories: {{create: {}, tag_immutability: [mutable]}}\n\
             images:\n\
             - {{source: mongo, {lines}}}\n\
             - {{source: memcached, repository: 'mongo:copied'}}\n\
             - {{source: redis, tags: [mutable, moved], lines: [ENV A={version}]}}\n\
             - {{source: nats, {lines}, platforms: [linux/s390x]}}\n\
             - {{source: 'missing:1', repository: mongo:missing, {lines}}}\n\
             - {{source: postgres, {lines}}}\n",
            version == 1
        )
    };
    for (repository, tag) in [
        ("mongo", "latest"),
        ("redis", "mutable"),
        ("redis", "moved"),
    ] {
        world.offer(&format!("library/{repository}"), tag, &["amd64"]);
    }
    world.write(&file(1));
    world
        .longshore(&["apply", "mongo:latest", "redis"])
        .run()
        .exits(0);
    world.offer("library/nats", "latest", &["amd64", "arm64"]);
    world.offer("library/memcached", "latest", &["amd64"]);
    world.offer("library/postgres", "latest", &["amd64"]);
    world.write(&file(2).replace("- {source: nats", "- {source: nats, repository: redis:nats"));
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan() {
    let world = world().await;
    let run = world.longshore(&["plan"]).run().exits(1);
    let text = format!("{}\n{}", run.stdout, run.stderr);
    insta::assert_snapshot!("plan_text", without_digests(&world, &text));
    let run = world
        .longshore(&["plan", "--output", "json"])
        .run()
        .exits(1);
    insta::assert_snapshot!("plan_json", without_digests(&world, &run.stdout));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outcome() {
    let world = world().await;
    let run = world
        .longshore(&["apply", "--output", "json"])
        .run()
        .exits(1);
    insta::assert_snapshot!("apply_json", without_digests(&world, &run.stdout));
}

/// Built images have another digest each time.
fn without_digests(world: &StandIn, text: &str) -> String {
    let mut stable = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("sha256:") {
        let (before, after) = rest.split_at(at + "sha256:".len());
        let hex = after.bytes().take_while(u8::is_ascii_hexdigit).count();
        stable.push_str(before);
        stable.push_str("...");
        rest = &after[hex..];
    }
    stable.push_str(rest);
    let timeless = stable
        .lines()
        .map(|line| match line.split_once("\"seconds\": ") {
            Some((before, value)) if value != "null," => format!("{before}\"seconds\": 1.2,"),
            _ => line.to_owned(),
        });
    world.stable(&timeless.collect::<Vec<_>>().join("\n"))
}
