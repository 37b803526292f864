//! Destinations that are not reached through ECR's API.

use std::fs;

use longshore::image::Digest;
use longshore::sandbox::Server;
use longshore::sandbox::layout::{PlatformImage, write_image};

use serde_json::json;

use crate::harness::{Image, Lab, Longshore, Registry, Request};

/// A lab beside a registry to which Docker has a login.
struct Elsewhere {
    lab: Lab,
    registry: Registry,
}

impl Elsewhere {
    fn new() -> Self {
        let (lab, registry) = (Lab::new(), Registry::private("acme", "pass"));
        // `acme:pass` in Base64.
        let login = format!(
            r#"{{"auths": {{"{}": {{"auth": "YWNtZTpwYXNz"}}}}}}"#,
            registry.host()
        );
        fs::create_dir(lab.folder().join(".docker")).unwrap();
        fs::write(lab.folder().join(".docker/config.json"), login).unwrap();
        Self { lab, registry }
    }

    /// `mirror SOURCE --to HOST/NAME` and what follows; the source is upstream.
    fn mirror(&self, source: &str, name: &str, more: &[&str]) -> Longshore {
        let source = format!("{}/{source}", self.lab.upstream());
        let to = format!("{}/{name}", self.registry.host());
        let arguments = [&["mirror", &source, "--to", &to], more].concat();
        self.lab.longshore(&arguments)
    }

    fn digest(&self, repository: &str, tag: &str) -> Option<Digest> {
        let digest = self.registry.digest(repository, tag)?;
        Some(digest.parse().unwrap())
    }
}

#[test]
fn any_registry_takes_images_and_no_aws_is_asked() {
    let elsewhere = Elsewhere::new();
    let (text, _) = elsewhere.lab.offer_platforms("team/redis", "7");
    let digest = Digest::of(text.as_bytes());
    let run = elsewhere.mirror("team/redis:7", "cache/redis", &[]).run();
    let host = elsewhere.registry.host();
    let line = format!("{host}/cache/redis:7@{digest}\n");
    assert_eq!(run.exits(0).stdout, line);
    assert_eq!(elsewhere.digest("cache/redis", "7"), Some(digest));
    let asked = elsewhere.lab.log();
    assert!(asked.iter().all(|request| request.at == Server::Upstream));

    elsewhere.lab.requests();
    elsewhere.registry.requests();
    let run = elsewhere.mirror("team/redis:7", "cache/redis:7", &[]).run();
    assert_eq!(run.exits(0).stdout, line);
    assert_eq!(
        elsewhere.lab.requests(),
        ["upstream HEAD team/redis manifest 7 200"]
    );
    let requests = elsewhere.registry.requests();
    let transfers = requests.iter().filter(|request| request.transfers());
    assert_eq!(transfers.count(), 0, "{requests:?}");
}

#[test]
fn a_registry_takes_blobs_from_its_own_repositories() {
    let elsewhere = Elsewhere::new();
    let image = Image::new("neighbours", "1");
    elsewhere.registry.push("team/app", "1", &image);
    let host = elsewhere.registry.host();
    let [source, to] = ["team/app:1", "copy/app"].map(|name| format!("{host}/{name}"));
    let run = elsewhere
        .lab
        .longshore(&["mirror", &source, "--to", &to, "--output", "json"]);
    let report = run.run().exits(0).json();
    assert_eq!(report["images"][0]["digest"], image.digest());
    let blobs = &report["images"][0]["blobs"];
    assert_eq!(*blobs, json!({"copied": 0, "mounted": 2, "skipped": 0}));
    let requests = elsewhere.registry.requests();
    let reads_blob =
        |request: &&Request| request.method == "GET" && request.path.contains("/blobs/");
    assert_eq!(
        requests.iter().filter(reads_blob).count(),
        0,
        "{requests:?}"
    );
}

#[test]
fn a_registry_that_does_not_know_us_is_named_with_its_remedy() {
    let elsewhere = Elsewhere::new();
    fs::remove_dir_all(elsewhere.lab.folder().join(".docker")).unwrap();
    elsewhere.lab.offer("team/app", "1", b"app");
    let run = elsewhere.mirror("team/app:1", "app", &[]).run().exits(3);
    let host = elsewhere.registry.host();
    run.says(&[host, &format!("run `docker login {host}`")]);
}

#[test]
fn what_is_no_registry_is_named() {
    let lab = Lab::new();
    lab.offer("team/app", "1", b"app");
    let source = format!("{}/team/app:1", lab.upstream());
    // ECR's API speaks HTTP, and nothing of what a registry does.
    let api = lab.api();
    let to = format!("{api}/app");
    let run = lab.longshore(&["mirror", &source, "--to", &to]).run();
    run.exits(1).says(&[&format!("`{api}` ")]);
    let run = lab
        .longshore(&["mirror", &source, "--to", "127.0.0.1:1/app"])
        .run();
    run.exits(4)
        .says(&["nothing listens at `http://127.0.0.1:1`"]);
}

