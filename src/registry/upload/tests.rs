//! Exact requests for every way to write a blob.

use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use futures_util::stream;
use parking_lot::Mutex;

use super::*;
use crate::failure::{Failure, Kind};
use crate::registry::fake::{Fake, PING, Reply, Seen, client};

const CONTENT: &str = "content of a layer";

type Source = stream::Iter<std::vec::IntoIter<Result<Bytes, Error>>>;

/// The content, word by word.
async fn words() -> Result<Source, Error> {
    let words = CONTENT.split_inclusive(' ');
    let words: Vec<_> = words
        .map(|word| Ok(Bytes::from_static(word.as_bytes())))
        .collect();
    Ok(stream::iter(words))
}

fn digest() -> Digest {
    Digest::of(CONTENT.as_bytes())
}

async fn upload(
    client: &Client,
    image: &Reference,
    mount_from: Option<&str>,
) -> Result<Uploaded, Error> {
    let from = mount_from.map(|it| it.parse().unwrap());
    let size = CONTENT.len() as u64;
    let digest = digest();
    let uploaded = client.upload_blob(image, &digest, size, from.as_ref(), words);
    uploaded.await
}

/// A registry whose upload sessions are numbered and which stores what is whole.
fn registry(request: &Seen, earlier: usize) -> Reply {
    if request.line.starts_with("POST") {
        Reply::status(202).header("location", &format!("/upload/{earlier}?state=a%2Bb"))
    } else if request.line.starts_with("PUT") && request.is_whole {
        Reply::status(201)
    } else {
        Reply::status(404)
    }
}

const POST: &str = "POST /v2/app/blobs/uploads/";

fn put(session: usize) -> String {
    let digest = digest().as_str().replace(':', "%3A");
    format!("PUT /upload/{session}?state=a%2Bb&digest={digest}")
}

#[tokio::test]
async fn a_blob_costs_two_requests() {
    let fake = Fake::start(registry).await;
    let uploaded = upload(&fake.client(), &fake.image("app"), None).await;
    assert_eq!(uploaded.unwrap(), Uploaded::Uploaded);
    assert_eq!(fake.log(), [POST.to_owned(), put(0)]);
    let requests = fake.requests();
    assert_eq!(requests[0].headers["content-length"], "0");
    let sent = &requests[1];
    assert_eq!(sent.body, CONTENT);
    assert_eq!(sent.headers["content-length"], "18");
    assert_eq!(sent.headers["content-type"], "application/octet-stream");
    assert!(!sent.headers.contains_key("transfer-encoding"));
}

#[tokio::test]
async fn what_was_really_sent_is_counted() {
    let fake = Fake::start(|request, earlier| match registry(request, earlier) {
        _ if request.line.starts_with("PUT /upload/0") => Reply::status(500),
        reply => reply,
    })
    .await;
    let meter = Arc::new(Meter::default());
    let client = fake.client();
    let metered = client.metered(&meter);
    let image = fake.image("app");
    upload(&metered, &image, None).await.unwrap();
    upload(&client, &image, None).await.unwrap();
    // Twice POST and PUT, and between them the question whether it arrived after all.
    assert_eq!(meter.requests(), 5);
}

#[tokio::test]
async fn a_download_is_a_source() {
    let source = Fake::start(|request, _| match request.headers.get("range") {
        None => Reply::status(200)
            .header("content-length", "18")
            .body(&CONTENT[..8])
            .broken(),
        Some(_) => Reply::status(206)
            .header("content-range", "bytes 8-17/18")
            .body(&CONTENT[8..]),
    })
    .await;
    let fake = Fake::start(registry).await;
    let (from, to) = (source.image("base"), fake.image("app"));
    let (source_client, client) = (source.client(), fake.client());
    let copy = tokio::spawn(async move {
        let (digest, size) = (digest(), CONTENT.len() as u64);
        let open = || source_client.open_blob(&from, &digest, size);
        client.upload_blob(&to, &digest, size, None, open).await
    });
    assert_eq!(copy.await.unwrap().unwrap(), Uploaded::Uploaded);
    assert_eq!(source.log().len(), 2);
    assert_eq!(fake.log(), [POST.to_owned(), put(0)]);
    assert_eq!(fake.requests()[1].body, CONTENT);
}

#[tokio::test]
async fn an_empty_blob_is_a_blob() {
    let fake = Fake::start(registry).await;
    let nothing = async || Ok::<_, Error>(stream::empty());
    let image = fake.image("app");
    let client = fake.client();
    let digest = Digest::of(b"");
    let uploaded = client.upload_blob(&image, &digest, 0, None, nothing);
    assert_eq!(uploaded.await.unwrap(), Uploaded::Uploaded);
    assert_eq!(fake.requests()[1].headers["content-length"], "0");
}

