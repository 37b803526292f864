//! The tags of a repository.

use reqwest::Method;
use serde::Deserialize;

use super::request::Request;
use super::{Cause, Client, Error};
use crate::image::{Reference, Tag};

/// How many tags are asked for at once: the most that ECR allows (it answers 405 to more) and ten
/// times its default.
const PAGE: usize = 1000;

/// What a registry sends; an empty repository may have `null`.
#[derive(Deserialize)]
struct Page {
    tags: Option<Vec<String>>,
}

impl Client {
    /// Lists the tags of the reference's repository, in the registry's own order. What is no sound
    /// tag is left out.
    pub async fn list_tags(&self, reference: &Reference) -> Result<Vec<Tag>, Error> {
        let name = reference.name();
        let request = Request::read(
            Method::GET,
            &reference.registry,
            &reference.repository,
            &format!("tags/list?n={PAGE}"),
            format!("list the tags of `{name}`"),
        );
        let mut tags = Vec::new();
        self.each_page(request, |reply| {
            // ECR calls it text/plain.
            let page: Page = serde_json::from_slice(&reply.body).map_err(|_| Cause::Malformed {
                host: reply.host.clone(),
                what: "sends no list of tags",
            })?;
            for text in page.tags.unwrap_or_default() {
                match text.parse() {
                    Ok(tag) => tags.push(tag),
                    Err(error) => tracing::debug!(%error, name, "left out"),
                }
            }
            Ok(())
        })
        .await?;
        Ok(tags)
    }
}

#[cfg(test)]
mod tests {
    use super::super::fake::{Fake, Reply};
    use super::*;

    #[tokio::test]
    async fn follows_links_as_they_are() {
        let fake = Fake::start(|request, _| {
            let (body, next) = match request.line.as_str() {
                "GET /v2/app/tags/list?n=1000" => {
                    let host = request.headers["host"].to_str().unwrap();
                    let next =
                        format!("<http://{host}/v2/app/tags/list?last=eyJ2%2B==>; rel=\"next\"");
                    (r#"{"name":"app","tags":["1.10","latest"]}"#, Some(next))
                }
                "GET /v2/app/tags/list?last=eyJ2%2B==" => {
                    let next = "</v2/app/tags/list?last=2>; rel=\"next\"".to_owned();
                    (r#"{"tags":["not sound!","-1","v2"]}"#, Some(next))
                }
                _ => (r#"{"tags":null}"#, None),
            };
            let reply = Reply::status(200).body(body);
            match next {
                Some(next) => reply.header("link", &next),
                None => reply,
            }
        })
        .await;
        let tags = fake.client().list_tags(&fake.image("app")).await.unwrap();
        let tags: Vec<&str> = tags.iter().map(Tag::as_str).collect();
        assert_eq!(tags, ["1.10", "latest", "v2"]);
        assert_eq!(
            fake.log(),
            [
                "GET /v2/app/tags/list?n=1000",
                "GET /v2/app/tags/list?last=eyJ2%2B==",
                "GET /v2/app/tags/list?last=2",
            ]
        );
    }

    #[tokio::test]
    async fn a_list_without_end_is_left() {
        let fake = Fake::start(|request, _| {
            let next = if request.line.ends_with("last=a") {
                "b"
            } else {
                "a"
            };
            let next = format!("<?last={next}>; rel=next");
            Reply::status(200)
                .header("link", &next)
                .body(r#"{"tags":["1"]}"#)
        })
        .await;
        let tags = fake.client().list_tags(&fake.image("app")).await;
        assert_eq!(
            tags.unwrap_err().cause().to_string(),
            format!("`{}` sends a list that does not end", fake.registry())
        );
        assert_eq!(fake.log().len(), 4);
    }

    #[tokio::test]
    async fn what_is_no_list_is_named() {
        let fake = Fake::start(|_, _| Reply::status(200).body("<html>")).await;
        let tags = fake.client().list_tags(&fake.image("app")).await;
        assert_eq!(
            crate::failure::chain(&tags.unwrap_err()),
            format!(
                "cannot list the tags of `{0}/app`: `{0}` sends no list of tags",
                fake.registry()
            )
        );
    }
}