#[test]
fn no_tag_is_clobbered_that_holds_something_else() {
    let elsewhere = Elsewhere::new();
    for tag in ["1", "2", "3"] {
        elsewhere.lab.offer("team/app", tag, tag.as_bytes());
    }
    let no_clobber = ["--no-clobber"];
    elsewhere
        .mirror("team/app:1", "app:1", &no_clobber)
        .run()
        .exits(0);
    elsewhere
        .mirror("team/app:1", "app:1", &no_clobber)
        .run()
        .exits(0);
    elsewhere
        .mirror("team/app:1", "app:2", &no_clobber)
        .run()
        .exits(0);
    let held = elsewhere.digest("app", "2");
    elsewhere.lab.requests();

    let arguments = ["--all-tags", "-n", "--output", "json"];
    let run = elsewhere
        .mirror("team/app", "app", &arguments)
        .run()
        .exits(1);
    assert_eq!(run.each("status"), ["in place", "failed", "done"]);
    let error = &run.json()["images"][1]["error"];
    assert_eq!(error["kind"], "conflict");
    let message = error["message"].as_str().unwrap();
    let held = held.unwrap();
    let says = format!("cannot overwrite the tag: it is not to be overwritten and holds `{held}`");
    assert!(message.starts_with(&says), "{message}");
    assert_eq!(elsewhere.digest("app", "2"), Some(held));
    // It is not tried again.
    let requests = elsewhere.lab.requests();
    let heads = requests
        .iter()
        .filter(|line| line.contains("HEAD team/app manifest 2"));
    assert_eq!(heads.count(), 1, "{requests:?}");

    elsewhere.mirror("team/app:2", "app:2", &[]).run().exits(0);
    let source = format!("{}/team/app:2", elsewhere.lab.upstream());
    let ecr = |more: &[&str]| {
        let arguments = [&["mirror", &source, "app:1"], more].concat();
        elsewhere.lab.longshore(&arguments).run()
    };
    ecr(&["-n"]).exits(0);
    ecr(&["-n"]).exits(0);
    elsewhere.lab.offer("team/app", "2", b"new");
    ecr(&["-n"]).exits(1).says(&["leave `--no-clobber` out"]);
    ecr(&[]).exits(0);
}

#[test]
fn ecr_public_opens_with_a_token_of_its_own() {
    let lab = Lab::new();
    let digest = lab.offer("team/app", "1", b"app");
    lab.create_repository("alias/app");
    let source = format!("{}/team/app:1", lab.upstream());
    let registry = format!("http://{}", lab.registry());
    let arguments = [
        "mirror",
        &source,
        "--to",
        "public.ecr.aws/alias/app",
        "--registry",
        &registry,
    ];
    lab.requests();
    let run = lab.longshore(&arguments).run().exits(0);
    assert_eq!(run.stdout, format!("public.ecr.aws/alias/app:1@{digest}\n"));
    let requests = lab.requests();
    assert_eq!(lab.digest("alias/app", "1"), Some(digest));
    let api: Vec<&String> = requests
        .iter()
        .filter(|line| line.starts_with("api "))
        .collect();
    assert_eq!(
        api,
        ["api SpencerFrontendService.GetAuthorizationToken 200"]
    );
}

#[test]
fn docker_builds_for_any_registry() {
    let elsewhere = Elsewhere::new();
    elsewhere.lab.offer_base("team/app", "1");
    let source = format!("{}/team/app:1", elsewhere.lab.upstream());
    let to = format!("{}/built/app:1", elsewhere.registry.host());
    let arguments = ["mirror", &source, "--to", &to, "--line", "ENV A=1"];
    for _ in 0..2 {
        let run = elsewhere
            .lab
            .longshore_with_docker(&arguments)
            .run()
            .exits(0);
        let digest = elsewhere.digest("built/app", "1").unwrap();
        assert_eq!(run.stdout, format!("{to}@{digest}\n"));
    }
    assert_eq!(elsewhere.registry.tags("built/app"), ["1"]);
    let config = elsewhere.registry.config("built/app", "1");
    assert!(
        config["config"]["Env"].to_string().contains("A=1"),
        "{config}"
    );
}

#[test]
fn several_platforms_leave_no_tag_but_their_own() {
    let elsewhere = Elsewhere::new();
    // What ends a tar archive, and so an archive of nothing.
    let layer = vec![0; 1024];
    let platforms = ["linux/amd64", "linux/arm64"]
        .map(|platform| PlatformImage::new(platform.parse().unwrap(), vec![layer.clone()]));
    write_image(&elsewhere.lab.hub(), "team/app", "1", &platforms).unwrap();
    let source = format!("{}/team/app:1", elsewhere.lab.upstream());
    let to = format!("{}/app", elsewhere.registry.host());
    let arguments = [
        "mirror",
        &source,
        "--to",
        &to,
        "--line",
        "ENV A=1",
        "--platform",
        "all",
    ];
    let run = elsewhere.lab.longshore_with_docker(&arguments).run();
    run.exits(0);
    assert_eq!(elsewhere.registry.tags("app"), ["1"]);
}
