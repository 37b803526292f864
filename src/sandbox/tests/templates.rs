//! Repository creation templates.

use serde_json::{Value, json};

use super::client::Client;
use crate::image::media_type;
use crate::sandbox::Options;

const CREATE: &str = "CreateRepositoryCreationTemplate";
const UPDATE: &str = "UpdateRepositoryCreationTemplate";

fn lifecycle() -> String {
    json!({"rules": [{"rulePriority": 1}]}).to_string()
}

#[tokio::test]
async fn a_template_lives() {
    let client = Client::start(Options::default()).await;
    let policy = json!({"Statement": []}).to_string();
    let create = json!({
        "prefix": "docker-hub",
        "appliedFor": ["PULL_THROUGH_CACHE"],
        "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
        "imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "latest"}],
        "lifecyclePolicy": lifecycle(),
        "repositoryPolicy": policy,
        "resourceTags": [{"Key": "team", "Value": "platform"}],
        "customRoleArn": "arn:aws:iam::123456789012:role/ptc",
    });
    let created = client.call(CREATE, create.clone()).await;
    assert_eq!(created["registryId"], "123456789012");
    let describe = |input| client.call("DescribeRepositoryCreationTemplates", input);
    let all = describe(json!({})).await;
    let template = all["repositoryCreationTemplates"][0].clone();
    for (key, value) in create.as_object().unwrap() {
        assert_eq!(&template[key], value, "{key}");
    }
    assert_eq!(
        template["encryptionConfiguration"],
        json!({"encryptionType": "AES256"})
    );

    let update = json!({"prefix": "docker-hub", "repositoryPolicy": "", "description": "for all"});
    client.call(UPDATE, update).await;
    let one = describe(json!({"prefixes": ["docker-hub", "none"]})).await;
    let [changed] = &one["repositoryCreationTemplates"].as_array().unwrap()[..] else {
        panic!("{one}");
    };
    assert_eq!(changed["repositoryPolicy"], Value::Null);
    assert_eq!(changed["lifecyclePolicy"], lifecycle());
    assert_eq!(changed["description"], "for all");
    client
        .call(
            "DeleteRepositoryCreationTemplate",
            json!({"prefix": "docker-hub"}),
        )
        .await;
    let none = describe(json!({})).await;
    assert_eq!(none["repositoryCreationTemplates"], json!([]));
}

#[tokio::test]
async fn exceptions_about_templates_are_those_of_ecr() {
    let client = Client::start(Options::default()).await;
    let template = |change: Value| {
        let mut input = json!({"prefix": "p", "appliedFor": ["PULL_THROUGH_CACHE"]});
        input
            .as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        input
    };
    client
        .call(CREATE, template(json!({"prefix": "there"})))
        .await;
    let empty = r#"{"rules": []}"#;
    let long = json!({"rules": [], "x": "x".repeat(30_720)}).to_string();
    let mut lines = Vec::new();
    for (operation, input) in [
        (CREATE, template(json!({"prefix": "there/"}))),
        (CREATE, template(json!({"prefix": "-x"}))),
        (CREATE, template(json!({"appliedFor": []}))),
        (CREATE, template(json!({"appliedFor": ["PULL"]}))),
        (CREATE, template(json!({"lifecyclePolicy": "{}"}))),
        (CREATE, template(json!({"lifecyclePolicy": empty}))),
        (CREATE, template(json!({"lifecyclePolicy": long}))),
        (CREATE, template(json!({"repositoryPolicy": "{}"}))),
        (CREATE, template(json!({"imageTagMutability": "SOME"}))),
        (CREATE, template(json!({"customRoleArn": "role"}))),
        (UPDATE, json!({"prefix": "none"})),
        (UPDATE, json!({"prefix": "there", "appliedFor": []})),
        (
            "DeleteRepositoryCreationTemplate",
            json!({"prefix": "none"}),
        ),
    ] {
        lines.push(client.refusal(operation, input).await);
    }
    insta::assert_snapshot!(lines.join("\n"));
}

#[tokio::test]
async fn a_push_creates_by_a_template() {
    let client = Client::start(Options::default()).await;
    for (prefix, purpose, mutability) in [
        ("ROOT", "CREATE_ON_PUSH", "MUTABLE"),
        ("team", "CREATE_ON_PUSH", "IMMUTABLE"),
        ("team/a", "PULL_THROUGH_CACHE", "MUTABLE"),
    ] {
        let create = json!({
            "prefix": prefix,
            "appliedFor": [purpose],
            "imageTagMutability": mutability,
        });
        client.call(CREATE, create).await;
    }
    let before = client.get("/v2/team/a/b/manifests/1").await;
    assert_eq!(super::client::refused(before).await.1, "NAME_UNKNOWN");
    for name in ["team/a/b", "teams/c"] {
        client.push_image(name, "1", "a layer").await;
    }
    let described = client.call("DescribeRepositories", json!({})).await;
    let found: Vec<_> = described["repositories"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            (
                it["repositoryName"].as_str().unwrap(),
                it["imageTagMutability"].as_str().unwrap(),
            )
        })
        .collect();
    let expected = [
        ("app", "MUTABLE"),
        ("team/a/b", "IMMUTABLE"),
        ("teams/c", "MUTABLE"),
    ];
    assert_eq!(found, expected);
    let other = super::client::index(&[]);
    let path = "/v2/team/a/b/manifests/1";
    let refused = client
        .put_manifest(path, media_type::OCI_INDEX, &other)
        .await;
    assert_eq!(refused.unwrap_err().1, "TAG_INVALID");
}
