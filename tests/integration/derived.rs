//! Images whose lines are all metadata, made without a daemon.

use std::fs;

use longshore::image::Digest;
use longshore::sandbox::layout::{PlatformImage, write_image};
use serde_json::{Value, json};

use crate::harness::{Lab, World, archive, digest_of};

const VAULT: &str = "hashicorp/vault";

/// Puts an image for these platforms upstream.
fn offer(lab: &Lab, tag: &str, platforms: &[&str], config: &Value) -> Digest {
    let image = |platform: &&str| PlatformImage {
        platform: platform.parse().unwrap(),
        config: config.clone(),
        layers: vec![format!("layer of {tag} for {platform}").into_bytes()],
    };
    let images: Vec<PlatformImage> = platforms.iter().map(image).collect();
    write_image(&lab.hub(), VAULT, tag, &images).unwrap()
}

fn parse(bytes: impl AsRef<[u8]>) -> Value {
    serde_json::from_slice(bytes.as_ref()).unwrap()
}

#[test]
fn every_platform_keeps_its_layers_and_gets_the_lines() {
    let lab = Lab::new();
    let config = json!({"Env": ["PATH=/bin", "HOME=/srv"], "Cmd": ["server"]});
    let platforms = ["linux/amd64", "linux/arm64", "windows/amd64"];
    let upstream = offer(&lab, "1.14", &platforms, &config);
    lab.write(
        "images:\n\
         - source: hashicorp/vault:1.14\n  \
           builder: direct\n  \
           lines: ['VOLUME [\"/etc/vault\"]', 'ENV A=$HOME/a', USER 7]\n",
    );
    let plan = lab.longshore(&["plan", "--output", "json"]).run().exits(0);
    assert_eq!(plan.each("action"), ["derive"]);
    assert_eq!(plan.json()["summary"]["derive"], 1);
    lab.requests();
    lab.applies(&["done"]);
    let mut read = lab.requests();
    read.retain(|request| request.starts_with("upstream"));
    let blobs = read.iter().filter(|request| request.contains(" blob "));
    let manifests = read
        .iter()
        .filter(|request| request.contains("GET") && request.contains(" manifest "));
    assert_eq!((manifests.count(), blobs.count()), (3, 4), "{read:#?}");

    let index = lab.parsed(VAULT, "1.14");
    let children = index["manifests"].as_array().unwrap();
    let base = parse(lab.upstream_bytes(VAULT, &upstream));
    let platform = |child: &Value| {
        child["platform"]["architecture"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let found: Vec<String> = children.iter().map(platform).collect();
    assert_eq!(found, ["amd64", "arm64"]);
    for (child, base) in children.iter().zip(base["manifests"].as_array().unwrap()) {
        let manifest = lab.parsed(VAULT, digest_of(child).as_str());
        let base = parse(lab.upstream_bytes(VAULT, &digest_of(base)));
        assert_eq!(manifest["layers"], base["layers"]);
    }
    let annotation = |name: &str| index["annotations"][name].clone();
    let base_digest = annotation("org.opencontainers.image.base.digest");
    assert_eq!(base_digest, upstream.as_str());
    assert_eq!(lab.tags(VAULT), ["1.14"]);

    lab.requests();
    lab.applies(&["in place"]);
    assert_eq!(
        lab.requests(),
        [
            "api BatchGetImage 200",
            "api DescribeRepositories 200",
            "upstream HEAD hashicorp/vault manifest 1.14 200",
        ]
    );
}

#[test]
fn a_layout_shows_what_was_made() {
    let lab = Lab::new();
    let config = json!({"Env": ["PATH=/bin"], "Cmd": ["server"]});
    let upstream = offer(&lab, "1", &["linux/amd64"], &config);
    let source = format!("{}/{VAULT}:1", lab.upstream());
    let mirror = |to: &str, more: &[&str]| {
        let line = "ENTRYPOINT [\"/run\"]";
        let arguments = [
            "mirror",
            &source,
            "--to",
            to,
            "--builder",
            "auto",
            "--line",
            line,
        ];
        lab.longshore(&[&arguments, more].concat())
            .env("SOURCE_DATE_EPOCH", "1735689600")
    };
    let run = mirror("oci:out/vault", &[]).run().exits(0);
    let warning = "warning: oci:out/vault:1: line 2 of the Dockerfile (`ENTRYPOINT [\"/run\"]`): \
                   this takes away the base's command, `server`; repeat the command in a `CMD` line";
    let run = run.says(&[warning]);
    let made = run.stdout.trim().rsplit_once('@').unwrap().1.to_owned();
    let blob = |digest: &Digest| {
        let blobs = lab.folder().join("out/vault/blobs/sha256");
        parse(fs::read(blobs.join(digest.hex())).unwrap())
    };
    let manifest = blob(&made.parse().unwrap());
    let mut configuration = blob(&digest_of(&manifest["config"]));
    let labels = configuration["config"]
        .as_object_mut()
        .unwrap()
        .remove("Labels")
        .unwrap();
    assert_eq!(
        labels["org.opencontainers.image.base.digest"],
        upstream.as_str()
    );
    assert_eq!(labels["longshore.base.platform.digest"], upstream.as_str());
    assert_eq!(
        labels["longshore.recipe"],
        manifest["annotations"]["longshore.recipe"]
    );
    insta::assert_json_snapshot!(configuration);

    // Lines on top of a layout, which no daemon could build on.
    let from = "{source: 'oci:out/vault:1', repository: again, builder: direct, lines: [USER 7]}";
    lab.write(&format!("images: [{from}]\n"));
    lab.applies(&["done"]);
    lab.applies(&["in place"]);
    let render = lab.longshore(&["render"]).run().exits(0);
    assert!(render.stdout.contains("FROM oci:"), "{}", render.stdout);
}

#[test]
fn lines_that_need_a_daemon_are_refused_before_anything_happens() {
    let lab = Lab::new();
    lab.write(
        "images:\n\
         - source: hashicorp/vault:1\n  \
           builder: direct\n  \
           lines:\n  \
           - ENV A=1\n  \
           - RUN true\n",
    );
    let run = lab.longshore(&["apply"]).run().exits(2);
    run.says(&["longshore.yaml:8:5: images[0].lines[1]: `RUN true` needs a build: `RUN` changes"]);
    let arguments = [
        "mirror",
        "mongo",
        "--builder",
        "direct",
        "--line",
        "RUN true",
    ];
    let run = lab.longshore(&arguments).run().exits(2);
    run.says(&["--line: `RUN true` needs a build: `RUN` changes files"]);
    let run = lab.longshore(&["mirror", "mongo"]);
    let run = run.env("SOURCE_DATE_EPOCH", "today").run().exits(2);
    run.says(&["SOURCE_DATE_EPOCH: `today` is no time"]);
    assert_eq!(lab.log().len(), 0);
}

#[test]
fn a_base_that_needs_a_build_is_told() {
    let lab = Lab::new();
    let config = json!({"OnBuild": ["RUN true"]});
    offer(&lab, "one", &["linux/amd64"], &config);
    offer(&lab, "many", &["linux/amd64", "linux/arm64"], &config);
    lab.write(
        "defaults: {builder: direct, lines: [USER 7]}\n\
         images: ['hashicorp/vault:one', 'hashicorp/vault:many']\n",
    );
    let plan = lab.longshore(&["plan", "--output", "json"]).run().exits(1);
    assert_eq!(plan.each("action"), ["error", "error"]);
    let run = lab.longshore(&["apply"]).run().exits(1);
    let reason = "cannot derive the linux/amd64 image: `builder: direct` builds nothing: any line \
                  on this base needs a build: the base has triggers (`ONBUILD RUN true`)";
    run.says(&[
        &format!("vault:one: {reason}"),
        &format!("vault:many: {reason}"),
        "hint: `builder: auto` and `builder: docker` build such an image",
    ]);
    let requests = lab.requests();
    let created = requests
        .iter()
        .any(|line| line.contains("CreateRepository"));
    assert!(!created, "{requests:?}");
}

#[test]
fn traps_are_told_before_anything_is_built() {
    let lab = Lab::new();
    offer(&lab, "1", &["linux/amd64"], &json!({"Cmd": ["server"]}));
    lab.write(
        "images:\n\
         - source: hashicorp/vault:1\n  \
           lines: ['VOLUME /etc/vault', 'RUN echo x > /etc/vault/y', 'USER $U', 'ENTRYPOINT [/run]']\n",
    );
    let plan = lab.longshore(&["plan"]).run().exits(0);
    insta::assert_snapshot!(lab.without_ports(&plan.stderr));
}

#[test]
fn traps_of_the_chosen_platforms_of_an_index_are_told() {
    let lab = Lab::new();
    let image = |platform: &str, config: Value| PlatformImage {
        platform: platform.parse().unwrap(),
        config,
        layers: vec![platform.as_bytes().to_vec()],
    };
    let platforms = [
        image(
            "linux/amd64",
            json!({"Cmd": ["server"], "Volumes": {"/data": {}}}),
        ),
        image(
            "linux/arm64",
            json!({"Cmd": ["server"], "OnBuild": ["RUN a"]}),
        ),
        image("linux/s390x", json!({"Cmd": ["other"]})),
    ];
    write_image(&lab.hub(), VAULT, "1", &platforms).unwrap();
    lab.write(
        "images:\n\
         - source: hashicorp/vault:1\n  \
           platforms: [linux/amd64, linux/arm64]\n  \
           lines: ['RUN echo x > /data/y', 'ENTRYPOINT [\"/run\"]']\n\
         - source: hashicorp/vault:1\n  \
           repository: derived\n  \
           builder: auto\n  \
           platforms: [linux/amd64, linux/s390x]\n  \
           lines: [USER 7, WORKDIR /data]\n\
         - source: hashicorp/vault:1\n  \
           repository: direct\n  \
           builder: direct\n  \
           platforms: [linux/amd64, linux/s390x]\n  \
           lines: [USER 7, WORKDIR /data]\n",
    );
    let plan = lab.longshore(&["plan", "--output", "json"]).run().exits(1);
    assert_eq!(plan.each("action"), ["build", "build", "error"]);
    insta::assert_snapshot!(lab.without_ports(&plan.stderr));
}

#[test]
fn what_cannot_be_derived_is_built_where_that_is_allowed() {
    let lab = Lab::new();
    let layer = archive(&[("name", Some(b"x"))]);
    let image = |platform: &str, config: Value| PlatformImage {
        platform: platform.parse().unwrap(),
        config,
        layers: vec![layer.clone()],
    };
    let triggers = || json!({"OnBuild": ["ENV TRIGGERED=1"]});
    let platforms = [
        image("linux/amd64", triggers()),
        image("linux/arm64", triggers()),
    ];
    write_image(&lab.hub(), VAULT, "triggers", &platforms).unwrap();
    write_image(
        &lab.hub(),
        VAULT,
        "plain",
        &[image("linux/amd64", json!({}))],
    )
    .unwrap();
    lab.write(
        "defaults: {builder: auto}\n\
         images:\n\
         - {source: 'hashicorp/vault:triggers', lines: [USER 7]}\n\
         - {source: 'hashicorp/vault:plain', lines: [WORKDIR /made]}\n\
         - {source: 'hashicorp/vault:plain', repository: derived, lines: [USER 7]}\n",
    );
    let plan = lab.longshore(&["plan", "--output", "json"]).run().exits(0);
    assert_eq!(plan.each("action"), ["build", "build", "derive"]);
    let told = lab.longshore(&["plan"]).run().exits(0).stdout;
    assert_eq!(
        told.lines().last().unwrap(),
        "2 repositories to create, 2 images to build, 1 to derive, 0 to copy, 0 in place, \
         0 skipped, 0 failed"
    );
    lab.longshore_with_docker(&["apply"]).run().exits(0);
    let index = lab.parsed(VAULT, "triggers");
    assert_eq!(index["manifests"].as_array().unwrap().len(), 2);
    lab.applies(&["in place", "in place", "in place"]);
}

#[test]
fn derived_and_built_are_the_same_to_a_runtime() {
    let world = World::new("derived");
    world.offer_index(VAULT, "1");
    let lines = r#"['ENV A=1 B=$PATH:/x', 'LABEL l="a b"', 'VOLUME ["/etc/vault"]', EXPOSE 80,
        USER 7, 'ENTRYPOINT ["e"]', 'CMD c $A', STOPSIGNAL SIGINT]"#;
    world.write(&format!(
        "images:\n\
         - {{source: 'hashicorp/vault:1', repository: built, lines: {lines}}}\n\
         - {{source: 'hashicorp/vault:1', repository: made, builder: direct, lines: {lines}}}\n"
    ));
    world.longshore(&["apply"]).run().exits(0);
    let read = |repository: &str| {
        let repository = format!("derived/{repository}");
        let index = world.destination.manifest(&repository, "1");
        let children = index["manifests"].as_array().unwrap().iter();
        let of_child = |child: &Value| {
            let digest = child["digest"].as_str().unwrap();
            let manifest = world.destination.manifest(&repository, digest);
            let configuration = world.destination.config(&repository, digest);
            (manifest["layers"].clone(), runtime(&configuration))
        };
        let children: Vec<_> = children.map(of_child).collect();
        (index["annotations"].clone(), children)
    };
    assert_eq!(read("built"), read("made"));
}

/// What a runtime reads of a configuration.
fn runtime(configuration: &Value) -> Value {
    let mut config = configuration["config"].as_object().unwrap().clone();
    // Docker writes what is empty, and a mark for Windows.
    config.retain(|name, value| {
        let nothing = [json!(null), json!(""), json!(false), json!([]), json!({})];
        !nothing.contains(value) && name != "ArgsEscaped"
    });
    let platform = [&configuration["os"], &configuration["architecture"]];
    json!([platform, config, configuration["rootfs"]["diff_ids"]])
}
