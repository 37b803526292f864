//! `terraform/pull-through-cache` and `terraform/pull-through-registries`, applied for real: ECR and
//! its secrets are the sandbox's, for moto knows no rules, and the rest is moto's.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::PROVIDER;
use crate::harness::{Aws, Longshore, Root, Terraform, World};

const TOKEN: &str = "dckr_pat_a-token-to-look-for";

/// A world with another API of ECR's and of its secrets.
struct Cache {
    world: World,
    sandbox: Aws,
}

impl Cache {
    fn new(name: &str) -> Self {
        Self {
            world: World::new(name),
            sandbox: Aws::sandbox(),
        }
    }

    /// A root module that is applied and has nothing more to do.
    fn applied<'a>(
        &'a self,
        terraform: &'a Terraform,
        text: &str,
    ) -> Root<impl Fn(&[&str]) -> Longshore + 'a> {
        let call = |program: &Path, arguments: &[&str]| self.call(program, arguments);
        let root = terraform.root(self.world.folder(), text, call);
        root.apply(&[]).exits(0);
        root.is_settled(&[]);
        root
    }

    fn call(&self, program: &Path, arguments: &[&str]) -> Longshore {
        self.world
            .call(program, arguments)
            .env("AWS_ENDPOINT_URL_ECR", self.sandbox.url())
            .env("AWS_ENDPOINT_URL_SECRETS_MANAGER", self.sandbox.url())
    }

    fn ecr(&self, operation: &str) -> Value {
        self.sandbox.call("eu-west-1", operation, &json!({}))
    }

    fn login(&self, secret: &Value) -> Value {
        let arn = secret.as_str().unwrap();
        self.sandbox.secret("eu-west-1", arn)
    }

    /// The prefix, the upstream registry and the secret of each rule.
    fn rules(&self) -> Vec<Value> {
        let answer = self.ecr("DescribePullThroughCacheRules");
        let rules = answer["pullThroughCacheRules"].as_array().unwrap().iter();
        let members = [
            "ecrRepositoryPrefix",
            "upstreamRegistryUrl",
            "credentialArn",
        ];
        rules
            .map(|rule| json!(members.map(|member| rule[member].clone())))
            .collect()
    }
}

#[test]
fn pull_through_cache_makes_a_rule_and_what_belongs_to_it() {
    let Some(terraform) = Terraform::with_provider("pull-through-cache") else {
        return;
    };
    let cache = Cache::new("pull-through-cache");
    let text = format!(
        r#"
        {PROVIDER}
        module "docker_hub" {{
          source     = "./longshore/terraform/pull-through-cache"
          aws_region = "eu-west-1"
        }}
        module "others" {{
          source                = "./longshore/terraform/pull-through-cache"
          for_each              = {{ quay = "quay.io" }}
          upstream_registry     = each.key
          upstream_registry_url = each.value
          credentials           = {{}}
          lifecycle_policy = jsonencode({{
            rules = [{{
              rulePriority = 1
              selection    = {{ tagStatus = "any", countType = "imageCountMoreThan", countNumber = 3 }}
              action       = {{ type = "expire" }}
            }}]
          }})
        }}
        module "every_input" {{
          source                = "./longshore/terraform/pull-through-cache"
          aws_region            = "eu-west-1"
          upstream_registry     = "github"
          upstream_registry_url = "ghcr.io"
          credentials           = {{ username = "bot", accessToken = "{TOKEN}" }}
        }}
        output "github" {{ value = module.every_input.secret_arn }}
        output "arn" {{ value = module.docker_hub.ecr_pullthroughcache_policy_arn }}
        output "name" {{ value = module.docker_hub.ecr_pullthroughcache_policy_name }}
        output "secret" {{ value = module.docker_hub.secret_arn }}
        "#
    );
    let root = cache.applied(&terraform, &text);
    let policy = "eu-west-1-ecr-pullthroughcache-docker-hub";
    assert_eq!(root.output("name"), policy);
    let arn = format!("arn:aws:iam::123456789012:policy/{policy}");
    assert_eq!(root.output("arn"), arn);
    let secret = root.output("secret");
    assert_eq!(
        cache.login(&secret),
        json!({"username": "FILL-ME", "accessToken": "FILL-ME"})
    );
    let github = root.output("github");
    assert_eq!(
        cache.login(&github),
        json!({"username": "bot", "accessToken": TOKEN})
    );
    assert_eq!(
        cache.rules(),
        [
            json!(["docker-hub", "registry-1.docker.io", secret]),
            json!(["github", "ghcr.io", github]),
            json!(["quay", "quay.io", null]),
        ]
    );
    let templates = cache.ecr("DescribeRepositoryCreationTemplates");
    let templates = templates["repositoryCreationTemplates"].as_array().unwrap();
    assert_eq!(templates.len(), 1);
    assert_eq!(templates[0]["prefix"], "quay");
    root.destroy(&[]);
    assert_eq!(cache.rules(), [json!(null); 0]);
}

