//! Pulling an image.

use bollard::query_parameters::CreateImageOptionsBuilder;
use futures_util::StreamExt;

use super::connection::Docker;
use super::error::{Error, Task};
use super::login;
use super::printout::Printout;
use crate::image::{Platform, Reference};
use crate::registry::Login;

impl Docker {
    /// Pulls an image by its digest, which has to be that of this platform's own manifest. No login
    /// means anonymous. `output` receives one line per layer that arrived.
    pub async fn pull(
        &self,
        image: &Reference,
        platform: &Platform,
        login: Option<&Login>,
        output: &mut (dyn FnMut(&str) + Send),
    ) -> Result<(), Error> {
        let mut printout = Printout::new(output);
        let options = CreateImageOptionsBuilder::default()
            .from_image(&image.to_string())
            .platform(&platform.to_string())
            .build();
        let client = self.patient();
        let credentials = login.map(login::credentials);
        let mut stream = client.create_image(Some(options), None, credentials);
        let mut failure = None;
        while let Some(item) = stream.next().await {
            match item {
                Ok(item) => {
                    let status = item.status.unwrap_or_default();
                    let progress = item.progress_detail;
                    let counts = progress.is_some_and(|progress| progress.current.is_some());
                    printout.status(item.id.as_deref(), &status, counts);
                }
                Err(error) => {
                    failure.get_or_insert(error);
                }
            }
        }
        match failure {
            Some(error) => Err(Error::of(Task::Pull(image.to_string()), error)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::fake::Fake;
    use crate::failure::{Failure as _, Kind};

    async fn pull(status: u16, answer: &str) -> (Result<(), Error>, String, Fake) {
        let fake = Fake::start("1.41", &[("POST /v1.41/images/create", status, answer)]).await;
        let docker = fake.connect(&[]).await;
        let digest = crate::image::Digest::of(b"x");
        let image = format!("h:5000/a/r:1@{digest}").parse().unwrap();
        let login = Login::Password {
            username: "AWS".to_owned(),
            password: "p>?~s".into(),
        };
        let platform = "linux/arm/v7".parse().unwrap();
        let mut printed = String::new();
        let mut output = |text: &str| printed.push_str(text);
        let result = docker.pull(&image, &platform, Some(&login), &mut output);
        let result = result.await;
        (result, printed, fake)
    }

    #[tokio::test]
    async fn a_pull_to_its_end() {
        let (result, printed, fake) = pull(
            200,
            r#"{"status":"Pulling from a/r","id":"1"}
{"status":"Downloading","progressDetail":{"current":1,"total":2},"progress":"[=> ]","id":"0a1b"}
{"status":"Pull complete","progressDetail":{},"id":"0a1b"}
"#,
        )
        .await;
        result.unwrap();
        insta::assert_snapshot!(printed, @r"
        1: Pulling from a/r
        0a1b: Pull complete
        ");
        let asked = &fake.asked()[1];
        insta::assert_snapshot!(asked.line, @"POST /v1.41/images/create?fromImage=h%3A5000%2Fa%2Fr%3A1%40sha256%3A2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881&platform=linux%2Farm%2Fv7");
        assert_eq!(asked.credentials("x-registry-auth")["password"], "p>?~s");
    }

    #[tokio::test]
    async fn a_pull_that_fails() {
        let message = r#"{"message":"Head \"https://h/v2/\": no basic auth credentials"}"#;
        let (result, ..) = pull(500, message).await;
        assert_eq!(result.unwrap_err().kind(), Kind::Refused);
        let full = r#"{"errorDetail":{"message":"failed to register layer: write /x: no space left on device"}}"#;
        let (result, ..) = pull(200, full).await;
        let error = result.unwrap_err();
        insta::assert_snapshot!(format!("{error}\n{}", error.hint().unwrap()), @r"
        failed to register layer: write /x: no space left on device
        free space where the daemon runs: `docker system prune`
        ");
    }
}
