//! Images of the Docker daemon as sources.

use std::fs;
use std::io::Read as _;

use flate2::read::GzDecoder;
use longshore::image::Digest;
use serde_json::{Value, json};

use crate::harness::{
    Engine, Events, Image, LABEL, Lab, Longshore, Pulled, archive, docker, wait_for_next_second,
};

/// A layer with one file.
fn layer(content: &str) -> Vec<u8> {
    archive(&[("srv", None), ("srv/content", Some(content.as_bytes()))])
}

/// Puts an image into the daemon and returns its ID. The name begins with the test's name.
fn load(engine: &Engine, name: &str, config: &Value, layers: &[Vec<u8>]) -> Digest {
    let (test, _) = name.split_once('/').unwrap();
    let mut config = config.clone();
    config["Labels"] = json!({LABEL: test});
    let diff_ids: Vec<Digest> = layers.iter().map(|layer| Digest::of(layer)).collect();
    let configuration = json!({
        "architecture": Image::native(),
        "os": "linux",
        "created": "2024-01-02T03:04:05.678Z",
        "config": config,
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
        "history": layers.iter().map(|_| json!({"created_by": "layer"})).collect::<Vec<_>>(),
        "x-unknown": [1.50, "kept"],
    })
    .to_string();
    let id = Digest::of(configuration.as_bytes());
    let files: Vec<String> = (0..layers.len())
        .map(|it| format!("{it}/layer.tar"))
        .collect();
    let config = format!("{}.json", id.hex());
    let contents = json!([{"Config": config, "RepoTags": [name], "Layers": files}]).to_string();
    let mut entries: Vec<(&str, Option<&[u8]>)> = vec![(&config, Some(configuration.as_bytes()))];
    for (file, layer) in files.iter().zip(layers) {
        entries.push((file.trim_end_matches("/layer.tar"), None));
        entries.push((file, Some(layer)));
    }
    entries.push(("manifest.json", Some(contents.as_bytes())));
    engine.load(name, archive(&entries));
    id
}

fn saves(events: &mut Events) -> usize {
    let actions = events.actions();
    actions.iter().filter(|action| *action == "save").count()
}

#[test]
fn an_image_of_the_daemon_is_published_as_it_is() {
    let (lab, engine) = (Lab::new(), Engine::new());
    let mut events = Events::of("local-as-it-is");
    let layers = [layer("base"), layer("app")];
    let name = "local-as-it-is/app:dev";
    let id = load(&engine, name, &json!({"Cmd": ["/srv/app"]}), &layers);
    lab.write(&format!("images: ['docker-daemon:{name}']\n"));

    let plan = lab.longshore_with_docker(&["plan", "--output", "json"]);
    let plan = plan.run().exits(0);
    assert_eq!(plan.each("action"), ["copy"]);
    assert_eq!(plan.each("source"), [format!("docker-daemon:{name}")]);
    assert_eq!(saves(&mut events), 0);
    lab.requests();
    lab.longshore_with_docker(&["apply"]).run().exits(0);
    let repository = "local-as-it-is/app";
    insta::assert_snapshot!(lab.requests().join("\n"));
    assert_eq!(saves(&mut events), 1);

    let pushed = lab.parsed(repository, "dev");
    assert_eq!(pushed["config"]["digest"], id.as_str());
    let password = lab.password();
    for (descriptor, layer) in pushed["layers"].as_array().unwrap().iter().zip(&layers) {
        assert_eq!(
            descriptor["mediaType"],
            "application/vnd.oci.image.layer.v1.tar+gzip"
        );
        let digest = descriptor["digest"].as_str().unwrap();
        let blob = lab.blob(&password, repository, digest).unwrap();
        let mut content = Vec::new();
        GzDecoder::new(&blob[..]).read_to_end(&mut content).unwrap();
        assert!(content == *layer);
    }
    let annotations = &pushed["annotations"];
    assert_eq!(
        annotations["org.opencontainers.image.base.name"],
        format!("docker-daemon:{name}")
    );
    assert_eq!(
        annotations["org.opencontainers.image.base.digest"],
        id.as_str()
    );

    // The same image is the same digest wherever it goes, and costs nothing where it is.
    lab.longshore_with_docker(&Longshore::APPLY)
        .becomes(&["in place"]);
    assert_eq!(saves(&mut events), 0);
    lab.requests();
    let source = format!("docker-daemon:{name}");
    let again = lab.longshore_with_docker(&["mirror", &source, "elsewhere:1"]);
    again.run().exits(0);
    assert_eq!(lab.digest("elsewhere", "1"), lab.digest(repository, "dev"));

    let pulled = Pulled::new(&format!("{}/elsewhere:1", lab.registry()), "AWS", &password);
    assert_eq!(pulled.inspect("{{.Id}}"), id.as_str());
}

