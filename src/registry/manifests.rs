//! Manifests: what a tag or digest stands for.

use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName};
use reqwest::{Method, StatusCode};

use super::client::Reply;
use super::request::Request;
use super::{Client, Error};
use crate::image::media_type::ACCEPT_MANIFESTS;
use crate::image::{Digest, Manifest, Reference, Tag};

/// The largest manifest, in bytes; ECR's limit, and the least that the OCI distribution
/// specification asks a registry to take.
const MAX_MANIFEST: u64 = 4 * 1024 * 1024;

const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

/// What a registry tells of a manifest without sending it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ManifestHead {
    /// The digest of the manifest's bytes.
    pub digest: Digest,
    /// The media type.
    pub media_type: String,
    /// How many bytes it has.
    pub size: u64,
}

impl Client {
    /// Asks what a tag or digest stands for; `None` when there is no such manifest. Docker Hub does
    /// not count this as a pull.
    ///
    /// A registry that leaves out a header, or gives no reason for a refusal (HEAD has no body), is
    /// asked with GET.
    pub async fn head_manifest(
        &self,
        reference: &Reference,
    ) -> Result<Option<ManifestHead>, Error> {
        let request = read(Method::HEAD, reference, "look up");
        let reply = match self.exchange(&request, MAX_MANIFEST).await {
            Err(error) if is_missing(&error) => return Ok(None),
            // ECR denies with 403 and rejects with 400 or 405.
            Err(error) if matches!(error.status().map(|it| it.as_u16()), Some(400 | 403 | 405)) => {
                None
            }
            other => Some(other?),
        };
        match reply.as_ref().and_then(head) {
            Some(head) => match (&reply, &reference.digest) {
                (Some(reply), Some(asked)) if *asked != head.digest => {
                    Err(request.failed(reply.mismatch(asked, &head.digest)))
                }
                _ => Ok(Some(head)),
            },
            None => Ok(self.get_manifest(reference).await?.map(|manifest| {
                let digest = reference.digest.as_ref().unwrap_or(manifest.digest());
                ManifestHead {
                    digest: digest.clone(),
                    media_type: manifest.media_type().to_owned(),
                    size: manifest.bytes().len() as u64,
                }
            })),
        }
    }

    /// Reads a manifest, byte for byte, and checks its digest; `None` when there is no such
    /// manifest. Docker Hub counts this as a pull.
    pub async fn get_manifest(&self, reference: &Reference) -> Result<Option<Manifest>, Error> {
        let request = read(Method::GET, reference, "read");
        let reply = match self.exchange(&request, MAX_MANIFEST).await {
            Err(error) if is_missing(&error) => return Ok(None),
            other => other?,
        };
        let media_type = reply.header(CONTENT_TYPE).unwrap_or_default();
        let expected = reference.digest.clone().or_else(|| digest_header(&reply));
        if let Some(digest) = expected {
            reply
                .verify(&digest)
                .map_err(|cause| request.failed(cause))?;
        }
        Ok(Some(Manifest::new(media_type, reply.body.clone())))
    }

    /// Writes a manifest under the reference's digest or, where it has none, under its tag. All
    /// that the manifest names must be in the repository already.
    ///
    /// An immutable tag that holds something else is a [`Kind::Conflict`].
    ///
    /// [`Kind::Conflict`]: crate::failure::Kind::Conflict
    pub async fn put_manifest(
        &self,
        reference: &Reference,
        manifest: &Manifest,
    ) -> Result<(), Error> {
        let request = Request::write(
            Method::PUT,
            &reference.registry,
            &reference.repository,
            &path(reference),
            format!("write manifest `{reference}`"),
        )
        .body(manifest.media_type(), manifest.bytes());
        let reply = self.exchange(&request, MAX_MANIFEST).await?;
        match digest_header(&reply) {
            Some(stored) if !stored.matches(manifest.bytes()) => {
                Err(request.failed(reply.mismatch(manifest.digest(), stored)))
            }
            _ => Ok(()),
        }
    }
}

fn read(method: Method, reference: &Reference, verb: &str) -> Request {
    Request::read(
        method,
        &reference.registry,
        &reference.repository,
        &path(reference),
        format!("{verb} manifest `{reference}`"),
    )
    .accept(&ACCEPT_MANIFESTS)
}

fn path(reference: &Reference) -> String {
    match (&reference.digest, &reference.tag) {
        (Some(digest), _) => format!("manifests/{digest}"),
        (None, Some(tag)) => format!("manifests/{tag}"),
        (None, None) => format!("manifests/{}", Tag::latest()),
    }
}

fn is_missing(error: &Error) -> bool {
    error.status() == Some(StatusCode::NOT_FOUND)
}

fn head(reply: &Reply) -> Option<ManifestHead> {
    let media_type = reply.header(CONTENT_TYPE)?.split(';').next()?;
    Some(ManifestHead {
        digest: digest_header(reply)?,
        media_type: media_type.trim().to_owned(),
        size: reply.header(CONTENT_LENGTH)?.parse().ok()?,
    })
}

/// The digest that the registry states. ECR states it for HEAD, not for GET.
fn digest_header(reply: &Reply) -> Option<Digest> {
    reply.header(CONTENT_DIGEST)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::Cause;
    use super::super::fake::{Fake, Reply};
    use super::*;
    use crate::failure::{Failure, Kind};

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
        assert_eq!(error.kind(), Kind::Transient);
        assert_eq!(
            error.hint().unwrap(),
            "the pull rate limit of `docker.io` is used up: add a login for it under `upstreams`, \
             or wait until the limit's window of 6 hours has passed"
        );
        assert_eq!(fake.log(), ["GET /v2/library/redis/manifests/7"]);
    }
}
