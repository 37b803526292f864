//! The AWS API: moto, which knows nothing of what a registry holds, or longshore's own sandbox,
//! whose registry is a part of it.

use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use longshore::image::media_type;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::http;
use super::longshore::Longshore;
use super::process::{Process, between};
use super::python::python;
use super::service;

pub(crate) struct Aws {
    url: String,
    _own: Option<(Process, TempDir)>,
}

impl Aws {
    /// The server that all tests share.
    pub(crate) fn shared() -> Self {
        Self {
            url: service("LONGSHORE_TEST_MOTO_URL"),
            _own: None,
        }
    }

    /// A server that runs already.
    pub(crate) fn at(url: String) -> Self {
        Self { url, _own: None }
    }

    /// A server that knows no access key at all.
    pub(crate) fn refusing() -> Self {
        let mut command = Command::new(service("LONGSHORE_TEST_MOTO_SERVER"));
        command.env("INITIAL_NO_AUTH_ACTION_COUNT", "0");
        Self::started(command)
    }

    /// A server that knows enough of CodeBuild for Terraform.
    pub(crate) fn with_codebuild() -> Self {
        Self::taught("moto_server.py")
    }

    /// A server that knows the rules and templates of the pull-through cache.
    pub(crate) fn with_cache() -> Self {
        Self::taught("moto_cache.py")
    }

    fn taught(program: &str) -> Self {
        let harness = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/integration/harness");
        let mut command = Command::new(python());
        command.arg(harness.join(program));
        Self::started(command)
    }

    fn started(mut command: Command) -> Self {
        let folder = tempfile::tempdir().unwrap();
        command.args(["--host", "127.0.0.1", "--port", "0"]);
        let process = Process::start(&mut command, folder.path());
        let url = process.wait_for(|process| {
            let log = process.stderr();
            between(&log, "Running on ", "\n").map(str::to_owned)
        });
        Self {
            url,
            _own: Some((process, folder)),
        }
    }

    /// longshore's stand-in for ECR.
    pub(crate) fn sandbox() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(Longshore::BINARY);
        command.arg("sandbox").env_clear();
        let process = Process::start(&mut command, folder.path());
        let url = process.wait_for(|process| {
            let exports = process.stdout();
            between(&exports, "AWS_ENDPOINT_URL=", "\n").map(str::to_owned)
        });
        Self {
            url,
            _own: Some((process, folder)),
        }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The password of the user `AWS`.
    pub(crate) fn password(&self, region: &str) -> String {
        self.token(region, &json!({}))
    }

    /// The password of the user `AWS` for whoever is in this account.
    pub(crate) fn password_in(&self, account: &str, region: &str) -> String {
        self.token(region, &json!({"registryIds": [account]}))
    }

    fn token(&self, region: &str, of: &Value) -> String {
        let answer = self.call(region, "GetAuthorizationToken", of);
        let token = answer["authorizationData"][0]["authorizationToken"].as_str();
        let decoded = BASE64_STANDARD.decode(token.unwrap()).unwrap();
        let decoded = String::from_utf8(decoded).unwrap();
        decoded.strip_prefix("AWS:").unwrap().to_owned()
    }

    /// The repository, as DescribeRepositories tells it.
    pub(crate) fn repository(&self, region: &str, name: &str) -> Option<Value> {
        let answer = self.call(
            region,
            "DescribeRepositories",
            &json!({"repositoryNames": [name]}),
        );
        answer["repositories"].get(0).cloned()
    }

    pub(crate) fn create_repository(&self, region: &str, name: &str, mutability: &str) {
        let settings = json!({"repositoryName": name, "imageTagMutability": mutability});
        let answer = self.call(region, "CreateRepository", &settings);
        assert_eq!(answer["repository"]["repositoryName"], name, "{answer}");
    }

