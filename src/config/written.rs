//! The file as it is written: nothing but shapes. What is absent stays absent.

use serde_json::json;

use super::mistakes::{Located, Mistakes, Place};
use super::reader::{Fields, Line, Read, Table, misfit};
use super::schema::{Properties, Schema};
use super::tree::{Node, Value};

type Text = Located<String>;

/// Mappings whose keys are all optional. What stands above a key is told to whoever writes it; after
/// `=` stand the only words that it takes.
macro_rules! written {
    ($($(#[$doc:meta])* $name:ident {
        $($(#[doc = $key_doc:literal])* $key:ident: $type:ty $(= $($word:literal)|+)?,)*
    })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Default)]
        pub(super) struct $name {
            $(pub(super) $key: Option<$type>,)*
        }

        impl $name {
            /// Asks for each key.
            fn take(fields: &mut Fields<'_>) -> Self {
                Self { $($key: fields.read(stringify!($key)),)* }
            }

            fn properties() -> Properties {
                vec![$((
                    stringify!($key),
                    written!(@schema $type $(= $($word)|+)?).described(concat!($($key_doc),*)),
                ),)*]
            }
        }

        impl Read for $name {
            fn read(node: &Node, place: &Place, mistakes: &mut Mistakes) -> Option<Self> {
                let mut fields = Fields::open(node, place, mistakes)?;
                let value = Self::take(&mut fields);
                fields.close();
                Some(value)
            }

            fn schema() -> Schema {
                Schema::mapping(Self::properties(), &[])
            }
        }
    )*};
    (@schema $type:ty) => { <$type>::schema() };
    (@schema $type:ty = $($word:literal)|+) => { Schema::words(&[$($word),+]) };
}

