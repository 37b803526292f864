//! Exact requests for every way to be convinced.

use super::*;
use crate::failure::{Failure, Kind};
use crate::image::Reference;
use crate::registry::fake::{Fake, PING, Reply, Seen, login};
use crate::registry::{Client, Error};

/// A registry and its token service: every token is `t` and how many were granted before, in
/// its request's form; only those in `accepted` open a repository.
async fn bearer(expires_in: u64, accepted: &'static [&'static str]) -> Fake {
    Fake::start(move |request, earlier| {
        if request.line.contains("/token") {
            return Reply::status(200).body(&format!(
                r#"{{"token":"t{earlier}","expires_in":{expires_in}}}"#
            ));
        }
        let sent = request.authorization().strip_prefix("Bearer ");
        if sent.is_some_and(|token| accepted.contains(&token)) {
            Reply::manifest()
        } else {
            challenge(request)
        }
    })
    .await
}

fn challenge(request: &Seen) -> Reply {
    let realm = format!("http://{}/token", request.headers["host"].to_str().unwrap());
    let value = format!(
        r#"Bearer realm="{realm}",service="reg",scope="repository:app:pull",error="x", Basic realm="x""#
    );
    Reply::status(401).header("www-authenticate", &value)
}

fn basic(accepted: &'static str) -> impl Fn(&Seen, usize) -> Reply {
    move |request, _| match request.authorization() {
        sent if sent == accepted => Reply::manifest(),
        _ => Reply::status(401)
            .header(
                "www-authenticate",
                r#"Basic realm="https://x/",service="ecr.amazonaws.com""#,
            )
            .body("Not Authorized"),
    }
}

async fn head(client: &Client, image: &Reference) -> Result<(), Error> {
    let head = client.head_manifest(image).await?;
    assert_eq!(head.unwrap().digest, Reply::manifest_digest());
    Ok(())
}

const TOKEN: &str = "GET /token?service=reg&scope=repository%3Aapp%3Apull";

#[tokio::test]
async fn a_token_is_fetched_once_and_used_again() {
    let fake = bearer(300, &["t0"]).await;
    let client = fake.client();
    head(&client, &fake.image("app:1")).await.unwrap();
    head(&client.clone(), &fake.image("app:2")).await.unwrap();
    head(&client, &fake.image("other:1")).await.unwrap();
    assert_eq!(fake.pings(), 1);
    assert_eq!(
        fake.log(),
        [
            TOKEN,
            "HEAD /v2/app/manifests/1 Bearer t0",
            "HEAD /v2/app/manifests/2 Bearer t0",
            "GET /token?service=reg&scope=repository%3Aother%3Apull",
            "HEAD /v2/other/manifests/1 Bearer t0",
        ]
    );
}

#[tokio::test]
async fn requests_share_one_challenge_and_one_fetch() {
    let fake = bearer(300, &["t0"]).await;
    let client = fake.client();
    let image = fake.image("app:1");
    let heads = (0..8).map(|_| {
        let (client, image) = (client.clone(), image.clone());
        tokio::spawn(async move { head(&client, &image).await })
    });
    for head in futures_util::future::join_all(heads).await {
        head.unwrap().unwrap();
    }
    let log = fake.log();
    assert_eq!((fake.pings(), log[0].as_str()), (1, TOKEN));
    assert_eq!(log[1..], ["HEAD /v2/app/manifests/1 Bearer t0"; 8]);
}

#[tokio::test]
async fn a_token_near_its_end_is_replaced() {
    let fake = bearer(20, &["t0", "t1"]).await;
    let (client, image) = (fake.client(), fake.image("app:1"));
    head(&client, &image).await.unwrap();
    head(&client, &image).await.unwrap();
    assert_eq!(
        fake.log(),
        [
            TOKEN,
            "HEAD /v2/app/manifests/1 Bearer t0",
            TOKEN,
            "HEAD /v2/app/manifests/1 Bearer t1",
        ]
    );
}

