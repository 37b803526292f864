//! Blobs: image configurations and layers.

use bytes::Bytes;
use reqwest::{Method, StatusCode};

use super::client::Reply;
use super::request::Request;
use super::{Cause, Client, Error};
use crate::image::{Descriptor, Digest, Reference};

/// The largest blob that is held in memory, in bytes. Image configurations have a few kilobytes.
const MAX_SMALL_BLOB: u64 = 8 * 1024 * 1024;

impl Client {
    /// Reads a small blob, such as an image configuration, from the reference's repository, and
    /// checks its size and digest.
    pub async fn get_blob(
        &self,
        reference: &Reference,
        descriptor: &Descriptor,
    ) -> Result<Bytes, Error> {
        let digest = descriptor.digest().to_string();
        let name = reference.name();
        let request = Request::read(
            Method::GET,
            &reference.registry,
            &reference.repository,
            &format!("blobs/{digest}"),
            format!("read blob `{digest}` of `{name}`"),
        );
        let Ok(digest) = Digest::try_from(descriptor) else {
            return Err(request.failed(Cause::UnknownAlgorithm { digest }));
        };
        if descriptor.size() > MAX_SMALL_BLOB {
            let limit = MAX_SMALL_BLOB;
            return Err(request.failed(Cause::TooLarge { limit }));
        }
        let check = |reply: &Reply| {
            let size = reply.body.len() as u64;
            if size != descriptor.size() {
                let expected = format!("{} bytes", descriptor.size());
                return Err(reply.mismatch(expected, format!("{size} bytes")));
            }
            reply.verify(&digest)
        };
        let reply = self
            .exchange_checked(&request, MAX_SMALL_BLOB, check)
            .await?;
        Ok(reply.body)
    }

    /// Whether the reference's repository has a blob. ECR Public never says (401, though GET works:
    /// containers-roadmap#2671), which counts as no.
    pub async fn blob_exists(&self, reference: &Reference, digest: &Digest) -> Result<bool, Error> {
        let request = existence(reference, digest);
        let is_mute = reference.registry.is_public_ecr();
        match self.exchange(&request, 0).await {
            Ok(_) => Ok(true),
            Err(error) => match error.status() {
                Some(StatusCode::NOT_FOUND) => Ok(false),
                Some(StatusCode::UNAUTHORIZED) if is_mute => Ok(false),
                _ => Err(error),
            },
        }
    }
}

/// The question whether a repository has a blob.
pub(super) fn existence(reference: &Reference, digest: &Digest) -> Request {
    Request::read(
        Method::HEAD,
        &reference.registry,
        &reference.repository,
        &format!("blobs/{digest}"),
        format!("look up blob `{digest}` of `{}`", reference.name()),
    )
}

#[cfg(test)]
mod tests {
    use super::super::fake::{Fake, Reply};
    use super::*;
    use crate::image::media_type::OCI_MANIFEST;

    fn descriptor(bytes: &[u8]) -> Descriptor {
        let digest: oci_spec::image::Digest = Digest::of(bytes).as_str().parse().unwrap();
        Descriptor::new(OCI_MANIFEST.into(), bytes.len() as u64, digest)
    }

    #[tokio::test]
    async fn a_redirect_gets_no_credentials() {
        let store = Fake::start(|_, _| Reply::status(200).body("content")).await;
        let target = format!("http://{}/bucket/x?X-Amz-Signature=s", store.registry());
        let fake = Fake::start(move |request, _| {
            if request.authorization() == "Basic YWNtZTpwYXNz" {
                Reply::status(307).header("location", &target)
            } else {
                Reply::status(401).header("www-authenticate", "Basic realm=\"x\"")
            }
        })
        .await;
        let (client, image) = (fake.client_as("acme", "pass"), fake.image("app"));
        let content = descriptor(b"content");
        let blob = client.get_blob(&image, &content);
        assert_eq!(blob.await.unwrap(), "content");
        let digest = Digest::of(b"content");
        assert_eq!(
            fake.log(),
            [format!("GET /v2/app/blobs/{digest} Basic YWNtZTpwYXNz")]
        );
        assert_eq!(store.log(), ["GET /bucket/x?X-Amz-Signature=s"]);
    }

    #[tokio::test]
    async fn a_blob_stores_refusal_is_no_refused_login() {
        let store = Fake::start(|_, _| Reply::status(403).body("Request has expired")).await;
        let target = format!("http://{}/bucket/x", store.registry());
        let fake = Fake::start(move |_, _| Reply::status(307).header("location", &target)).await;
        let (client, image) = (fake.client_as("acme", "pass"), fake.image("app"));
        let content = descriptor(b"content");
        let blob = client.get_blob(&image, &content);
        let error = blob.await.unwrap_err();
        assert_eq!(
            error.cause().to_string(),
            format!(
                "`{}` answered 403 Forbidden: Request has expired",
                store.registry()
            )
        );
        assert_eq!(fake.log().len(), 1);
    }

    #[tokio::test]
    async fn other_bytes_are_noticed() {
        for (sent, says) in [
            ("conten", "sent 6 bytes instead of 7 bytes"),
            (
                "kontent",
                "instead of sha256:ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73",
            ),
        ] {
            let fake = Fake::start(move |_, _| Reply::status(200).body(sent)).await;
            let (client, image) = (fake.client(), fake.image("app"));
            let blob = client.get_blob(&image, &descriptor(b"content")).await;
            let text = blob.unwrap_err().cause().to_string();
            assert!(text.contains(says), "{text}");
        }
    }

    #[tokio::test]
    async fn what_was_spoiled_on_its_way_is_read_once_more() {
        let fake = Fake::start(|_, earlier| {
            let body = ["kontent", "content"][earlier];
            Reply::status(200).body(body)
        })
        .await;
        let (client, image) = (fake.client(), fake.image("app"));
        let blob = client.get_blob(&image, &descriptor(b"content")).await;
        assert_eq!(blob.unwrap(), "content");
        assert_eq!(fake.log().len(), 2);
    }

    #[tokio::test]
    async fn existence_costs_one_head() {
        let digest = Digest::of(b"content");
        for (status, exists) in [(200, Some(true)), (404, Some(false)), (401, None)] {
            let fake = Fake::start(move |_, _| Reply::status(status)).await;
            let (client, image) = (fake.client(), fake.image("app"));
            let answer = client.blob_exists(&image, &digest).await;
            assert_eq!(answer.ok(), exists);
            assert_eq!(fake.log(), [format!("HEAD /v2/app/blobs/{digest}")]);
        }
        let fake = Fake::start(|_, _| Reply::status(401)).await;
        let client = fake.client_for("public.ecr.aws");
        let image = "public.ecr.aws/app".parse().unwrap();
        assert!(!client.blob_exists(&image, &digest).await.unwrap());
    }

    #[tokio::test]
    async fn a_connection_that_breaks_is_made_again() {
        let fake = Fake::start(|_, earlier| {
            let reply = Reply::status(200).body("content");
            if earlier == 0 { reply.broken() } else { reply }
        })
        .await;
        let (client, image) = (fake.client(), fake.image("app"));
        let blob = client.get_blob(&image, &descriptor(b"content")).await;
        assert_eq!(blob.unwrap(), "content");
        assert_eq!(fake.log().len(), 2);
    }
}
