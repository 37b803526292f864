//! Pushes as Docker, crane and containerd make them, and what ECR refuses.

use reqwest::{Method, StatusCode};
use serde_json::json;

use super::client::{Client, header, image, index, refused};
use crate::image::{Digest, media_type};
use crate::sandbox::Options;

#[tokio::test]
async fn pushes_as_docker_does() {
    let client = Client::start(Options::default()).await;
    let layer = b"a layer".to_vec();
    let digest = Digest::of(&layer);
    let blob = format!("/v2/app/blobs/{digest}");

    let head = client.request(Method::HEAD, &blob).send().await.unwrap();
    assert_eq!(head.status(), StatusCode::NOT_FOUND);
    let upload = client.begin("app").await;
    assert!(upload.starts_with("/v2/app/blobs/uploads/"), "{upload}");
    let sent = client.request(Method::PATCH, &upload).body(layer.clone());
    let sent = sent.send().await.unwrap();
    assert_eq!(sent.status(), StatusCode::CREATED);
    assert_eq!(header(&sent, "range").unwrap(), "0-6");
    let path = format!("{}?digest={digest}", header(&sent, "location").unwrap());
    let put = client.request(Method::PUT, &path).send().await.unwrap();
    assert_eq!(put.status(), StatusCode::CREATED);
    assert_eq!(header(&put, "location").unwrap(), blob);
    let head = client.request(Method::HEAD, &blob).send().await.unwrap();
    assert_eq!(header(&head, "content-length").unwrap(), "7");

    client.push_image("app", "1", "a layer").await;
    let manifest = client
        .request(Method::HEAD, "/v2/app/manifests/1")
        .header("accept", media_type::OCI_MANIFEST);
    assert_eq!(manifest.send().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn a_missing_repository_is_created_only_where_that_is_enabled() {
    for (create_on_push, expected) in [(false, 404), (true, 202)] {
        let options = Options {
            create_on_push,
            ..Options::default()
        };
        let client = Client::start(options).await;
        let path = "/v2/team/api/blobs/uploads/";
        let response = client.request(Method::POST, path).send().await.unwrap();
        assert_eq!(response.status(), expected);
        if !create_on_push {
            let message = "The repository with name 'team/api' does not exist in the registry \
                           with id '123456789012'";
            let expected = (404, "NAME_UNKNOWN".to_owned(), message.to_owned());
            assert_eq!(refused(response).await, expected);
        }
    }
}

#[tokio::test]
async fn several_parts_work_only_when_they_are_large() {
    let client = Client::start(Options::default()).await;
    let five_mib = vec![7; 5 * 1024 * 1024];
    let path = client.begin("app").await;
    for (start, expected) in [(0, "0-5242879"), (five_mib.len(), "0-5242879")] {
        let part = client.request(Method::PATCH, &path).body(five_mib.clone());
        let range = format!("{start}-{}", start + five_mib.len() - 1);
        let sent = part.header("content-range", range).send().await.unwrap();
        assert_eq!(header(&sent, "range").unwrap(), expected, "it is stale");
    }
    let whole = [five_mib.as_slice(), &five_mib, b"end"].concat();
    let path = format!("{path}?digest={}", Digest::of(&whole));
    let put = client.request(Method::PUT, &path).body("end");
    assert_eq!(put.send().await.unwrap().status(), StatusCode::CREATED);

    let path = client.begin("app").await;
    let small = || client.request(Method::PATCH, &path).body("small");
    assert_eq!(small().send().await.unwrap().status(), StatusCode::CREATED);
    let message = "All layer parts except the last part should be at least 5MB";
    let expected = (400, "BLOB_UPLOAD_INVALID".to_owned(), message.to_owned());
    assert_eq!(refused(small().send().await.unwrap()).await, expected);

    let path = client.begin("app").await;
    let part = client.request(Method::PATCH, &path).body("x");
    let sent = part.header("content-range", "5-5").send().await.unwrap();
    assert_eq!(sent.status(), StatusCode::RANGE_NOT_SATISFIABLE);
}

#[tokio::test]
async fn a_wrong_digest_ends_the_upload() {
    let client = Client::start(Options::default()).await;
    let upload = client.begin("app").await;
    let path = format!("{upload}?digest={}", Digest::of(b"something else"));
    let put = || client.request(Method::PUT, &path).body("bytes").send();
    let message = "None of the provided layer digests match the calculated layer digest";
    let expected = (400, "BLOB_UPLOAD_INVALID".to_owned(), message.to_owned());
    assert_eq!(refused(put().await.unwrap()).await, expected);
    assert_eq!(put().await.unwrap().status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn mounts_only_what_a_manifest_refers_to_and_only_when_enabled() {
    let client = Client::start(Options::default()).await;
    let create = json!({"repositoryName": "other"});
    client.call("CreateRepository", create).await;
    let loose = client.push_blob("other", b"loose").await;
    client.push_image("other", "1", "a layer").await;
    let bound = Digest::of(b"a layer");
    let mount = async |digest: &Digest| {
        let path = format!("/v2/app/blobs/uploads/?mount={digest}&from=other");
        let post = client.request(Method::POST, &path);
        post.send().await.unwrap().status().as_u16()
    };
    assert_eq!(mount(&bound).await, 202);
    let enable = json!({"name": "BLOB_MOUNTING", "value": "ENABLED"});
    client.call("PutAccountSetting", enable).await;
    assert_eq!(mount(&loose).await, 202);
    assert_eq!(mount(&bound).await, 201);
    let path = format!("/v2/app/blobs/{bound}");
    let head = client.request(Method::HEAD, &path).send().await.unwrap();
    assert_eq!(head.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_manifest_needs_its_parts_in_the_same_repository() {
    let client = Client::start(Options::default()).await;
    let create = json!({"repositoryName": "other"});
    client.call("CreateRepository", create).await;
    let child = client.push_image("other", "1", "a layer").await;
    let (config, layer) = (Digest::of(b"{}"), Digest::of(b"a layer"));
    client.push_blob("app", b"{}").await;
    let path = "/v2/app/manifests/1";
    let put = client.put_manifest(path, media_type::OCI_MANIFEST, &child);
    let (status, code, message) = put.await.unwrap_err();
    assert_eq!((status, code.as_str()), (404, "MANIFEST_BLOB_UNKNOWN"));
    assert_eq!(
        message,
        format!(
            "Layers with digests '[{layer}]' required for pushing image into repository with name \
             'app' in the registry with id '123456789012' do not exist"
        )
    );
    let list = index(&[&child]);
    let put = client.put_manifest(path, media_type::OCI_INDEX, &list);
    let (_, code, message) = put.await.unwrap_err();
    assert_eq!(code, "MANIFEST_BLOB_UNKNOWN");
    assert!(message.starts_with("Images with digests"), "{message}");

    client.push_blob("app", b"a layer").await;
    let by_digest = format!("/v2/app/manifests/{}", Digest::of(child.as_bytes()));
    let put = client.put_manifest(&by_digest, media_type::OCI_MANIFEST, &child);
    put.await.unwrap();
    let put = client.put_manifest(path, media_type::OCI_INDEX, &list);
    put.await.unwrap();
    let other = image(&config, &layer, 8);
    let put = client.put_manifest(&by_digest, media_type::OCI_MANIFEST, &other);
    assert_eq!(put.await.unwrap_err().1, "DIGEST_INVALID");
}

#[tokio::test]
async fn what_ecr_cannot_read_is_405() {
    let client = Client::start(Options::default()).await;
    let huge = format!("{{\"x\":\"{}\"}}", "x".repeat(4_194_304));
    for (body, constraint) in [
        ("no json", "Invalid JSON syntax"),
        (r#"{"mediaType":"text/html"}"#, "Unsupported media type"),
        (
            &huge,
            "Member must have length less than or equal to 4194304",
        ),
    ] {
        let put = client.put_manifest("/v2/app/manifests/1", "", body);
        let (status, code, message) = put.await.unwrap_err();
        assert_eq!((status, code.as_str()), (405, "UNSUPPORTED"));
        assert!(message.contains(constraint), "{message}");
    }
    for path in ["/v2/app/manifests/1", "/v2/app/blobs/sha256:0"] {
        let delete = client.request(Method::DELETE, path).send().await.unwrap();
        assert_eq!(delete.status(), StatusCode::METHOD_NOT_ALLOWED);
    }
}

#[tokio::test]
async fn immutable_tags_stay() {
    let client = Client::start(Options::default()).await;
    let first = client.push_image("app", "1", "first").await;
    let second = client.push_image("app", "2", "second").await;
    let put = async |tag: &str, manifest: &str| {
        let path = format!("/v2/app/manifests/{tag}");
        let put = client.put_manifest(&path, media_type::OCI_MANIFEST, manifest);
        put.await
    };
    let set = async |mutability: &str, filters: serde_json::Value| {
        let input = json!({
            "repositoryName": "app",
            "imageTagMutability": mutability,
            "imageTagMutabilityExclusionFilters": filters,
        });
        client.call("PutImageTagMutability", input).await;
    };
    let starts_with_1 = json!([{"filterType": "WILDCARD", "filter": "1*"}]);

    put("1", &second).await.unwrap();
    set("IMMUTABLE", json!([])).await;
    put("1", &second).await.unwrap();
    let message = "The image tag '1' already exists in the 'app' repository and cannot be \
                   overwritten because the tag is immutable.";
    let expected = (400, "TAG_INVALID".to_owned(), message.to_owned());
    assert_eq!(put("1", &first).await.unwrap_err(), expected);
    set("IMMUTABLE_WITH_EXCLUSION", starts_with_1.clone()).await;
    put("1", &first).await.unwrap();
    assert_eq!(put("2", &first).await.unwrap_err().1, "TAG_INVALID");
    set("MUTABLE_WITH_EXCLUSION", starts_with_1).await;
    assert_eq!(put("1", &second).await.unwrap_err().1, "TAG_INVALID");
    put("2", &first).await.unwrap();
}
