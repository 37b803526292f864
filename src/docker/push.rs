//! Pushing an image.

use std::time::Instant;

use bollard::query_parameters::PushImageOptionsBuilder;
use futures_util::StreamExt;
use tracing::debug;

use super::connection::Docker;
use super::error::{Error, Task};
use super::login;
use super::printout::Printout;
use crate::image::Digest;
use crate::registry::Login;

impl Docker {
    /// Pushes the local image `repository:tag` (`host/path`, `1.14`) and gives the digest under
    /// which the registry has it. No login means anonymous. `output` receives one line per layer
    /// that arrived.
    pub async fn push(
        &self,
        repository: &str,
        tag: &str,
        login: Option<&Login>,
        output: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Digest, Error> {
        let started = Instant::now();
        let task = || Task::Push(format!("{repository}:{tag}"));
        let mut printout = Printout::new(output);
        let mut digest = None;
        let mut failure = None;
        let client = self.patient();
        let options = PushImageOptionsBuilder::default().tag(tag).build();
        let credentials = login.map(login::credentials);
        let mut stream = client.push_image(repository, Some(options), credentials);
        while let Some(item) = stream.next().await {
            let item = match item {
                Ok(item) => item,
                Err(error) => {
                    failure.get_or_insert(error);
                    continue;
                }
            };
            // The last item of a good push is empty for bollard, which drops its `aux`.
            let Some(status) = item.status else { continue };
            digest = pushed_digest(&status, tag).or(digest);
            let progress = item.progress_detail;
            let counts = progress.is_some_and(|progress| progress.current.is_some());
            printout.status(None, &status, counts);
        }
        if let Some(error) = failure {
            return Err(Error::of(task(), error));
        }
        let digest = digest.ok_or_else(|| Error::Incomplete {
            task: task(),
            what: "the pushed digest",
        })?;
        debug!(repository, tag, %digest, elapsed = ?started.elapsed(), "pushed");
        Ok(digest)
    }
}

/// The digest in `1.14: digest: sha256:9f86d0... size: 1149`.
fn pushed_digest(status: &str, tag: &str) -> Option<Digest> {
    let rest = status.strip_prefix(tag)?.strip_prefix(": digest: ")?;
    rest.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::fake::Fake;
    use crate::failure::{Failure as _, Kind};

    const PUSH: &str = "POST /v1.41/images/h:5000/a/r/push";

    async fn push(answer: &str) -> (Result<Digest, Error>, String, Fake) {
        let fake = Fake::start("1.41", &[(PUSH, 200, answer)]).await;
        let docker = fake.connect(&[]).await;
        let login = Login::Password {
            username: "AWS".to_owned(),
            password: "p>?~s".into(),
        };
        let mut printed = String::new();
        let mut output = |text: &str| printed.push_str(text);
        let result = docker.push("h:5000/a/r", "v1", Some(&login), &mut output);
        let result = result.await;
        (result, printed, fake)
    }

    #[tokio::test]
    async fn a_push_to_its_end() {
        let digest = format!("sha256:{}", "1".repeat(64));
        let (result, printed, fake) = push(&format!(
            r#"{{"status":"The push refers to repository [h:5000/a/r]"}}
{{"status":"Preparing","progressDetail":{{}},"id":"0a1b"}}
{{"status":"Pushing","progressDetail":{{"current":1,"total":2}},"progress":"[=> ]","id":"0a1b"}}
{{"status":"Pushed","progressDetail":{{}},"id":"0a1b"}}
{{"status":"Layer already exists","progressDetail":{{}},"id":"2c3d"}}
{{"status":"v1: digest: {digest} size: 1149"}}
{{"progressDetail":{{}},"aux":{{"Tag":"v1","Digest":"{digest}","Size":1149}}}}
"#
        ))
        .await;
        assert_eq!(result.unwrap().as_str(), digest);
        insta::assert_snapshot!(printed, @r"
        The push refers to repository [h:5000/a/r]
        Pushed
        Layer already exists
        v1: digest: sha256:1111111111111111111111111111111111111111111111111111111111111111 size: 1149
        ");
        let asked = &fake.asked()[1];
        assert_eq!(asked.line, format!("{PUSH}?tag=v1"));
        let auth = asked.credentials("x-registry-auth");
        assert_eq!(
            (&auth["username"], &auth["password"]),
            (&"AWS".into(), &"p>?~s".into())
        );
    }

    #[tokio::test]
    async fn a_push_that_fails() {
        let (result, ..) = push(
            r#"{"status":"Preparing","progressDetail":{},"id":"0a1b"}
{"errorDetail":{"message":"tag invalid: The image tag 'v1' already exists"},"error":"x"}
"#,
        )
        .await;
        let error = result.unwrap_err();
        assert_eq!(error.kind(), Kind::Conflict);
        assert_eq!(
            error.to_string(),
            "tag invalid: The image tag 'v1' already exists"
        );
        let (result, ..) = push(r#"{"status":"Preparing","progressDetail":{},"id":"0a1b"}"#).await;
        assert_eq!(result.unwrap_err().kind(), Kind::Transient);
    }
}
