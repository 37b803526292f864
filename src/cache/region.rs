//! Where ECR has a pull-through cache.

/// Regions in which ECR makes no rules (its user guide, "Sync an upstream registry with an Amazon ECR
/// private registry").
const WITHOUT: [&str; 4] = [
    "cn-north-1",
    "cn-northwest-1",
    "us-gov-east-1",
    "us-gov-west-1",
];

/// What is to be said of rules in a region where AWS does not promise any: it may have learnt them
/// since, so that this keeps nobody from trying.
pub fn doubt(region: &str) -> Option<String> {
    WITHOUT.contains(&region).then(|| {
        format!(
            "ECR's user guide says that `{region}` has no pull-through cache; what is listed under \
             `images` is copied there"
        )
    })
}
