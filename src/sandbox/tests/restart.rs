//! What survives, and what a start says.

use serde_json::json;

use super::client::Client;
use crate::sandbox::{Options, Ports, Sandbox};

#[tokio::test]
async fn a_folder_keeps_everything() {
    let folder = tempfile::tempdir().unwrap();
    let options = || Options {
        data: Some(folder.path().to_owned()),
        ..Options::default()
    };
    let client = Client::start(options()).await;
    let manifest = client.push_image("app", "1", "a layer").await;
    let described = json!({"repositoryNames": ["app"]});
    let before = client.call("DescribeRepositories", described.clone()).await;
    client.begin("app").await;
    drop(client);

    let sandbox = Sandbox::start(options()).await.unwrap();
    let mut client = Client::of(sandbox);
    client.login().await;
    let mut after = client.call("DescribeRepositories", described).await;
    after["repositories"][0]["repositoryUri"] = before["repositories"][0]["repositoryUri"].clone();
    assert_eq!(after, before);
    let pulled = client
        .get("/v2/app/manifests/1")
        .await
        .text()
        .await
        .unwrap();
    assert_eq!(pulled, manifest);
    let layer = crate::image::Digest::of(b"a layer");
    let blob = client.get(&format!("/v2/app/blobs/{layer}")).await;
    let address = super::client::header(&blob, "location").unwrap();
    let blob = client.http.get(address).send().await.unwrap();
    assert_eq!(blob.text().await.unwrap(), "a layer");
    let uploads = std::fs::read_dir(folder.path().join("uploads")).unwrap();
    assert_eq!(uploads.count(), 0);
}

#[tokio::test]
async fn says_what_it_is_and_where() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let text = sandbox.to_string();
    let text = text
        .replace(&sandbox.api_url(), "[API]")
        .replace(&sandbox.registry(), "[REGISTRY]");
    insta::assert_snapshot!(text, @r"
    longshore's stand-in for Amazon ECR is running on loopback.
    It is a test double: it checks no signature, enforces no policy, and is not AWS.

    AWS API   [API]
    registry  [REGISTRY]
    ");
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let first = Sandbox::start(Options::default()).await.unwrap();
    let port = first
        .registry()
        .rsplit_once(':')
        .unwrap()
        .1
        .parse()
        .unwrap();
    let ports = Ports {
        api: port,
        ..Ports::default()
    };
    let error = Sandbox::start(Options {
        ports,
        ..Options::default()
    });
    let error = error.await.err().unwrap().to_string();
    assert_eq!(
        error,
        format!("cannot listen on 127.0.0.1:{port} for the sandbox's api")
    );
}

#[tokio::test]
async fn dropping_it_stops_it() {
    let client = Client::start(Options::default()).await;
    let url = client.sandbox.api_url();
    let http = client.http.clone();
    drop(client);
    for _ in 0..100 {
        if http.get(&url).send().await.is_err() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("it still answers");
}
