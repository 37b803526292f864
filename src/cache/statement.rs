//! What IAM allows, statement by statement.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::ecr::ROOT;

/// Where the registry is, as ARNs say it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Place {
    /// The region.
    pub region: String,
    /// Twelve digits.
    pub account_id: String,
}

/// Some actions that a policy allows.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Statement {
    /// What they are for, in one word.
    #[serde(rename = "Sid")]
    pub id: &'static str,
    pub(super) effect: &'static str,
    /// The actions: `ecr:PutImage`.
    #[serde(rename = "Action")]
    pub actions: Vec<&'static str>,
    /// What they may be done to: ARNs, or nothing where they know no resource.
    #[serde(rename = "Resource", serialize_with = "or_everything")]
    pub resources: Vec<String>,
    /// The keys of a condition and the values that they must have.
    #[serde(
        rename = "Condition",
        serialize_with = "equal",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub equal: Vec<(&'static str, &'static str)>,
}

impl Place {
    /// AWS's partition, which every ARN begins with.
    pub(super) fn partition(&self) -> &'static str {
        const PARTITIONS: [(&str, &str); 7] = [
            ("cn-", "aws-cn"),
            ("us-gov-", "aws-us-gov"),
            ("eusc-", "aws-eusc"),
            ("us-iso-", "aws-iso"),
            ("us-isob-", "aws-iso-b"),
            ("eu-isoe-", "aws-iso-e"),
            ("us-isof-", "aws-iso-f"),
        ];
        let mut partitions = PARTITIONS.iter();
        let own = partitions.find(|(start, _)| self.region.starts_with(start));
        own.map_or("aws", |(_, partition)| partition)
    }

    /// An ARN of this account and region.
    pub(super) fn arn(&self, service: &str, resource: &str) -> String {
        let (partition, region) = (self.partition(), &self.region);
        let account_id = &self.account_id;
        format!("arn:{partition}:{service}:{region}:{account_id}:{resource}")
    }

    /// What a prefix's repositories are called.
    pub(super) fn below(&self, prefix: &str) -> String {
        match prefix {
            ROOT => self.arn("ecr", "repository/*"),
            prefix => self.arn("ecr", &format!("repository/{prefix}/*")),
        }
    }
}

/// Allows actions on resources.
pub(super) fn allow(id: &'static str, actions: &[&'static str], resources: &[String]) -> Statement {
    Statement {
        id,
        effect: "Allow",
        actions: actions.to_vec(),
        resources: resources.to_vec(),
        equal: Vec::new(),
    }
}

/// Allows actions that know no resource.
pub(super) fn everywhere(id: &'static str, actions: &[&'static str]) -> Statement {
    allow(id, actions, &[])
}

fn or_everything<S: Serializer>(resources: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    match resources {
        [] => serializer.serialize_str("*"),
        resources => serializer.collect_seq(resources),
    }
}

fn equal<S: Serializer>(pairs: &[(&str, &str)], serializer: S) -> Result<S::Ok, S::Error> {
    let pairs: BTreeMap<&str, &str> = pairs.iter().copied().collect();
    serializer.collect_map([("StringEquals", pairs)])
}
