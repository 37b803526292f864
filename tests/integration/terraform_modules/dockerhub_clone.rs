//! `terraform/dockerhub-clone`, applied for real; then its build, as CodeBuild would run it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use longshore::image::Digest;
use serde_json::{Value, json};

use super::PROVIDER;
use crate::harness::{
    Aws, FileServer, Longshore, Registry, Request, Run, Terraform, World, archive, docker, yaml,
};

const TOKEN: &str = "dckr_pat_a-token-to-look-for";

/// The module's arguments as its users have them: all those of the system that it replaces.
const ARGUMENTS: &str = r#"
  containers = {
    "mongo"           = ["latest"]
    "redis"           = ["latest"]
    "hashicorp/vault" = ["1.14", "1.13.3"]
  }
  build_commands = {
    "hashicorp/vault:1.14" = [
      "RUN mkdir /etc/vault",
      "RUN chmod 777 /etc/vault",
      "VOLUME [\"/etc/vault\"]"
    ]
  }
  namespace               = "codebuild"
  prefix                  = "codebuild-"
  docker_hub_username     = "acme"
  region                  = "eu-west-1"
  account_id              = "123456789012"
  profile                 = "default"
  schedule_expression     = "rate(1 hour)"
"#;

/// What the system to be replaced leaves in the state of its users, as far as images and the token
/// hang on it.
const BEFORE: &str = r#"
variable "containers" { type = map(list(string)) }
variable "build_commands" {}
variable "namespace" {}
variable "prefix" {}
variable "docker_hub_username" {}
variable "region" {}
variable "account_id" {}
variable "profile" {}
variable "schedule_expression" {}
variable "docker_hub_access_token" {}
resource "aws_ecr_repository" "ecr" {
  for_each     = var.containers
  name         = "${var.namespace}/${each.key}"
  force_delete = true
}
resource "aws_ssm_parameter" "accesstoken" {
  name  = "${var.prefix}docker"
  type  = "SecureString"
  value = var.docker_hub_access_token
}
resource "aws_ecr_lifecycle_policy" "foopolicy" {
  for_each   = aws_ecr_repository.ecr
  repository = each.value.name
  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "Remove untagged images"
      selection    = { tagStatus = "untagged", countType = "imageCountMoreThan", countNumber = 1 }
      action       = { type = "expire" }
    }]
  })
}
"#;

#[test]
fn its_build_makes_the_four_tags() {
    let Some(terraform) = Terraform::with_provider("dockerhub-clone") else {
        return;
    };
    let world = World::with(
        "codebuild",
        Registry::private("acme", TOKEN),
        Aws::with_codebuild(),
    );
    world.offer("library/mongo", "latest", "mongo");
    world.offer("library/redis", "latest", "redis");
    world.offer("hashicorp/vault", "1.14", "vault 1.14");
    world.offer("hashicorp/vault", "1.13.3", "vault 1.13.3");
    let module = |source: &str, more: &str| {
        format!(
            "{PROVIDER}\nmodule \"clone\" {{\n  source = \"{source}\"\n{ARGUMENTS}  \
             docker_hub_access_token = \"{TOKEN}\"\n{more}\n}}\n"
        )
    };
    let main = world.folder().join("main.tf");
    fs::create_dir(world.folder().join("before")).unwrap();
    fs::write(world.folder().join("before/main.tf"), BEFORE).unwrap();
    let before = module("./before", "");
    let root = terraform.root(world.folder(), &before, |program, arguments| {
        world.call(program, arguments)
    });
    root.apply(&[]).exits(0);

    // Only `source` changes.
    let source = "./longshore/terraform/dockerhub-clone";
    fs::write(&main, module(source, "")).unwrap();
    root.run(&["init"]).exits(0);
    let applied = root.apply(&[]).exits(0);
    assert!(
        applied.stdout.contains("1 changed, 0 destroyed."),
        "{}",
        applied.stdout
    );
    root.is_settled(&[]);

    // Where longshore comes from is the one line more.
    let server = FileServer::of("longshore", Longshore::SCRIPT);
    let outputs = "}\noutput \"base\" { value = module.clone.image_base_url }\n\
         output \"urls\" { value = module.clone.image_urls }\n\
         output \"project\" {\n  value = module.clone.codebuild_project_name\n";
    let origin = format!(
        "  longshore_url    = \"{}\"\n  longshore_sha256 = \"{}\"\n{outputs}",
        server.url(),
        Digest::of(Longshore::SCRIPT.as_bytes()).hex()
    );
    fs::write(&main, module(source, &origin)).unwrap();
    let applied = root.apply(&[]).exits(0);
    let started = "module.clone.aws_scheduler_schedule.start will be replaced";
    assert!(applied.stdout.contains(started), "{}", applied.stdout);
    let host = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
    assert_eq!(root.output("base"), format!("{host}/codebuild/"));
    let url = |name: &str| format!("{host}/codebuild/{name}");
    assert_eq!(
        root.output("urls"),
        json!({
            "hashicorp/vault:1.13.3": url("hashicorp/vault:1.13.3"),
            "hashicorp/vault:1.14": url("hashicorp/vault:1.14"),
            "mongo:latest": url("mongo:latest"),
            "redis:latest": url("redis:latest"),
        })
    );
    let state = fs::read_to_string(world.folder().join("terraform.tfstate")).unwrap();
    assert!(!state.contains(TOKEN));

    let build = Build::of(&world, root.output("project").as_str().unwrap());
    let run = build.run().exits(0);
    assert_eq!(run.stderr.matches(": done").count(), 4, "{}", run.stderr);
    assert!(!run.stderr.contains(['\x1b', '\r']), "{:?}", run.stderr);
    for (repository, tags) in [
        ("codebuild/mongo", &["latest"][..]),
        ("codebuild/redis", &["latest"]),
        ("codebuild/hashicorp/vault", &["1.13.3", "1.14"]),
    ] {
        assert_eq!(world.destination.tags(repository), tags);
    }
    let volumes = |tag| {
        world.destination.config("codebuild/hashicorp/vault", tag)["config"]["Volumes"].clone()
    };
    assert_eq!(volumes("1.14"), json!({"/etc/vault": {}}));
    assert_eq!(volumes("1.13.3"), Value::Null);

    // The program may come in an image as well; and nothing changed since.
    let image = program_image();
    let origin = format!("  longshore_image = \"{image}\"\n{outputs}");
    fs::write(&main, module(source, &origin)).unwrap();
    root.apply(&[]).exits(0);
    world.destination.requests();
    let build = Build::of(&world, root.output("project").as_str().unwrap());
    let run = build.run().exits(0);
    assert!(!run.stderr.contains(": done"), "{}", run.stderr);
    let written = world.destination.requests();
    assert!(!written.iter().any(Request::is_write), "{written:?}");
    docker(&["image", "rm", image]);

    root.destroy(&[]);
    assert!(
        world
            .aws
            .repository(world.region, "codebuild/mongo")
            .is_none()
    );
}

