//! The upstream registry.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::client::{Client, header, refused};
use crate::image::{Digest, Platform, media_type};
use crate::sandbox::layout::{PlatformImage, busybox, write_image, write_manifest};
use crate::sandbox::{Login, Options, PullLimit, Upstream};

async fn start(change: impl FnOnce(Upstream) -> Upstream) -> (Client, TempDir) {
    let root = tempfile::tempdir().unwrap();
    let upstream = change(Upstream::new(root.path()));
    let options = Options {
        upstream: Some(upstream),
        ..Options::default()
    };
    (Client::start(options).await, root)
}

fn open(upstream: Upstream) -> Upstream {
    Upstream {
        bearer: false,
        ..upstream
    }
}

fn platform(name: &str) -> Platform {
    name.parse().unwrap()
}

fn request(client: &Client, method: Method, path: &str) -> RequestBuilder {
    let host = client.sandbox.upstream().unwrap();
    client.http.request(method, format!("http://{host}{path}"))
}

#[tokio::test]
async fn serves_what_the_layout_holds_now() {
    let (client, root) = start(open).await;
    let images = ["linux/amd64", "linux/arm/v7"].map(|name| PlatformImage {
        config: json!({"User": "app"}),
        ..PlatformImage::new(platform(name), vec![b"a tar".to_vec()])
    });
    let index = write_image(root.path(), "library/mongo", "7", &images).unwrap();
    let path = "/v2/library/mongo/manifests/7";
    for method in [Method::HEAD, Method::GET] {
        let response = request(&client, method, path).send().await.unwrap();
        let digest = header(&response, "docker-content-digest").unwrap();
        assert_eq!(digest, index.as_str());
        assert_eq!(
            header(&response, "content-type").unwrap(),
            media_type::OCI_INDEX
        );
    }
    let response = request(&client, Method::GET, path).send().await.unwrap();
    let index: Value = response.json().await.unwrap();
    let children = index["manifests"].as_array().unwrap();
    assert_eq!(children[1]["platform"]["variant"], "v7");
    let child = children[0]["digest"].as_str().unwrap();
    let path = format!("/v2/library/mongo/manifests/{child}");
    let response = request(&client, Method::GET, &path).send().await.unwrap();
    assert_eq!(
        header(&response, "content-type").unwrap(),
        media_type::OCI_MANIFEST
    );
    let manifest: Value = response.json().await.unwrap();
    let config = manifest["config"]["digest"].as_str().unwrap();
    let path = format!("/v2/library/mongo/blobs/{config}");
    let response = request(&client, Method::GET, &path).send().await.unwrap();
    let config: Value = response.json().await.unwrap();
    assert_eq!(config["config"]["User"], "app");
    assert_eq!(config["rootfs"]["diff_ids"][0], json!(Digest::of(b"a tar")));

    let moved = write_image(root.path(), "library/mongo", "7", &images[..1]).unwrap();
    assert_eq!(
        moved.as_str(),
        child,
        "the same input gives the same digest"
    );
    let path = "/v2/library/mongo/manifests/7";
    let response = request(&client, Method::HEAD, path).send().await.unwrap();
    let digest = header(&response, "docker-content-digest").unwrap();
    assert_eq!(digest, moved.as_str());
    let path = "/v2/library/mongo/blobs/uploads/";
    let response = request(&client, Method::POST, path).send().await.unwrap();
    assert_eq!(refused(response).await.1, "UNSUPPORTED");
}

#[tokio::test]
async fn a_token_is_needed_for_each_repository() {
    let login = Some(Login::new("acme", "secret"));
    let (client, root) = start(|upstream| Upstream { login, ..upstream }).await;
    let image = PlatformImage::new(platform("linux/amd64"), Vec::new());
    for repository in ["library/mongo", "other"] {
        write_image(root.path(), repository, "1", std::slice::from_ref(&image)).unwrap();
    }
    let host = client.sandbox.upstream().unwrap();
    let path = "/v2/library/mongo/manifests/1";
    let response = request(&client, Method::GET, path).send().await.unwrap();
    assert_eq!(response.status(), 401);
    let realm = format!("Bearer realm=\"http://{host}/token\"");
    assert_eq!(
        header(&response, "www-authenticate").unwrap(),
        format!("{realm},service=\"registry.docker.io\",scope=\"repository:library/mongo:pull\"")
    );
    let token = "/token?service=registry.docker.io&scope=repository:library/mongo:pull";
    let token = || request(&client, Method::GET, token);
    assert_eq!(token().send().await.unwrap().status(), 401);
    let granted = token().basic_auth("acme", Some("secret"));
    let granted: Value = granted.send().await.unwrap().json().await.unwrap();
    let bearer = granted["token"].as_str().unwrap();
    for (repository, status) in [("library/mongo", 200), ("other", 401), ("missing", 401)] {
        let path = format!("/v2/{repository}/manifests/1");
        let request = request(&client, Method::GET, &path).bearer_auth(bearer);
        assert_eq!(
            request.send().await.unwrap().status(),
            status,
            "{repository}"
        );
    }
}

#[tokio::test]
async fn pulls_are_counted_and_checks_are_not() {
    let (client, root) = start(|upstream| Upstream {
        pulls: Some(PullLimit::new(1)),
        ..open(upstream)
    })
    .await;
    let image = PlatformImage::new(platform("linux/amd64"), Vec::new());
    write_image(root.path(), "app", "1", &[image]).unwrap();
    let mut seen = Vec::new();
    for method in [Method::HEAD, Method::GET, Method::HEAD, Method::GET] {
        let path = "/v2/app/manifests/1";
        let response = request(&client, method, path).send().await.unwrap();
        let left = header(&response, "ratelimit-remaining").unwrap();
        seen.push((response.status().as_u16(), left));
    }
    let expected = [(200, 1), (200, 0), (200, 0), (429, 0)];
    assert_eq!(
        seen,
        expected.map(|(status, left)| (status, format!("{left};w=21600")))
    );
}

#[tokio::test]
async fn lists_tags_in_the_specification_s_way() {
    let (client, root) = start(open).await;
    for tag in ["1.0", "1.1", "2.0"] {
        let media_type = media_type::OCI_MANIFEST;
        write_manifest(root.path(), "app", Some(tag), media_type, b"{}").unwrap();
    }
    let list = request(&client, Method::GET, "/v2/app/tags/list?n=2");
    let list = list.send().await.unwrap();
    let link = "</v2/app/tags/list?last=1.1&n=2>; rel=\"next\"";
    assert_eq!(header(&list, "link").unwrap(), link);
    let list = request(&client, Method::GET, "/v2/app/tags/list?n=2&last=1.1");
    let list: Value = list.send().await.unwrap().json().await.unwrap();
    assert_eq!(list, json!({"name": "app", "tags": ["2.0"]}));
}

#[test]
fn busybox_is_a_small_system() {
    let image = busybox(platform("linux/amd64"), b"ELF").unwrap();
    let mut archive = tar::Archive::new(image.layers[0].as_slice());
    let paths = archive.entries().unwrap().map(|entry| {
        let entry = entry.unwrap();
        entry.path().unwrap().display().to_string()
    });
    let paths: Vec<String> = paths.collect();
    assert_eq!(
        &paths[..5],
        ["bin/", "etc/", "root/", "tmp/", "bin/busybox"]
    );
    assert!(paths.contains(&"bin/sh".to_owned()));
}
