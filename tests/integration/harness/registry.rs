//! Debian's `docker-registry`, one per test, on a free port of its own.

use std::cell::Cell;
use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use reqwest::Method;
use serde_json::Value;
use tempfile::TempDir;

use super::http::{self, AGENT, Response};
use super::image::{self, Image, Index};
use super::process::{Process, between};

const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, \
     application/vnd.oci.image.manifest.v1+json, \
     application/vnd.docker.distribution.manifest.list.v2+json, \
     application/vnd.docker.distribution.manifest.v2+json";

pub(crate) struct Registry {
    process: Process,
    host: String,
    login: Option<(String, String)>,
    lines_read: Cell<usize>,
    _folder: TempDir,
}

/// One line of the access log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) status: u16,
}

impl Request {
    /// The user agent and the request of a line in Apache's combined format.
    fn parse(line: &str) -> Option<(String, Self)> {
        let quoted: Vec<_> = line.split('"').collect();
        let [_, request, numbers, _, _, agent, ..] = quoted.as_slice() else {
            return None;
        };
        let mut words = request.split(' ');
        let request = Self {
            method: words.next()?.to_owned(),
            path: words.next()?.to_owned(),
            status: numbers.split_whitespace().next()?.parse().ok()?,
        };
        Some(((*agent).to_owned(), request))
    }

    pub(crate) fn is_write(&self) -> bool {
        !matches!(self.method.as_str(), "GET" | "HEAD")
    }

    /// Whether this is more than a question: a HEAD, or the ping that asks who may come in.
    pub(crate) fn transfers(&self) -> bool {
        self.method != "HEAD" && self.path != "/v2/"
    }
}

impl Registry {
    /// A registry open to everybody.
    pub(crate) fn open() -> Self {
        Self::start(None)
    }

    /// A registry that wants a name and a password.
    pub(crate) fn private(username: &str, password: &str) -> Self {
        Self::start(Some((username.to_owned(), password.to_owned())))
    }

