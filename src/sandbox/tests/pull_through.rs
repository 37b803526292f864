//! Pulls through a rule.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::client::{Client, header, refused};
use super::rules::secret;
use crate::image::Digest;
use crate::sandbox::layout::{PlatformImage, write_image};
use crate::sandbox::{Fault, Login, Options, Server, Upstream};

const TEMPLATE: &str = "CreateRepositoryCreationTemplate";

/// A cache of an upstream with `library/mongo:7` for two platforms, and that image's digest. Only
/// `acme` gets in there.
async fn start(token: &str) -> (Client, TempDir, Digest) {
    let root = tempfile::tempdir().unwrap();
    let digest = publish(&root, "library/mongo", "one");
    let upstream = Upstream {
        login: Some(Login::new("acme", "good")),
        ..Upstream::new(root.path())
    };
    let options = Options {
        upstream: Some(upstream),
        ..Options::default()
    };
    let client = Client::start(options).await;
    let login = json!({"username": "acme", "accessToken": token});
    let arn = secret(&client, "hub", &login).await;
    let rule = json!({
        "ecrRepositoryPrefix": "docker-hub",
        "upstreamRegistryUrl": "registry-1.docker.io",
        "credentialArn": arn,
    });
    client.call("CreatePullThroughCacheRule", rule).await;
    client.sandbox.take_requests();
    (client, root, digest)
}

fn publish(root: &TempDir, repository: &str, content: &str) -> Digest {
    let images = ["linux/amd64", "linux/arm64"].map(|platform| {
        let layers = vec![content.as_bytes().to_vec()];
        PlatformImage::new(platform.parse().unwrap(), layers)
    });
    write_image(root.path(), repository, "7", &images).unwrap()
}

async fn digest(client: &Client) -> String {
    let request = client.request(
        reqwest::Method::HEAD,
        "/v2/docker-hub/library/mongo/manifests/7",
    );
    let accepted = crate::image::media_type::ACCEPT_MANIFESTS.join(", ");
    let response = request.header("accept", accepted).send().await.unwrap();
    assert_eq!(response.status(), 200);
    header(&response, "docker-content-digest").unwrap()
}

/// Pulls everything that a tag stands for, as a client would.
async fn pull(client: &Client) {
    let repository = "/v2/docker-hub/library/mongo";
    let index = client.get(&format!("{repository}/manifests/7")).await;
    let index: Value = index.json().await.unwrap();
    for child in index["manifests"].as_array().unwrap() {
        let child = child["digest"].as_str().unwrap();
        let manifest = client.get(&format!("{repository}/manifests/{child}")).await;
        let manifest: Value = manifest.json().await.unwrap();
        let layer = manifest["layers"][0]["digest"].as_str().unwrap();
        for blob in [layer, manifest["config"]["digest"].as_str().unwrap()] {
            let blob = client.get(&format!("{repository}/blobs/{blob}")).await;
            let storage = client
                .http
                .get(header(&blob, "location").unwrap())
                .send()
                .await;
            assert_eq!(storage.unwrap().status(), 200);
        }
    }
}

fn stop_upstream(client: &Client) {
    let fault = Fault::status("", 503).at(Server::Upstream).times(1000);
    client.sandbox.inject(fault);
}

#[tokio::test]
async fn the_first_pull_imports_by_the_template_and_later_ones_need_no_upstream() {
    let (client, _root, mongo) = start("good").await;
    let lifecycle = json!({"rules": [{"rulePriority": 1}]}).to_string();
    let template = json!({
        "prefix": "docker-hub",
        "appliedFor": ["PULL_THROUGH_CACHE"],
        "lifecyclePolicy": lifecycle,
        "repositoryPolicy": json!({"Statement": []}).to_string(),
    });
    client.call(TEMPLATE, template).await;
    assert_eq!(digest(&client).await, mongo.as_str());
    let name = json!({"repositoryName": "docker-hub/library/mongo"});
    let policy = client.call("GetLifecyclePolicy", name.clone()).await;
    assert_eq!(policy["lifecyclePolicyText"], lifecycle);
    let images = client.call("DescribeImages", name).await;
    assert_eq!(images["imageDetails"].as_array().unwrap().len(), 3);

    stop_upstream(&client);
    client.sandbox.take_requests();
    pull(&client).await;
    assert!(!client.log().contains("upstream"));
    client.sandbox.age_cache().unwrap();
    assert_eq!(digest(&client).await, mongo.as_str());
    assert!(client.log().contains("upstream"));
}

