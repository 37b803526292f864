//! `terraform/pull-sync`, applied for real; then its task, as ECS would start it.

use serde_json::{Value, json};

use super::PROVIDER;
use crate::harness::{Terraform, World};

#[test]
fn its_task_copies_what_the_patterns_choose() {
    let Some(terraform) = Terraform::with_provider("pull-sync") else {
        return;
    };
    let world = World::new("pull-sync");
    for tag in ["v1.2.3", "v1.2.34", "stable"] {
        world.offer("pull-sync/team/api", tag, tag);
    }
    let text = format!(
        r#"
        {PROVIDER}
        module "sync" {{
          source         = "./longshore/terraform/pull-sync"
          namespace      = "example-ecr-sync"
          task_image_uri = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/longshore"
          config = {{
            mode = "create"
            repos = [
              {{ source = "{upstream}/pull-sync/team/api", tags = ["v?.?.?"] }},
              {{ source = "{upstream}/pull-sync/team/api", destination = "pull-sync/renamed", tags = ["{{latest,stable}}"] }},
            ]
            repo_defaults = {{ scan_on_push = true, tag_immutability = true, encryption_type = "KMS" }}
          }}
        }}
        resource "aws_vpc" "own" {{
          cidr_block = "10.1.0.0/16"
        }}
        resource "aws_subnet" "own" {{
          vpc_id     = aws_vpc.own.id
          cidr_block = "10.1.1.0/24"
        }}
        module "every_input" {{
          source         = "./longshore/terraform/pull-sync"
          namespace      = "every-input"
          task_image_uri = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/longshore"
          task_image_tag = "0.1.0"
          schedule       = "rate(1 hour)"
          config = {{
            mode  = "refresh"
            repos = [{{ source = "111122223333.dkr.ecr.us-east-1.amazonaws.com/my-app/backend" }}]
            repo_defaults = {{
              scan_on_push     = false
              tag_immutability = false
              encryption_type  = "KMS"
              kms_key_arn      = "arn:aws:kms:eu-west-1:123456789012:key/0f4d"
            }}
          }}
          task_vpc_id           = aws_vpc.own.id
          task_subnet_ids       = [aws_subnet.own.id]
          task_assign_public_ip = false
        }}
        output "every" {{ value = module.every_input.destination_urls }}
        output "object" {{ value = module.sync.config_object }}
        output "urls" {{ value = module.sync.destination_urls }}
        "#,
        upstream = world.upstream.host(),
    );
    let root = terraform.root(world.folder(), &text, |program, arguments| {
        world.call(program, arguments)
    });
    root.apply(&[]).exits(0);
    root.is_settled(&[]);
    let host = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/pull-sync";
    assert_eq!(
        root.output("urls"),
        json!([format!("{host}/team/api"), format!("{host}/renamed")])
    );

    let every = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/my-app/backend";
    assert_eq!(root.output("every"), json!([every]));

    let object = root.output("object");
    let [bucket, key] = ["bucket", "key"].map(|name| object[name].as_str().unwrap().to_owned());
    let file = world.aws.object(world.region, &bucket, &key);
    // ECS takes each line apart at its first `=`, and what follows as it is.
    let [line] = file.lines().collect::<Vec<_>>()[..] else {
        panic!("{file}");
    };
    let (name, value) = line.split_once('=').unwrap();
    let mut config: Value = serde_json::from_str(value).unwrap();
    config["destination"]["registry"] = json!(format!("http://{}", world.destination.host()));
    let task = || world.longshore(&["apply"]).env(name, config.to_string());
    for _ in 0..2 {
        task().run().exits(0);
    }
    assert_eq!(world.destination.tags("pull-sync/team/api"), ["v1.2.3"]);
    assert_eq!(world.destination.tags("pull-sync/renamed"), ["stable"]);
    let made = world
        .aws
        .repository(world.region, "pull-sync/renamed")
        .unwrap();
    assert_eq!(made["imageTagMutability"], "IMMUTABLE");
    assert_eq!(made["imageScanningConfiguration"]["scanOnPush"], true);
    assert_eq!(
        made["encryptionConfiguration"],
        json!({
            "encryptionType": "KMS",
            "kmsKey": "arn:aws:kms:eu-west-1:123456789012:alias/aws/ecr",
        })
    );

    root.destroy(&[]);
}
