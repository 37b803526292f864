//! Platforms that the Docker daemon does not run by itself.

use std::fs;

use serde_json::{Value, json};

use crate::harness::{Image, Index, Relay, World, images_of};

fn world(name: &str) -> (World, Index) {
    let world = World::new(name);
    let index = world.offer_index("hashicorp/vault", "1.14");
    (world, index)
}

#[test]
fn only_what_has_to_run_needs_emulation() {
    let (world, _) = world("foreign");
    fs::create_dir(world.folder().join("here")).unwrap();
    fs::write(world.folder().join("here/file"), "x").unwrap();
    world.write(
        "defaults: {platforms: [linux/amd64, linux/arm64]}\n\
         images:\n\
         - {source: 'hashicorp/vault:1.14', repository: runs, lines: [RUN true]}\n\
         - source: hashicorp/vault:1.14\n  \
           repository: copies\n  \
           lines: [ENV A=1, COPY file /file, WORKDIR /made, ONBUILD RUN true]\n  \
           build: {context: here}\n\
         - {source: 'hashicorp/vault:1.14', repository: runs-too, lines: [USER 7, RUN true]}\n",
    );
    let relay = Relay::emulating(false);
    let before = images_of("foreign");
    let apply = world.longshore(&["apply", "--output", "json"]);
    let run = apply.env("DOCKER_HOST", relay.host()).run().exits(1);
    assert_eq!(run.each("status"), ["failed", "done", "failed"]);
    let error = &run.json()["images"][2]["error"];
    assert_eq!(error["kind"], "permanent");
    let message = error["message"].as_str().unwrap();
    let message = message.replace(Image::native(), "NATIVE");
    insta::assert_snapshot!(message, @"cannot build for linux/arm64: the Docker daemon is for linux/NATIVE and has no emulation to run lines for linux/arm64");
    insta::assert_snapshot!(error["hint"].as_str().unwrap(), @"this machine cannot run programs of that platform; install emulation with `docker run --privileged --rm tonistiigi/binfmt --install all` or the packages `qemu-user-static` and `binfmt-support`");
    // Once for all images.
    assert_eq!(relay.answered(), 1);
    for repository in ["runs", "runs-too"] {
        let repository = format!("foreign/{repository}");
        assert!(world.aws.repository(world.region, &repository).is_none());
        assert_eq!(world.destination.tags(&repository), [""; 0]);
    }
    let copies = world.destination.manifest("foreign/copies", "1.14");
    assert_eq!(copies["manifests"].as_array().unwrap().len(), 2);
    assert_eq!(images_of("foreign"), before);
}

#[test]
fn lines_that_run_make_an_index_over_the_upstream_s_own_layers() {
    let (world, index) = world("emulated");
    world.write(
        "images:\n\
         - source: hashicorp/vault:1.14\n  \
           platforms: [linux/amd64, linux/arm64]\n  \
           lines:\n  \
           - RUN mkdir /etc/vault\n  \
           - RUN chmod 777 /etc/vault\n  \
           - VOLUME [\"/etc/vault\"]\n",
    );
    let relay = Relay::emulating(true);
    let apply = world.longshore(&["apply"]);
    apply.env("DOCKER_HOST", relay.host()).run().exits(0);

    let repository = "emulated/hashicorp/vault";
    let pushed = world.destination.manifest(repository, "1.14");
    assert_eq!(
        pushed["mediaType"],
        "application/vnd.oci.image.index.v1+json"
    );
    let children = pushed["manifests"].as_array().expect("an index");
    assert_eq!(children.len(), 2);
    for (child, upstream) in children.iter().zip(&index.images) {
        let child = child["digest"].as_str().unwrap();
        let made = world.destination.manifest(repository, child);
        let base = world
            .upstream
            .manifest("hashicorp/vault", &upstream.digest());
        let (made, base) = (&made["layers"], &base["layers"]);
        let layers = |all: &Value| all.as_array().unwrap().clone();
        assert_eq!(layers(made).len(), layers(base).len() + 2);
        for (made, base) in layers(made).iter().zip(layers(base)) {
            assert_eq!(made["digest"], base["digest"]);
        }
        let config = world.destination.config(repository, child);
        assert_eq!(config["config"]["Volumes"], json!({"/etc/vault": {}}));
    }
    assert_eq!(world.destination.tags(repository), ["1.14"]);

    let pulled = world.pull(&format!("{repository}:1.14"));
    let seen = pulled.run("stat -c %a /etc/vault; grep -c ' /etc/vault ' /proc/mounts");
    assert_eq!(seen, "777\n1");
    let volumes = pulled.inspect("{{json .Config.Volumes}}");
    assert_eq!(volumes, r#"{"/etc/vault":{}}"#);
}

#[test]
fn what_goes_wrong_is_told_and_the_tag_stays() {
    let (world, _) = world("wrong");
    fs::create_dir(world.folder().join("here")).unwrap();
    let held = Image::new(&world.name, "held");
    world.destination.push("wrong/vault", "1.14", &held);
    world
        .aws
        .create_repository(world.region, "wrong/vault", "MUTABLE");
    let relay = Relay::emulating(false);
    let mut told = Vec::new();
    for (what, options, code) in [
        ("a wrong line", "lines: [RUNN mkdir /etc/vault]", 2),
        (
            "a context that escapes its folder",
            "lines: [COPY ../x /x], build: {context: here}",
            2,
        ),
        ("a failing RUN", "lines: [RUN echo it broke; exit 7]", 1),
        (
            "a missing platform",
            "lines: [USER 7], platforms: [linux/amd64, linux/s390x]",
            1,
        ),
        (
            "missing emulation",
            "lines: [RUN true], platforms: [linux/amd64, linux/arm64]",
            1,
        ),
    ] {
        world.write(&format!(
            "images: [{{source: 'hashicorp/vault:1.14', repository: vault, {options}}}]\n"
        ));
        let apply = world.longshore(&["apply", "--quiet"]);
        let run = apply.env("DOCKER_HOST", relay.host()).run().exits(code);
        // What Docker prints on the way has numbers that nobody knows.
        let lines = run
            .stderr
            .lines()
            .skip_while(|line| !line.starts_with("error: "));
        let lines: Vec<&str> = lines.collect();
        told.push(format!("{what}: {code}\n{}\n", lines.join("\n")));
        let tag = world.destination.digest("wrong/vault", "1.14");
        assert_eq!(tag, Some(held.digest()), "{what}");
    }
    let told = told
        .join("\n")
        .replace(world.destination.host(), "REGISTRY")
        .replace(world.upstream.host(), "UPSTREAM")
        .replace(Image::native(), "NATIVE");
    insta::assert_snapshot!(told);
}
