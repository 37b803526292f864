//! Pulls, and who may make them.

use reqwest::{Method, StatusCode};

use super::client::{Client, header, refused};
use crate::image::{Digest, media_type};
use crate::sandbox::Options;

#[tokio::test]
async fn only_a_token_lets_in() {
    let mut client = Client::start(Options::default()).await;
    let url = format!("http://{}/v2/", client.sandbox.registry());
    for request in [
        client.http.get(&url),
        client.http.get(&url).basic_auth("AWS", Some("wrong")),
    ] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        let challenge = header(&response, "www-authenticate").unwrap();
        let realm = format!("http://{}/", client.sandbox.registry());
        let expected = format!("Basic realm=\"{realm}\",service=\"ecr.amazonaws.com\"");
        assert_eq!(challenge, expected);
        assert_eq!(response.text().await.unwrap(), "Not Authorized\n");
    }
    assert_eq!(client.get("/v2/").await.status(), StatusCode::OK);
    client.sandbox.expire_tokens();
    let message = "Your authorization token has expired. Reauthenticate and try again.";
    let expected = (403, "DENIED".to_owned(), message.to_owned());
    assert_eq!(refused(client.get("/v2/").await).await, expected);
    client.login().await;
    assert_eq!(client.get("/v2/").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn the_storage_refuses_a_login() {
    let client = Client::start(Options::default()).await;
    let digest = client.push_blob("app", b"a layer").await;
    let redirect = client.get(&format!("/v2/app/blobs/{digest}")).await;
    assert_eq!(redirect.status(), StatusCode::TEMPORARY_REDIRECT);
    let address = header(&redirect, "location").unwrap();
    let get = || client.http.get(&address);

    let twice = get()
        .header("authorization", "Basic x")
        .send()
        .await
        .unwrap();
    assert_eq!(twice.status(), StatusCode::BAD_REQUEST);
    let message = twice.text().await.unwrap();
    assert!(message.contains("Only one auth mechanism"), "{message}");
    let unsigned = address.split('?').next().unwrap();
    let unsigned = client.http.get(unsigned).send().await.unwrap();
    assert_eq!(unsigned.status(), StatusCode::FORBIDDEN);

    assert_eq!(get().send().await.unwrap().text().await.unwrap(), "a layer");
    for (range, status, body) in [
        ("bytes=2-", 206, "layer"),
        ("bytes=2-4", 206, "lay"),
        ("bytes=2-400", 206, "layer"),
        ("bytes=7-", 416, ""),
    ] {
        let part = get().header("range", range).send().await.unwrap();
        assert_eq!(part.status(), status, "{range}");
        assert_eq!(part.text().await.unwrap(), body, "{range}");
    }
}

#[tokio::test]
async fn blobs_are_seen_only_where_they_were_pushed() {
    let client = Client::start(Options::default()).await;
    let input = serde_json::json!({"repositoryName": "other"});
    client.call("CreateRepository", input).await;
    let digest = client.push_blob("other", b"a layer").await;
    let head = client.get(&format!("/v2/app/blobs/{digest}")).await;
    assert_eq!(refused(head).await.1, "BLOB_UNKNOWN");
}

#[tokio::test]
async fn only_head_tells_the_digest_and_an_unaccepted_type_is_converted() {
    let client = Client::start(Options::default()).await;
    let manifest = client.push_image("app", "1", "a layer").await;
    let digest = Digest::of(manifest.as_bytes()).to_string();
    let path = "/v2/app/manifests/1";
    let head = async |accept: &str| {
        let request = client.request(Method::HEAD, path).header("accept", accept);
        let response = request.send().await.unwrap();
        let media_type = header(&response, "content-type").unwrap();
        (
            media_type,
            header(&response, "docker-content-digest").unwrap(),
        )
    };
    let (media_type, found) = head(media_type::OCI_MANIFEST).await;
    assert_eq!(
        (media_type.as_str(), &found),
        (media_type::OCI_MANIFEST, &digest)
    );
    let get = client.get(path).await;
    assert_eq!(header(&get, "docker-content-digest"), None);
    assert_eq!(get.text().await.unwrap(), manifest);

    let (media_type, other) = head(media_type::DOCKER_MANIFEST).await;
    assert_eq!(media_type, media_type::DOCKER_MANIFEST);
    assert_ne!(other, digest);
    let get = client.request(Method::GET, path);
    let converted = get.send().await.unwrap().text().await.unwrap();
    assert_eq!(Digest::of(converted.as_bytes()).to_string(), other);
    assert!(!converted.contains("vnd.oci"), "{converted}");

    let by_digest = client.request(Method::GET, &format!("/v2/app/manifests/{digest}"));
    let by_digest = by_digest.header("accept", media_type::DOCKER_MANIFEST);
    let by_digest = by_digest.send().await.unwrap();
    assert_eq!(refused(by_digest).await.1, "MANIFEST_UNKNOWN");
}

#[tokio::test]
async fn tags_come_in_pages_that_only_the_link_leads_through() {
    let client = Client::start(Options::default()).await;
    for tag in ["1", "2", "3"] {
        client.push_image("app", tag, "a layer").await;
    }
    let first = client.get("/v2/app/tags/list?n=2").await;
    assert_eq!(
        header(&first, "content-type").unwrap(),
        "text/plain; charset=utf-8"
    );
    let link = header(&first, "link").unwrap();
    let next = link.strip_prefix('<').unwrap().split('>').next().unwrap();
    let first = first.text().await.unwrap();
    assert_eq!(first, r#"{"name":"app","tags":["3","2"]}"#);
    let second = client.get(next).await;
    assert_eq!(header(&second, "link"), None);
    let second = second.text().await.unwrap();
    assert_eq!(second, r#"{"name":"app","tags":["1"]}"#);
    for (query, message) in [
        (
            "n=1001",
            "Invalid parameter at 'maxResults' failed to satisfy constraint: \
             'Member must have value less than or equal to 1000'",
        ),
        ("n=2&last=2", "Invalid next token provided"),
    ] {
        let response = client.get(&format!("/v2/app/tags/list?{query}")).await;
        let expected = (405, "UNSUPPORTED".to_owned(), message.to_owned());
        assert_eq!(refused(response).await, expected);
    }
}
