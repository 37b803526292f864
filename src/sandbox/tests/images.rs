//! The AWS API: images and layers, and all of it through Amazon's own client.

use aws_sdk_ecr::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_ecr::types::{ImageFailureCode, ImageIdentifier, LayerAvailability};
use serde_json::{Value, json};

use super::client::{Client, index};
use crate::image::{Digest, media_type};
use crate::sandbox::Options;

fn by_tag(tag: &str) -> Value {
    json!({"repositoryName": "app", "imageIds": [{"imageTag": tag}]})
}

fn by_digest(manifest: &str) -> Value {
    let digest = Digest::of(manifest.as_bytes());
    json!({"repositoryName": "app", "imageIds": [{"imageDigest": digest}]})
}

#[tokio::test]
async fn images_are_listed_per_tag_and_described_per_digest() {
    let client = Client::start(Options::default()).await;
    let first = client.push_image("app", "1", "first").await;
    client.push_image("app", "1.0", "first").await;
    let second = client.push_image("app", "2", "second").await;
    client.push_image("app", "2", "first").await;
    let (first, second) = (Digest::of(first.as_bytes()), Digest::of(second.as_bytes()));
    let listed = client
        .call("ListImages", json!({"repositoryName": "app"}))
        .await;
    assert_eq!(
        listed["imageIds"],
        json!([
            {"imageDigest": first, "imageTag": "1"},
            {"imageDigest": first, "imageTag": "1.0"},
            {"imageDigest": first, "imageTag": "2"},
            {"imageDigest": second},
        ])
    );
    let tagged = json!({"repositoryName": "app", "filter": {"tagStatus": "TAGGED"}});
    let mut described = client.call("DescribeImages", tagged).await;
    assert!(
        described["imageDetails"][0]["imagePushedAt"]
            .take()
            .is_f64()
    );
    assert_eq!(
        described["imageDetails"],
        json!([{
            "registryId": "123456789012",
            "repositoryName": "app",
            "imageDigest": first,
            "imageTags": ["1", "1.0", "2"],
            "imageSizeInBytes": 7,
            "imagePushedAt": null,
            "imageManifestMediaType": media_type::OCI_MANIFEST,
        }])
    );
    let (_, error) = client.try_call("DescribeImages", by_tag("9")).await;
    assert_eq!(
        error["message"],
        "The image with imageId {imageDigest:'null', imageTag:'9'} does not exist within the \
         repository with name 'app' in the registry with id '123456789012'"
    );
}

#[tokio::test]
async fn deleting_by_tag_spares_an_image_with_other_tags() {
    let client = Client::start(Options::default()).await;
    let child = client.push_image("app", "1", "a layer").await;
    client.push_image("app", "2", "a layer").await;
    let list = index(&[&child]);
    let put = client.put_manifest("/v2/app/manifests/all", media_type::OCI_INDEX, &list);
    put.await.unwrap();
    let digest = Digest::of(child.as_bytes());

    let deleted = client.call("BatchDeleteImage", by_tag("1")).await;
    let gone = json!([{"imageDigest": digest, "imageTag": "1"}]);
    assert_eq!(deleted, json!({"imageIds": gone, "failures": []}));
    for input in [by_tag("2"), by_digest(&child)] {
        let kept = client.call("BatchDeleteImage", input).await;
        let code = &kept["failures"][0]["failureCode"];
        assert_eq!(code, "ImageReferencedByManifestList");
    }
    client.call("BatchDeleteImage", by_digest(&list)).await;
    let deleted = client.call("BatchDeleteImage", by_tag("2")).await;
    let gone = json!([{"imageDigest": digest, "imageTag": "2"}]);
    assert_eq!(deleted["imageIds"], gone);
    let listed = client
        .call("ListImages", json!({"repositoryName": "app"}))
        .await;
    assert_eq!(listed["imageIds"], json!([]));
}

#[tokio::test]
async fn amazon_s_own_client_understands_it() {
    let client = Client::start(Options::default()).await;
    let manifest = client.push_image("app", "1", "a layer").await;
    let config = aws_sdk_ecr::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .endpoint_url(client.sandbox.api_url())
        .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
        .build();
    let ecr = aws_sdk_ecr::Client::from_conf(config);

    let token = ecr.get_authorization_token().send().await.unwrap();
    let data = &token.authorization_data()[0];
    let registry = format!("http://{}", client.sandbox.registry());
    assert_eq!(data.proxy_endpoint(), Some(registry.as_str()));
    assert!(data.expires_at().is_some());

    let missing = ecr.describe_repositories().repository_names("no");
    let missing = missing.send().await.unwrap_err().into_service_error();
    assert!(missing.is_repository_not_found_exception());
    assert_eq!(
        missing.meta().message(),
        Some("The repository with name 'no' does not exist in the registry with id '123456789012'")
    );
    let create = ecr.create_repository().repository_name("team/api");
    let created = create.send().await.unwrap();
    assert!(created.repository().unwrap().created_at().is_some());

    let pages = ecr.list_images().repository_name("app").max_results(1);
    let pages = pages.into_paginator().items().send();
    assert_eq!(pages.collect::<Result<Vec<_>, _>>().await.unwrap().len(), 1);
    let id = |tag: &str| ImageIdentifier::builder().image_tag(tag).build();
    let images = ecr.batch_get_image().repository_name("app");
    let images = images.image_ids(id("1")).image_ids(id("2"));
    let images = images.send().await.unwrap();
    assert_eq!(images.images()[0].image_manifest(), Some(manifest.as_str()));
    let failure = images.failures()[0].failure_code();
    assert_eq!(failure, Some(&ImageFailureCode::ImageNotFound));
    let details = ecr.describe_images().repository_name("app");
    let details = details.send().await.unwrap();
    assert_eq!(details.image_details()[0].image_tags(), ["1"]);
    let layers = ecr.batch_check_layer_availability().repository_name("app");
    let layers = layers
        .layer_digests(Digest::of(b"a layer").as_str())
        .layer_digests(Digest::of(b"no layer").as_str());
    let layers = layers.send().await.unwrap();
    let found: Vec<_> = layers
        .layers()
        .iter()
        .filter_map(|layer| layer.layer_availability())
        .collect();
    let expected = [
        &LayerAvailability::Available,
        &LayerAvailability::Unavailable,
    ];
    assert_eq!(found, expected);
}
