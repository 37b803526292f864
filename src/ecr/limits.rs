//! ECR's limits.

/// How many images one `BatchGetImage` or `BatchDeleteImage` takes (botocore's model of ECR:
/// `ImageIdentifierList`).
pub(super) const IMAGES_PER_BATCH: usize = 100;

/// How many images one page of `ListImages` holds (botocore's model of ECR: `MaxResults`).
pub(super) const TAGS_PER_PAGE: i32 = 1000;

/// How many repositories one page of `DescribeRepositories` holds (botocore's model of ECR:
/// `MaxResults`).
pub(super) const REPOSITORIES_PER_PAGE: i32 = 1000;

/// How many blobs one `BatchCheckLayerAvailability` takes (botocore's model of ECR:
/// `BatchedOperationLayerDigestList`).
pub(super) const LAYERS_PER_CHECK: usize = 100;
