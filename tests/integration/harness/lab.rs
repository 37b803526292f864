//! longshore between the two registries of its sandbox, which runs in the test's own process, counts
//! every request and fails on demand.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use longshore::image::Digest;
use longshore::sandbox::{EcrToken, Fault, Login, Options, PullLimit, Request, Sandbox, Upstream};
use reqwest::Method;
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::artifact::digest_of;
use super::aws::Aws;
use super::longshore::{Longshore, Run};
use super::{docker, http, requests};

pub(crate) struct Lab {
    sandbox: Sandbox,
    aws: Aws,
    folder: TempDir,
    _runtime: Runtime,
}

impl Lab {
    pub(crate) fn new() -> Self {
        Self::with(Options::default())
    }

    /// A lab whose sandbox has other settings; its upstream is the lab's.
    pub(crate) fn with(options: Options) -> Self {
        Self::with_upstream(options, |upstream| upstream)
    }

    /// A lab whose upstream lets in only who has this login.
    pub(crate) fn private(username: &str, password: &str) -> Self {
        let login = Login::new(username, password);
        Self::with_upstream(Options::default(), |upstream| Upstream {
            login: Some(login),
            ..upstream
        })
    }

    /// A lab whose upstream allows so many pulls in a window of so many seconds.
    pub(crate) fn limited(pulls: u32, seconds: u64) -> Self {
        let window = Duration::from_secs(seconds);
        Self::with_upstream(Options::default(), |upstream| Upstream {
            pulls: Some(PullLimit { pulls, window }),
            ..upstream
        })
    }

    /// A lab whose upstream is an ECR of another region, and lets in who has this account.
    pub(crate) fn beside_ecr(account_id: &str, region: &str) -> Self {
        let token = EcrToken {
            account_id: account_id.to_owned(),
            region: region.to_owned(),
        };
        Self::with_upstream(Options::default(), |upstream| Upstream {
            ecr_token: Some(token),
            ..upstream
        })
    }

    /// A lab whose upstream registry has other settings as well.
    pub(crate) fn with_upstream(
        options: Options,
        change: impl FnOnce(Upstream) -> Upstream,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let runtime = Runtime::new().unwrap();
        let options = Options {
            upstream: Some(change(Upstream::new(folder.path().join("hub")))),
            ..options
        };
        let sandbox = runtime.block_on(Sandbox::start(options)).unwrap();
        Self {
            aws: Aws::at(sandbox.api_url()),
            sandbox,
            folder,
            _runtime: runtime,
        }
    }

    /// The folder of the upstream registry's layouts.
    pub(crate) fn hub(&self) -> PathBuf {
        self.folder.path().join("hub")
    }

    /// The folder that longshore is called in.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The manifest that a tag or digest has in ECR.
    pub(crate) fn manifest(&self, repository: &str, reference: &str) -> Option<String> {
        self.aws.manifest("eu-west-1", repository, reference)
    }

    /// The same, which must be there, as JSON.
    pub(crate) fn parsed(&self, repository: &str, reference: &str) -> Value {
        let manifest = self.manifest(repository, reference).expect("a manifest");
        serde_json::from_str(&manifest).unwrap()
    }

    /// The image configuration that a tag or digest has in ECR.
    pub(crate) fn config(&self, repository: &str, reference: &str) -> Value {
        let digest = digest_of(&self.parsed(repository, reference)["config"]);
        let bytes = self.blob(&self.password(), repository, digest.as_str());
        serde_json::from_slice(&bytes.expect("a configuration")).unwrap()
    }

    /// The digest that a tag has in ECR.
    pub(crate) fn digest(&self, repository: &str, tag: &str) -> Option<Digest> {
        let manifest = self.manifest(repository, tag)?;
        Some(Digest::of(manifest.as_bytes()))
    }

    /// The password of ECR's registry.
    pub(crate) fn password(&self) -> String {
        self.aws.password("eu-west-1")
    }

    /// The bytes of a blob that a repository of ECR has.
    pub(crate) fn blob(&self, password: &str, repository: &str, digest: &str) -> Option<Vec<u8>> {
        let url = format!("http://{}/v2/{repository}/blobs/{digest}", self.registry());
        let request = http::request(Method::GET, &url).basic_auth("AWS", Some(password));
        let response = http::send(request);
        (response.status == 200).then(|| response.body.into())
    }

