//! Limits, redirects and what goes wrong beneath HTTP.

use std::convert::Infallible;

use axum::body::Body as AxumBody;
use futures_util::stream;
use tokio::io::AsyncReadExt as _;

use super::*;
use crate::failure::{Kind, chain};
use crate::registry::fake::{Fake, Reply};

fn transport(plain_hosts: &[&str]) -> Transport {
    let plain_hosts = plain_hosts.iter().map(|&host| host.to_owned());
    Transport::new(&[], plain_hosts.collect()).unwrap()
}

fn outgoing(url: &str) -> Outgoing<'_> {
    Outgoing {
        method: Method::GET,
        url: url.parse().unwrap(),
        accept: &[],
        offset: 0,
        is_stream: false,
        body: None,
        meter: None,
    }
}

async fn get(url: &str) -> Result<Response, Cause> {
    transport(&[])
        .send(outgoing(url), &Authorization::Anonymous)
        .await
}

/// What a connection for a request offers to speak, as its first message over TLS has it.
async fn offer(is_stream: bool) -> Vec<u8> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let outgoing = Outgoing {
        is_stream,
        ..outgoing(&url)
    };
    let answer = async {
        let (mut connection, _) = listener.accept().await.unwrap();
        let mut hello = vec![0; 4096];
        let length = connection.read(&mut hello).await.unwrap();
        hello.truncate(length);
        hello
    };
    let client = transport(&[]);
    let sent = client.send(outgoing, &Authorization::Anonymous);
    tokio::join!(answer, sent).0
}

#[tokio::test]
async fn streams_share_no_connection() {
    let speaks_http2 = |hello: Vec<u8>| hello.windows(3).any(|it| it == b"\x02h2");
    assert!(speaks_http2(offer(false).await));
    assert!(!speaks_http2(offer(true).await));
}

/// The URL of a server that answers one byte after the other, for ever.
async fn trickle() -> String {
    let drop_by_drop = || async move {
        let drops = stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            Some((Ok::<_, Infallible>("x"), ()))
        });
        let body = AxumBody::from_stream(drops);
        axum::http::Response::new(body)
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let router = axum::Router::new().fallback(drop_by_drop);
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

#[tokio::test]
async fn what_trickles_ends() {
    let response = get(&trickle().await).await.unwrap();
    let time = Duration::from_millis(200);
    let cause = read_within(time, response, 1 << 20).await.unwrap_err();
    assert!(matches!(cause, Cause::Slow { limit, .. } if limit == time));
    assert_eq!(cause.kind(), Kind::Transient);
    assert!(!cause.may_pass());
    let response = get(&trickle().await).await.unwrap();
    let beginning = beginning_within(time, response).await;
    assert!((1..20).contains(&beginning.len()), "{beginning:?}");
}

#[tokio::test]
async fn a_long_error_counts() {
    let told = async |body: String| {
        let fake = Fake::start(move |_, _| Reply::status(403).body(&body)).await;
        let cause = get(&format!("http://{}/x", fake.registry())).await;
        cause
            .unwrap_err()
            .to_string()
            .replace(fake.registry().as_str(), "HOST")
    };
    let long = format!(
        r#"{{"errors":[{{"code":"DENIED","message":"no","detail":"{}"}}]}}"#,
        "x".repeat(500_000)
    );
    assert_eq!(
        told(long).await,
        "`HOST` answered 403 Forbidden: DENIED: no"
    );
    let longer = format!("denied {}", "x".repeat(MAX_ERROR_BODY + 1));
    assert!(told(longer).await.contains("Forbidden: denied xxx"));
}

#[test]
fn plain_http_goes_where_the_user_said() {
    let transport = transport(&["plain.example"]);
    let from: Url = "http://127.0.0.1:5000/v2/".parse().unwrap();
    for (target, is_sound) in [
        ("https://anywhere.example/token", true),
        ("http://127.0.0.1:5001/token", true),
        ("http://localhost:5001/token", true),
        ("http://[::1]/token", true),
        ("http://plain.example:5001/token", true),
        ("http://Plain.Example/token", true),
        ("http://192.0.2.1/", false),
        ("http://other.example/", false),
        ("ftp://plain.example/", false),
    ] {
        let outcome = transport.stay_encrypted(&from, &target.parse().unwrap());
        assert_eq!(outcome.is_ok(), is_sound, "{target}");
    }
}

#[tokio::test]
async fn a_redirect_leaves_no_loopback_without_encryption() {
    let fake = Fake::start(|_, _| Reply::status(307).header("location", "http://192.0.2.1/")).await;
    let cause = get(&format!("http://{}/x", fake.registry())).await;
    assert_eq!(
        cause.unwrap_err().to_string(),
        format!(
            "`{}` leads to `http://192.0.2.1`, which is not encrypted",
            fake.registry()
        )
    );
}

#[tokio::test]
async fn only_the_innermost_cause_is_told() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let cause = get(&origin).await.unwrap_err();
    assert_eq!(
        chain(&cause),
        format!("`{origin}` cannot be reached: Connection refused (os error 111)")
    );
}

#[tokio::test]
async fn what_cannot_be_sent_is_no_broken_connection() {
    let outgoing = Outgoing {
        method: Method::PUT,
        body: Some(Body {
            media_type: "application/json\ninjected: 1".to_owned(),
            bytes: Bytes::new(),
        }),
        ..outgoing("http://127.0.0.1:9/")
    };
    let sent = transport(&[])
        .send(outgoing, &Authorization::Anonymous)
        .await;
    let cause = sent.unwrap_err();
    assert_eq!((cause.kind(), cause.may_pass()), (Kind::Permanent, false));
    assert_eq!(
        chain(&cause),
        "the request cannot be sent: failed to parse header value"
    );
}
