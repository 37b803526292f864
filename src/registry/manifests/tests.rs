//! What is asked for manifests, and what is made of the answers.

use std::time::Duration;

use super::*;
use crate::failure::{Failure, Kind};
use crate::image::media_type;
use crate::registry::Cause;
use crate::registry::fake::{Fake, Reply};

#[tokio::test]
async fn a_head_costs_one_request() {
    let fake = Fake::start(|_, _| Reply::manifest()).await;
    let head = fake.client().head_manifest(&fake.image("app:1")).await;
    assert_eq!(
        head.unwrap(),
        Some(ManifestHead {
            digest: Reply::manifest_digest(),
            media_type: Reply::manifest_value().media_type().to_owned(),
            size: Reply::manifest_value().bytes().len() as u64,
        })
    );
    assert_eq!(fake.log(), ["HEAD /v2/app/manifests/1"]);
    assert_eq!(
        fake.requests()[0].headers["accept"],
        "application/vnd.oci.image.index.v1+json, \
         application/vnd.oci.image.manifest.v1+json, \
         application/vnd.docker.distribution.manifest.list.v2+json, \
         application/vnd.docker.distribution.manifest.v2+json"
    );
}

#[tokio::test]
async fn a_head_without_digest_is_followed_by_get() {
    let fake = Fake::start(|_, _| Reply::manifest().without("docker-content-digest")).await;
    let head = fake.client().head_manifest(&fake.image("app:1")).await;
    assert_eq!(head.unwrap().unwrap().digest, Reply::manifest_digest());
    let log = ["HEAD /v2/app/manifests/1", "GET /v2/app/manifests/1"];
    assert_eq!(fake.log(), log);
}

#[tokio::test]
async fn a_denied_head_tells_the_reason_and_the_remedy() {
    let fake = Fake::start(|_, _| {
        Reply::status(403).body(
            r#"{"errors":[{"code":"DENIED","message":"User: arn:aws:iam::1:user/u is not authorized to perform: ecr:BatchGetImage on resource: arn:aws:ecr:eu-west-1:1:repository/app because no identity-based policy allows it"}]}"#,
        )
    })
    .await;
    let head = fake.client().head_manifest(&fake.image("app:1")).await;
    let error = head.unwrap_err();
    assert_eq!(error.kind(), Kind::Refused);
    assert_eq!(
        error.hint().unwrap(),
        "allow `ecr:BatchGetImage` on `arn:aws:ecr:eu-west-1:1:repository/app` in the IAM policy"
    );
}

#[tokio::test]
async fn nothing_there() {
    let fake = Fake::start(|_, _| Reply::status(404)).await;
    let (client, image) = (fake.client(), fake.image("app"));
    assert_eq!(client.head_manifest(&image).await.unwrap(), None);
    assert_eq!(client.get_manifest(&image).await.unwrap(), None);
    let log = [
        "HEAD /v2/app/manifests/latest",
        "GET /v2/app/manifests/latest",
    ];
    assert_eq!(fake.log(), log);
}

#[tokio::test]
async fn a_digest_is_enough_to_resolve() {
    let bare = || {
        let reply = Reply::manifest().without("content-type");
        reply.body("")
    };
    let fake = Fake::start(move |_, _| bare()).await;
    let digest = fake.client().resolve(&fake.image("app:1")).await;
    assert_eq!(digest.unwrap(), Some(Reply::manifest_digest()));
    assert_eq!(fake.log(), ["HEAD /v2/app/manifests/1"]);
}

#[tokio::test]
async fn a_404_of_something_else_than_the_registry_is_an_error() {
    let store = Fake::start(|_, _| Reply::status(404)).await;
    let target = format!("http://{}/gone", store.registry());
    let page = || {
        let reply = Reply::status(404).header("content-type", "text/html; charset=utf-8");
        reply.body("<html>lost?</html>")
    };
    let redirect = move || Reply::status(307).header("location", &target);
    let text = || Reply::status(404).body("404 page not found");
    let fakes = [
        ("a page", Fake::start(move |_, _| page()).await),
        ("a text", Fake::start(move |_, _| text()).await),
        ("a blob store", Fake::start(move |_, _| redirect()).await),
    ];
    for (name, fake) in fakes {
        let (client, image) = (fake.client(), fake.image("app:1"));
        let error = client.get_manifest(&image).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Permanent, "{name}");
        let hint = error.hint().unwrap();
        assert!(hint.contains("does not answer as a registry"), "{name}");
        if name != "a text" {
            assert!(client.head_manifest(&image).await.is_err(), "{name}");
        }
    }
    let json = r#"{"errors":[{"code":"MANIFEST_UNKNOWN"}]}"#;
    let fake = Fake::start(move |_, _| Reply::status(404).body(json)).await;
    let manifest = fake.client().get_manifest(&fake.image("app:1")).await;
    assert_eq!(manifest.unwrap(), None);
}

