//! What people and scripts read, as a whole.

use crate::harness::Lab;

/// One image in every state that a plan can see.
fn lab() -> Lab {
    let lab = Lab::new();
    let lines = "lines: [ENV A=1]";
    let file = |version: u8| {
        format!(
            "destination: {{namespace: outputs}}\n\
             repositories: {{create: {}, tag_immutability: [mutable]}}\n\
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
        lab.offer_base(&format!("library/{repository}"), tag);
    }
    lab.write(&file(1));
    lab.longshore_with_docker(&["apply", "mongo:latest", "redis"])
        .run()
        .exits(0);
    lab.offer_base("library/nats", "latest");
    lab.offer_base("library/memcached", "latest");
    lab.offer_base("library/postgres", "latest");
    lab.write(&file(2).replace("- {source: nats", "- {source: nats, repository: redis:nats"));
    lab
}

#[test]
fn a_plan() {
    let lab = lab();
    let run = lab.longshore_with_docker(&["plan"]).run().exits(1);
    let text = format!("{}\n{}", run.stdout, run.stderr);
    insta::assert_snapshot!("plan_text", without_digests(&lab, &text));
    let run = lab
        .longshore_with_docker(&["plan", "--output", "json"])
        .run()
        .exits(1);
    insta::assert_snapshot!("plan_json", without_digests(&lab, &run.stdout));
}

#[test]
fn what_each_rule_keeps() {
    let lab = Lab::new();
    lab.write(
        "destination: {namespace: outputs}\n\
         images:\n\
         - {source: redis, tags: ['7.*', '6.2', latest]}\n\
         - source: redis\n  \
           repository: cache\n  \
           tags: {semver: '>=7 <9', exclude: ['*.0'], newest: 1}\n\
         - {source: node, tags: ['**']}\n\
         - {source: nats, tags: ['9.*']}\n\
         - mongo\n",
    );
    for tag in [
        "6.2",
        "7.0",
        "7.2",
        "7.4",
        "7.4-alpine",
        "8.0",
        "9.0",
        "latest",
    ] {
        lab.offer("library/redis", tag, tag.as_bytes());
    }
    for (repository, tag) in [("node", "22"), ("nats", "2.10"), ("mongo", "latest")] {
        lab.offer(&format!("library/{repository}"), tag, tag.as_bytes());
    }
    let run = lab.longshore(&["plan", "-v"]).run().exits(0);
    insta::assert_snapshot!("selection", run.stderr);
    let run = lab.longshore(&["plan", "-v", "redis:7.4"]).run().exits(0);
    insta::assert_snapshot!("selection_of_one", run.stderr);
    let run = lab.longshore(&["apply", "-q"]).run().exits(0);
    insta::assert_snapshot!(
        run.stderr,
        @"warning: no tag is left: nats for outputs/nats: 1 tag, of which `include` keeps 0"
    );
}

#[test]
fn an_outcome() {
    let lab = lab();
    let run = lab
        .longshore_with_docker(&["apply", "--output", "json"])
        .run()
        .exits(1);
    insta::assert_snapshot!("apply_json", without_digests(&lab, &run.stdout));
}

/// Built images have another digest each time.
fn without_digests(lab: &Lab, text: &str) -> String {
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
    lab.without_ports(&timeless.collect::<Vec<_>>().join("\n"))
}