#[test]
fn pull_through_registries_makes_rules_secrets_and_templates() {
    let Some(terraform) = Terraform::with_provider("pull-through-registries") else {
        return;
    };
    let cache = Cache::new("pull-through-registries");
    let text = format!(
        r#"
        {PROVIDER}
        variable "token" {{
          sensitive = true
          default   = "{TOKEN}"
        }}
        module "cache" {{
          source = "./longshore/terraform/pull-through-registries"
          region = "eu-west-1"
          registries = {{
            dockerhub = {{
              registry                    = "registry-1.docker.io"
              username                    = "acme"
              accessToken                 = var.token
              repository_read_access_arns = ["arn:aws:iam::210987654321:root"]
              image_tag_mutability        = "IMMUTABLE"
              lifecycle_policy = {{
                rules = [{{
                  rulePriority = 1
                  description  = "Keep last 10 images"
                  selection = {{
                    tagStatus   = "any"
                    countType   = "imageCountMoreThan"
                    countNumber = 10
                  }}
                  action = {{ type = "expire" }}
                }}]
              }}
            }}
            quay = {{ registry = "quay.io" }}
          }}
          tags = {{ ManagedBy = "Terraform" }}
        }}
        output "urls" {{ value = module.cache.pull_through_cache_urls }}
        output "secrets" {{ value = module.cache.secret_arns }}
        "#
    );
    let root = cache.applied(&terraform, &text);
    let host = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
    assert_eq!(
        root.output("urls"),
        json!({
            "dockerhub": format!("{host}/dockerhub/your_image:tag"),
            "quay": format!("{host}/quay/your_image:tag"),
        })
    );
    let secret = root.output("secrets")["dockerhub"].clone();
    let login = |token: &str| json!({"username": "acme", "accessToken": token});
    assert_eq!(cache.login(&secret), login(TOKEN));
    assert_eq!(
        cache.rules(),
        [
            json!(["dockerhub", "registry-1.docker.io", secret]),
            json!(["quay", "quay.io", null]),
        ]
    );
    let templates = cache.ecr("DescribeRepositoryCreationTemplates");
    let templates = templates["repositoryCreationTemplates"].as_array().unwrap();
    let settings = templates.iter().map(|template| {
        let [lifecycle, policy] = ["lifecyclePolicy", "repositoryPolicy"]
            .map(|key| serde_json::from_str::<Value>(template[key].as_str().unwrap()).unwrap());
        json!([
            template["prefix"],
            template["imageTagMutability"],
            lifecycle["rules"][0]["selection"]["countNumber"],
            policy["Statement"][0]["Principal"]["AWS"]
                .as_array()
                .unwrap()
                .len(),
        ])
    });
    assert_eq!(
        settings.collect::<Vec<_>>(),
        [
            json!(["dockerhub", "IMMUTABLE", 10, 2]),
            json!(["quay", "MUTABLE", 3, 1]),
        ]
    );
    for template in templates {
        let tags = json!([{"Key": "ManagedBy", "Value": "Terraform"}]);
        assert_eq!(template["resourceTags"], tags);
        let role = template["customRoleArn"].as_str().unwrap();
        assert!(role.contains(":role/ecr-pullthroughcache-"), "{role}");
    }

    root.apply(&["-var", "token=dckr_pat_new"]).exits(0);
    assert_eq!(cache.login(&secret), login("dckr_pat_new"));
    let state = fs::read_to_string(cache.world.folder().join("terraform.tfstate")).unwrap();
    assert!(!state.contains("dckr_pat"), "{state}");
    root.destroy(&[]);
    let templates = cache.ecr("DescribeRepositoryCreationTemplates");
    assert_eq!(templates["repositoryCreationTemplates"], json!([]));
}
