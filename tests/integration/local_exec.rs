//! How Terraform's `local-exec` calls longshore: no terminal, all in arguments and variables.

use serde_json::json;

use crate::harness::{Longshore, Terraform, World};

#[test]
fn mirror_prints_one_line() {
    let world = World::new("mirror");
    world.offer("team/api", "1.10", "1");
    let source = format!("{}/team/api:1.10", world.upstream.host());
    let registry = format!("http://{}", world.destination.host());
    let arguments = [
        "mirror",
        &source,
        "api:stable",
        "--namespace",
        "mirror",
        "--registry",
        &registry,
        "--line",
        "RUN mkdir /etc/vault",
        "--line",
        "VOLUME [\"/etc/vault\"]",
    ];
    for _ in 0..2 {
        let run = world.longshore(&arguments).run().exits(0);
        let digest = world.destination.digest("mirror/api", "stable").unwrap();
        let host = world.destination.host();
        assert_eq!(run.stdout, format!("{host}/mirror/api:stable@{digest}\n"));
        // Nothing that only a terminal understands.
        assert!(!run.stderr.contains(['\x1b', '\r']), "{:?}", run.stderr);
    }
    let config = world.destination.config("mirror/api", "stable");
    assert_eq!(config["config"]["Volumes"], json!({"/etc/vault": {}}));
}

#[test]
fn the_file_may_be_json_in_a_variable_or_on_stdin() {
    let world = World::new("json");
    world.offer("library/mongo", "latest", "mongo");
    let config = json!({
        "version": 1,
        "destination": {"namespace": "json", "registry": format!("http://{}", world.destination.host())},
        "upstreams": {"docker.io": {"endpoint": format!("http://{}", world.upstream.host())}},
        "images": [{"source": "mongo", "lines": ["ENV A=1"]}],
    });
    let config = config.to_string();
    world
        .longshore(&["apply"])
        .env("LONGSHORE_CONFIG", &config)
        .run()
        .exits(0);
    assert_eq!(world.destination.tags("json/mongo"), ["latest"]);
    let rerun = world
        .longshore(&["apply", "-f", "-", "--output", "json"])
        .stdin(&config)
        .run();
    assert_eq!(rerun.exits(0).each("status"), ["in place"]);
}

#[test]
fn terraform_runs_it() {
    let Some(terraform) = Terraform::bare("Terraform's local-exec") else {
        return;
    };
    let world = World::new("terraform");
    world.offer("library/redis", "7", "redis");
    world.offer("library/mongo", "latest", "mongo");
    let module = format!(
        r#"
        resource "terraform_data" "images" {{
          provisioner "local-exec" {{
            command = "{longshore} apply"
            environment = {{
              LONGSHORE_CONFIG = jsonencode({{
                version     = 1
                destination = {{ namespace = "terraform", registry = "http://{destination}" }}
                upstreams   = {{ "docker.io" = {{ endpoint = "http://{upstream}" }} }}
                images      = [{{ source = "redis:7", lines = ["VOLUME [\"/etc/vault\"]"] }}]
              }})
            }}
          }}
        }}

        resource "terraform_data" "image" {{
          provisioner "local-exec" {{
            command = "{longshore} mirror {upstream}/library/mongo --namespace terraform"
            environment = {{ LONGSHORE_REGISTRY = "http://{destination}" }}
          }}
        }}
        "#,
        longshore = Longshore::BINARY,
        destination = world.destination.host(),
        upstream = world.upstream.host(),
    );
    let root = terraform.root(world.folder(), &module, |program, arguments| {
        world.call(program, arguments)
    });
    root.apply(&[]).exits(0);
    let config = world.destination.config("terraform/redis", "7");
    assert_eq!(config["config"]["Volumes"], json!({"/etc/vault": {}}));
    assert_eq!(
        world.destination.tags("terraform/library/mongo"),
        ["latest"]
    );
}