/// A build of a project: what CodeBuild would run, and with which variables.
struct Build<'a> {
    world: &'a World,
    commands: String,
    environment: BTreeMap<String, String>,
}

impl<'a> Build<'a> {
    fn of(world: &'a World, project: &str) -> Self {
        let names = json!({"names": [project]});
        let target = "CodeBuild_20161006.BatchGetProjects";
        let answer = world.aws.call(world.region, target, &names);
        let project = &answer["projects"][0];
        let variables = project["environment"]["environmentVariables"].as_array();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let environment = variables.unwrap().iter().map(|variable| {
            let value = text(&variable["value"]);
            let value = match variable["type"].as_str().unwrap() {
                "PLAINTEXT" => value,
                "PARAMETER_STORE" => parameter(world, &value),
                other => panic!("{other}"),
            };
            (text(&variable["name"]), value)
        });
        let mut environment: BTreeMap<_, _> = environment.collect();
        let config = environment.get_mut("LONGSHORE_CONFIG").unwrap();
        *config = moved(world, config);
        let buildspec = yaml(&text(&project["source"]["buildspec"]));
        let phases = ["install", "pre_build", "build", "post_build"];
        let commands = phases.iter().flat_map(|phase| {
            let commands = buildspec["phases"][phase]["commands"].as_array();
            commands.into_iter().flatten().map(text)
        });
        Self {
            world,
            commands: commands.collect::<Vec<_>>().join("\n"),
            environment,
        }
    }

    /// All commands of all phases share one shell, and the first that fails ends them.
    fn run(&self) -> Run {
        let folder = tempfile::tempdir_in(self.world.folder()).unwrap();
        let folder = folder.path().to_str().unwrap();
        let script = format!("cd {folder}\n{}", self.commands);
        let shell = self.world.call(Path::new("sh"), &["-e", "-c", &script]);
        let shell = shell.env("CODEBUILD_SRC_DIR", folder);
        let set = |shell: Longshore, (name, value): (&String, &String)| shell.env(name, value);
        self.environment.iter().fold(shell, set).run()
    }
}

/// An image that holds a program called longshore and nothing else, as longshore's own does.
fn program_image() -> &'static str {
    let name = "longshore-codebuild:program";
    let program = Longshore::SCRIPT.as_bytes();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("image.tar");
    fs::write(&file, archive(&[("longshore", Some(program))])).unwrap();
    docker(&["import", file.to_str().unwrap(), name]);
    name
}

fn parameter(world: &World, name: &str) -> String {
    let names = json!({"Names": [name], "WithDecryption": true});
    let answer = world
        .aws
        .call(world.region, "AmazonSSM.GetParameters", &names);
    answer["Parameters"][0]["Value"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// The file for this world, whose Docker Hub and whose ECR are elsewhere.
fn moved(world: &World, config: &str) -> String {
    let mut config: Value = serde_json::from_str(config).unwrap();
    let at = |host: &str| json!(format!("http://{host}"));
    config["destination"]["registry"] = at(world.destination.host());
    config["upstreams"]["docker.io"]["endpoint"] = at(world.upstream.host());
    config.to_string()
}
