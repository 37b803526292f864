//! What refers to a manifest. ECR has listed it since June 2024, when it took over version 1.1 of the
//! OCI specifications.

use axum::body::Body;
use axum::http::{Response, Uri, header};
use serde_json::{Value, json};
use url::form_urlencoded::byte_serialize;

use super::Refusal;
use crate::image::{Digest, Manifest, media_type};
use crate::sandbox::page::page;
use crate::sandbox::route::query;

/// The entries of a page: those of `ListImageReferrers` where the caller asks for no number.
const PAGE: usize = 20;

/// A manifest that refers to another one.
pub(in crate::sandbox) struct Referrer {
    /// What it refers to.
    pub(in crate::sandbox) subject: Digest,
    /// What a list says of it.
    descriptor: Value,
}

impl Referrer {
    /// `None` for a manifest that refers to nothing.
    pub(in crate::sandbox) fn of(manifest: &Manifest) -> Option<Self> {
        let document: Value = serde_json::from_slice(manifest.bytes()).ok()?;
        let subject = document["subject"]["digest"].as_str()?.parse().ok()?;
        let artifact_type = [&document["artifactType"], &document["config"]["mediaType"]];
        let artifact_type = artifact_type.into_iter().find(|it| it.is_string());
        let mut descriptor = json!({
            "mediaType": manifest.media_type(),
            "digest": manifest.digest(),
            "size": manifest.bytes().len(),
            "artifactType": artifact_type,
        });
        if document["annotations"].is_object() {
            descriptor["annotations"] = document["annotations"].clone();
        }
        Some(Self {
            subject,
            descriptor,
        })
    }

    fn is_of_type(&self, wanted: &str) -> bool {
        self.descriptor["artifactType"] == wanted
    }
}

/// A page of the manifests that refer to a digest. Nothing refers to what is not there, which is no
/// error (OCI distribution specification 1.1, "Listing Referrers").
pub(in crate::sandbox) fn list(
    name: &str,
    digest: &str,
    manifests: impl Iterator<Item = Manifest>,
    uri: &Uri,
) -> Result<Response<Body>, Refusal> {
    let subject: Digest = digest
        .parse()
        .map_err(|_| Refusal::unsupported("Invalid parameter at 'digest'"))?;
    let wanted = query(uri, "artifactType");
    let found = manifests
        .filter_map(|manifest| Referrer::of(&manifest))
        .filter(|it| it.subject == subject)
        .filter(|it| wanted.as_deref().is_none_or(|wanted| it.is_of_type(wanted)))
        .map(|referrer| referrer.descriptor)
        .collect();
    let token = query(uri, "last");
    let (descriptors, next) =
        page(found, Some(PAGE), token.as_deref()).map_err(Refusal::unsupported)?;
    let mut response = Response::builder().header(header::CONTENT_TYPE, media_type::OCI_INDEX);
    let encode = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let filter = wanted
        .map(|it| format!("&artifactType={}", encode(&it)))
        .unwrap_or_default();
    if !filter.is_empty() {
        response = response.header("oci-filters-applied", "artifactType");
    }
    if let Some(next) = next {
        let next = encode(&next);
        let link = format!("</v2/{name}/referrers/{subject}?last={next}{filter}>; rel=\"next\"");
        response = response.header(header::LINK, link);
    }
    let index = json!({
        "schemaVersion": 2,
        "mediaType": media_type::OCI_INDEX,
        "manifests": descriptors,
    });
    Ok(response
        .body(Body::from(index.to_string()))
        .expect("paths and tokens are valid headers"))
}
