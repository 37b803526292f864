//! The file as it is written: nothing but shapes. What is absent stays absent. Here are its mappings
//! whose keys are all optional.

mod file;
mod values;

use super::mistakes::{Located, Mistakes, Place};
use super::reader::{Fields, Line, Read, Table};
use super::schema::{Properties, Schema};
use super::tree::Node;

pub(super) use self::file::{File, Image};
pub(super) use self::values::{Encryption, Password, Platforms, Policy, TagImmutability, Tags};

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
