//! The Docker daemon's own API, where its client shows too little.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::Mutex;

use reqwest::{Client, Method};
use serde_json::Value;

use super::archive::archive;
use super::docker;
use super::http::{self, Response};

/// Which builder.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Builder {
    Classic,
    BuildKit,
}

/// A way to the daemon that `make test` started. Images that it makes go with it.
pub(crate) struct Engine {
    client: Client,
    address: String,
    images: Mutex<Vec<String>>,
}

impl Engine {
    pub(crate) fn new() -> Self {
        let host = docker::host();
        let builder = Client::builder().no_proxy();
        let (builder, address) = match host.strip_prefix("unix://") {
            Some(path) => (builder.unix_socket(path), "http://docker".to_owned()),
            None => (builder, host.replace("tcp://", "http://")),
        };
        Self {
            client: builder.build().unwrap(),
            address,
            images: Mutex::default(),
        }
    }

    /// Loads the archive of an image and takes its name into care.
    pub(crate) fn load(&self, name: &str, archive: Vec<u8>) {
        let answer = self.send(Method::POST, "/images/load", Some(archive));
        assert_eq!(answer.status, 200, "{answer:?}");
        self.own(name);
    }

    /// Takes an image into care.
    pub(crate) fn own(&self, image: &str) {
        self.images.lock().unwrap().push(image.to_owned());
    }

    /// Builds a Dockerfile and returns the image's ID, or what the daemon says against it.
    pub(crate) fn build(
        &self,
        builder: Builder,
        dockerfile: &str,
        platform: &str,
        args: &BTreeMap<String, String>,
    ) -> Result<String, String> {
        let version = match builder {
            Builder::Classic => "1",
            Builder::BuildKit => "2",
        };
        let args = serde_json::to_string(args).unwrap();
        let query = [
            ("version", version),
            ("platform", platform),
            ("buildargs", &args),
        ];
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(query)
            .finish();
        let context = archive(&[("Dockerfile", Some(dockerfile.as_bytes()))]);
        let answer = self.send(Method::POST, &format!("/build?{query}"), Some(context));
        let mut image = Err("no image".to_owned());
        for item in serde_json::Deserializer::from_slice(&answer.body).into_iter::<Value>() {
            let item = item.unwrap();
            if let Some(error) = item["error"].as_str().or(item["message"].as_str()) {
                return Err(error.to_owned());
            }
            if let Some(id) = item["aux"]["ID"].as_str() {
                image = Ok(id.to_owned());
            }
        }
        self.images.lock().unwrap().extend(image.clone());
        image
    }

    /// The configurations of images, by ID.
    pub(crate) fn configurations(&self, images: &[String]) -> BTreeMap<String, Value> {
        let names: Vec<_> = images
            .iter()
            .map(|image| format!("names={image}"))
            .collect();
        let answer = self.send(
            Method::GET,
            &format!("/images/get?{}", names.join("&")),
            None,
        );
        assert_eq!(answer.status, 200, "{answer:?}");
        let mut archive = tar::Archive::new(answer.body.as_ref());
        let mut found = BTreeMap::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let name = entry.path().unwrap().display().to_string();
            let id = name
                .strip_suffix(".json")
                .map(|hex| format!("sha256:{hex}"));
            if let Some(id) = id.filter(|id| images.contains(id)) {
                let mut text = String::new();
                entry.read_to_string(&mut text).unwrap();
                found.insert(id, serde_json::from_str(&text).unwrap());
            }
        }
        found
    }

    fn send(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> Response {
        let mut request = self
            .client
            .request(method, format!("{}{path}", self.address));
        if let Some(body) = body {
            request = request
                .header("content-type", "application/x-tar")
                .body(body);
        }
        http::send(request)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        for image in self.images.lock().unwrap().iter() {
            self.send(Method::DELETE, &format!("/images/{image}?force=1"), None);
        }
    }
}
