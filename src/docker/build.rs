//! Building an image.

use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

use bollard::models::{BuildInfo, BuildInfoAux};
use bollard::query_parameters::{BuildImageOptionsBuilder, BuilderVersion};
use futures_util::StreamExt;
use tracing::debug;

use super::connection::Docker;
use super::engine::Engine;
use super::error::{Error, Task};
use super::last_line::LastLine;
use super::login;
use super::meaning::Meaning;
use super::printout::Printout;
use super::session::BuildSecret;
use crate::context::Context;
use crate::image::{Digest, Platform, Registry};
use crate::registry::Login;

/// The name of a Dockerfile that is sent alone.
const DOCKERFILE: &str = "Dockerfile";

/// What to build.
#[derive(Clone, Copy, Debug)]
pub struct BuildRequest<'a> {
    /// The Dockerfile.
    pub dockerfile: &'a str,
    /// The folder that its lines take files from. Without one the Dockerfile is all that is sent.
    pub context: Option<&'a Context>,
    /// The stage to build, unless it is the last one.
    pub target: Option<&'a str>,
    /// The network of `RUN` lines: `none`, `host` or another that the daemon has.
    pub network: Option<&'a str>,
    /// Build arguments.
    pub args: &'a BTreeMap<String, String>,
    /// Labels to add.
    pub labels: &'a BTreeMap<String, String>,
    /// The platform. The classic builder heeds it only while it pulls: name the base by its own
    /// manifest's digest.
    pub platform: Option<&'a Platform>,
    /// Logins at the registries that bases come from.
    pub logins: &'a [(Registry, Login)],
    /// The local name of the image, with a tag: `longshore/build:1`.
    pub tag: &'a str,
    /// Who builds.
    pub engine: Engine,
    /// What `RUN --mount=type=secret` lines see. The classic builder knows no such lines.
    pub secrets: &'a [BuildSecret],
}

