//! The log, and faults.

use std::time::{Duration, Instant};

use reqwest::Method;

use super::client::{Client, header};
use crate::sandbox::{Effect, Fault, Options, Server};

#[tokio::test]
async fn faults_strike_as_often_as_asked_and_are_in_the_log() {
    let client = Client::start(Options::default()).await;
    let sandbox = &client.sandbox;
    sandbox.inject(Fault::throttle("/v2/app/", 7).times(2));
    sandbox.inject(Fault::new("/v2/", Effect::Drop).method("HEAD"));
    sandbox.inject(Fault::status("ListImages", 500).at(Server::Api));

    let throttled = client.get("/v2/app/tags/list").await;
    assert_eq!(header(&throttled, "retry-after").unwrap(), "7");
    client.get("/v2/app/tags/list").await;
    client.get("/v2/app/tags/list").await;
    let head = client.request(Method::HEAD, "/v2/").send().await;
    assert!(head.is_err());
    client.get("/v2/").await;
    let request = client.http.post(sandbox.api_url()).header(
        "x-amz-target",
        "AmazonEC2ContainerRegistry_V20150921.ListImages",
    );
    request.send().await.unwrap();
    insta::assert_snapshot!(client.log(), @r"
    registry GET /v2/app/tags/list 429
    registry GET /v2/app/tags/list 429
    registry GET /v2/app/tags/list 200
    registry HEAD /v2/ broken
    registry GET /v2/ 200
    api ListImages 500
    ");
}

#[tokio::test]
async fn answers_break_off_and_come_late() {
    let client = Client::start(Options::default()).await;
    let digest = client.push_blob("app", b"a layer").await;
    let redirect = client.get(&format!("/v2/app/blobs/{digest}")).await;
    let address = header(&redirect, "location").unwrap();

    let cut = Fault::new("starport", Effect::Cut { after: 3 });
    client.sandbox.inject(cut.at(Server::Storage));
    let mut response = client.http.get(&address).send().await.unwrap();
    assert_eq!(response.content_length(), Some(7));
    assert_eq!(response.chunk().await.unwrap().unwrap(), "a l");
    assert!(response.chunk().await.is_err());

    let inject = |effect| {
        let fault = Fault::new("starport", effect);
        client.sandbox.inject(fault.at(Server::Storage));
    };
    let read = async || {
        client
            .http
            .get(&address)
            .send()
            .await
            .unwrap()
            .bytes()
            .await
    };
    inject(Effect::Truncate { after: 3 });
    assert_eq!(read().await.unwrap(), "a l");
    inject(Effect::Corrupt);
    assert_eq!(read().await.unwrap(), "a l`yer");
    inject(Effect::Drop);
    client.sandbox.mend();
    assert_eq!(read().await.unwrap(), "a layer");
    let reset = Effect::Reset { after: 1 };
    client
        .sandbox
        .inject(Fault::new("/v2/", reset).method("PUT"));
    let put = client.request(Method::PUT, "/v2/app/manifests/1");
    assert!(put.body("a manifest").send().await.is_err());

    let time = Duration::from_millis(50);
    client.sandbox.inject(Fault::new("", Effect::Delay(time)));
    let start = Instant::now();
    client.get("/v2/").await;
    assert!(start.elapsed() >= time);
}

#[tokio::test]
async fn nothing_is_kept_where_nobody_asks() {
    let options = Options {
        record: false,
        ..Options::default()
    };
    let client = Client::start(options).await;
    client.sandbox.inject(Fault::status("/v2/", 500));
    assert_eq!(client.get("/v2/").await.status(), 500);
    assert_eq!(client.get("/v2/").await.status(), 200);
    assert_eq!(client.sandbox.requests(), []);
    assert_eq!(client.sandbox.take_requests(), []);
}
