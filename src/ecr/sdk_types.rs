//! The settings of a repository in the SDK's types.

use std::collections::BTreeMap;

use aws_sdk_ecr::types::{
    EncryptionConfiguration, EncryptionType, ImageScanningConfiguration, ImageTagMutability,
    ImageTagMutabilityExclusionFilter, ImageTagMutabilityExclusionFilterType, Repository as Found,
    Tag as ResourceTag,
};

use super::{Encryption, RepositoryDescription, TagMutability};

/// What ECR says of a repository.
pub(super) fn describe(found: &Found) -> RepositoryDescription {
    let scanning = found.image_scanning_configuration();
    let encryption = found.encryption_configuration();
    RepositoryDescription {
        name: found.repository_name().unwrap_or_default().to_owned(),
        arn: found.repository_arn().unwrap_or_default().to_owned(),
        scan_on_push: scanning.is_some_and(ImageScanningConfiguration::scan_on_push),
        encryption: encryption.map_or(Encryption::Aes256, |it| {
            read_encryption(it.encryption_type(), it.kms_key())
        }),
        tag_mutability: read_mutability(
            found.image_tag_mutability(),
            found.image_tag_mutability_exclusion_filters(),
        ),
    }
}

/// Whether tags can be overwritten, in ECR's words.
pub(super) fn read_mutability(
    found: Option<&ImageTagMutability>,
    filters: &[ImageTagMutabilityExclusionFilter],
) -> TagMutability {
    let patterns = || filters.iter().map(|it| it.filter().to_owned()).collect();
    match found {
        Some(ImageTagMutability::Immutable) => TagMutability::Immutable { except: Vec::new() },
        Some(ImageTagMutability::ImmutableWithExclusion) => {
            TagMutability::Immutable { except: patterns() }
        }
        Some(ImageTagMutability::MutableWithExclusion) => TagMutability::MutableExcept {
            immutable: patterns(),
        },
        _ => TagMutability::Mutable,
    }
}

/// The setting and its exceptions.
pub(super) fn mutability(
    mutability: &TagMutability,
) -> (
    ImageTagMutability,
    Option<Vec<ImageTagMutabilityExclusionFilter>>,
) {
    let filters = |patterns: &[String]| Some(patterns.iter().map(exclusion).collect());
    match mutability {
        TagMutability::Mutable => (ImageTagMutability::Mutable, None),
        TagMutability::Immutable { except } if except.is_empty() => {
            (ImageTagMutability::Immutable, None)
        }
        TagMutability::Immutable { except } => {
            (ImageTagMutability::ImmutableWithExclusion, filters(except))
        }
        TagMutability::MutableExcept { immutable } => {
            (ImageTagMutability::MutableWithExclusion, filters(immutable))
        }
    }
}

fn exclusion(pattern: &String) -> ImageTagMutabilityExclusionFilter {
    ImageTagMutabilityExclusionFilter::builder()
        .filter_type(ImageTagMutabilityExclusionFilterType::Wildcard)
        .filter(pattern)
        .build()
        .expect("type and pattern are set")
}

pub(super) fn encryption(encryption: &Encryption) -> EncryptionConfiguration {
    let builder = EncryptionConfiguration::builder();
    let builder = match encryption {
        Encryption::Aes256 => builder.encryption_type(EncryptionType::Aes256),
        Encryption::Kms { key_arn } => builder
            .encryption_type(EncryptionType::Kms)
            .kms_key(key_arn),
    };
    builder.build().expect("the type is set")
}

/// How something is encrypted, in ECR's words. The key that AWS manages has no ARN.
pub(super) fn read_encryption(found: &EncryptionType, key: Option<&str>) -> Encryption {
    match found {
        EncryptionType::Aes256 => Encryption::Aes256,
        _ => Encryption::Kms {
            key_arn: key.unwrap_or_default().to_owned(),
        },
    }
}

/// The tags; ECR wants no list where there are none.
pub(super) fn resource_tags(tags: &BTreeMap<String, String>) -> Option<Vec<ResourceTag>> {
    let listed = tags.iter().map(|(key, value)| {
        let builder = ResourceTag::builder().key(key).value(value);
        builder.build().expect("key and value are set")
    });
    (!tags.is_empty()).then(|| listed.collect())
}