    /// The tags that ListImages tells, sorted.
    pub(crate) fn tags(&self, region: &str, repository: &str) -> Vec<String> {
        let answer = self.call(region, "ListImages", &json!({"repositoryName": repository}));
        let images = answer["imageIds"].as_array().unwrap();
        let tags = images.iter().filter_map(|image| image["imageTag"].as_str());
        let mut tags: Vec<_> = tags.map(str::to_owned).collect();
        tags.sort();
        tags
    }

    /// The manifest of a tag or digest, as BatchGetImage tells it.
    pub(crate) fn manifest(
        &self,
        region: &str,
        repository: &str,
        reference: &str,
    ) -> Option<String> {
        let is_digest = reference.contains(':');
        let key = if is_digest { "imageDigest" } else { "imageTag" };
        let input = json!({
            "repositoryName": repository,
            "imageIds": [{key: reference}],
            "acceptedMediaTypes": media_type::ACCEPT_MANIFESTS,
        });
        let answer = self.call(region, "BatchGetImage", &input);
        let manifest = answer["images"][0]["imageManifest"].as_str();
        manifest.map(str::to_owned)
    }

    /// Puts a secret into Secrets Manager and returns its ARN.
    pub(crate) fn keep_secret(&self, region: &str, name: &str, value: &str) -> String {
        let secret = json!({
            "Name": name,
            "SecretString": value,
            "ClientRequestToken": "00000000-0000-0000-0000-000000000000",
        });
        let answer = self.call(region, "secretsmanager.CreateSecret", &secret);
        let arn = answer["ARN"].as_str();
        arn.unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// Gives a secret another value.
    pub(crate) fn change_secret(&self, region: &str, name: &str, value: &Value) {
        let secret = json!({
            "SecretId": name,
            "SecretString": value.to_string(),
            "ClientRequestToken": "00000000-0000-0000-0000-000000000001",
        });
        let answer = self.call(region, "secretsmanager.PutSecretValue", &secret);
        assert!(answer["ARN"].is_string(), "{answer}");
    }

    /// The value of a secret, by its name or ARN, which must be JSON.
    pub(crate) fn secret(&self, region: &str, name: &str) -> Value {
        let secret = json!({"SecretId": name});
        let answer = self.call(region, "secretsmanager.GetSecretValue", &secret);
        serde_json::from_str(answer["SecretString"].as_str().unwrap()).unwrap()
    }

    /// An object of S3, which must be a text.
    pub(crate) fn object(&self, region: &str, bucket: &str, key: &str) -> String {
        let request = http::request(Method::GET, &format!("{}/{bucket}/{key}", self.url))
            .header("authorization", authorization(region, "s3"));
        let answer = http::send(request);
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        String::from_utf8(answer.body.to_vec()).unwrap()
    }

    /// Puts an encrypted parameter into SSM.
    pub(crate) fn keep_parameter(&self, region: &str, name: &str, value: &str) {
        let parameter = json!({"Name": name, "Value": value, "Type": "SecureString"});
        let answer = self.call(region, "AmazonSSM.PutParameter", &parameter);
        assert_eq!(answer["Version"], 1, "{answer}");
    }

    /// Calls an operation. ECR's stand without their service.
    pub(crate) fn call(&self, region: &str, operation: &str, body: &Value) -> Value {
        let (service, target) = match operation.split_once('.') {
            None => (
                "ecr",
                format!("AmazonEC2ContainerRegistry_V20150921.{operation}"),
            ),
            Some(("AmazonSSM", _)) => ("ssm", operation.to_owned()),
            Some(("CodeBuild_20161006", _)) => ("codebuild", operation.to_owned()),
            Some((service, _)) => (service, operation.to_owned()),
        };
        let request = http::request(Method::POST, &self.url)
            .header("x-amz-target", target)
            .header("content-type", "application/x-amz-json-1.1")
            .header("authorization", authorization(region, service))
            .body(body.to_string());
        serde_json::from_slice(&http::send(request).body).unwrap()
    }
}

/// moto reads the service and the region from here and checks nothing.
fn authorization(region: &str, service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=harness/20250101/{region}/{service}/aws4_request, \
         SignedHeaders=host, Signature=none"
    )
}
