//! `docs/migrate.md`: before, after and the file are the same job.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use longshore::config::{CacheCredential, Destination, SingleImage, Specification};
use longshore::ecr::TagMutability;
use longshore::image::Tag;
use serde_json::{Value, json};

use crate::documentation::fences;
use crate::harness::{Lab, Terraform};
use crate::schema;
use crate::terraform_modules::PROVIDER;

const PAGE: &str = "docs/migrate.md";

/// The modules, in the page's order.
const MODULES: [&str; 5] = [
    "dockerhub_clone",
    "ecr_mirror",
    "docker_hub",
    "cache",
    "ecr_pull_sync",
];

/// What the page shows for a module: its call before and after, and the file.
struct Section {
    before: String,
    after: String,
    file: String,
}

fn sections() -> [Section; 5] {
    let calls = fences::of(PAGE, "hcl");
    let files = fences::of(PAGE, "yaml");
    assert_eq!(calls.len(), 2 * MODULES.len());
    std::array::from_fn(|at| {
        let call = |number: usize| {
            let text = &calls[2 * at + number].text;
            assert!(text.starts_with(&format!("module \"{}\"", MODULES[at])));
            text.clone()
        };
        Section {
            before: call(0),
            after: call(1),
            file: files[at].text.clone(),
        }
    })
}

#[test]
fn only_the_source_changes_and_what_stands_in_the_text() {
    let changes = sections().map(|Section { before, after, .. }| {
        let lines = |text: &str, other: &str| {
            let other: Vec<&str> = other.lines().collect();
            let lines = text.lines().filter(|line| !other.contains(line));
            let names = lines.filter_map(|line| line.split_whitespace().next());
            names.collect::<Vec<_>>().join(" ")
        };
        [lines(&before, &after), lines(&after, &before)]
    });
    assert_eq!(
        changes,
        [
            ["source", "source longshore_image"],
            ["source version", "source"],
            ["source", "source"],
            ["source", "source"],
            ["source task_image_uri", "source task_image_uri"],
        ]
    );
}

fn parse(text: &str) -> Specification {
    schema::parse(text, Path::new("")).unwrap_or_else(|mistakes| panic!("{mistakes}\n{text}"))
}

/// What a file has done with images, where the sources of its patterns have these tags.
fn images(file: &Specification) -> BTreeSet<String> {
    let tags = ["v1.0", "v1.23", "v2.0", "latest", "stable", "1.0"];
    let tags = tags.map(|tag| tag.parse::<Tag>().unwrap());
    let patterns = file.patterns.iter();
    let chosen = patterns.flat_map(|pattern| pattern.expand(&tags).images);
    let images = file.images.iter().cloned().chain(chosen).map(|image| {
        format!(
            "{} to {}:{}, {:?}, {:?}",
            image.source,
            image.repository,
            image.tag,
            image.platforms,
            image.lines.as_slice()
        )
    });
    images.collect()
}

/// The same of the system's own example.
#[test]
fn the_files_do_what_the_examples_of_the_systems_do() {
    let sections = sections();
    let fixture = |name: &str| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
        parse(&fs::read_to_string(folder.join(name)).unwrap())
    };
    let file = |at: usize| parse(&sections[at].file);
    assert_eq!(images(&file(0)), images(&fixture("dockerhub-clone.yaml")));
    assert_eq!(images(&file(4)), images(&fixture("pull-sync-usage.yaml")));
    let repositories = fixture("pull-sync-usage.yaml").repositories;
    assert_eq!(file(4).repositories, repositories);
    let example = fixture("pull-through-cache/system-3.yaml");
    assert_eq!(rules(&file(2)), rules(&example));
}

/// What a file has ECR cache.
fn rules(file: &Specification) -> Vec<Value> {
    let cache = file.cache.as_ref().unwrap();
    let mut rules: Vec<Value> = cache
        .rules
        .iter()
        .map(|rule| {
            let template = &rule.template;
            let mutability = match template.tag_mutability {
                TagMutability::Mutable => "MUTABLE",
                _ => "IMMUTABLE",
            };
            json!({
                "prefix": rule.prefix,
                "upstream": rule.upstream.host,
                "login": !matches!(rule.credential, CacheCredential::Nobody),
                "mutability": mutability,
                "lifecycle": read(template.lifecycle_policy.as_deref()),
                "readers": read(template.policy.as_deref())["Statement"][0]["Principal"]["AWS"],
            })
        })
        .collect();
    rules.sort_by_key(|rule| rule["prefix"].to_string());
    rules
}

fn read(json: Option<&str>) -> Value {
    json.map_or(Value::Null, |text| serde_json::from_str(text).unwrap())
}

/// What Terraform plans for the modules.
struct Planned(Value);

impl Planned {
    /// The resources of one kind in a module, as they will be.
    fn all(&self, module: &str, kind: &str) -> Vec<&Value> {
        let address = format!("module.{module}");
        let modules = self.0["planned_values"]["root_module"]["child_modules"].as_array();
        let mut modules = modules.unwrap().iter();
        let module = modules.find(|module| module["address"] == address.as_str());
        let resources = module.unwrap()["resources"].as_array().unwrap().iter();
        let found = resources.filter(|resource| resource["type"] == kind);
        found.map(|resource| &resource["values"]).collect()
    }

