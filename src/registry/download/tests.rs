//! Blobs that come whole, broken, cut, spoiled and in the wrong place.

use futures_util::TryStreamExt;

use super::*;
use crate::failure::{Failure, Kind};
use crate::registry::fake::{Fake, Reply};

const CONTENT: &str = "content of a layer";

/// What the fake's blob reads as.
async fn download(fake: &Fake, size: usize) -> Result<String, Error> {
    let digest = Digest::of(CONTENT.as_bytes());
    let (client, image) = (fake.client(), fake.image("app"));
    let blob = client.open_blob(&image, &digest, size as u64).await?;
    let chunks: Vec<Bytes> = blob.try_collect().await?;
    Ok(String::from_utf8(chunks.concat()).unwrap())
}

/// The offsets asked for, one request after the other.
fn ranges(fake: &Fake) -> Vec<Option<String>> {
    let requests = fake.requests();
    let range = |headers: &reqwest::header::HeaderMap| {
        let range = headers.get("range")?;
        Some(range.to_str().unwrap().to_owned())
    };
    requests.iter().map(|it| range(&it.headers)).collect()
}

fn broken_at(offset: usize) -> Reply {
    let length = CONTENT.len().to_string();
    let reply = Reply::status(200).header("content-length", &length);
    reply.body(&CONTENT[..offset]).broken()
}

#[tokio::test]
async fn a_blob_costs_one_request() {
    let store = Fake::start(|_, _| Reply::status(200).body(CONTENT)).await;
    let target = format!("http://{}/bucket/x?signature=s", store.registry());
    let fake = Fake::start(move |_, _| Reply::status(307).header("location", &target)).await;
    assert_eq!(download(&fake, CONTENT.len()).await.unwrap(), CONTENT);
    assert_eq!((fake.log().len(), store.log().len()), (1, 1));
}

#[tokio::test]
async fn a_missing_blob_is_an_error_at_once() {
    let fake = Fake::start(|_, _| Reply::status(404)).await;
    let (client, image) = (fake.client(), fake.image("app"));
    let digest = Digest::of(b"");
    let blob = client.open_blob(&image, &digest, 1).await;
    assert_eq!(blob.err().unwrap().status().unwrap(), 404);
}

#[tokio::test]
async fn a_broken_download_is_resumed() {
    let fake = Fake::start(|request, _| match request.headers.get("range") {
        None => broken_at(8),
        Some(_) => Reply::status(206)
            .header("content-range", "bytes 8-17/18")
            .body(&CONTENT[8..]),
    })
    .await;
    assert_eq!(download(&fake, CONTENT.len()).await.unwrap(), CONTENT);
    assert_eq!(ranges(&fake), [None, Some("bytes=8-".to_owned())]);
}

#[tokio::test]
async fn a_server_without_ranges_sends_all_again() {
    let fake = Fake::start(|_, earlier| match earlier {
        0 => broken_at(8),
        1 => broken_at(3),
        _ => Reply::status(200).body(CONTENT),
    })
    .await;
    assert_eq!(download(&fake, CONTENT.len()).await.unwrap(), CONTENT);
    let range = Some("bytes=8-".to_owned());
    assert_eq!(ranges(&fake), [None, range.clone(), range]);
}

#[tokio::test]
async fn a_wrong_range_is_not_taken() {
    for wrong in ["bytes 0-9/18", "bytes 8-10/18", "bytes 9-17/18"] {
        let fake = Fake::start(move |request, earlier| match request.headers.get("range") {
            None if earlier == 0 => broken_at(8),
            None => Reply::status(200).body(CONTENT),
            Some(_) => Reply::status(206)
                .header("content-range", wrong)
                .body("xxxxxxxxxx"),
        })
        .await;
        assert_eq!(download(&fake, CONTENT.len()).await.unwrap(), CONTENT);
        assert_eq!(ranges(&fake), [None, Some("bytes=8-".to_owned()), None]);
    }
}

#[tokio::test]
async fn a_download_without_progress_ends() {
    let fake = Fake::start(|_, _| broken_at(8)).await;
    let error = download(&fake, CONTENT.len()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Transient);
    let says = format!("the connection to `{}` broke", fake.registry());
    assert_eq!(error.cause().to_string(), says);
    assert_eq!(fake.log().len(), 1 + RESUMES as usize);
}

#[tokio::test]
async fn other_bytes_are_noticed_before_the_last_is_out() {
    let fake = Fake::start(|_, _| Reply::status(200).body("content of a lover")).await;
    let digest = Digest::of(CONTENT.as_bytes());
    let (client, image) = (fake.client(), fake.image("app"));
    let mut blob = client.open_blob(&image, &digest, 18).await.unwrap();
    let error = loop {
        match blob.try_next().await {
            Ok(Some(bytes)) => assert!(bytes.len() < 18, "all is out"),
            Ok(None) => panic!("not noticed"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), Kind::Transient);
    assert_eq!(
        error.cause().to_string(),
        format!(
            "`{}` sent {} instead of {digest}",
            fake.registry(),
            Digest::of(b"content of a lover")
        )
    );
}

#[tokio::test]
async fn another_size_is_noticed() {
    for (chunked, size) in [(false, 17), (false, 19), (true, 17), (true, 19)] {
        let fake = Fake::start(move |_, _| {
            let reply = Reply::status(200).body(CONTENT);
            if chunked { reply.chunked() } else { reply }
        })
        .await;
        let error = download(&fake, size).await.unwrap_err();
        let says = format!(
            "`{}` sent 18 bytes instead of {size} bytes",
            fake.registry()
        );
        assert_eq!(error.cause().to_string(), says);
    }
}

#[tokio::test]
async fn an_empty_blob_is_verified_too() {
    let fake = Fake::start(|_, _| Reply::status(200)).await;
    let (client, image) = (fake.client(), fake.image("app"));
    let blob = client.open_blob(&image, &Digest::of(b""), 0).await.unwrap();
    assert!(blob.try_collect::<Vec<_>>().await.unwrap().is_empty());
    assert!(
        client
            .open_blob(&image, &Digest::of(b"x"), 0)
            .await
            .is_err()
    );
}