#[tokio::test]
async fn a_token_that_is_refused_is_replaced_once() {
    let fake = bearer(300, &[]).await;
    let (client, image) = (fake.client(), fake.image("app:1"));
    for _ in 0..2 {
        let error = head(&client, &image).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Refused);
    }
    assert_eq!(
        fake.log(),
        [
            TOKEN,
            "HEAD /v2/app/manifests/1 Bearer t0",
            TOKEN,
            "HEAD /v2/app/manifests/1 Bearer t1",
            "HEAD /v2/app/manifests/1 Bearer t1",
            TOKEN,
            "HEAD /v2/app/manifests/1 Bearer t2",
        ]
    );
}

#[tokio::test]
async fn a_repository_may_want_a_wider_scope() {
    let fake = Fake::start(|request, earlier| match request.authorization() {
        "Bearer wide" => Reply::manifest(),
        _ if request.line == TOKEN => Reply::status(200).body(r#"{"token":"narrow"}"#),
        _ if request.line.contains("/token") => Reply::status(200).body(r#"{"token":"wide"}"#),
        _ => {
            let realm = format!("http://{}/token", request.headers["host"].to_str().unwrap());
            let scope = if earlier == 0 && request.line == PING {
                ""
            } else {
                r#",scope="repository:app:pull repository:base:pull",error="insufficient_scope""#
            };
            let value = format!(r#"Bearer realm="{realm}",service="reg"{scope}"#);
            Reply::status(401).header("www-authenticate", &value)
        }
    })
    .await;
    let (client, image) = (fake.client(), fake.image("app:1"));
    head(&client, &image).await.unwrap();
    head(&client, &image).await.unwrap();
    assert_eq!(
        fake.log(),
        [
            TOKEN.to_owned(),
            "HEAD /v2/app/manifests/1 Bearer narrow".to_owned(),
            format!("{TOKEN}&scope=repository%3Abase%3Apull"),
            "HEAD /v2/app/manifests/1 Bearer wide".to_owned(),
            "HEAD /v2/app/manifests/1 Bearer wide".to_owned(),
        ]
    );
}

#[tokio::test]
async fn a_write_asks_for_more() {
    let fake = bearer(300, &["t0"]).await;
    let client = fake.client_as("acme", "pass");
    let put = client
        .put_manifest(&fake.image("app:1"), &Reply::manifest_value())
        .await;
    put.unwrap();
    assert_eq!(
        fake.log(),
        [
            "GET /token?service=reg&scope=repository%3Aapp%3Apull%2Cpush Basic YWNtZTpwYXNz",
            "PUT /v2/app/manifests/1 Bearer t0",
        ]
    );
}

#[tokio::test]
async fn an_identity_token_is_exchanged() {
    let fake = bearer(300, &["t0"]).await;
    let login = Login::IdentityToken("refresh me".into());
    let registry = fake.registry();
    let client = fake.client_with(registry.as_str(), vec![Some(login)]);
    head(&client, &fake.image("app:1")).await.unwrap();
    let log = ["POST /token", "HEAD /v2/app/manifests/1 Bearer t0"];
    assert_eq!(fake.log(), log);
    assert_eq!(
        fake.requests()[0].body,
        "grant_type=refresh_token&service=reg&client_id=longshore\
         &scope=repository%3Aapp%3Apull&refresh_token=refresh+me"
    );
}

#[tokio::test]
async fn basic_is_sent_unasked_from_then_on() {
    let fake = Fake::start(basic("Basic QVdTOnB3")).await;
    let client = fake.client_as("AWS", "pw");
    head(&client, &fake.image("app:1")).await.unwrap();
    head(&client, &fake.image("other:1")).await.unwrap();
    assert_eq!(
        fake.log(),
        [
            "HEAD /v2/app/manifests/1 Basic QVdTOnB3",
            "HEAD /v2/other/manifests/1 Basic QVdTOnB3",
        ]
    );
}

#[tokio::test]
async fn an_expired_ecr_token_is_replaced() {
    let fake = Fake::start(|request, earlier| match request.authorization() {
        "Basic QVdTOm9sZA==" if earlier > 0 => {
            Reply::status(403).body(
                r#"{"errors":[{"code":"DENIED","message":"Your authorization token has expired. Reauthenticate and try again."}]}"#,
            )
        }
        "" => Reply::status(401).header("www-authenticate", "Basic realm=\"x\""),
        _ => Reply::manifest(),
    })
    .await;
    let old = Some(login("AWS", "old"));
    let logins = vec![old.clone(), old, Some(login("AWS", "new"))];
    let client = fake.client_with(fake.registry().as_str(), logins);
    let image = fake.image("app:1");
    for _ in 0..2 {
        client.get_manifest(&image).await.unwrap();
    }
    let manifest = "GET /v2/app/manifests/1";
    assert_eq!(
        fake.log(),
        [
            format!("{manifest} Basic QVdTOm9sZA=="),
            format!("{manifest} Basic QVdTOm9sZA=="),
            format!("{manifest} Basic QVdTOm5ldw=="),
        ]
    );
}

#[tokio::test]
async fn a_refused_login_is_not_sent_again() {
    let fake = Fake::start(basic("Basic QVdTOnB3")).await;
    let client = fake.client_as("AWS", "wrong");
    let text = |error: &Error| format!("{error}: {}", error.cause());
    let first = head(&client, &fake.image("app:1")).await.unwrap_err();
    let second = head(&client, &fake.image("other:1")).await.unwrap_err();
    let host = fake.registry();
    assert_eq!(
        text(&second),
        format!(
            "cannot look up manifest `{host}/other:1`: the login of `AWS` is refused: \
             `{host}` answered 401 Unauthorized"
        )
    );
    assert_eq!(
        (first.kind(), second.kind()),
        (Kind::Refused, Kind::Refused)
    );
    assert_eq!(fake.log(), ["HEAD /v2/app/manifests/1 Basic QVdTOndyb25n",]);
}

#[tokio::test]
async fn a_wrong_login_is_sent_once_however_many_requests_wait() {
    let fake = Fake::start(basic("Basic QVdTOnB3")).await;
    let client = fake.client_as("AWS", "wrong");
    let image = fake.image("app:1");
    let heads = (0..8).map(|_| head(&client, &image));
    let outcomes = futures_util::future::join_all(heads).await;
    assert!(outcomes.iter().all(Result::is_err));
    assert_eq!((fake.pings(), fake.log().len()), (1, 1));
}

#[tokio::test]
async fn a_token_service_that_denies_one_repository_serves_the_others() {
    let fake = Fake::start(|request, _| {
        if request.line.contains("secret%3Apull") {
            Reply::status(403).body(r#"{"errors":[{"code":"DENIED"}]}"#)
        } else if request.line.contains("/token") {
            Reply::status(200).body(r#"{"access_token":"t"}"#)
        } else if request.authorization().is_empty() {
            challenge(request)
        } else {
            Reply::manifest()
        }
    })
    .await;
    let client = fake.client_as("acme", "pass");
    head(&client, &fake.image("app:1")).await.unwrap();
    for tag in ["1", "2"] {
        let secret = fake.image(&format!("secret:{tag}"));
        assert_eq!(
            head(&client, &secret).await.unwrap_err().kind(),
            Kind::Refused
        );
    }
    head(&client, &fake.image("app:2")).await.unwrap();
    assert_eq!(
        fake.log()[2..],
        [
            "GET /token?service=reg&scope=repository%3Asecret%3Apull Basic YWNtZTpwYXNz",
            "HEAD /v2/app/manifests/2 Bearer t",
        ]
    );
}

#[tokio::test]
async fn a_token_service_that_denies_the_first_repository_serves_the_others() {
    let fake = Fake::start(|request, _| {
        if request.line.contains("secret%3Apull") {
            Reply::status(403).body(r#"{"errors":[{"code":"DENIED"}]}"#)
        } else if request.line.contains("/token") {
            Reply::status(200).body(r#"{"access_token":"t"}"#)
        } else if request.authorization().is_empty() {
            challenge(request)
        } else {
            Reply::manifest()
        }
    })
    .await;
    let client = fake.client_as("acme", "pass");
    let secret = head(&client, &fake.image("secret:1")).await;
    assert_eq!(secret.unwrap_err().kind(), Kind::Refused);
    head(&client, &fake.image("app:1")).await.unwrap();
    assert_eq!(
        fake.log(),
        [
            "GET /token?service=reg&scope=repository%3Asecret%3Apull Basic YWNtZTpwYXNz",
            "GET /token?service=reg Basic YWNtZTpwYXNz",
            "GET /token?service=reg&scope=repository%3Aapp%3Apull Basic YWNtZTpwYXNz",
            "HEAD /v2/app/manifests/1 Bearer t",
        ]
    );
}

#[tokio::test]
async fn a_token_service_that_refuses_the_login_is_left_alone() {
    let fake = Fake::start(|request, _| {
        if request.line.contains("/token") {
            Reply::status(401).body(r#"{"details":"incorrect username or password"}"#)
        } else {
            challenge(request)
        }
    })
    .await;
    let client = fake.client_as("acme", "wrong");
    for image in ["app:1", "other:1"] {
        let error = head(&client, &fake.image(image)).await.unwrap_err();
        assert_eq!(
            error.cause().to_string(),
            format!(
                "the login of `acme` is refused: `{}` answered 401 Unauthorized: \
                 incorrect username or password",
                fake.registry()
            )
        );
    }
    assert_eq!((fake.pings(), fake.log().len()), (1, 1));
}

#[tokio::test]
async fn ecr_public_is_asked_anonymously_when_a_token_is_stale() {
    let fake = Fake::start(|request, _| match request.authorization() {
        "Basic YWNtZTpwYXNz" => Reply::status(200).body(r#"{"token":"stale"}"#),
        "" if request.line.contains("/token") => Reply::status(200).body(r#"{"token":"t"}"#),
        "Bearer stale" => Reply::status(400),
        "Bearer t" => Reply::manifest(),
        _ => challenge(request),
    })
    .await;
    let client = fake.client_with("public.ecr.aws", vec![Some(login("acme", "pass"))]);
    let image = "public.ecr.aws/app:1".parse().unwrap();
    for _ in 0..2 {
        head(&client, &image).await.unwrap();
    }
    let manifest = "HEAD /v2/app/manifests/1";
    assert_eq!(
        fake.log(),
        [
            format!("{TOKEN} Basic YWNtZTpwYXNz"),
            format!("{manifest} Bearer stale"),
            TOKEN.to_owned(),
            format!("{manifest} Bearer t"),
            format!("{manifest} Bearer t"),
        ]
    );
}

#[tokio::test]
async fn docker_hub_hides_what_is_missing() {
    let fake = bearer(300, &[]).await;
    let client = fake.client_for("docker.io");
    let image = "nosuch/image:1".parse().unwrap();
    let error = client.get_manifest(&image).await.unwrap_err();
    assert_eq!(
        error.hint().unwrap(),
        "Docker Hub says this also of repositories that do not exist or are private: check the \
         name; check the credentials for `docker.io`"
    );
}

#[tokio::test]
async fn a_repository_that_is_hidden_from_strangers_is_seen_with_a_login() {
    let fake = Fake::start_with_ping(|request, _| match request.authorization() {
        "Basic YWNtZTpwYXNz" => Reply::manifest(),
        _ if request.line == PING => {
            Reply::status(401).header("www-authenticate", "Basic realm=\"x\"")
        }
        _ => Reply::status(404).body(r#"{"errors":[{"code":"NAME_UNKNOWN"}]}"#),
    })
    .await;
    let client = fake.client_as("acme", "pass");
    head(&client, &fake.image("app:1")).await.unwrap();
    head(&client, &fake.image("app:1")).await.unwrap();
    let log = ["HEAD /v2/app/manifests/1 Basic YWNtZTpwYXNz"; 2];
    assert_eq!(
        (fake.pings(), fake.log()),
        (1, log.map(str::to_owned).into())
    );
}

#[tokio::test]
async fn a_registry_may_ask_late() {
    for ping in [200, 404, 403] {
        let fake = Fake::start_with_ping(move |request, _| match request.authorization() {
            _ if request.line == PING => Reply::status(ping).body("what?"),
            "Basic YWNtZTpwYXNz" => Reply::manifest(),
            _ => Reply::status(401).header("www-authenticate", "Basic realm=\"x\""),
        })
        .await;
        let client = fake.client_as("acme", "pass");
        head(&client, &fake.image("app:1")).await.unwrap();
        head(&client, &fake.image("app:2")).await.unwrap();
        assert_eq!(fake.pings(), 1);
        assert_eq!(
            fake.log(),
            [
                "HEAD /v2/app/manifests/1",
                "HEAD /v2/app/manifests/1 Basic YWNtZTpwYXNz",
                "HEAD /v2/app/manifests/2 Basic YWNtZTpwYXNz",
            ]
        );
    }
}

#[tokio::test]
async fn an_open_registry_costs_one_ping() {
    let fake = Fake::start(|_, _| Reply::manifest()).await;
    let client = fake.client_as("acme", "pass");
    let image = fake.image("app:1");
    let heads = (0..8).map(|_| head(&client, &image));
    let outcomes = futures_util::future::join_all(heads).await;
    assert!(outcomes.iter().all(Result::is_ok));
    assert_eq!(fake.pings(), 1);
    assert_eq!(fake.log(), ["HEAD /v2/app/manifests/1"; 8]);
}

#[tokio::test]
async fn a_ping_that_fails_is_repeated() {
    let fake = Fake::start_with_ping(|request, earlier| match request.line.as_str() {
        PING if earlier == 0 => Reply::status(503),
        _ => Reply::manifest(),
    })
    .await;
    let client = fake.client();
    head(&client, &fake.image("app:1")).await.unwrap();
    assert_eq!(fake.pings(), 2);
    assert_eq!(fake.log(), ["HEAD /v2/app/manifests/1"]);
}

#[tokio::test]
async fn a_login_that_was_taken_is_not_refused_for_one_repository() {
    let fake = Fake::start(|request, _| {
        if request.authorization().is_empty() || request.line.contains("secret") {
            Reply::status(401).header("www-authenticate", "Basic realm=\"x\"")
        } else {
            Reply::manifest()
        }
    })
    .await;
    let client = fake.client_as("acme", "pass");
    head(&client, &fake.image("app:1")).await.unwrap();
    for _ in 0..2 {
        let error = head(&client, &fake.image("secret:1")).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Refused);
        assert_eq!(
            error.cause().to_string(),
            format!("`{}` answered 401 Unauthorized", fake.registry())
        );
    }
    head(&client, &fake.image("app:2")).await.unwrap();
    assert_eq!(
        fake.log(),
        [
            "HEAD /v2/app/manifests/1 Basic YWNtZTpwYXNz",
            "HEAD /v2/secret/manifests/1 Basic YWNtZTpwYXNz",
            "HEAD /v2/secret/manifests/1 Basic YWNtZTpwYXNz",
            "HEAD /v2/app/manifests/2 Basic YWNtZTpwYXNz",
        ]
    );
}

#[tokio::test]
async fn a_token_service_on_another_host_must_be_encrypted() {
    let fake = Fake::start(|_, _| {
        let challenge = r#"Bearer realm="http://192.0.2.1/token""#;
        Reply::status(401).header("www-authenticate", challenge)
    })
    .await;
    let client = fake.client_as("acme", "pass");
    let error = head(&client, &fake.image("app:1")).await.unwrap_err();
    assert_eq!(
        error.cause().to_string(),
        format!(
            "`{}` leads to `http://192.0.2.1`, which is not encrypted",
            fake.registry()
        )
    );
    assert_eq!(fake.log(), [""; 0]);
}
