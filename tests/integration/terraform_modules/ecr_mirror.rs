//! `terraform/ecr-mirror`, applied for real.

use std::fs;

use serde_json::json;

use super::PROVIDER;
use crate::harness::{Image, Lab, Longshore, Request, Terraform, World};

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
          aws_profile    = "mirror"
          ecr_repo_name  = "ecr-mirror/redis"
          ecr_repo_tag   = "base"
          architecture   = "linux/{architecture}"
          lines          = ["ENV QUOTES=\"'\\$HOME' `id` %PATH%\"", "VOLUME [\"/etc/vault\"]"]
          refresh        = var.refresh
          longshore      = "{longshore}"
          # moto knows nothing of what the registry holds.
          read_digest    = false
        }}
        output "repository" {{ value = module.ecr_mirror.ecr_repo_url }}
        output "image" {{ value = module.ecr_mirror.ecr_repo_url_tag }}
        "#,
        upstream = world.upstream.host(),
        architecture = Image::native(),
        longshore = Longshore::BINARY,
    );
    let registry = format!("http://{}", world.destination.host());
    let profiles = world.folder().join("profiles");
    let profile = "[mirror]\naws_access_key_id = a\naws_secret_access_key = b\n";
    fs::write(&profiles, profile).unwrap();
    let root = terraform.root(world.folder(), &text, |program, arguments| {
        world
            .call(program, arguments)
            .env("LONGSHORE_REGISTRY", &registry)
            .env("AWS_SHARED_CREDENTIALS_FILE", &profiles)
    });
    let version = || {
        let config = world.destination.config("ecr-mirror/redis", "base");
        config["config"]["Labels"]["version"].clone()
    };

    root.apply(&[]).exits(0);
    let url = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/ecr-mirror/redis";
    assert_eq!(root.output("repository"), url);
    assert_eq!(root.output("image"), format!("{url}:base"));
    let config = &world.destination.config("ecr-mirror/redis", "base")["config"];
    assert_eq!(config["Volumes"], json!({"/etc/vault": {}}));
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
    assert!(!written.iter().any(Request::is_write));

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

    // As the README says.
    let ids = json!({"repositoryName": "redis", "imageIds": [{"imageTag": "base"}]});
    lab.aws().call("eu-west-1", "BatchDeleteImage", &ids);
    root.run(&["plan", "-input=false"]).exits(1);
    let again = "-replace=module.ecr_mirror.terraform_data.mirror";
    root.apply(&[again]).exits(0);
    assert_eq!(lab.digest("redis", "base"), Some(digest));
}
