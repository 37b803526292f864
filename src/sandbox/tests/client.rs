//! A plain HTTP client, as naive as a test needs it.

use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

use crate::image::{Digest, media_type};
use crate::sandbox::{Options, Sandbox};

pub(super) struct Client {
    pub(super) sandbox: Sandbox,
    pub(super) http: reqwest::Client,
    token: String,
}

/// A status, a code and a message: all of a refusal.
pub(super) type Refused = (u16, String, String);

impl Client {
    /// A sandbox with a repository `app`, and a login for it.
    pub(super) async fn start(options: Options) -> Self {
        let mut client = Self::of(Sandbox::start(options).await.unwrap());
        client.login().await;
        client
            .call("CreateRepository", json!({"repositoryName": "app"}))
            .await;
        client.sandbox.take_requests();
        client
    }

    /// A client of a sandbox, without a login.
    pub(super) fn of(sandbox: Sandbox) -> Self {
        // Several tests may be the first to need a provider; all install the same.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self {
            sandbox,
            http,
            token: String::new(),
        }
    }

    pub(super) async fn login(&mut self) {
        let answer = self.call("GetAuthorizationToken", json!({})).await;
        let data = &answer["authorizationData"][0];
        data["authorizationToken"]
            .as_str()
            .unwrap()
            .clone_into(&mut self.token);
    }

    /// Calls the API and expects an answer.
    pub(super) async fn call(&self, operation: &str, input: Value) -> Value {
        let (status, answer) = self.try_call(operation, input).await;
        assert_eq!(status, 200, "{operation}: {answer}");
        answer
    }

    /// Calls the API. ECR's operations stand without their service.
    pub(super) async fn try_call(&self, operation: &str, input: Value) -> (u16, Value) {
        let target = if operation.contains('.') {
            operation.to_owned()
        } else {
            format!("AmazonEC2ContainerRegistry_V20150921.{operation}")
        };
        let request = self.http.post(self.sandbox.api_url());
        let request = request.header("x-amz-target", target).json(&input);
        let response = request.send().await.unwrap();
        assert!(response.headers().contains_key("x-amzn-requestid"));
        let status = response.status().as_u16();
        (status, response.json().await.unwrap())
    }

    /// Calls the API and expects an exception: its name and its message.
    pub(super) async fn refusal(&self, operation: &str, input: Value) -> String {
        let (status, error) = self.try_call(operation, input).await;
        assert_eq!(status, 400, "{operation}: {error}");
        let text = |name: &str| error[name].as_str().unwrap().to_owned();
        format!("{operation}: {}: {}", text("__type"), text("message"))
    }

    /// A request to the registry with the login.
    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("http://{}{path}", self.sandbox.registry());
        let login = format!("Basic {}", self.token);
        self.http
            .request(method, url)
            .header("authorization", login)
    }

    pub(super) async fn get(&self, path: &str) -> Response {
        let request = self.request(Method::GET, path);
        let accepted = media_type::ACCEPT_MANIFESTS.join(", ");
        request.header("accept", accepted).send().await.unwrap()
    }

    /// Begins an upload and returns its path.
    pub(super) async fn begin(&self, repository: &str) -> String {
        let path = format!("/v2/{repository}/blobs/uploads/");
        let response = self.request(Method::POST, &path).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::ACCEPTED);
        header(&response, "location").unwrap()
    }

    /// Pushes a blob in the two requests that suffice.
    pub(super) async fn push_blob(&self, repository: &str, bytes: &[u8]) -> Digest {
        let digest = Digest::of(bytes);
        let path = format!("{}?digest={digest}", self.begin(repository).await);
        let put = self.request(Method::PUT, &path).body(bytes.to_vec());
        let response = put.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::CREATED);
        digest
    }

    pub(super) async fn put_manifest(
        &self,
        path: &str,
        media_type: &str,
        body: &str,
    ) -> Result<(), Refused> {
        let put = self.request(Method::PUT, path).body(body.to_owned());
        let response = put.header("content-type", media_type).send().await.unwrap();
        if response.status() == StatusCode::CREATED {
            assert_eq!(header(&response, "location"), None);
            return Ok(());
        }
        Err(refused(response).await)
    }

    /// Pushes a single image of one layer and returns its manifest.
    pub(super) async fn push_image(&self, repository: &str, tag: &str, layer: &str) -> String {
        let manifest = image(
            &self.push_blob(repository, b"{}").await,
            &self.push_blob(repository, layer.as_bytes()).await,
            layer.len(),
        );
        let path = format!("/v2/{repository}/manifests/{tag}");
        let pushed = self.put_manifest(&path, media_type::OCI_MANIFEST, &manifest);
        pushed.await.unwrap();
        manifest
    }

    /// The log since the last call, without what differs from run to run.
    pub(super) fn log(&self) -> String {
        let requests = self.sandbox.take_requests();
        let lines: Vec<String> = requests.iter().map(ToString::to_string).collect();
        lines.join("\n")
    }
}

pub(super) fn image(config: &Digest, layer: &Digest, size: usize) -> String {
    json!({
        "schemaVersion": 2,
        "mediaType": media_type::OCI_MANIFEST,
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": config,
            "size": 2,
        },
        "layers": [{
            "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
            "digest": layer,
            "size": size,
        }],
    })
    .to_string()
}

pub(super) fn index(children: &[&str]) -> String {
    let children: Vec<Value> = children
        .iter()
        .map(|child| {
            json!({
                "mediaType": media_type::OCI_MANIFEST,
                "digest": Digest::of(child.as_bytes()),
                "size": child.len(),
            })
        })
        .collect();
    json!({"schemaVersion": 2, "mediaType": media_type::OCI_INDEX, "manifests": children})
        .to_string()
}

pub(super) fn header(response: &Response, name: &str) -> Option<String> {
    let value = response.headers().get(name)?;
    Some(value.to_str().unwrap().to_owned())
}

pub(super) async fn refused(response: Response) -> Refused {
    let status = response.status().as_u16();
    let body: Value = response.json().await.unwrap();
    let text = |name: &str| body["errors"][0][name].as_str().unwrap().to_owned();
    (status, text("code"), text("message"))
}
