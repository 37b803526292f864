//! ECR's limits.

/// How many images one `BatchDeleteImage` takes (botocore's model of ECR: `ImageIdentifierList`).
pub(super) const IMAGES_PER_DELETION: usize = 100;
