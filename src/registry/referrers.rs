//! What refers to a manifest: signatures, attestations, SBOMs.

use bytes::Bytes;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::Value;

use super::client::Reply;
use super::request::Request;
use super::{Cause, Client, Error};
use crate::image::media_type::OCI_INDEX;
use crate::image::{Digest, Manifest, Reference};

impl Client {
    /// Reads the index of what refers to a manifest, all pages of it as one. `None` where the registry
    /// has no referrers API (OCI distribution specification 1.1, "Listing Referrers"), in whose
    /// place an index stands under [`Digest::referrers_tag`]. A repository that showed that it has none
    /// is not asked again.
    pub async fn referrers(
        &self,
        reference: &Reference,
        digest: &Digest,
    ) -> Result<Option<Manifest>, Error> {
        let host = self.host(&reference.registry);
        let Some(turn) = host.referrers_api.turn(&reference.repository).await else {
            return Ok(None);
        };
        let request = Request::read(
            Method::GET,
            &reference.registry,
            &reference.repository,
            &format!("referrers/{digest}"),
            format!(
                "read what refers to `{}`",
                reference.by_digest(digest.clone())
            ),
        )
        .accept(&[OCI_INDEX]);
        let mut index: Option<Bytes> = None;
        let mut is_known = true;
        let read = self
            .each_page(request, |reply| {
                let media_type = reply.header(CONTENT_TYPE).unwrap_or_default();
                is_known &= media_type.starts_with(OCI_INDEX);
                if is_known {
                    index = Some(match index.take() {
                        None => reply.body.clone(),
                        Some(earlier) => join(&earlier, reply)?,
                    });
                }
                Ok(())
            })
            .await;
        match read {
            Ok(()) => {
                turn.learn(is_known);
                let index = index.filter(|_| is_known);
                Ok(index.map(|index| Manifest::new(OCI_INDEX, index)))
            }
            Err(error) if is_unknown(&error) => {
                if !is_about_repository(&error) {
                    turn.learn(false);
                }
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// One index of two pages. Such an index has no digest that must be kept.
fn join(earlier: &[u8], page: &Reply) -> Result<Bytes, Cause> {
    let malformed = || Cause::Malformed {
        host: page.host.clone(),
        what: "sends no list of referrers",
    };
    let mut index: Value = serde_json::from_slice(earlier).map_err(|_| malformed())?;
    let mut more: Value = serde_json::from_slice(&page.body).map_err(|_| malformed())?;
    let list = |page: &mut Value| {
        page.get_mut("manifests")?
            .as_array_mut()
            .map(std::mem::take)
    };
    let mut manifests = list(&mut index).ok_or_else(malformed)?;
    manifests.extend(list(&mut more).ok_or_else(malformed)?);
    index["manifests"] = manifests.into();
    Ok(index.to_string().into())
}

/// Whether the registry has no such API: what registries of before 1.1 answer to a path that they do
/// not know.
fn is_unknown(error: &Error) -> bool {
    let status = error.status().map(|status| status.as_u16());
    matches!(status, Some(400 | 404 | 405 | 406 | 501))
}

/// Whether the registry lacks the repository or what was asked about, or does not like the digest:
/// another question may have another answer.
fn is_about_repository(error: &Error) -> bool {
    error.status().is_some_and(|status| status.as_u16() == 400)
        || matches!(error.code(), Some("NAME_UNKNOWN" | "MANIFEST_UNKNOWN"))
}

#[cfg(test)]
mod tests {
    use super::super::fake::{Fake, Reply};
    use super::*;
    use crate::image::Content;

    fn page(manifests: &str) -> Reply {
        let body =
            format!(r#"{{"schemaVersion":2,"mediaType":"{OCI_INDEX}","manifests":[{manifests}]}}"#);
        Reply::status(200)
            .header("content-type", OCI_INDEX)
            .body(&body)
    }

    fn entry(text: &str) -> String {
        let digest = Digest::of(text.as_bytes());
        format!(
            r#"{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{digest}","size":1}}"#
        )
    }

    fn digests(index: &Manifest) -> Vec<String> {
        let Content::Index(index) = index.content().unwrap() else {
            panic!("not an index")
        };
        let manifests = index.manifests().iter();
        manifests.map(|it| it.digest().to_string()).collect()
    }

    #[tokio::test]
    async fn pages_are_joined() {
        let fake = Fake::start(|request, _| {
            if request.line.ends_with("?last=1") {
                page(&entry("b"))
            } else {
                page(&entry("a")).header("link", "<?last=1>; rel=\"next\"")
            }
        })
        .await;
        let subject = Digest::of(b"x");
        let found = fake.client().referrers(&fake.image("app"), &subject).await;
        assert_eq!(
            digests(&found.unwrap().unwrap()),
            [Digest::of(b"a").to_string(), Digest::of(b"b").to_string()]
        );
        let path = format!("GET /v2/app/referrers/{subject}");
        assert_eq!(fake.log(), [path.clone(), format!("{path}?last=1")]);
    }

    #[tokio::test]
    async fn a_registry_may_have_no_such_api() {
        for unknown in [404, 405, 200] {
            let fake = Fake::start(move |_, _| Reply::status(unknown).body("<html>")).await;
            let subject = Digest::of(b"x");
            let found = fake.client().referrers(&fake.image("app"), &subject).await;
            assert_eq!(found.unwrap(), None);
            assert_eq!(fake.log(), [format!("GET /v2/app/referrers/{subject}")]);
        }
    }

    /// How many of five questions about one repository, asked at once, reach a registry.
    async fn asked(reply: impl Fn() -> Reply + Send + Sync + 'static) -> usize {
        let fake = Fake::start(move |_, _| reply()).await;
        let (client, app) = (fake.client(), fake.image("app"));
        let subjects = [b"a", b"b", b"c", b"d", b"e"].map(|text| Digest::of(text));
        let questions = subjects.iter().map(|it| client.referrers(&app, it));
        for found in futures_util::future::join_all(questions).await {
            found.unwrap();
        }
        // What is known of a repository says nothing of another one.
        let other = fake.image("other");
        client.referrers(&other, &subjects[0]).await.unwrap();
        fake.log().len() - 1
    }

    #[tokio::test]
    async fn a_repository_without_the_api_is_asked_once() {
        assert_eq!(asked(|| Reply::status(404)).await, 1);
        assert_eq!(
            asked(|| Reply::status(404).body("404 page not found")).await,
            1
        );
        assert_eq!(asked(|| Reply::status(200).body("<html>")).await, 1);
        assert_eq!(asked(|| page("")).await, 5);
        for code in ["NAME_UNKNOWN", "MANIFEST_UNKNOWN"] {
            let body = format!(r#"{{"errors":[{{"code":"{code}"}}]}}"#);
            assert_eq!(asked(move || Reply::status(404).body(&body)).await, 5);
        }
    }

    #[tokio::test]
    async fn a_refusal_is_no_missing_api() {
        let fake = Fake::start(|_, _| Reply::status(403)).await;
        let app = fake.image("app");
        let found = fake.client().referrers(&app, &Digest::of(b"x")).await;
        assert_eq!(found.unwrap_err().status().unwrap(), 403);
    }
}