    fn first(&self, module: &str, kind: &str) -> &Value {
        self.all(module, kind)[0]
    }
}

#[test]
fn the_files_do_what_the_modules_do() {
    let Some(terraform) = Terraform::with_provider(PAGE) else {
        return;
    };
    let lab = Lab::new();
    let sections = sections();
    let calls: String = sections
        .iter()
        .map(|section| section.after.clone())
        .collect();
    let token = "variable \"docker_hub_access_token\" {\n  default = \"secret\"\n}\n";
    let text = format!("{PROVIDER}{token}{calls}");
    let root = terraform.root(lab.folder(), &text, |program, arguments| {
        lab.call(program, arguments)
    });
    root.run(&["plan", "-input=false", "-out=plan"]).exits(0);
    let planned = Planned(root.run(&["show", "-json", "plan"]).exits(0).json());
    let file = |at: usize| parse(&sections[at].file);
    let region = |specification: &Specification| match &specification.destination {
        Destination::Ecr(destination) => destination.region.clone(),
        other => panic!("{other:?}"),
    };
    for at in 0..MODULES.len() {
        assert_eq!(region(&file(at)).as_deref(), Some("eu-west-1"));
    }

    let project = planned.first(MODULES[0], "aws_codebuild_project");
    let variables = &project["environment"][0]["environment_variable"];
    let mut variables = variables.as_array().unwrap().iter();
    let config = variables.find(|variable| variable["name"] == "LONGSHORE_CONFIG");
    let module = parse(config.unwrap()["value"].as_str().unwrap());
    assert_eq!(images(&file(0)), images(&module));
    let [left, right] = [file(0), module].map(|file| format!("{:?}", file.upstreams));
    assert_eq!(left, right);
    let policy = planned.first(MODULES[0], "aws_ecr_lifecycle_policy");
    let settings = file(0).repositories.settings;
    assert_eq!(
        read(settings.lifecycle_policy.as_deref()),
        read(policy["policy"].as_str())
    );

    let mirror = planned.first(MODULES[1], "terraform_data");
    let variable = |name: &str| {
        let value = &mirror["triggers_replace"]["environment"][format!("LONGSHORE_{name}")];
        value.as_str().unwrap()
    };
    let single = SingleImage {
        source: variable("SOURCE"),
        repository: Some(variable("REPOSITORY")),
        platforms: &[variable("PLATFORM").to_owned()],
        region: Some(variable("REGION")),
        account_id: Some(variable("ACCOUNT_ID")),
        profile: Some(variable("PROFILE")),
        ..SingleImage::default()
    };
    let module = Specification::single(&single, &|_| None).unwrap();
    assert_eq!(images(&file(1)), images(&module));
    assert_eq!(file(1).destination, module.destination);

    for at in [2, 3] {
        assert_eq!(
            shared(rules(&file(at)), at),
            shared(planned_rules(&planned, MODULES[at]), at)
        );
    }

    let object = planned.first(MODULES[4], "aws_s3_object");
    let content = object["content"].as_str().unwrap();
    let module = parse(content.strip_prefix("LONGSHORE_CONFIG=").unwrap());
    assert_eq!(images(&file(4)), images(&module));
    assert_eq!(file(4).repositories.settings, module.repositories.settings);
}

/// Without what the page says is different: the one module makes repositories as ECR does by itself.
fn shared(mut rules: Vec<Value>, at: usize) -> Vec<Value> {
    if at == 2 {
        for rule in &mut rules {
            let rule = rule.as_object_mut().unwrap();
            rule.retain(|key, _| ["prefix", "upstream", "login"].contains(&key.as_str()));
        }
    }
    rules
}

fn planned_rules(planned: &Planned, module: &str) -> Vec<Value> {
    let rules = planned.all(module, "aws_ecr_pull_through_cache_rule");
    let templates = planned.all(module, "aws_ecr_repository_creation_template");
    let secrets = planned.all(module, "aws_secretsmanager_secret");
    let rule = |rule: &&Value| {
        let prefix = rule["ecr_repository_prefix"].as_str().unwrap();
        let template = templates
            .iter()
            .find(|template| template["prefix"] == prefix);
        let template = template.map_or(&Value::Null, |template| template);
        let secret = json!(format!("ecr-pullthroughcache/{prefix}"));
        let policy = read(template["repository_policy"].as_str());
        // The account itself may read its repositories anyway.
        let readers = policy["Statement"][0]["Principal"]["AWS"].as_array();
        let own = "arn:aws:iam::123456789012:root";
        let readers = readers.map(|all| all.iter().filter(|reader| **reader != own));
        let readers: Option<Vec<_>> = readers.map(Iterator::collect);
        json!({
            "prefix": prefix,
            "upstream": rule["upstream_registry_url"],
            "login": secrets.iter().any(|is| is["name"] == secret || is["name_prefix"] == secret),
            "mutability": template["image_tag_mutability"],
            "lifecycle": read(template["lifecycle_policy"].as_str()),
            "readers": readers.filter(|readers| !readers.is_empty()),
        })
    };
    rules.iter().map(rule).collect()
}
