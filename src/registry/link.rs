//! Lists that come in pages.

use std::collections::HashSet;

use reqwest::header::{HeaderMap, LINK};
use url::Url;

use super::client::Reply;
use super::request::Request;
use super::{Cause, Client, Error};

/// The largest page, in bytes. Some registries know no pages and send all at once.
const MAX_PAGE: u64 = 16 * 1024 * 1024;

/// The most pages read: a hundred thousand entries where a page has a hundred, ECR's limit of images
/// in a repository and its default page.
const MAX_PAGES: usize = 1000;

impl Client {
    /// Reads a list page by page. The link to the next page is followed as it is: what it holds is
    /// known to the registry alone (ECR rejects a link rebuilt from the last entry).
    pub(super) async fn each_page(
        &self,
        mut request: Request,
        mut take: impl FnMut(&Reply) -> Result<(), Cause>,
    ) -> Result<(), Error> {
        let host = self.host(&request.registry);
        let mut seen = HashSet::new();
        loop {
            let reply = self.exchange(&request, MAX_PAGE).await?;
            let next = take(&reply).and_then(|()| {
                let page = host.session.url(&request.path)?;
                next_page(&page, &reply)
            });
            let Some(path) = next.map_err(|cause| request.failed(cause))? else {
                return Ok(());
            };
            let is_new = seen.insert(std::mem::replace(&mut request.path, path));
            if !is_new || seen.len() == MAX_PAGES {
                return Err(request.failed(Cause::Malformed {
                    host: reply.host,
                    what: "sends a list that does not end",
                }));
            }
        }
    }
}

/// The path and query of the next page.
fn next_page(page: &Url, reply: &Reply) -> Result<Option<String>, Cause> {
    let malformed = |what| Cause::Malformed {
        host: reply.host.clone(),
        what,
    };
    let Some(link) = next_link(&reply.headers) else {
        return Ok(None);
    };
    let next = page
        .join(link)
        .map_err(|_| malformed("links to the next page by a malformed URL"))?;
    // A registry behind a proxy may link to plain HTTP; the scheme stays the endpoint's.
    if (next.host(), next.port()) != (page.host(), page.port()) {
        return Err(malformed("links to the next page at another host"));
    }
    let query = next.query().map(|query| format!("?{query}"));
    Ok(Some(format!(
        "{}{}",
        next.path(),
        query.unwrap_or_default()
    )))
}

/// The target of `Link: <target>; rel="next"`.
fn next_link(headers: &HeaderMap) -> Option<&str> {
    let values = headers.get_all(LINK).iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split('<').skip(1))
        .filter_map(|link| link.split_once('>'))
        .find(|(_, parameters)| {
            parameters.split([';', ',']).any(|parameter| {
                let (key, value) = parameter.split_once('=').unwrap_or_default();
                let value = value.trim().trim_matches('"');
                key.trim().eq_ignore_ascii_case("rel") && value.eq_ignore_ascii_case("next")
            })
        })
        .map(|(target, _)| target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_next_page() {
        for (link, path) in [
            (
                "</v2/app/tags/list?n=2&last=a%2Bb==>; rel=\"next\"",
                Ok(Some("/v2/app/tags/list?n=2&last=a%2Bb==")),
            ),
            (
                "<list?last=b>; rel=next",
                Ok(Some("/v2/app/tags/list?last=b")),
            ),
            (
                "<http://reg.example/v2/x?a=1,2>; REL=Next",
                Ok(Some("/v2/x?a=1,2")),
            ),
            (
                "</first>; rel=\"first\", </next>; title=x; rel=\"next\"",
                Ok(Some("/next")),
            ),
            ("</last>; rel=\"last\"", Ok(None)),
            ("nothing", Ok(None)),
            (
                "<https://evil.example/v2/app/tags/list>; rel=next",
                Err("`reg.example` links to the next page at another host"),
            ),
        ] {
            let page = Url::parse("https://reg.example/v2/app/tags/list?n=1000").unwrap();
            let reply = Reply {
                host: "reg.example".to_owned(),
                headers: HeaderMap::from_iter([(LINK, link.parse().unwrap())]),
                body: bytes::Bytes::new(),
            };
            let found = next_page(&page, &reply).map_err(|cause| cause.to_string());
            let expected = path.map(|path| path.map(str::to_owned));
            assert_eq!(found, expected.map_err(str::to_owned), "{link}");
        }
    }
}
