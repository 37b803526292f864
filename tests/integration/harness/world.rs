//! Everything around one run: an upstream, a destination, the AWS API, a daemon and a folder.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::aws::Aws;
use super::docker;
use super::image::{Image, Index};
use super::longshore::{Longshore, Run};
use super::pulled::Pulled;
use super::registry::Registry;

pub(crate) struct World {
    /// The test's name, which is also the namespace of its repositories.
    pub(crate) name: String,
    pub(crate) region: &'static str,
    pub(crate) upstream: Registry,
    pub(crate) destination: Registry,
    pub(crate) aws: Aws,
    folder: TempDir,
}

impl World {
    /// A world whose Docker Hub is open to everybody. The name must be the test's alone.
    pub(crate) fn new(name: &str) -> Self {
        Self::with_upstream(name, Registry::open())
    }

    pub(crate) fn with_upstream(name: &str, upstream: Registry) -> Self {
        Self::with(name, upstream, Aws::shared())
    }

    pub(crate) fn with(name: &str, upstream: Registry, aws: Aws) -> Self {
        let region = "eu-west-1";
        Self {
            name: name.to_owned(),
            region,
            upstream,
            destination: Registry::private("AWS", &aws.password(region)),
            aws,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Puts an image on this Docker Hub, and returns its digest.
    pub(crate) fn offer(&self, repository: &str, tag: &str, version: &str) -> String {
        let image = Image::new(&self.name, version);
        self.upstream.push(repository, tag, &image);
        image.digest()
    }

    /// Puts images for amd64 and arm64 on this Docker Hub, under one tag.
    pub(crate) fn offer_index(&self, repository: &str, tag: &str) -> Index {
        let image = |architecture| Image::of(&self.name, "1", architecture);
        let index = Index::new(vec![image("amd64"), image("arm64")]);
        self.upstream.push_index(repository, tag, &index);
        index
    }

    /// Pulls what a repository of the destination holds, as Docker does it.
    pub(crate) fn pull(&self, name: &str) -> Pulled {
        let name = format!("{}/{name}", self.destination.host());
        Pulled::new(&name, "AWS", &self.aws.password(self.region))
    }

    /// Writes `longshore.yaml`: this world's destination and upstream, and what follows.
    pub(crate) fn write(&self, rest: &str) {
        self.write_with_login("", rest);
    }

    /// The same, with what is needed to be let in upstream.
    pub(crate) fn write_with_login(&self, login: &str, rest: &str) {
        self.write_whole(&format!(
            "version: 1\n\
             destination: {{namespace: {}, registry: 'http://{}'}}\n\
             upstreams: {{docker.io: {{endpoint: 'http://{}', {login}}}}}\n\
             {rest}",
            self.name,
            self.destination.host(),
            self.upstream.host()
        ));
    }

    pub(crate) fn write_whole(&self, text: &str) {
        fs::write(self.folder().join("longshore.yaml"), text).unwrap();
    }

    /// A call of longshore in this world.
    pub(crate) fn longshore(&self, arguments: &[&str]) -> Longshore {
        self.call(Path::new(Longshore::BINARY), arguments)
    }

    /// Applies the file and checks what became of each image.
    #[track_caller]
    pub(crate) fn applies(&self, statuses: &[&str]) -> Run {
        self.longshore(&Longshore::APPLY).becomes(statuses)
    }

    /// A call of another program in this world.
    pub(crate) fn call(&self, program: &Path, arguments: &[&str]) -> Longshore {
        Longshore::program(program, self.folder(), arguments)
            .env("DOCKER_HOST", docker::host())
            .env("AWS_ENDPOINT_URL", self.aws.url())
            .env("AWS_REGION", self.region)
            .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
            .env(
                "AWS_SECRET_ACCESS_KEY",
                "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            )
    }
}
