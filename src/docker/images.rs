//! The daemon's local images.

use std::time::Duration;

use bollard::errors::Error as Bollard;
use bollard::query_parameters::{RemoveImageOptions, TagImageOptionsBuilder};
use serde_json::Value;

use super::connection::Docker;
use super::error::{Error, Task};
use crate::image::{Digest, Platform};

/// How often, and at which distance, an image is tried to be removed that a container keeps.
const WAITS_FOR_CONTAINER: u32 = 15;
const WAIT_FOR_CONTAINER: Duration = Duration::from_millis(200);

/// What the daemon knows of a local image.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ImageDetails {
    /// The local id: the digest of the configuration, or of the manifest where the daemon keeps
    /// images in containerd.
    pub id: Digest,
    /// The platform that the configuration names.
    pub platform: Platform,
    /// The digests of the uncompressed layers, the base's first.
    pub layers: Vec<Digest>,
    /// The `config` of the configuration as JSON, as far as the daemon tells it: for a look, and not
    /// for a copy.
    pub config: Value,
}

impl Docker {
    /// Describes a local image, given by name or id; `None` where there is none.
    pub async fn inspect(&self, name: &str) -> Result<Option<ImageDetails>, Error> {
        let task = || Task::Inspect(name.to_owned());
        let image = match self.client.inspect_image(name).await {
            Ok(image) => image,
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => return Err(Error::of(task(), error)),
        };
        let lacks = |what| move || Error::Incomplete { task: task(), what };
        let id = image.id.and_then(|id| id.parse().ok());
        let layers = image.root_fs.and_then(|root| root.layers);
        let layers: Result<_, _> = layers.iter().flatten().map(|layer| layer.parse()).collect();
        let platform = image.os.zip(image.architecture);
        let (os, architecture) = platform.ok_or_else(lacks("the platform"))?;
        Ok(Some(ImageDetails {
            id: id.ok_or_else(lacks("the image's id"))?,
            platform: Platform::new(&os, &architecture, image.variant.as_deref()),
            layers: layers.map_err(|_| lacks("the layers' digests")())?,
            config: serde_json::to_value(image.config).unwrap_or_default(),
        }))
    }

    /// Gives a local image another name: `repository` (`host/path`) and `tag`.
    pub async fn tag(&self, source: &str, repository: &str, tag: &str) -> Result<(), Error> {
        let options = TagImageOptionsBuilder::default()
            .repo(repository)
            .tag(tag)
            .build();
        let answer = self.client.tag_image(source, Some(options)).await;
        answer.map_err(|error| Error::of(Task::Tag(format!("{repository}:{tag}")), error))
    }

    /// Takes a name away from a local image. With its last name goes the image, and with it the
    /// untagged images that only it was built from. That there is no such image is no error, nor
    /// that a container keeps it: one of ours, whose build was given up, ends within seconds.
    pub async fn remove(&self, name: &str) -> Result<(), Error> {
        let mut waits = WAITS_FOR_CONTAINER;
        loop {
            let options = None::<RemoveImageOptions>;
            match self.client.remove_image(name, options, None).await {
                Ok(_) => return Ok(()),
                Err(error) if is_missing(&error) => return Ok(()),
                Err(error) if !is_kept_by_container(&error) => {
                    return Err(Error::of(Task::Remove(name.to_owned()), error));
                }
                Err(_) if waits == 0 => return Ok(()),
                Err(_) => waits -= 1,
            }
            tokio::time::sleep(WAIT_FOR_CONTAINER).await;
        }
    }

    /// Removes a local image that has no name, given by its id. One with a name stays.
    pub async fn remove_nameless(&self, id: &str) -> Result<(), Error> {
        let image = match self.client.inspect_image(id).await {
            Ok(image) => image,
            Err(error) if is_missing(&error) => return Ok(()),
            Err(error) => return Err(Error::of(Task::Inspect(id.to_owned()), error)),
        };
        let names = [image.repo_tags, image.repo_digests];
        if names.into_iter().flatten().all(|names| names.is_empty()) {
            self.remove(id).await?;
        }
        Ok(())
    }
}

fn is_kept_by_container(error: &Bollard) -> bool {
    matches!(
        error,
        Bollard::DockerResponseServerError {
            status_code: 409,
            message,
        } if message.contains("container")
    )
}

fn is_missing(error: &Bollard) -> bool {
    matches!(
        error,
        Bollard::DockerResponseServerError {
            status_code: 404,
            ..
        }
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::docker::fake::Fake;

    #[tokio::test]
    async fn an_image_s_details() {
        let id = Digest::of(b"id");
        let layer = Digest::of(b"layer");
        let answer = json!({
            "Id": id, "Os": "linux", "Architecture": "arm64", "Variant": "v8",
            "RootFS": {"Type": "layers", "Layers": [layer]},
            "Config": {"Hostname": "", "Env": ["A=1"], "Cmd": null, "Volumes": {"/v": {}},
                "WorkingDir": "/w"},
        });
        let answer = ("GET /v1.41/images/a:1/json", 200, &*answer.to_string());
        let fake = Fake::start("1.41", &[answer]).await;
        let docker = fake.connect(&[]).await;
        let details = ImageDetails {
            id,
            platform: "linux/arm64".parse().unwrap(),
            layers: vec![layer],
            config: json!({"Env": ["A=1"], "Volumes": {"/v": {}}, "WorkingDir": "/w"}),
        };
        assert_eq!(docker.inspect("a:1").await.unwrap(), Some(details));
        assert_eq!(docker.inspect("a:2").await.unwrap(), None);
        let error = docker.tag("a:2", "h:5000/r", "1").await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "Docker could not tag `h:5000/r:1`: no such image"
        );
        assert_eq!(
            fake.lines().last().unwrap(),
            "POST /v1.41/images/a:2/tag?repo=h%3A5000%2Fr&tag=1"
        );
    }
}
