//! Pull-through cache rules and the registry's scanning, as the API keeps them.

use serde_json::{Value, json};

use super::client::Client;
use crate::sandbox::Options;

const ROLE: &str = "arn:aws:iam::123456789012:role/ptc";

/// The ARN of a new secret that a rule can name.
pub(super) async fn secret(client: &Client, name: &str, value: &Value) -> String {
    let create = json!({
        "Name": format!("ecr-pullthroughcache/{name}"),
        "SecretString": value.to_string(),
    });
    let created = client.call("secretsmanager.CreateSecret", create).await;
    created["ARN"].as_str().unwrap().to_owned()
}

/// A rule without what differs from run to run.
fn timeless(mut rule: Value) -> Value {
    let rule_fields = rule.as_object_mut().unwrap();
    assert!(rule_fields.remove("createdAt").unwrap().is_f64());
    assert!(rule_fields.remove("updatedAt").unwrap().is_f64());
    rule
}

#[tokio::test]
async fn a_rule_lives() {
    let client = Client::start(Options::default()).await;
    let login = json!({"username": "acme", "accessToken": "t"});
    let arn = secret(&client, "hub", &login).await;
    let create = json!({
        "ecrRepositoryPrefix": "docker-hub/",
        "upstreamRegistryUrl": "registry-1.docker.io",
        "credentialArn": arn,
    });
    let created = client.call("CreatePullThroughCacheRule", create).await;
    let expected = json!({
        "ecrRepositoryPrefix": "docker-hub",
        "registryId": "123456789012",
        "upstreamRegistryUrl": "registry-1.docker.io",
        "upstreamRegistry": "docker-hub",
        "credentialArn": arn,
    });
    assert_eq!(timeless(created), expected);
    for prefix in ["k8s", "quay"] {
        let host = ["quay.io", "registry.k8s.io"][usize::from(prefix == "k8s")];
        let create = json!({"ecrRepositoryPrefix": prefix, "upstreamRegistryUrl": host});
        client.call("CreatePullThroughCacheRule", create).await;
    }
    let describe = |input| client.call("DescribePullThroughCacheRules", input);
    let page = describe(json!({"maxResults": 2})).await;
    let rest = describe(json!({"nextToken": page["nextToken"]})).await;
    let prefixes = [&page, &rest].map(|page| {
        let rules = page["pullThroughCacheRules"].as_array().unwrap().iter();
        rules
            .map(|rule| rule["ecrRepositoryPrefix"].clone())
            .collect::<Vec<_>>()
    });
    assert_eq!(prefixes.concat(), ["docker-hub", "k8s", "quay"]);
    assert_eq!(rest["nextToken"], Value::Null);

    let other = secret(&client, "other", &login).await;
    let update = json!({"ecrRepositoryPrefix": "docker-hub", "credentialArn": other});
    client.call("UpdatePullThroughCacheRule", update).await;
    let one = describe(json!({"ecrRepositoryPrefixes": ["docker-hub"]})).await;
    assert_eq!(one["pullThroughCacheRules"][0]["credentialArn"], other);
    let delete = json!({"ecrRepositoryPrefix": "docker-hub"});
    let deleted = client.call("DeletePullThroughCacheRule", delete).await;
    assert_eq!(deleted["credentialArn"], other);
}

#[tokio::test]
async fn exceptions_about_rules_are_those_of_ecr() {
    let client = Client::start(Options::default()).await;
    let rule = |prefix: &str, url: &str| json!({"ecrRepositoryPrefix": prefix, "upstreamRegistryUrl": url});
    let with = |mut input: Value, key: &str, value: &str| {
        input[key] = json!(value);
        input
    };
    let secret = |region: &str, name: &str| {
        format!("arn:aws:secretsmanager:{region}:123456789012:secret:{name}-abcdef")
    };
    let hub = || rule("hub", "registry-1.docker.io");
    let create = "CreatePullThroughCacheRule";
    client.call(create, rule("quay", "quay.io")).await;
    let foreign = "210987654321.dkr.ecr.us-east-1.amazonaws.com";
    let cases = [
        (create, rule("q", "quay.io")),
        (create, rule("Quay", "quay.io")),
        (create, rule("quay", "quay.io")),
        (create, rule("gcr", "gcr.io")),
        (create, rule("hub", "docker.io")),
        (create, hub()),
        (
            create,
            with(hub(), "credentialArn", &secret("eu-west-1", "hub")),
        ),
        (
            create,
            with(
                hub(),
                "credentialArn",
                &secret("us-east-1", "ecr-pullthroughcache/hub"),
            ),
        ),
        (
            create,
            with(
                hub(),
                "credentialArn",
                &secret("eu-west-1", "ecr-pullthroughcache/hub"),
            ),
        ),
        (create, rule("ecr", foreign)),
        (create, with(rule("ecr", foreign), "customRoleArn", "pull")),
        ("UpdatePullThroughCacheRule", rule("no", "")),
        ("DeletePullThroughCacheRule", rule("no", "")),
        ("ValidatePullThroughCacheRule", rule("no", "")),
        (
            "DescribePullThroughCacheRules",
            json!({"ecrRepositoryPrefixes": ["no"]}),
        ),
        (
            "PutRegistryScanningConfiguration",
            json!({"scanType": "ALL"}),
        ),
        (
            "PutRegistryScanningConfiguration",
            json!({"scanType": "BASIC", "rules": [
                {"scanFrequency": "CONTINUOUS_SCAN", "repositoryFilters": []},
            ]}),
        ),
    ];
    let mut lines = Vec::new();
    for (operation, input) in cases {
        lines.push(client.refusal(operation, input).await);
    }
    let arn_needs_role = with(rule("ecr", foreign), "customRoleArn", ROLE);
    client.call(create, arn_needs_role).await;
    for number in 2..50 {
        let quay = rule(&format!("quay{number}"), "quay.io");
        client.call(create, quay).await;
    }
    lines.push(client.refusal(create, rule("one-more", "quay.io")).await);
    insta::assert_snapshot!(lines.join("\n"));
}

#[tokio::test]
async fn scanning_of_the_registry_is_kept() {
    let client = Client::start(Options::default()).await;
    let get = || client.call("GetRegistryScanningConfiguration", json!({}));
    assert_eq!(
        get().await,
        json!({
            "registryId": "123456789012",
            "scanningConfiguration": {"scanType": "BASIC", "rules": []},
        })
    );
    let wish = json!({"scanType": "ENHANCED", "rules": [{
        "scanFrequency": "CONTINUOUS_SCAN",
        "repositoryFilters": [{"filter": "docker-hub/*", "filterType": "WILDCARD"}],
    }]});
    client
        .call("PutRegistryScanningConfiguration", wish.clone())
        .await;
    assert_eq!(get().await["scanningConfiguration"], wish);
}