#[tokio::test]
async fn every_success_is_one() {
    for status in [200, 201, 202, 204] {
        let fake = Fake::start(move |request, earlier| match registry(request, earlier) {
            _ if request.line.starts_with("PUT") => Reply::status(status),
            reply => reply,
        })
        .await;
        let uploaded = upload(&fake.client(), &fake.image("app"), None).await;
        assert_eq!(uploaded.unwrap(), Uploaded::Uploaded);
    }
}

#[tokio::test]
async fn a_mount_costs_one_request() {
    let fake = Fake::start(|_, _| Reply::status(201)).await;
    let uploaded = upload(&fake.client(), &fake.image("app"), Some("team/base")).await;
    assert_eq!(uploaded.unwrap(), Uploaded::Mounted);
    let mount = format!("{POST}?mount={}&from=team/base", digest());
    assert_eq!(fake.log(), [mount]);
}

#[tokio::test]
async fn a_mount_that_cannot_be_is_an_upload() {
    let fake = Fake::start(registry).await;
    let uploaded = upload(&fake.client(), &fake.image("app"), Some("base")).await;
    assert_eq!(uploaded.unwrap(), Uploaded::Uploaded);
    let mount = format!("{POST}?mount={}&from=base", digest());
    assert_eq!(fake.log(), [mount, put(0)]);
}

#[tokio::test]
async fn a_mount_that_is_refused_is_an_upload() {
    let fake = Fake::start(|request, earlier| {
        if request.line.contains("mount") {
            Reply::status(405)
        } else {
            registry(request, earlier)
        }
    })
    .await;
    let uploaded = upload(&fake.client(), &fake.image("app"), Some("base")).await;
    assert_eq!(uploaded.unwrap(), Uploaded::Uploaded);
    let mount = format!("{POST}?mount={}&from=base", digest());
    assert_eq!(fake.log(), [mount, POST.to_owned(), put(0)]);
}

#[tokio::test]
async fn another_host_gets_the_blob_and_no_credentials() {
    let store = Fake::start(registry).await;
    let place = format!("http://{}/store", store.registry());
    let fake = Fake::start(move |request, _| match request.authorization() {
        "" => Reply::status(401).header("www-authenticate", "Basic realm=\"x\""),
        _ => Reply::status(202).header("location", &place),
    })
    .await;
    let client = fake.client_as("acme", "pass");
    let uploaded = upload(&client, &fake.image("app"), None).await;
    assert_eq!(uploaded.unwrap(), Uploaded::Uploaded);
    let digest = digest().as_str().replace(':', "%3A");
    assert_eq!(store.log(), [format!("PUT /store?digest={digest}")]);
}

#[tokio::test]
async fn a_broken_upload_is_a_new_upload() {
    let fake = Fake::start(registry).await;
    let endpoint = fake.behind_a_bad_line(64 * 1024).await.to_string();
    let client = client("registry.example", &endpoint, vec![None]);
    let image: Reference = "registry.example/app".parse().unwrap();
    let content = Bytes::from(vec![7; 1024 * 1024]);
    let opened = AtomicUsize::new(0);
    let open = async || {
        opened.fetch_add(1, Ordering::Relaxed);
        let pieces: Vec<Result<Bytes, Error>> = content
            .chunks(4096)
            .map(|piece| Ok(Bytes::copy_from_slice(piece)))
            .collect();
        Ok(stream::iter(pieces))
    };
    let digest = Digest::of(&content);
    let uploaded = client.upload_blob(&image, &digest, content.len() as u64, None, open);
    assert_eq!(uploaded.await.unwrap(), Uploaded::Uploaded);
    assert_eq!(opened.into_inner(), 2);
    let path = |line: &String| line.split('?').next().unwrap().to_owned();
    let mut log: Vec<String> = fake.log().iter().map(path).collect();
    // When the server notices the break is a matter of chance.
    log.sort();
    assert_eq!(
        log,
        [
            format!("HEAD /v2/app/blobs/{digest}"),
            POST.to_owned(),
            POST.to_owned(),
            "PUT /upload/0".to_owned(),
            "PUT /upload/1".to_owned(),
        ]
    );
    let whole = fake.requests().into_iter().filter(|it| it.is_whole);
    assert_eq!(whole.last().unwrap().body, content);
}

#[tokio::test]
async fn a_lost_answer_is_no_second_upload() {
    let fake = Fake::start(|request, earlier| match registry(request, earlier) {
        _ if request.line.starts_with("HEAD") => Reply::status(200),
        _ if request.line.starts_with("PUT") => Reply::status(502),
        reply => reply,
    })
    .await;
    let uploaded = upload(&fake.client(), &fake.image("app"), None).await;
    assert_eq!(uploaded.unwrap(), Uploaded::Existed);
    let head = format!("HEAD /v2/app/blobs/{}", digest());
    assert_eq!(fake.log(), [POST.to_owned(), put(0), head]);
}