    /// The tags of a repository of ECR.
    pub(crate) fn tags(&self, repository: &str) -> Vec<String> {
        self.aws.tags("eu-west-1", repository)
    }

    /// The repository, as DescribeRepositories tells it.
    pub(crate) fn repository(&self, name: &str) -> Option<Value> {
        self.aws.repository("eu-west-1", name)
    }

    /// Creates a repository of ECR.
    pub(crate) fn create_repository(&self, name: &str) {
        self.aws.create_repository("eu-west-1", name, "MUTABLE");
    }

    /// The host and port of ECR's API.
    pub(crate) fn api(&self) -> String {
        self.aws.url().trim_start_matches("http://").to_owned()
    }

    /// The host and port of ECR's registry.
    pub(crate) fn registry(&self) -> String {
        self.sandbox.registry()
    }

    /// The upstream registry's host and port.
    pub(crate) fn upstream(&self) -> String {
        self.sandbox.upstream().unwrap()
    }

    pub(crate) fn inject(&self, fault: Fault) {
        self.sandbox.inject(fault);
    }

    /// Ends every fault.
    pub(crate) fn mend(&self) {
        self.sandbox.mend();
    }

    /// Makes every login to ECR's registry an expired one.
    pub(crate) fn expire_tokens(&self) {
        self.sandbox.expire_tokens();
    }

    /// The AWS API.
    pub(crate) fn aws(&self) -> &Aws {
        &self.aws
    }

    /// Makes every cached tag due for a look at its upstream.
    pub(crate) fn age_cache(&self) {
        self.sandbox.age_cache().unwrap();
    }

    /// Every request until now.
    pub(crate) fn log(&self) -> Vec<Request> {
        self.sandbox.requests()
    }

    /// Every request since the last call.
    pub(crate) fn take_log(&self) -> Vec<Request> {
        self.sandbox.take_requests()
    }

    /// The requests since the last call, sorted, without those that are about who asks. Digests of
    /// blobs and numbers of uploads are left out.
    pub(crate) fn requests(&self) -> Vec<String> {
        requests::lines(&self.sandbox.take_requests())
    }

    /// Writes the file: where Docker Hub is, and what follows.
    pub(crate) fn write(&self, rest: &str) {
        let upstream = self.upstream();
        let text = format!(
            "version: 1\n\
             upstreams: {{docker.io: {{endpoint: 'http://{upstream}'}}}}\n\
             {rest}"
        );
        self.write_whole(&text);
    }

    /// Writes the file.
    pub(crate) fn write_whole(&self, text: &str) {
        fs::write(self.folder.path().join("longshore.yaml"), text).unwrap();
    }

    /// A path in the folder that longshore is called in.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A call of longshore.
    pub(crate) fn longshore(&self, arguments: &[&str]) -> Longshore {
        self.call(Path::new(Longshore::BINARY), arguments)
    }

    /// A call of another program that calls longshore.
    pub(crate) fn call(&self, program: &Path, arguments: &[&str]) -> Longshore {
        let longshore = Longshore::program(program, self.folder.path(), arguments)
            .env("DOCKER_HOST", "unix:///nowhere/docker.sock");
        let environment = self.sandbox.environment();
        let set = |longshore: Longshore, (name, value): (&str, String)| {
            longshore.env(name, Path::new(&value))
        };
        environment.into_iter().fold(longshore, set)
    }

    /// A call of longshore that finds the Docker daemon.
    pub(crate) fn longshore_with_docker(&self, arguments: &[&str]) -> Longshore {
        self.call_with_docker(Path::new(Longshore::BINARY), arguments)
    }

    /// A call of another program that finds the Docker daemon.
    pub(crate) fn call_with_docker(&self, program: &Path, arguments: &[&str]) -> Longshore {
        self.call(program, arguments)
            .env("DOCKER_HOST", docker::host())
    }

    /// A text without what differs from run to run: the ports.
    pub(crate) fn without_ports(&self, text: &str) -> String {
        text.replace(&self.registry(), "REGISTRY")
            .replace(&self.upstream(), "UPSTREAM")
    }

    /// Applies the file and checks what became of each image.
    #[track_caller]
    pub(crate) fn applies(&self, statuses: &[&str]) -> Run {
        self.longshore(&Longshore::APPLY).becomes(statuses)
    }
}
