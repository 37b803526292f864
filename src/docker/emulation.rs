//! Whether the daemon can run programs of a platform. Nothing in its API says so, so it is tried.

use bollard::query_parameters::{BuildImageOptionsBuilder, BuilderVersion};
use futures_util::StreamExt;
use tracing::debug;

use super::connection::Docker;
use super::error::{Error, Task};
use super::meaning::Meaning;
use super::printout::Printout;
use super::probe;
use super::steps::StepImages;
use crate::image::Platform;

/// An image of a few bytes, which needs no registry.
const DOCKERFILE: &[u8] = b"FROM scratch\nCOPY probe /probe\nRUN [\"/probe\"]\n";

impl Docker {
    /// Whether the daemon can run programs of a platform, by itself or by emulation: it builds an
    /// image with a program that ends at once, and keeps nothing of it. Of a platform for which there
    /// is no such program this says yes; a build will tell.
    ///
    /// The classic builder tries it, whichever will build: both run programs by the same kernel, every
    /// Docker has it, and BuildKit would leave what it built in its cache. Since Docker 23.0 it is no
    /// longer the usual one, and still there for who asks for it ("The legacy builder can still be
    /// used", release notes of moby v23.0.0). BuildKit alone would also find an emulator that is called
    /// `buildkit-qemu-ARCHITECTURE` on the daemon's `PATH` (moby/buildkit#1528); those are made for
    /// BuildKit's own container.
    pub async fn runs(&self, platform: &Platform) -> Result<bool, Error> {
        let own = self.platform();
        if (platform.os(), platform.architecture()) == (own.os(), own.architecture()) {
            return Ok(true);
        }
        let Some(program) = probe::program(platform) else {
            return Ok(true);
        };
        let mut images = StepImages::default();
        let result = self.try_program(platform, &program, &mut images).await;
        let cleared = match images.latest() {
            Some(image) => self.remove_nameless(image).await,
            None => Ok(()),
        };
        let runs = match result {
            Ok(()) => true,
            Err(Error::Failed { reason, .. }) if reason.meaning == Meaning::Emulation => false,
            Err(error) => return Err(error),
        };
        debug!(%platform, runs, ?cleared, "tried to run a program");
        Ok(runs)
    }

    async fn try_program(
        &self,
        platform: &Platform,
        program: &[u8],
        images: &mut StepImages,
    ) -> Result<(), Error> {
        // What ran yesterday says nothing of today.
        let options = BuildImageOptionsBuilder::default()
            .version(BuilderVersion::BuilderV1)
            .platform(&platform.to_string())
            .nocache(true)
            .rm(true)
            .forcerm(true)
            .build();
        let body = bollard::body_full(archive(program).into());
        let client = self.patient();
        let mut stream = client.build_image(options, None, Some(body));
        let mut output = |text: &str| images.read(text);
        let mut printout = Printout::new(&mut output);
        let mut failure = None;
        while let Some(item) = stream.next().await {
            match item {
                Ok(item) => item.stream.iter().for_each(|text| printout.print(text)),
                Err(error) => {
                    failure.get_or_insert(error);
                }
            }
        }
        let Some(error) = failure else {
            return Ok(());
        };
        let mut error = Error::of(Task::Probe(platform.to_string()), error);
        if let Error::Failed { reason, .. } = &mut error
            && printout.last_line().exec_format_error()
        {
            reason.meaning = Meaning::Emulation;
        }
        Err(error)
    }
}

fn archive(program: &[u8]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, content) in [("Dockerfile", DOCKERFILE), ("probe", program)] {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o755);
        header.set_mtime(0);
        archive
            .append_data(&mut header, name, content)
            .expect("memory takes every write");
    }
    archive.into_inner().expect("memory takes every write")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::fake::Fake;
    use crate::failure::{Failure as _, Kind};

    async fn runs(platform: &str, answer: &str) -> (Result<bool, Error>, Vec<String>) {
        let nameless = ("GET /v1.41/images/", 200, "{\"RepoTags\":[]}");
        let build = ("POST /v1.41/build", 200, answer);
        let fake = Fake::start("1.41", &[build, nameless]).await;
        let docker = fake.connect(&[]).await;
        let result = docker.runs(&platform.parse().unwrap()).await;
        (result, fake.lines()[1..].to_vec())
    }

    const STEPS: &str = r#"{"stream":"Step 1/3 : FROM scratch\n"}
{"stream":" ---\u003e \n"}
{"stream":"Step 2/3 : COPY probe /probe\n"}
{"stream":" ---\u003e 0a1b2c3d4e5f\n"}
{"stream":"Step 3/3 : RUN [\"/probe\"]\n"}
{"stream":" ---\u003e Running in 5f4e3d2c1b0a\n"}
"#;

    #[tokio::test]
    async fn a_program_is_run_and_nothing_of_it_kept() {
        let runs_it = r#"{"stream":" ---\u003e 1a1b2c3d4e5f\n"}"#;
        let fails = r#"{"stream":"\u001b[91mexec /probe: exec format error\n\u001b[0m"}
{"errorDetail":{"message":"The command '/probe' returned a non-zero code: 1"},"error":"x"}"#;
        for (end, expected, image) in [
            (runs_it, true, "1a1b2c3d4e5f"),
            (fails, false, "0a1b2c3d4e5f"),
        ] {
            let (result, asked) = runs("linux/amd64", &format!("{STEPS}{end}\n")).await;
            assert_eq!(result.unwrap(), expected);
            let build = "POST /v1.41/build?dockerfile=Dockerfile&q=false&nocache=true&rm=true&forcerm=true\
                         &platform=linux%2Famd64&target=&version=1";
            let inspect = format!("GET /v1.41/images/{image}/json");
            let remove = format!("DELETE /v1.41/images/{image}");
            assert_eq!(asked, [build, &inspect, &remove]);
        }
    }

    #[tokio::test]
    async fn what_cannot_be_tried_is_left_to_the_build() {
        for platform in ["linux/arm64", "linux/mips64le", "windows/amd64"] {
            let (result, asked) = runs(platform, "").await;
            assert!(result.unwrap());
            assert!(asked.is_empty(), "{platform}: {asked:?}");
        }
    }

    #[tokio::test]
    async fn a_daemon_that_cannot_try_says_why() {
        let full = r#"{"errorDetail":{"message":"write /probe: no space left on device"}}"#;
        let (result, _) = runs("linux/amd64", full).await;
        let error = result.unwrap_err();
        assert_eq!(error.kind(), Kind::Permanent);
        insta::assert_snapshot!(error, @"Docker could not run a program for `linux/amd64`: write /probe: no space left on device");
    }
}