#[test]
fn a_name_that_moved_is_published_again_and_shares_its_layers() {
    let (lab, engine) = (Lab::new(), Engine::new());
    let name = "local-moved/app:dev";
    let base = layer("base");
    load(&engine, name, &json!({}), &[base.clone(), layer("1")]);
    lab.write(&format!("images: ['docker-daemon:{name}']\n"));
    lab.longshore_with_docker(&["apply"]).run().exits(0);
    let before = lab.parsed("local-moved/app", "dev");
    let old = before["config"]["digest"].as_str().unwrap().to_owned();
    engine.own(&old);

    let new = load(&engine, name, &json!({}), &[base, layer("2")]);
    lab.requests();
    let apply = lab.longshore_with_docker(&["apply", "--output", "json"]);
    let apply = apply.run().exits(0);
    let reason = format!("upstream moved from {}", &old[.."sha256:".len() + 12]);
    assert_eq!(apply.each("reason"), [reason]);
    let after = lab.parsed("local-moved/app", "dev");
    assert_eq!(after["config"]["digest"], new.as_str());
    assert_eq!(after["layers"][0], before["layers"][0]);
    let uploads = lab.requests();
    let uploads = uploads.iter().filter(|line| line.contains("PUT"));
    insta::assert_snapshot!(uploads.cloned().collect::<Vec<_>>().join("\n"));
}

#[test]
fn zstd_where_it_is_wanted() {
    let (lab, engine) = (Lab::new(), Engine::new());
    load(&engine, "local-zstd/app:1", &json!({}), &[layer("x")]);
    lab.write("images: [{source: 'docker-daemon:local-zstd/app:1', compression: zstd}]\n");
    lab.longshore_with_docker(&["apply"]).run().exits(0);
    let pushed = lab.parsed("local-zstd/app", "1");
    assert_eq!(
        pushed["layers"][0]["mediaType"],
        "application/vnd.oci.image.layer.v1.tar+zstd"
    );
}

#[test]
fn lines_are_built_on_it_or_derived_from_it() {
    let (lab, engine) = (Lab::new(), Engine::new());
    let mut events = Events::of("local-lines");
    let source = "docker-daemon:local-lines/app:dev";
    let layers = [layer("base"), layer("app")];
    let config = json!({"Env": ["PATH=/bin", "HOME=/srv"], "Cmd": ["/srv/app"]});
    let id = load(&engine, "local-lines/app:dev", &config, &layers);
    fs::write(lab.path("more"), "more").unwrap();
    lab.write(&format!(
        "images:\n\
         - {{source: '{source}', repository: plain}}\n\
         - {{source: '{source}', repository: built, lines: [ENV A=$HOME/a, COPY more /srv/],\n   \
              build: {{context: .}}}}\n\
         - {{source: '{source}', repository: derived, lines: [ENV A=$HOME/a], builder: auto}}\n\
         - {{source: '{source}', repository: pushed, lines: [ENV A=$HOME/a], publish: daemon}}\n\
         - {{source: '{source}', repository: buildkit, lines: [ENV A=$HOME/a, COPY more /srv/],\n   \
              build: {{context: .}}, builder_engine: buildkit}}\n"
    ));
    let plan = lab.longshore_with_docker(&["plan", "--output", "json"]);
    let plan = plan.run().exits(0);
    assert_eq!(
        plan.each("action"),
        ["copy", "build", "derive", "build", "build"]
    );
    lab.longshore_with_docker(&Longshore::APPLY)
        .becomes(&["done"; 5]);

    let [as_it_is, built, derived, buildkit] =
        ["plain", "built", "derived", "buildkit"].map(|it| lab.parsed(it, "dev"));
    for repository in ["built", "derived", "pushed", "buildkit"] {
        let made = lab.config(repository, "dev");
        let env = json!(["PATH=/bin", "HOME=/srv", "A=/srv/a"]);
        assert_eq!(made["config"]["Env"], env, "{repository}");
        let labels = &made["config"]["Labels"];
        assert_eq!(labels["org.opencontainers.image.base.name"], source);
        assert_eq!(labels["org.opencontainers.image.base.digest"], id.as_str());
    }
    assert_eq!(derived["layers"], as_it_is["layers"]);
    for built in [built, buildkit] {
        let built = built["layers"].as_array().unwrap();
        assert_eq!(built.len(), 3);
        assert_eq!(built[..2], as_it_is["layers"].as_array().unwrap()[..]);
    }

    // Nobody builds or exports anything when nothing changed.
    events.actions();
    lab.longshore_with_docker(&Longshore::APPLY)
        .becomes(&["in place"; 5]);
    assert_eq!(events.actions(), [""; 0]);
    // What was there before is still there.
    let found = docker(&["inspect", "--format", "{{.Id}}", "local-lines/app:dev"]);
    assert_eq!(found, id.as_str());
}

