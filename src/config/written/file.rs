//! The whole file, and one of its images.

use serde_json::json;

use super::{
    CacheRule, Destination, Options, RegistryScanning, Repositories, Tags, Text, Upstream,
};
use crate::config::mistakes::{Located, Mistakes, Place};
use crate::config::reader::{Fields, Read, Table, misfit};
use crate::config::schema::Schema;
use crate::config::tree::{Node, Value};

/// The whole file.
#[derive(Debug)]
pub(in crate::config) struct File {
    pub(in crate::config) version: Option<Text>,
    pub(in crate::config) destination: Destination,
    pub(in crate::config) repositories: Repositories,
    pub(in crate::config) upstreams: Table<Upstream>,
    pub(in crate::config) defaults: Options,
    /// What is no image keeps its place.
    pub(in crate::config) images: Vec<Option<Image>>,
    pub(in crate::config) pull_through_cache: Option<Table<Located<CacheRule>>>,
    pub(in crate::config) registry_scanning: Option<Located<RegistryScanning>>,
}

impl Read for File {
    fn read(node: &Node, place: &Place, mistakes: &mut Mistakes) -> Option<Self> {
        let mut fields = Fields::open(node, place, mistakes)?;
        let caches = fields.has("pull_through_cache") || fields.has("registry_scanning");
        let file = Self {
            version: fields.required("version", "write `version: 1`"),
            destination: fields.read("destination").unwrap_or_default(),
            repositories: fields.read("repositories").unwrap_or_default(),
            upstreams: fields.read("upstreams").unwrap_or_default(),
            defaults: fields.read("defaults").unwrap_or_default(),
            images: if caches {
                fields.read("images")
            } else {
                fields.required("images", "write `images: [mongo]`")
            }
            .unwrap_or_default(),
            pull_through_cache: fields.read("pull_through_cache"),
            registry_scanning: fields.read("registry_scanning"),
        };
        fields.close();
        Some(file)
    }

    fn schema() -> Schema {
        let one = Schema::of([("enum", json!([1, "1"]))]);
        let rule = Schema::mapping(CacheRule::properties(), &["registry"]);
        let properties = [
            ("version", one, "The version of this format."),
            (
                "destination",
                Destination::schema(),
                "The ECR registry that images go to.",
            ),
            (
                "repositories",
                Repositories::schema(),
                "How a missing repository is created. One that exists keeps its settings.",
            ),
            (
                "upstreams",
                Schema::table(Upstream::schema()),
                "Who longshore is at a source registry and where that really is, by the registry's name.",
            ),
            (
                "defaults",
                Options::schema(),
                "What images have that do not say it themselves.",
            ),
            (
                "images",
                Schema::filled_list(Image::schema()),
                "What goes where.",
            ),
            (
                "pull_through_cache",
                Schema::table(rule),
                "What ECR caches by itself, by the prefix of the repositories in ECR.",
            ),
            (
                "registry_scanning",
                RegistryScanning::schema(),
                "Which repositories ECR scans, for the whole registry.",
            ),
        ];
        let properties = properties.map(|(key, schema, text)| (key, schema.described(text)));
        let one_of_these = ["images", "pull_through_cache", "registry_scanning"];
        Schema::mapping(properties.into(), &["version"]).with(
            "anyOf",
            json!(one_of_these.map(|key| json!({"required": [key]}))),
        )
    }
}

/// One of `images`: a text or a mapping.
#[derive(Debug)]
pub(in crate::config) struct Image {
    pub(in crate::config) place: Place,
    /// Absent also where nobody can tell what of it is wanted.
    pub(in crate::config) source: Option<Text>,
    pub(in crate::config) tags: Option<Tags>,
    pub(in crate::config) repository: Option<Text>,
    pub(in crate::config) options: Options,
}

impl Read for Image {
    fn read(node: &Node, place: &Place, mistakes: &mut Mistakes) -> Option<Self> {
        match &node.value {
            Value::Text { .. } if !node.is_null() => Some(Self {
                place: place.clone(),
                source: Text::read(node, place, mistakes),
                tags: None,
                repository: None,
                options: Options::default(),
            }),
            Value::Map(_) => {
                let mut fields = Fields::open(node, place, mistakes)?;
                let source = fields.required("source", "write `source: mongo`");
                let tags = fields.filled(
                    "tags",
                    "leave the key out for `latest`, or write `[\"**\"]`",
                );
                let repository = fields.read("repository");
                let misread = (fields.has("tags") && tags.is_none())
                    || (fields.has("repository") && repository.is_none());
                let image = Self {
                    place: place.clone(),
                    source: source.filter(|_| !misread),
                    tags,
                    repository,
                    options: Options::take(&mut fields),
                };
                fields.close();
                Some(image)
            }
            _ => {
                let message = misfit("an image such as `mongo:latest` or a mapping", node);
                mistakes.add(place, message, None);
                None
            }
        }
    }

    fn schema() -> Schema {
        let own = [
            (
                "source",
                Schema::text(),
                "The image as `docker pull` takes it, or oci:DIR[:TAG] in an OCI layout.",
            ),
            (
                "tags",
                Tags::schema(),
                "A list of tags and patterns, or rules. Default: the source's tag, else latest.",
            ),
            (
                "repository",
                Schema::text(),
                "The destination's name below the namespace; NAME:TAG renames the one tag. Default: the source's name as Docker users write it.",
            ),
        ];
        let own = own.map(|(key, schema, text)| (key, schema.described(text)));
        let properties = own.into_iter().chain(Options::properties()).collect();
        Schema::any_of([Schema::text(), Schema::mapping(properties, &["source"])])
    }
}