    fn start(login: Option<(String, String)>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let auth = login
            .as_ref()
            .map_or(String::new(), |(username, password)| {
                fs::write(at("htpasswd"), htpasswd(username, password)).unwrap();
                format!(
                    "auth: {{htpasswd: {{realm: harness, path: {}}}}}\n",
                    at("htpasswd")
                )
            });
        let config = format!(
            "version: 0.1\n\
             log: {{level: info}}\n\
             storage: {{filesystem: {{rootdirectory: {}}}, delete: {{enabled: true}}}}\n\
             http: {{addr: '127.0.0.1:0', secret: harness}}\n\
             {auth}",
            at("storage")
        );
        fs::write(at("config.yml"), config).unwrap();
        let mut command = Command::new("docker-registry");
        command.args(["serve", &at("config.yml")]).env_clear();
        let process = Process::start(&mut command, folder.path());
        let host = process.wait_for(|process| {
            let log = process.stderr();
            between(&log, "listening on ", "\"").map(str::to_owned)
        });
        Self {
            process,
            host,
            login,
            lines_read: Cell::new(0),
            _folder: folder,
        }
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The requests of everybody but the harness since the last call.
    pub(crate) fn requests(&self) -> Vec<Request> {
        // A line is written after its answer was sent: one more request is waited for, so that
        // those before it are in the log.
        let mark = format!("/v2/?mark={}", self.lines_read.get());
        self.send(Method::GET, &mark, None);
        let log = self.process.wait_for(|process| {
            let log = process.stdout();
            log.contains(&mark).then_some(log)
        });
        let lines: Vec<_> = log.lines().collect();
        let new = &lines[self.lines_read.replace(lines.len())..];
        new.iter()
            .filter_map(|line| Request::parse(line))
            .filter(|(agent, _)| agent != AGENT)
            .map(|(_, request)| request)
            .collect()
    }

    pub(crate) fn push(&self, repository: &str, tag: &str, image: &Image) {
        self.push_blobs(repository, image);
        self.put_manifest(repository, tag, &image.manifest);
    }

    pub(crate) fn push_index(&self, repository: &str, tag: &str, index: &Index) {
        for image in &index.images {
            self.push(repository, &image.digest(), image);
        }
        self.put_manifest(repository, tag, &index.manifest);
    }

    fn push_blobs(&self, repository: &str, image: &Image) {
        for blob in &image.blobs {
            let path = format!("/v2/{repository}/blobs/uploads/");
            let upload = self.send(Method::POST, &path, None);
            let location = upload.header("location").expect("an upload's address");
            let (_, path) = location
                .split_once(&self.host)
                .expect("an absolute address");
            let path = format!("{path}&digest={}", image::digest(blob));
            let body = ("application/octet-stream", blob.as_slice());
            assert_eq!(self.send(Method::PUT, &path, Some(body)).status, 201);
        }
    }

    fn put_manifest(&self, repository: &str, reference: &str, manifest: &[u8]) {
        let path = format!("/v2/{repository}/manifests/{reference}");
        let media_type = image::media_type(manifest);
        let answer = self.send(Method::PUT, &path, Some((&media_type, manifest)));
        assert_eq!(answer.status, 201, "{:?}", answer.body);
    }

    /// The digest of a tag, where it is there.
    pub(crate) fn digest(&self, repository: &str, tag: &str) -> Option<String> {
        self.get_manifest(repository, tag)
            .map(|bytes| image::digest(&bytes))
    }

    /// The manifest or index of a tag or digest, as JSON.
    pub(crate) fn manifest(&self, repository: &str, reference: &str) -> Value {
        let bytes = self
            .get_manifest(repository, reference)
            .unwrap_or_else(|| panic!("{repository}:{reference} is not there"));
        serde_json::from_slice(&bytes).unwrap()
    }

    /// The image configuration of a tag or digest.
    pub(crate) fn config(&self, repository: &str, reference: &str) -> Value {
        let manifest = self.manifest(repository, reference);
        let digest = manifest["config"]["digest"].as_str().expect("an image");
        let answer = self.send(
            Method::GET,
            &format!("/v2/{repository}/blobs/{digest}"),
            None,
        );
        serde_json::from_slice(&answer.body).unwrap()
    }

    /// The tags of a repository; none where it is not there.
    pub(crate) fn tags(&self, repository: &str) -> Vec<String> {
        let answer = self.send(Method::GET, &format!("/v2/{repository}/tags/list"), None);
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        let mut tags: Vec<String> =
            serde_json::from_value(body["tags"].clone()).unwrap_or_default();
        tags.sort();
        tags
    }

    fn get_manifest(&self, repository: &str, reference: &str) -> Option<Vec<u8>> {
        let path = format!("/v2/{repository}/manifests/{reference}");
        let answer = self.send(Method::GET, &path, None);
        match answer.status {
            200 => Some(answer.body.to_vec()),
            404 => None,
            other => panic!("{path}: {other}"),
        }
    }

    fn send(&self, method: Method, path: &str, body: Option<(&str, &[u8])>) -> Response {
        let mut request = http::request(method, &format!("http://{}{path}", self.host))
            .header("accept", MANIFESTS);
        if let Some((username, password)) = &self.login {
            request = request.basic_auth(username, Some(password));
        }
        if let Some((media_type, body)) = body {
            request = request
                .header("content-type", media_type)
                .body(body.to_vec());
        }
        http::send(request)
    }
}

/// A line of Apache's file. The password goes through a pipe: one test looks for passwords in the
/// arguments of every process.
fn htpasswd(username: &str, password: &str) -> String {
    let mut child = Command::new("htpasswd")
        .args(["-niB", "-C", "4", username])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("`htpasswd` is installed by `make test`");
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(password.as_bytes()).unwrap();
    drop(stdin);
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
}

#[test]
fn the_access_log_tells_who_asked_for_what() {
    let registry = Registry::private("AWS", "p>?~s");
    let image = Image::new("registry", "1");
    registry.push("team/app", "1", &image);
    assert_eq!(registry.digest("team/app", "1"), Some(image.digest()));
    assert_eq!(registry.digest("team/app", "2"), None);
    assert_eq!(registry.tags("team/app"), ["1"]);
    assert_eq!(registry.config("team/app", "1")["os"], "linux");
    assert_eq!(registry.requests(), []);

    let url = format!("http://{}/v2/team/app/manifests/1", registry.host());
    let ask = || http::request(Method::HEAD, &url).header("user-agent", "docker");
    assert_eq!(http::send(ask()).status, 401);
    let request = Request {
        method: "HEAD".to_owned(),
        path: "/v2/team/app/manifests/1".to_owned(),
        status: 401,
    };
    assert_eq!(registry.requests(), [request]);
    assert_eq!(registry.requests(), []);
}
