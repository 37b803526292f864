//! Asking a registry as a whole: whether it lets us in, and how much may still be read.

use std::time::SystemTime;

use reqwest::Method;
use reqwest::header::DATE;

use super::request::Request;
use super::token::Scopes;
use super::{Client, Error, RateLimit};
use crate::image::media_type::ACCEPT_MANIFESTS;
use crate::image::{Registry, Repository};

/// The largest answer to a ping, in bytes; nobody reads it.
const MAX_ANSWER: u64 = 1024 * 1024;

/// The repository whose answers tell Docker Hub's limit
/// (<https://docs.docker.com/docker-hub/usage/pulls/>).
const RATE_LIMIT_PREVIEW: &str = "ratelimitpreview/test";

/// A registry lets us in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Pong {
    /// Its time, where it tells it, in whole seconds.
    pub date: Option<SystemTime>,
}

impl Client {
    /// Asks whether the registry is there and takes our login. No repository is meant: a registry
    /// that lets nobody in without a login but to its public repositories refuses here.
    pub async fn ping(&self, registry: &Registry) -> Result<Pong, Error> {
        let request = Request {
            registry: registry.clone(),
            attempt: format!("log in to `{registry}`"),
            method: Method::GET,
            path: "/v2/".to_owned(),
            scopes: Scopes::default(),
            offset: 0,
            is_stream: false,
            accept: &[],
            body: None,
        };
        let reply = self.exchange(&request, MAX_ANSWER).await?;
        let date = reply.header(DATE);
        Ok(Pong {
            date: date.and_then(|date| httpdate::parse_http_date(date).ok()),
        })
    }

    /// Asks Docker Hub, or the mirror that stands for it, how many pulls are left; `None` where
    /// there is no limit, and where a mirror does not tell it. The question is a HEAD of the
    /// repository that Docker names for it, which is never counted as a pull.
    pub async fn pulls_left(&self) -> Result<Option<RateLimit>, Error> {
        let hub = Registry::docker_hub();
        let repository: Repository = RATE_LIMIT_PREVIEW.parse().expect("a sound name");
        let attempt = format!("ask `{hub}` how many pulls are left");
        let path = "manifests/latest";
        let request = Request::read(Method::HEAD, &hub, &repository, path, attempt);
        match self.exchange(&request.accept(&ACCEPT_MANIFESTS), 0).await {
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
            Ok(_) => Ok(self.rate_limit(&hub)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::super::fake::{Fake, Reply};
    use super::*;
    use crate::failure::{Failure as _, Kind};

    #[tokio::test]
    async fn a_registry_judges_the_login() {
        let fake = Fake::start_with_ping(|request, _| match request.authorization() {
            "Basic dTpw" => Reply::status(200).header("date", "Thu, 01 Jan 1970 00:01:00 GMT"),
            _ => Reply::status(401).header("www-authenticate", "Basic realm=\"r\""),
        })
        .await;
        let pong = fake.client_as("u", "p").ping(&fake.registry()).await;
        let date = Some(UNIX_EPOCH + Duration::from_mins(1));
        assert_eq!(pong.unwrap(), Pong { date });
        for client in [fake.client_as("u", "wrong"), fake.client()] {
            let error = client.ping(&fake.registry()).await.unwrap_err();
            assert_eq!(error.kind(), Kind::Refused);
        }
    }

    #[tokio::test]
    async fn the_question_for_pulls_is_no_pull() {
        let fake = Fake::start(|_, earlier| match earlier {
            0 => Reply::status(404),
            _ => Reply::status(200)
                .header("ratelimit-limit", "100;w=21600")
                .header("ratelimit-remaining", "76;w=21600"),
        })
        .await;
        let client = fake.client_for("docker.io");
        assert_eq!(client.pulls_left().await.unwrap(), None);
        let left = client.pulls_left().await.unwrap().unwrap();
        assert_eq!((left.remaining, left.limit), (76, 100));
        let line = "HEAD /v2/ratelimitpreview/test/manifests/latest";
        assert_eq!(fake.log(), [line, line]);
    }
}