#[tokio::test]
async fn other_bytes_than_asked_for_are_noticed() {
    let fake = Fake::start(|_, _| Reply::manifest().body("{}")).await;
    let image = fake.image("app:1").by_digest(Reply::manifest_digest());
    let error = fake.client().get_manifest(&image).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Permanent);
    assert_eq!(
        format!("{error}: {}", error.cause()),
        format!(
            "cannot read manifest `{image}`: `{}` sent {} instead of {}",
            fake.registry(),
            Digest::of(b"{}"),
            Reply::manifest_digest()
        )
    );
    assert_eq!(fake.log().len(), 2, "it might have been spoiled on its way");
}

#[tokio::test]
async fn a_signed_manifest_is_passed_on_to_be_named() {
    let signed = r#"{"schemaVersion": 1, "signatures": []}"#;
    let fake = Fake::start(move |_, _| {
        let reply = Reply::manifest().without("content-type").body(signed);
        reply.header("content-type", media_type::SCHEMA_1[0])
    })
    .await;
    let image = fake.image("app:1").by_digest(Reply::manifest_digest());
    let manifest = fake.client().get_manifest(&image).await.unwrap().unwrap();
    let error = manifest.content().unwrap_err().to_string();
    assert!(error.contains("manifest schema 1"), "{error}");
}

#[tokio::test]
async fn a_manifest_that_never_ends_is_cut() {
    let fake = Fake::start(|_, _| Reply::status(200).body(&"x".repeat(5 << 20))).await;
    let error = fake.client().get_manifest(&fake.image("app:1")).await;
    assert!(matches!(
        error.unwrap_err().cause(),
        Cause::TooLarge {
            limit: MAX_MANIFEST
        }
    ));
}

#[tokio::test]
async fn writes_by_tag_and_by_digest() {
    // ECR sends no `Location`.
    let fake = Fake::start(|_, _| Reply::status(201)).await;
    let (client, manifest) = (fake.client(), Reply::manifest_value());
    let image = fake.image("app:1");
    client.put_manifest(&image, &manifest).await.unwrap();
    let image = image.by_digest(manifest.digest().clone());
    client.put_manifest(&image, &manifest).await.unwrap();
    assert_eq!(
        fake.log(),
        [
            "PUT /v2/app/manifests/1".to_owned(),
            format!("PUT /v2/app/manifests/{}", manifest.digest()),
        ]
    );
    let sent = &fake.requests()[0];
    assert_eq!(sent.headers["content-type"], manifest.media_type());
    assert_eq!(sent.body, manifest.bytes());
}

#[tokio::test]
async fn an_immutable_tag_is_a_conflict() {
    let fake = Fake::start(|_, _| {
        Reply::status(400).body(
            r#"{"errors":[{"code":"TAG_INVALID","message":"The image tag '1' already exists in the 'app' repository and cannot be overwritten because the tag is immutable."}]}"#,
        )
    })
    .await;
    let (client, image) = (fake.client(), fake.image("app:1"));
    let put = client.put_manifest(&image, &Reply::manifest_value()).await;
    assert_eq!(put.unwrap_err().kind(), Kind::Conflict);
    assert_eq!(fake.log(), ["PUT /v2/app/manifests/1"]);
}

#[tokio::test]
async fn docker_hubs_pull_limit_is_named_and_not_hammered() {
    let fake = Fake::start(|_, _| {
        Reply::status(429).body(
            r#"{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit"}]}"#,
        )
    })
    .await;
    let image: Reference = "redis:7".parse().unwrap();
    let error = fake
        .client_for("docker.io")
        .get_manifest(&image)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Exhausted);
    assert_eq!(
        error.hint().unwrap(),
        "the pull rate limit of `docker.io` is used up: add a login for `docker.io` under \
         `upstreams`, or wait until the limit's window has passed, as `--wait` does"
    );
    assert_eq!(fake.log(), ["GET /v2/library/redis/manifests/7"]);
}

#[tokio::test]
async fn a_login_that_is_allowed_no_more_needs_another() {
    let fake = Fake::start_with_ping(|request, _| match request.authorization() {
        "" => Reply::status(401).header("www-authenticate", "Basic realm=\"r\""),
        _ => Reply::status(429).header("ratelimit-remaining", "0;w=21600"),
    })
    .await;
    let image = fake.image("app:1");
    let client = fake.client_as("u", "p");
    let error = client.get_manifest(&image).await.unwrap_err();
    let registry = &image.registry;
    assert_eq!(
        error.hint().unwrap(),
        format!(
            "the pull rate limit of `{registry}` is used up: use a login for `{registry}` that is \
             allowed more, or wait until the limit's window has passed, as `--wait` does"
        )
    );
}

#[tokio::test]
async fn a_registry_that_wants_to_be_left_alone_is() {
    let fake = Fake::start(|_, _| Reply::status(429).header("retry-after", "3600")).await;
    let (client, image) = (fake.client(), fake.image("app:1"));
    let error = client.get_manifest(&image).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Exhausted);
    let registry = &image.registry;
    assert_eq!(
        error.hint().unwrap(),
        format!(
            "`{registry}` wants to be left alone for 60 minutes: wait so long, as `--wait` does, \
             or add a login for `{registry}` under `upstreams`"
        )
    );
    assert!(client.rest(registry) > Duration::from_mins(59));
    assert_eq!(fake.log(), ["GET /v2/app/manifests/1"]);
}
