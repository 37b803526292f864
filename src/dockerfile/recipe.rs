//! The recipe: all that the user decided about an image, as one hash.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::image::{Digest, Platform};

/// The labels and annotations that say what a built image was made from.
pub mod label {
    /// The upstream image's mutable name. OCI image specification, annotations.
    pub const BASE_NAME: &str = "org.opencontainers.image.base.name";
    /// The digest that the upstream tag had: the index's, where it is one.
    pub const BASE_DIGEST: &str = "org.opencontainers.image.base.digest";
    /// The digest of the upstream's manifest for the image's own platform.
    pub const PLATFORM_DIGEST: &str = "longshore.base.platform.digest";
    /// The [`Recipe`](super::Recipe).
    pub const RECIPE: &str = "longshore.recipe";
}

/// The hash of all that the user decided about an image: the Dockerfile rendered with the base's
/// mutable name, the arguments, the platforms and whether attestations are dropped. Neither the base's digest nor longshore's version
/// is part of it, so that only a decision of the user changes it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Recipe(Digest);

impl Recipe {
    /// The recipe of a Dockerfile rendered with the base's mutable name. `platforms` is `None`
    /// where the user left the choice to longshore. `drops_attestations` is for copies: what is
    /// built has none.
    pub fn new(
        dockerfile: &str,
        args: &BTreeMap<String, String>,
        platforms: Option<&[Platform]>,
        drops_attestations: bool,
    ) -> Self {
        #[derive(Serialize)]
        struct Hashed<'a> {
            dockerfile: &'a str,
            args: &'a BTreeMap<String, String>,
            platforms: Option<BTreeSet<String>>,
            /// Absent where it is false, as it was before there was a choice.
            #[serde(skip_serializing_if = "std::ops::Not::not")]
            drops_attestations: bool,
        }
        let platforms = platforms.map(|list| {
            list.iter()
                .map(ToString::to_string)
                .collect::<BTreeSet<_>>()
        });
        let hashed = Hashed {
            dockerfile,
            args,
            platforms,
            drops_attestations,
        };
        let json = serde_json::to_vec(&hashed).expect("texts and maps of texts become JSON");
        Self(Digest::of(&json))
    }

    /// The recipe as the label's value: `sha256:...`.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault() -> (String, BTreeMap<String, String>) {
        let dockerfile =
            "FROM docker.io/hashicorp/vault:1.14\nVOLUME [\"/etc/vault\"]\n".to_owned();
        (
            dockerfile,
            BTreeMap::from([("A".to_owned(), "1".to_owned())]),
        )
    }

    /// A changed value here would rebuild every image of every user.
    #[test]
    fn the_hash_never_changes() {
        let (dockerfile, args) = vault();
        let platforms = [
            "linux/arm64".parse().unwrap(),
            "linux/amd64".parse().unwrap(),
        ];
        assert_eq!(
            Recipe::new(&dockerfile, &args, Some(&platforms), false).as_str(),
            "sha256:62fe3b619a7924c8c001966c3c222303e02ec71ae9054becec5c01568eadc42e"
        );
        assert_eq!(
            Recipe::new(&dockerfile, &args, None, false).as_str(),
            "sha256:c5e0a8df63425a2c890fb127e62645cff1aa33790f3eb0d8d2110813f725c300"
        );
    }

    #[test]
    fn every_decision_counts_and_the_order_of_platforms_does_not() {
        let (dockerfile, args) = vault();
        let amd64: Platform = "linux/amd64".parse().unwrap();
        let arm64: Platform = "linux/arm64/v8".parse().unwrap();
        let of = |platforms: &[Platform]| Recipe::new(&dockerfile, &args, Some(platforms), false);
        let open = |text: &str, args: &BTreeMap<_, _>, drops| Recipe::new(text, args, None, drops);
        let one = of(&[amd64.clone(), arm64.clone()]);
        assert_eq!(one, of(&[arm64, amd64.clone()]));
        assert_ne!(one, of(&[amd64]));
        let two = open(&dockerfile, &args, false);
        assert_ne!(one, two);
        assert_ne!(two, open(&dockerfile, &BTreeMap::new(), false));
        assert_ne!(two, open(&format!("{dockerfile}USER x\n"), &args, false));
        assert_ne!(two, open(&dockerfile, &args, true));
    }
}