written! {
    /// `destination`.
    Destination {
        /// The AWS region of the registry. Default: the AWS SDK's own chain.
        region: Text,
        /// The AWS account of the registry, twelve digits. Default: the account of the credentials.
        account_id: Text,
        /// A named AWS profile. Default: the AWS SDK's own chain.
        profile: Text,
        /// The ARN of a role that is assumed for everything on the destination side.
        role_arn: Text,
        /// A prefix of every destination repository.
        namespace: Text,
        /// Where the registry really is, for tests and proxies; plain HTTP on loopback only.
        registry: Text,
    }

    /// `repositories`.
    Repositories {
        /// Whether a missing repository is created. `false`: its images are skipped. Default: true.
        create: bool,
        /// Whether tags are immutable, or at most five patterns of tags that stay mutable. Default: false.
        tag_immutability: TagImmutability,
        /// What to do when an immutable tag holds something else. Default: fail.
        on_conflict: Text = "fail" | "keep",
        /// Whether ECR scans each image. Default: true.
        scan_on_push: bool,
        /// How ECR encrypts: AES256, or a KMS key. Default: AES256.
        encryption: Encryption,
        /// ECR's lifecycle policy: inline, as a JSON text, or {file: PATH}.
        lifecycle_policy: Policy,
        /// ECR's repository policy: inline, as a JSON text, or {file: PATH}.
        policy: Policy,
        /// Resource tags.
        tags: Located<Table<Text>>,
    }

    /// `{kms_key_arn: ...}`.
    KmsKey {
        /// The ARN of a KMS key or of its alias.
        kms_key_arn: Text,
    }

    /// One of `upstreams`.
    Upstream {
        /// The user's name. Default: Docker's configuration, then anonymous.
        username: Text,
        /// Where the password is; never the password itself.
        password: Password,
        /// Of an ECR registry: a named AWS profile whose token opens it.
        profile: Text,
        /// Of an ECR registry: the ARN of a role that is assumed to get the token.
        role_arn: Text,
        /// Where the registry is really read, such as a mirror; labels keep the registry's own name.
        endpoint: Text,
        /// Whether plain HTTP may go to a host that is not this machine. Default: false.
        insecure: bool,
        /// What its images are read through: the rule of ECR's pull-through cache for this registry.
        via: Text = "pull_through_cache",
    }

    /// `{env: NAME}`, `{file: PATH}`, `{secret: NAME-OR-ARN}` or `{ssm: NAME-OR-ARN}`.
    PasswordSource {
        /// The name of an environment variable.
        env: Text,
        /// The path of a file.
        file: Text,
        /// The name or ARN of a secret of AWS Secrets Manager.
        secret: Text,
        /// The name or ARN of a parameter of SSM.
        ssm: Text,
    }

    /// One of `pull_through_cache`.
    CacheRule {
        /// The upstream registry, such as registry-1.docker.io, ghcr.io or quay.io.
        registry: Text,
        /// The user's name at the upstream registry.
        username: Text,
        /// Where the access token is; never the token itself.
        access_token: Password,
        /// `manual`: the secret is created for a person to fill in.
        credential: Text = "manual",
        /// Users, roles and accounts that may read the cached repositories.
        repository_read_access_arns: Vec<Text>,
        /// Whether a tag of a cached repository can change. Default: MUTABLE.
        image_tag_mutability: Text = "MUTABLE" | "IMMUTABLE" | "MUTABLE_WITH_EXCLUSION" | "IMMUTABLE_WITH_EXCLUSION",
        /// At most five patterns of tags for which the opposite of image_tag_mutability holds.
        image_tag_mutability_exclusions: Located<Vec<Text>>,
        /// ECR's lifecycle policy: inline, as a JSON text, or {file: PATH}. Default: keeps the last 3 images.
        lifecycle_policy: Policy,
        /// How ECR encrypts: AES256, or a KMS key, which needs custom_role_arn. Default: AES256.
        encryption: Encryption,
        /// The ARN of the role with which ECR creates repositories, or reads another account's.
        custom_role_arn: Text,
        /// A prefix that the upstream's repositories have and those in ECR do not.
        upstream_repository_prefix: Text,
        /// Resource tags of the secret and of cached repositories; they need custom_role_arn.
        tags: Located<Table<Text>>,
    }

    /// `registry_scanning`.
    RegistryScanning {
        /// Who scans; ENHANCED is Amazon Inspector, which costs money. Default: BASIC.
        scan_type: Text = "BASIC" | "ENHANCED",
        /// Patterns of repositories whose images are scanned when they arrive.
        scan_on_push: Located<Vec<Text>>,
        /// Patterns of repositories whose images are scanned again and again; ENHANCED only.
        continuous_scan: Located<Vec<Text>>,
    }

    /// `tags` as rules.
    TagRules {
        /// Tags that are taken, and patterns that the others must match. Default: all tags.
        include: Located<Vec<Text>>,
        /// A range of versions, such as ">=1.13 <2".
        semver: Text,
        /// Patterns of tags that are left out.
        exclude: Located<Vec<Text>>,
        /// How many of the newest are kept.
        newest: Text,
    }

    /// `defaults`: what an image may set.
    Options {
        /// `all`, or a list such as [linux/amd64, linux/arm64]. Default: all; with RUN lines the Docker daemon's own.
        platforms: Platforms,
        /// What a copy does with the attestations that an index lists. Default: keep.
        attestations: Text = "keep" | "drop",
        /// Whether a copy brings the signatures, SBOMs and attestations that refer to the image. Default: false.
        referrers: bool,
        /// Dockerfile instructions that follow FROM, in order. Without any the image is copied.
        lines: Vec<Located<Line>>,
        /// Who applies the lines: the Docker daemon, longshore where that gives the same, or longshore alone. Default: docker.
        builder: Text = "docker" | "auto" | "direct",
        /// Which of Docker's builders builds. Default: auto, the daemon's own, and BuildKit for what needs it.
        builder_engine: Text = "auto" | "buildkit" | "classic",
        /// How lines are built.
        build: Build,
        /// Who pushes what was built. Default: longshore.
        publish: Text = "longshore" | "daemon",
        /// How longshore compresses new layers. Default: gzip.
        compression: Text = "gzip" | "zstd",
    }

    /// `build`.
    Build {
        /// Build arguments.
        args: Table<Text>,
        /// The path of a handlebars template for the Dockerfile; it sees base and lines.
        template: Text,
        /// The folder that COPY and ADD lines take files from.
        context: Text,
        /// The stage of a template of your own that is built. Default: the last.
        target: Text,
        /// The network of RUN lines: none, host or another that the daemon has.
        network: Text,
        /// Labels of what is built, beside those of its lines.
        labels: Table<Text>,
        /// What RUN --mount=type=secret lines see. Needs BuildKit.
        secrets: Vec<Located<BuildSecret>>,
    }

    /// One of `build.secrets`.
    BuildSecret {
        /// The name by which lines mount it.
        id: Text,
        /// The variable of the environment that holds it.
        env: Text,
        /// The file that holds it.
        file: Text,
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

    fn schema() -> Schema {
        let rules = TagRules::schema().with("minProperties", json!(1));
        Schema::any_of([Schema::filled_list(Schema::text()), rules])
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

    fn schema() -> Schema {
        Schema::any_of([Schema::words(&["all"]), Schema::filled_list(Schema::text())])
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

    fn schema() -> Schema {
        Schema::any_of([Schema::flag(), Schema::list(Schema::text())])
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

    fn schema() -> Schema {
        let key = Schema::mapping(KmsKey::properties(), &["kms_key_arn"]);
        Schema::any_of([Schema::words(&["AES256"]), key])
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

    fn schema() -> Schema {
        Schema::of([("type", json!(["object", "string"]))])
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

    fn schema() -> Schema {
        PasswordSource::schema().with("minProperties", json!(1))
    }
}
