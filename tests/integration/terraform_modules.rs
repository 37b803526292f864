//! The Terraform modules: each by itself, and applied for real.

use std::fs;
use std::path::{Path, PathBuf};

use crate::harness::{Lab, Longshore, Terraform, World};

const REPOSITORY: &str = env!("CARGO_MANIFEST_DIR");

/// The provider of a root module. The environment says where its API is; moto and the sandbox know
/// no host of a bucket's own.
const PROVIDER: &str = r#"
provider "aws" {
  region            = "eu-west-1"
  s3_use_path_style = true
}
"#;

#[test]
fn every_module_is_sound_and_tested() {
    let Some(terraform) = Terraform::with_provider("the tests of the Terraform modules") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    for part in ["terraform", "templates"] {
        copy(&Path::new(REPOSITORY).join(part), &folder.path().join(part));
    }
    let settings = terraform.settings(folder.path());
    let run = |at: &Path, arguments: &[&str]| {
        Longshore::program(&terraform.program, at, arguments)
            .env("TF_CLI_CONFIG_FILE", &settings)
            .env("TF_CLI_ARGS", "-no-color")
            .env("CHECKPOINT_DISABLE", "1")
            .env("AWS_REGION", "eu-west-1")
            .run()
            .exits(0)
    };
    let modules = folder.path().join("terraform");
    run(&modules, &["fmt", "-check", "-diff", "-recursive"]);
    for module in entries(&modules) {
        run(&module, &["init", "-input=false", "-backend=false"]);
        run(&module, &["validate"]);
        let tests = run(&module, &["test"]);
        assert!(tests.stdout.contains(" 0 failed."), "{}", tests.stdout);
        assert!(!tests.stdout.contains("! 0 passed"), "{}", tests.stdout);
        for example in entries(&module.join("examples")) {
            run(&example, &["init", "-input=false", "-backend=false"]);
            run(&example, &["validate"]);
        }
    }
}

#[test]
fn ecr_mirror_brings_the_tag_and_follows_it() {
    let Some(terraform) = Terraform::with_provider("ecr-mirror") else {
        return;
    };
    let world = World::new("ecr-mirror");
    world.offer("library/redis", "7", "first");
    let text = format!(
        r#"
        {PROVIDER}
        variable "source_tag" {{ default = "7" }}
        variable "refresh" {{ default = false }}
        module "ecr_mirror" {{
          source         = "./longshore/terraform/ecr-mirror"
          docker_source  = "{upstream}/library/redis:${{var.source_tag}}"
          aws_region     = "eu-west-1"
          aws_account_id = "123456789012"
          ecr_repo_name  = "ecr-mirror/redis"
          ecr_repo_tag   = "base"
          architecture   = "linux/{architecture}"
          lines          = ["ENV QUOTES=\"'\\$HOME' `id` %PATH%\"", "VOLUME [\"/etc/vault\"]"]
          refresh        = var.refresh
          longshore      = "{longshore}"
          # moto knows nothing of what the registry holds.
          read_digest    = false
        }}
        output "image" {{ value = module.ecr_mirror.ecr_repo_arn }}
        "#,
        upstream = world.upstream.host(),
        architecture = crate::harness::Image::native(),
        longshore = Longshore::BINARY,
    );
    let registry = format!("http://{}", world.destination.host());
    let root = terraform.root(world.folder(), &text, |program, arguments| {
        world
            .call(program, arguments)
            .env("LONGSHORE_REGISTRY", &registry)
    });
    let version = || {
        let config = world.destination.config("ecr-mirror/redis", "base");
        config["config"]["Labels"]["version"].clone()
    };

    root.apply(&[]).exits(0);
    assert_eq!(
        root.output("image"),
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com/ecr-mirror/redis:base"
    );
    let config = &world.destination.config("ecr-mirror/redis", "base")["config"];
    assert_eq!(config["Volumes"], serde_json::json!({"/etc/vault": {}}));
    assert_eq!(config["Env"][1], "QUOTES='$HOME' `id` %PATH%");
    assert_eq!(version(), "first");
    root.is_settled(&[]);

    world.offer("library/redis", "7", "second");
    root.is_settled(&[]);
    assert_eq!(version(), "first");
    let refresh = ["-var", "refresh=true"];
    root.apply(&refresh).exits(0);
    assert_eq!(version(), "second");

    world.destination.requests();
    root.apply(&refresh).exits(0);
    let written = world.destination.requests();
    assert!(!written.iter().any(|request| request.is_write()));

    let failed = root.apply(&["-var", "source_tag=8"]).exits(1);
    let said = failed.stdout + &failed.stderr;
    assert!(said.contains("library/redis:8` does not exist"), "{said}");
    assert_eq!(version(), "second");

    root.destroy(&[]);
    assert_eq!(version(), "second");
}

#[test]
fn ecr_mirror_puts_out_the_digest() {
    let Some(terraform) = Terraform::with_provider("ecr-mirror's digest") else {
        return;
    };
    let lab = Lab::new();
    let digest = lab.offer("library/redis", "7", b"redis");
    let text = format!(
        r#"
        {PROVIDER}
        module "ecr_mirror" {{
          source         = "./longshore/terraform/ecr-mirror"
          docker_source  = "{upstream}/library/redis:7"
          aws_region     = "eu-west-1"
          aws_account_id = "123456789012"
          ecr_repo_name  = "redis"
          ecr_repo_tag   = "base"
          longshore      = "{longshore}"
        }}
        output "image" {{ value = module.ecr_mirror.image_digest }}
        "#,
        upstream = lab.upstream(),
        longshore = Longshore::BINARY,
    );
    let root = terraform.root(lab.folder(), &text, |program, arguments| {
        lab.call(program, arguments)
    });
    root.apply(&[]).exits(0);
    assert_eq!(
        root.output("image"),
        format!("123456789012.dkr.ecr.eu-west-1.amazonaws.com/redis@{digest}")
    );
    root.is_settled(&[]);
}

/// What a folder holds, sorted.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for path in entries(from) {
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(&path, &to).unwrap();
        }
    }
}
