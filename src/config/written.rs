//! The file as it is written: nothing but shapes. What is absent stays absent.

use super::mistakes::{Located, Mistakes, Place};
use super::reader::{Fields, Line, Read, Table, misfit};
use super::tree::{Node, Value};

type Text = Located<String>;

/// A mapping whose keys are all optional.
macro_rules! written {
    ($($(#[$doc:meta])* $name:ident { $($key:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Default)]
        pub(super) struct $name {
            $(pub(super) $key: Option<$type>,)*
        }

        impl Read for $name {
            fn read(node: &Node, place: &Place, mistakes: &mut Mistakes) -> Option<Self> {
                let mut fields = Fields::open(node, place, mistakes)?;
                let value = Self { $($key: fields.read(stringify!($key)),)* };
                fields.close();
                Some(value)
            }
        }
    )*};
}

written! {
    /// `destination`.
    Destination {
        region: Text,
        account_id: Text,
        profile: Text,
        role_arn: Text,
        namespace: Text,
        registry: Text,
    }

    /// `repositories`.
    Repositories {
        create: bool,
        tag_immutability: TagImmutability,
        on_conflict: Text,
        scan_on_push: bool,
        encryption: Encryption,
        lifecycle_policy: Policy,
        policy: Policy,
        tags: Located<Table<Text>>,
    }

    /// `{kms_key_arn: ...}`.
    KmsKey {
        kms_key_arn: Text,
    }

    /// One of `upstreams`.
    Upstream {
        username: Text,
        password: Password,
        profile: Text,
        role_arn: Text,
        endpoint: Text,
        insecure: bool,
    }

    /// `{env: NAME}`, `{file: PATH}`, `{secret: NAME-OR-ARN}` or `{ssm: NAME-OR-ARN}`.
    PasswordSource {
        env: Text,
        file: Text,
        secret: Text,
        ssm: Text,
    }

    /// One of `pull_through_cache`.
    CacheRule {
        registry: Text,
        username: Text,
        access_token: Password,
        credential: Text,
        repository_read_access_arns: Vec<Text>,
        image_tag_mutability: Text,
        image_tag_mutability_exclusions: Located<Vec<Text>>,
        lifecycle_policy: Policy,
        encryption: Encryption,
        custom_role_arn: Text,
        upstream_repository_prefix: Text,
        tags: Located<Table<Text>>,
    }

    /// `registry_scanning`.
    RegistryScanning {
        scan_type: Text,
        scan_on_push: Located<Vec<Text>>,
        continuous_scan: Located<Vec<Text>>,
    }

    /// `tags` as rules.
    TagRules {
        include: Located<Vec<Text>>,
        semver: Text,
        exclude: Located<Vec<Text>>,
        newest: Text,
    }

    /// `defaults`: what an image may set.
    Options {
        platforms: Platforms,
        attestations: Text,
        referrers: bool,
        lines: Vec<Located<Line>>,
        builder: Text,
        build: Build,
        publish: Text,
        compression: Text,
    }

    /// `build`.
    Build {
        args: Table<Text>,
        template: Text,
        context: Text,
        target: Text,
        network: Text,
        labels: Table<Text>,
    }
}

/// The whole file.
#[derive(Debug)]
pub(super) struct File {
    pub(super) version: Option<Text>,
    pub(super) destination: Destination,
    pub(super) repositories: Repositories,
    pub(super) upstreams: Table<Upstream>,
    pub(super) defaults: Options,
    /// What is no image keeps its place.
    pub(super) images: Vec<Option<Image>>,
    pub(super) pull_through_cache: Option<Table<Located<CacheRule>>>,
    pub(super) registry_scanning: Option<Located<RegistryScanning>>,
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
}

/// One of `images`: a text or a mapping.
#[derive(Debug)]
pub(super) struct Image {
    pub(super) place: Place,
    /// Absent also where nobody can tell what of it is wanted.
    pub(super) source: Option<Text>,
    pub(super) tags: Option<Tags>,
    pub(super) repository: Option<Text>,
    pub(super) options: Options,
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
                    options: Options {
                        platforms: fields.read("platforms"),
                        attestations: fields.read("attestations"),
                        referrers: fields.read("referrers"),
                        lines: fields.read("lines"),
                        builder: fields.read("builder"),
                        build: fields.read("build"),
                        publish: fields.read("publish"),
                        compression: fields.read("compression"),
                    },
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
}

/// `tags`: a list of tags and patterns, or rules.
#[derive(Debug)]
pub(super) enum Tags {
    List(Vec<Text>),
    Rules(Box<Located<TagRules>>),
}

impl Read for Tags {
    fn read(node: &Node, place: &Place, mistakes: &mut Mistakes) -> Option<Self> {
        match &node.value {
            Value::Map(entries) if entries.iter().all(|entry| entry.value.is_null()) => {
                let hint = "write `[\"**\"]` for all tags".to_owned();
                mistakes.add(place, "the mapping is empty", hint);
                None
            }
            Value::Map(_) => {
                let rules = Located::read(node, place, mistakes)?;
                Some(Self::Rules(Box::new(rules)))
            }
            _ => Vec::read(node, place, mistakes).map(Self::List),
        }
    }
}

/// `platforms`: a list, or one word.
#[derive(Debug)]
pub(super) enum Platforms {
    Word(Text),
    List(Vec<Text>),
}

impl Read for Platforms {
    fn read(node: &Node, place: &Place, mistakes: &mut Mistakes) -> Option<Self> {
        match &node.value {
            Value::Text { .. } => Text::read(node, place, mistakes).map(Self::Word),
            Value::List(items) if items.is_empty() => {
                let hint = "leave the key out, or write `all`".to_owned();
                mistakes.add(place, "the list is empty", hint);
                None
            }
            _ => Vec::read(node, place, mistakes).map(Self::List),
        }
    }
}

/// `tag_immutability`: a boolean, or the patterns of tags to exempt.
#[derive(Debug)]
pub(super) enum TagImmutability {
    Flag(bool),
    Except(Located<Vec<Text>>),
}

impl Read for TagImmutability {
    fn read(node: &Node, place: &Place, mistakes: &mut Mistakes) -> Option<Self> {
        match &node.value {
            Value::List(_) => Located::read(node, place, mistakes).map(Self::Except),
            _ => bool::read(node, place, mistakes).map(Self::Flag),
        }
    }
}

/// `encryption`: a word, or a key.
#[derive(Debug)]
pub(super) enum Encryption {
    Word(Text),
    Key(Located<KmsKey>),
}

impl Read for Encryption {
    fn read(node: &Node, place: &Place, mistakes: &mut Mistakes) -> Option<Self> {
        match &node.value {
            Value::Text { .. } => Text::read(node, place, mistakes).map(Self::Word),
            _ => Located::read(node, place, mistakes).map(Self::Key),
        }
    }
}

/// A policy: inline, as JSON text, or in a file.
#[derive(Debug)]
pub(super) enum Policy {
    Inline(Located<Node>),
    Json(Text),
    File(Text),
}

impl Read for Policy {
    fn read(node: &Node, place: &Place, mistakes: &mut Mistakes) -> Option<Self> {
        match &node.value {
            Value::Text { .. } => Text::read(node, place, mistakes).map(Self::Json),
            Value::Map(entries) => match &entries[..] {
                [entry] if entry.key == "file" => {
                    let place = place.key("file", entry.value.position);
                    Text::read(&entry.value, &place, mistakes).map(Self::File)
                }
                _ => Some(Self::Inline(Located {
                    value: node.clone(),
                    place: place.clone(),
                })),
            },
            Value::List(_) => {
                let message = misfit("a mapping, `{file: PATH}` or a JSON text", node);
                mistakes.add(place, message, None);
                None
            }
        }
    }
}

/// `password`: where it is, never the password itself.
#[derive(Debug)]
pub(super) enum Password {
    Source(Box<Located<PasswordSource>>),
    /// It cannot be used, and why is among the mistakes.
    Unusable,
}

impl Read for Password {
    fn read(node: &Node, place: &Place, mistakes: &mut Mistakes) -> Option<Self> {
        // What was found must not be repeated: it may be a password.
        if let Value::Map(_) = &node.value {
            let source = Located::read(node, place, mistakes);
            Some(source.map_or(Self::Unusable, |source| Self::Source(Box::new(source))))
        } else {
            let hint = "write `{env: NAME}`, `{file: PATH}`, `{secret: NAME}` or `{ssm: /PATH}`";
            let message = "a password does not belong in the file";
            mistakes.add(place, message, hint.to_owned());
            Some(Self::Unusable)
        }
    }
}
