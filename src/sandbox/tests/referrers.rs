//! What refers to a manifest.

use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Client, header};
use crate::image::{Digest, media_type};
use crate::sandbox::Options;

/// Pushes a manifest that refers to another, and returns what the registry said of its subject.
async fn refer(client: &Client, subject: &Digest, kind: &str, number: usize) -> String {
    let config = client.push_blob("app", b"{}").await;
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": media_type::OCI_MANIFEST,
        "artifactType": kind,
        "subject": {"mediaType": media_type::OCI_MANIFEST, "digest": subject, "size": 1},
        "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": config, "size": 2},
        "layers": [],
        "annotations": {"number": number.to_string()},
    });
    let manifest = manifest.to_string();
    let path = format!("/v2/app/manifests/{}", Digest::of(manifest.as_bytes()));
    let put = client.request(Method::PUT, &path).body(manifest);
    let put = put.header("content-type", media_type::OCI_MANIFEST);
    let response = put.send().await.unwrap();
    assert_eq!(response.status(), 201);
    header(&response, "oci-subject").unwrap()
}

#[tokio::test]
async fn referrers_come_in_pages_and_by_type() {
    let client = Client::start(Options::default()).await;
    let subject = client.push_image("app", "1", "a layer").await;
    let subject = Digest::of(subject.as_bytes());
    for number in 0..20 {
        assert_eq!(
            refer(&client, &subject, "a/sbom", number).await,
            subject.as_str()
        );
    }
    refer(&client, &subject, "a/signature", 20).await;

    let mut path = format!("/v2/app/referrers/{subject}");
    let mut pages: Vec<usize> = Vec::new();
    loop {
        let page = client.get(&path).await;
        assert_eq!(
            header(&page, "content-type").unwrap(),
            media_type::OCI_INDEX
        );
        let next = header(&page, "link");
        let index: Value = page.json().await.unwrap();
        pages.push(index["manifests"].as_array().unwrap().len());
        let Some(next) = next else { break };
        path = next.split(['<', '>']).nth(1).unwrap().to_owned();
    }
    assert_eq!(pages, [20, 1]);

    let path = format!("/v2/app/referrers/{subject}?artifactType=a%2Fsignature");
    let page = client.get(&path).await;
    assert_eq!(
        header(&page, "oci-filters-applied").unwrap(),
        "artifactType"
    );
    let index: Value = page.json().await.unwrap();
    assert_eq!(index["manifests"][0]["artifactType"], "a/signature");
    assert_eq!(
        index["manifests"][0]["annotations"],
        json!({"number": "20"})
    );
    assert_eq!(index["manifests"].as_array().unwrap().len(), 1);

    let nothing = client
        .get(&format!("/v2/app/referrers/{}", Digest::of(b"nothing")))
        .await;
    assert_eq!(nothing.status(), 200);
    let index: Value = nothing.json().await.unwrap();
    assert_eq!(index["manifests"], json!([]));
}