impl Docker {
    /// Builds an image and gives its local id: the digest of its
    /// configuration, or of its manifest where the daemon keeps images in containerd. `output`
    /// receives what the daemon prints, in pieces that need not be whole lines. Dropping the
    /// future cancels the build.
    pub async fn build(
        &self,
        request: &BuildRequest<'_>,
        output: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Digest, Error> {
        let started = Instant::now();
        let id = match request.engine {
            Engine::Classic => self.build_classic(request, output).await?,
            Engine::BuildKit => self.build_with_buildkit(request, output).await?,
        };
        debug!(tag = request.tag, %id, engine = %request.engine, elapsed = ?started.elapsed(), "built");
        Ok(id)
    }

    async fn build_classic(
        &self,
        request: &BuildRequest<'_>,
        output: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Digest, Error> {
        let task = || Task::Build;
        let mut printout = Printout::new(output);
        let mut id = None;
        let mut failure = None;
        let client = self.patient();
        let logins = login::by_registry(request.logins);
        let (dockerfile, body, packing) = if let Some(context) = request.context {
            let shipment = context.ship(request.dockerfile).await?;
            let dockerfile = shipment.dockerfile.clone();
            let (chunks, packing) = shipment.open();
            (dockerfile, bollard::body_try_stream(chunks), Some(packing))
        } else {
            let archive = alone(request.dockerfile);
            let body = bollard::body_full(archive.into());
            (DOCKERFILE.to_owned(), body, None)
        };
        let options = options(request, &dockerfile).build();
        let mut stream = client.build_image(options, Some(logins), Some(body));
        // The id comes before the image has its name, and once per stage: only the end of the
        // stream tells that all is done.
        while let Some(item) = stream.next().await {
            let item = match item {
                Ok(item) => item,
                Err(error) => {
                    failure.get_or_insert(error);
                    continue;
                }
            };
            if let Some(text) = &item.stream {
                printout.print(text);
            }
            if let Some(status) = &item.status {
                let progress = item.progress_detail.as_ref();
                let counts = progress.is_some_and(|progress| progress.current.is_some());
                printout.status(item.id.as_deref(), status, counts);
            }
            id = id_in(item).or(id);
        }
        if let Some(error) = failure {
            drop(stream);
            if let Some(packing) = packing
                && let Some(error) = packing.failure().await
            {
                return Err(error.into());
            }
            return Err(explain(Error::of(task(), error), printout.last_line()));
        }
        whole(id.as_deref())
    }
}

/// The image's id, where an item of the daemon's answer tells it.
pub(super) fn id_in(item: BuildInfo) -> Option<String> {
    match item.aux? {
        BuildInfoAux::Default(image) => image.id,
        BuildInfoAux::BuildKit(_) => None,
    }
}

/// The image's id at the end of the daemon's answer.
pub(super) fn whole(id: Option<&str>) -> Result<Digest, Error> {
    let id = id.and_then(|id| id.parse().ok());
    id.ok_or(Error::Incomplete {
        task: Task::Build,
        what: "the image's id",
    })
}

/// Adds to a failed command what the daemon only printed.
pub(super) fn explain(mut error: Error, printed: &mut LastLine) -> Error {
    if let Error::Failed { reason, .. } = &mut error
        && reason.meaning == Meaning::Command
    {
        reason.last_output = printed.text();
        if printed.exec_format_error() {
            reason.meaning = Meaning::Emulation;
        }
    }
    error
}

/// What both builders are asked for.
pub(super) fn options(request: &BuildRequest<'_>, dockerfile: &str) -> BuildImageOptionsBuilder {
    let owned = |map: &BTreeMap<String, String>| -> HashMap<String, String> {
        map.clone().into_iter().collect()
    };
    let options = BuildImageOptionsBuilder::default()
        .version(BuilderVersion::BuilderV1)
        .dockerfile(dockerfile)
        .t(request.tag)
        .buildargs(&owned(request.args))
        .labels(&owned(request.labels))
        .rm(true)
        .forcerm(true);
    let options = match request.platform {
        Some(platform) => options.platform(&platform.to_string()),
        None => options,
    };
    let options = match request.target {
        Some(target) => options.target(target),
        None => options,
    };
    match request.network {
        Some(network) => options.networkmode(network),
        None => options,
    }
}

/// A tar archive with the Dockerfile alone, the same bytes each time.
fn alone(dockerfile: &str) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.set_size(dockerfile.len() as u64);
    header.set_mode(0o644);
    header.set_mtime(0);
    let mut archive = tar::Builder::new(Vec::new());
    archive
        .append_data(&mut header, DOCKERFILE, dockerfile.as_bytes())
        .and_then(|()| archive.into_inner())
        .expect("memory takes every write")
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;
    use crate::docker::fake::Fake;
    use crate::failure::{Failure as _, Kind};

    async fn build(status: u16, answer: &str) -> (Result<Digest, Error>, String, Fake) {
        let fake = Fake::start("1.41", &[("POST /v1.41/build", status, answer)]).await;
        let docker = fake.connect(&[]).await;
        let login = |password: &str| Login::Password {
            username: "AWS".to_owned(),
            password: password.into(),
        };
        let request = BuildRequest {
            dockerfile: "FROM base\nRUN mkdir /x\n",
            context: None,
            target: None,
            network: None,
            args: &BTreeMap::from([("A".to_owned(), "1 2".to_owned())]),
            labels: &BTreeMap::from([("l".to_owned(), "é".to_owned())]),
            platform: Some(&"linux/arm/v7".parse().unwrap()),
            logins: &[
                ("docker.io".parse().unwrap(), login("hub")),
                ("h:5000".parse().unwrap(), login("p>?~s")),
            ],
            tag: "longshore/build:1",
            engine: Engine::Classic,
            secrets: &[],
        };
        let mut printed = String::new();
        let result = docker.build(&request, &mut |text| printed += text).await;
        (result, printed, fake)
    }

    fn told(error: &Error) -> String {
        crate::failure::chain(error)
    }

    #[tokio::test]
    async fn a_build_from_request_to_image() {
        let first = format!("sha256:{}", "1".repeat(64));
        let last = format!("sha256:{}", "2".repeat(64));
        let answer = format!(
            r#"{{"stream":"Step 1/2 : FROM base"}}
{{"stream":"\n"}}
{{"status":"Pulling from base","id":"1"}}
{{"status":"Pulling fs layer","progressDetail":{{}},"id":"0a1b"}}
{{"status":"Downloading","progressDetail":{{"current":1,"total":2}},"progress":"[=> ]","id":"0a1b"}}
{{"status":"Pull complete","progressDetail":{{}},"id":"0a1b"}}
{{"aux":{{"ID":"{first}"}}}}
{{"stream":"\u001b[91mwarning\n\u001b[0m"}}
{{"aux":{{"ID":"{last}"}}}}
{{"stream":"Successfully tagged longshore/build:1\n"}}
"#
        );
        let (result, printed, fake) = build(200, &answer).await;
        assert_eq!(result.unwrap().as_str(), last);
        insta::assert_snapshot!(printed, @r"
        Step 1/2 : FROM base
        1: Pulling from base
        0a1b: Pull complete
        warning
        Successfully tagged longshore/build:1
        ");
        let asked = &fake.asked()[1];
        insta::assert_snapshot!(asked.line, @"POST /v1.41/build?dockerfile=Dockerfile&t=longshore%2Fbuild%3A1&q=false&nocache=false&rm=true&forcerm=true&buildargs=%7B%22A%22%3A%221+2%22%7D&labels=%7B%22l%22%3A%22%C3%A9%22%7D&platform=linux%2Farm%2Fv7&target=&version=1");
        insta::assert_snapshot!(asked.credentials("x-registry-config"), @r#"{"h:5000":{"auth":null,"email":null,"identitytoken":null,"password":"p>?~s","registrytoken":null,"serveraddress":"h:5000","username":"AWS"},"https://index.docker.io/v1/":{"auth":null,"email":null,"identitytoken":null,"password":"hub","registrytoken":null,"serveraddress":"https://index.docker.io/v1/","username":"AWS"}}"#);
        let mut archive = tar::Archive::new(&asked.body[..]);
        let mut files = archive.entries().unwrap().map(|file| {
            let mut file = file.unwrap();
            let mut content = String::new();
            file.read_to_string(&mut content).unwrap();
            (file.path().unwrap().display().to_string(), content)
        });
        let dockerfile = "FROM base\nRUN mkdir /x\n".to_owned();
        assert_eq!(files.next(), Some(("Dockerfile".to_owned(), dockerfile)));
        assert_eq!(files.next(), None);
    }

    #[tokio::test]
    async fn a_failing_command() {
        let (result, ..) = build(
            200,
            r#"{"stream":"Step 2/2 : RUN mkdir /x"}
{"stream":"\n"}
{"stream":"\u001b[91mmkdir: can't create directory '/x': File exists\n\u001b[0m"}
{"stream":"Removing intermediate container 0a1b\n"}
{"errorDetail":{"code":1,"message":"The command '/bin/sh -c mkdir /x' returned a non-zero code: 1"},"error":"x"}
"#,
        )
        .await;
        let error = result.unwrap_err();
        assert_eq!(error.kind(), Kind::Permanent);
        insta::assert_snapshot!(told(&error), @"The command '/bin/sh -c mkdir /x' returned a non-zero code: 1, after printing `mkdir: can't create directory '/x': File exists`");
    }

    #[tokio::test]
    async fn a_foreign_platform_without_emulation() {
        let (result, ..) = build(
            200,
            r#"{"stream":"Step 2/2 : RUN mkdir /x"}
{"stream":"\n"}
{"stream":"\u001b[91mexec /bin/sh: exec format error\n\u001b[0m"}
{"errorDetail":{"code":1,"message":"The command '/bin/sh -c mkdir /x' returned a non-zero code: 1"},"error":"x"}
"#,
        )
        .await;
        let error = result.unwrap_err();
        assert_eq!(error.kind(), Kind::Permanent);
        insta::assert_snapshot!(error.hint().unwrap(), @"this machine cannot run programs of that platform; install emulation with `docker run --privileged --rm tonistiigi/binfmt --install all` or the packages `qemu-user-static` and `binfmt-support`");
    }

    #[tokio::test]
    async fn what_else_ends_a_build() {
        for (status, answer, kind, text) in [
            (
                400,
                r#"{"message":"dockerfile parse error line 2: unknown instruction: DENIED: X"}"#,
                Kind::Permanent,
                "dockerfile parse error line 2: unknown instruction: DENIED: X",
            ),
            (
                200,
                r#"{"errorDetail":{"message":"Head \"https://h/v2/\": no basic auth credentials"}}"#,
                Kind::Refused,
                "Head \"https://h/v2/\": no basic auth credentials",
            ),
        ] {
            let (result, ..) = build(status, answer).await;
            let error = result.unwrap_err();
            assert_eq!((error.kind(), told(&error).as_str()), (kind, text));
        }
        let (result, ..) = build(200, r#"{"stream":"Step 1/2 : FROM base"}"#).await;
        let error = result.unwrap_err();
        assert_eq!(error.kind(), Kind::Transient);
        insta::assert_snapshot!(error, @"the Docker daemon did not build the image to the end: its answer lacks the image's id");
    }
}
