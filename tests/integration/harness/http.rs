//! Plain requests, sent one after the other.

use std::sync::LazyLock;

use bytes::Bytes;
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder};
use tokio::runtime::Runtime;

/// How the harness calls itself, so that its requests can be told from longshore's and Docker's.
pub(crate) const AGENT: &str = "harness";

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
static CLIENT: LazyLock<Client> = LazyLock::new(|| {
    let client = Client::builder().user_agent(AGENT).no_proxy();
    client.build().unwrap()
});

#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

pub(crate) fn request(method: Method, url: &str) -> RequestBuilder {
    CLIENT.request(method, url)
}

pub(crate) fn send(request: RequestBuilder) -> Response {
    RUNTIME.block_on(async {
        let response = request.send().await.unwrap();
        Response {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.bytes().await.unwrap(),
        }
    })
}