#[tokio::test]
async fn a_tag_is_compared_once_a_day() {
    let (client, root, one) = start("good").await;
    assert_eq!(digest(&client).await, one.as_str());
    let two = publish(&root, "library/mongo", "two");
    assert_eq!(digest(&client).await, one.as_str());
    client.sandbox.age_cache().unwrap();
    assert_eq!(digest(&client).await, two.as_str());
    pull(&client).await;

    client.sandbox.age_cache().unwrap();
    client.sandbox.take_requests();
    assert_eq!(digest(&client).await, two.as_str());
    insta::assert_snapshot!(client.log(), @r"
    upstream HEAD /v2/library/mongo/manifests/7 401
    upstream GET /token?service=registry.docker.io&scope=repository%3Alibrary%2Fmongo%3Apull 200
    upstream HEAD /v2/library/mongo/manifests/7 200
    registry HEAD /v2/docker-hub/library/mongo/manifests/7 200
    ");
    let fix = json!({
        "repositoryName": "docker-hub/library/mongo",
        "imageTagMutability": "IMMUTABLE",
    });
    client.call("PutImageTagMutability", fix).await;
    publish(&root, "library/mongo", "three");
    client.sandbox.age_cache().unwrap();
    assert_eq!(digest(&client).await, two.as_str());
}

#[tokio::test]
async fn refusals_of_the_upstream_become_those_of_ecr() {
    let (client, _root, _) = start("good").await;
    let refusal = async |path: &str| refused(client.get(path).await).await;
    let hub = "/v2/docker-hub/library/mongo/manifests";
    let mut seen = vec![
        refusal("/v2/docker-hub/mongo/manifests/7").await,
        refusal(&format!("{hub}/8")).await,
        refusal("/v2/elsewhere/mongo/manifests/7").await,
    ];
    for status in [429, 500] {
        let fault = Fault::status("/manifests/", status).at(Server::Upstream);
        client.sandbox.inject(fault);
        seen.push(refusal(&format!("{hub}/7")).await);
    }
    let template = json!({
        "prefix": "docker-hub",
        "appliedFor": ["PULL_THROUGH_CACHE"],
        "resourceTags": [{"Key": "team", "Value": "platform"}],
    });
    client.call(TEMPLATE, template).await;
    seen.push(refusal(&format!("{hub}/7")).await);
    let seen: Vec<String> = seen
        .into_iter()
        .map(|(status, code, message)| format!("{status} {code} {message}"))
        .collect();
    insta::assert_snapshot!(seen.join("\n"));
    let described = client.call("DescribeRepositories", json!({})).await;
    assert_eq!(described["repositories"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_api_imports_too_and_says_why_it_could_not() {
    let (client, _root, mongo) = start("good").await;
    let get = async |tag: &str| {
        let input = json!({
            "repositoryName": "docker-hub/library/mongo",
            "imageIds": [{"imageTag": tag}],
        });
        client.call("BatchGetImage", input).await
    };
    let code = |answer: &Value| answer["failures"][0]["failureCode"].clone();
    assert_eq!(
        get("7").await["images"][0]["imageId"]["imageDigest"],
        mongo.as_str()
    );
    assert_eq!(code(&get("8").await), "ImageNotFound");
    for (status, expected) in [
        (403, "UpstreamAccessDenied"),
        (429, "UpstreamTooManyRequests"),
        (500, "UpstreamUnavailable"),
    ] {
        let fault = Fault::status("/manifests/", status).at(Server::Upstream);
        client.sandbox.inject(fault);
        assert_eq!(code(&get("8").await), expected);
    }
    let input = json!({
        "repositoryName": "docker-hub/library/none",
        "imageIds": [{"imageTag": "7"}],
    });
    let denied = client.call("BatchGetImage", input).await;
    assert_eq!(code(&denied), "UpstreamAccessDenied");
}

#[tokio::test]
async fn a_rule_is_validated_at_its_upstream() {
    let (client, _root, _) = start("good").await;
    let validate = || {
        client.call(
            "ValidatePullThroughCacheRule",
            json!({"ecrRepositoryPrefix": "docker-hub"}),
        )
    };
    let valid = validate().await;
    assert_eq!(
        (&valid["isValid"], &valid["failure"]),
        (&json!(true), &Value::Null)
    );
    let stopped = Fault::status("", 503).at(Server::Upstream);
    client.sandbox.inject(stopped);
    let unreachable = validate().await;
    assert_eq!(unreachable["isValid"], false);
    assert_eq!(
        unreachable["failure"],
        "The upstream registry is unavailable. Try again later."
    );
    for value in [
        json!({"username": "acme", "accessToken": "bad"}),
        json!({"username": "acme", "password": "good"}),
    ] {
        let put =
            json!({"SecretId": "ecr-pullthroughcache/hub", "SecretString": value.to_string()});
        client.call("secretsmanager.PutSecretValue", put).await;
        let invalid = validate().await;
        assert_eq!(invalid["isValid"], false);
        assert_eq!(
            invalid["failure"],
            "The authentication to the upstream registry failed. Verify that the credentials are \
             correct and try again."
        );
    }
}

#[tokio::test]
async fn an_upstream_is_read_where_the_options_say() {
    let root = tempfile::tempdir().unwrap();
    let one = publish(&root, "coreos/etcd", "etcd");
    let other = Options {
        upstream: Some(Upstream {
            bearer: false,
            ..Upstream::new(root.path())
        }),
        ..Options::default()
    };
    let other = Client::start(other).await;
    let quay = format!("http://{}", other.sandbox.upstream().unwrap());
    let client = Client::start(Options {
        upstream_endpoints: BTreeMap::from([("quay.io".to_owned(), quay)]),
        ..Options::default()
    })
    .await;
    for (prefix, host, upstream_prefix) in [
        ("ROOT", "registry.k8s.io", "ROOT"),
        ("quay", "quay.io", "coreos"),
    ] {
        let rule = json!({
            "ecrRepositoryPrefix": prefix,
            "upstreamRegistryUrl": host,
            "upstreamRepositoryPrefix": upstream_prefix,
        });
        client.call("CreatePullThroughCacheRule", rule).await;
    }
    let found = client.get("/v2/quay/etcd/manifests/7").await;
    assert_eq!(Digest::of(&found.bytes().await.unwrap()), one);
    let nowhere = refused(client.get("/v2/pause/manifests/7").await).await;
    assert_eq!((nowhere.0, nowhere.1.as_str()), (503, "UNAVAILABLE"));
}