#[test]
fn the_same_lines_on_the_same_image_give_the_same_digest() {
    let (lab, engine) = (Lab::new(), Engine::new());
    let config = json!({});
    load(&engine, "local-same/app:dev", &config, &[layer("base")]);
    let mut digests = Vec::new();
    for repository in ["one", "two"] {
        lab.write(&format!(
            "images: [{{source: 'docker-daemon:local-same/app:dev', repository: {repository}, \
             lines: [ENV A=1, WORKDIR /made]}}]\n"
        ));
        lab.longshore_with_docker(&["apply"]).run().exits(0);
        digests.push(lab.digest(repository, "dev").unwrap());
        wait_for_next_second();
    }
    assert_eq!(digests[0], digests[1]);
}

#[test]
fn other_registries_and_layouts_take_it_too() {
    let (lab, engine) = (Lab::new(), Engine::new());
    let source = "docker-daemon:local-to/app:dev";
    let id = load(&engine, "local-to/app:dev", &json!({}), &[layer("x")]);
    let layout = ["mirror", source, "--to", "oci:out/app:1"];
    let first = lab.longshore_with_docker(&layout).run().exits(0);
    assert_eq!(
        lab.longshore_with_docker(&layout).run().exits(0).stdout,
        first.stdout
    );
    let digest = first.stdout.trim().strip_prefix("oci:out/app:1@").unwrap();
    let blobs = lab.folder().join("out/app/blobs/sha256");
    let written = fs::read(blobs.join(&digest["sha256:".len()..])).unwrap();
    let written: Value = serde_json::from_slice(&written).unwrap();
    assert_eq!(written["config"]["digest"], id.as_str());
    assert!(blobs.join(id.hex()).is_file());
    // What was unpacked on the way is gone.
    let tmp = lab.path("tmp");
    fs::create_dir(&tmp).unwrap();
    let call = lab.longshore_with_docker(&["mirror", source, "--to", "oci:out/again:1"]);
    call.env("TMPDIR", &tmp).run().exits(0);
    assert_eq!(fs::read_dir(&tmp).unwrap().count(), 0);
}

#[test]
fn a_lock_pins_the_image_s_id() {
    let (lab, engine) = (Lab::new(), Engine::new());
    let name = "local-locked/app:dev";
    let old = load(&engine, name, &json!({}), &[layer("1")]);
    engine.own(old.as_str());
    lab.write(&format!("images: ['docker-daemon:{name}']\n"));
    lab.longshore_with_docker(&["plan", "--lock", "lock"])
        .run()
        .exits(0);
    load(&engine, name, &json!({}), &[layer("2")]);
    lab.longshore_with_docker(&["apply", "--locked", "lock"])
        .run()
        .exits(0);
    let pushed = lab.parsed("local-locked/app", "dev");
    assert_eq!(pushed["config"]["digest"], old.as_str());
}

#[test]
fn what_cannot_be_published_is_told() {
    let (lab, engine) = (Lab::new(), Engine::new());
    load(&engine, "local-wrong/app:dev", &json!({}), &[layer("x")]);
    let other = Image::foreign();
    lab.write(&format!(
        "images:\n\
         - docker-daemon:local-wrong/nothing:1\n\
         - {{source: 'docker-daemon:local-wrong/app:dev', platforms: [linux/{other}]}}\n\
         - {{source: 'docker-daemon:local-wrong/app:dev', repository: lines, \
             platforms: [linux/{other}], lines: [ENV A=1]}}\n"
    ));
    let run = lab.longshore_with_docker(&["apply"]).run().exits(1);
    let stderr = lab.without_ports(&run.stderr);
    insta::assert_snapshot!(
        stderr
            .replace(Image::native(), "OURS")
            .replace(other, "OTHER")
    );

    lab.write("images: [docker-daemon:app, 'docker-daemon:other:1']\n");
    let run = lab.longshore(&["apply"]).run().exits(4);
    insta::assert_snapshot!(run.stderr);
    lab.longshore(&["plan"]).run().exits(4);
}

#[test]
fn a_dockerfile_names_the_image_by_its_id() {
    let (lab, engine) = (Lab::new(), Engine::new());
    let id = load(&engine, "local-render/app:dev", &json!({}), &[layer("x")]);
    lab.write("images: [{source: 'docker-daemon:local-render/app:dev', lines: [ENV A=1]}]\n");
    let run = lab.longshore_with_docker(&["render"]).run().exits(0);
    let platform = format!("linux/{}", Image::native());
    assert_eq!(
        run.stdout,
        format!("# local-render/app:dev {platform}\nFROM {id}\nENV A=1\n\n")
    );
}