#[tokio::test]
async fn a_lost_session_is_begun_anew_once() {
    let invalid = r#"{"errors":[{"code":"BLOB_UPLOAD_INVALID","message":"no"}]}"#;
    for (status, body) in [(416, ""), (400, invalid), (401, "")] {
        let fake = Fake::start(move |request, earlier| match registry(request, earlier) {
            _ if request.line.starts_with("PUT") => Reply::status(status).body(body),
            reply => reply,
        })
        .await;
        let uploaded = upload(&fake.client(), &fake.image("app"), None).await;
        assert_eq!(uploaded.unwrap_err().status().unwrap().as_u16(), status);
        assert_eq!(
            fake.log(),
            [POST.to_owned(), put(0), POST.to_owned(), put(1)]
        );
    }
}

#[tokio::test]
async fn a_source_that_fails_writes_nothing() {
    #[derive(Debug, PartialEq)]
    struct Gone;
    impl From<Error> for Gone {
        fn from(error: Error) -> Self {
            panic!("{error}")
        }
    }
    let fake = Fake::start(registry).await;
    let open = async || {
        Ok(stream::iter([
            Ok(Bytes::from_static(b"content of a")),
            Err(Gone),
        ]))
    };
    let (client, image) = (fake.client(), fake.image("app"));
    let (digest, size) = (digest(), CONTENT.len() as u64);
    let uploaded = client.upload_blob(&image, &digest, size, None, open);
    assert_eq!(uploaded.await.unwrap_err(), Gone);
    let whole = fake
        .requests()
        .into_iter()
        .filter(|request| request.is_whole);
    assert_eq!(
        whole.map(|request| request.line).collect::<Vec<_>>(),
        [POST]
    );

    let open = async || Err::<stream::Empty<_>, _>(Gone);
    let uploaded = client.upload_blob(&image, &digest, size, None, open);
    assert_eq!(uploaded.await.unwrap_err(), Gone);
}

#[tokio::test]
async fn a_source_of_another_size_writes_nothing() {
    for (size, actual) in [(20, 18), (17, 18)] {
        let fake = Fake::start(registry).await;
        let (client, image) = (fake.client(), fake.image("app"));
        let digest = digest();
        let uploaded = client.upload_blob(&image, &digest, size, None, words);
        assert_eq!(
            uploaded.await.unwrap_err().cause().to_string(),
            format!("what is uploaded has {actual} instead of {size} bytes")
        );
        let whole = fake
            .requests()
            .into_iter()
            .filter(|request| request.is_whole);
        assert_eq!(
            whole.map(|request| request.line).collect::<Vec<_>>(),
            [POST]
        );
    }
}

#[tokio::test]
async fn ecr_closes_the_connection_where_there_is_no_repository() {
    let ecr = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            drop(listener.accept().await);
        }
    });
    let client = client(ecr, &endpoint, vec![None]);
    let image = format!("{ecr}/app").parse().unwrap();
    let error = upload(&client, &image, None).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Transient);
    assert_eq!(
        error.hint().unwrap(),
        "ECR does so when the repository does not exist; create it first"
    );
}

/// How many requests four uploads cost when six of them are answered by 429, and which pauses that
/// made.
async fn storm(retry_after: Option<&'static str>) -> (usize, Vec<Duration>) {
    let refusals = AtomicUsize::new(6);
    let fake = Fake::start(move |request, earlier| {
        if request.line == PING {
            return Reply::status(200);
        }
        let left =
            refusals.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |it| it.checked_sub(1));
        match (left, retry_after) {
            (Ok(_), Some(seconds)) => Reply::status(429).header("retry-after", seconds),
            (Ok(_), None) => Reply::status(429),
            (Err(_), _) => registry(request, earlier),
        }
    })
    .await;
    let pauses = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&pauses);
    let on_pause = move |_: &_, pause| seen.lock().push(pause);
    let client = fake.client_that_tells(Arc::new(on_pause));
    let image = fake.image("app");
    let uploads = (0..4).map(|_| upload(&client, &image, None));
    for uploaded in futures_util::future::join_all(uploads).await {
        assert_eq!(uploaded.unwrap(), Uploaded::Uploaded);
    }
    let pauses = pauses.lock().clone();
    (fake.log().len(), pauses)
}

#[tokio::test]
async fn a_storm_of_429_passes_and_all_wait_for_it() {
    let (requests, pauses) = storm(None).await;
    assert_eq!(requests, 6 + 4 * 2);
    assert_eq!(pauses, [Duration::from_millis(500), Duration::from_secs(1)]);
    let (requests, pauses) = storm(Some("1")).await;
    assert_eq!(requests, 6 + 4 * 2);
    assert_eq!(pauses, [Duration::from_secs(1); 2]);
}
