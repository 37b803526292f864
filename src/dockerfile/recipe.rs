//! The recipe: all that the user decided about an image, as one hash.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::image::Digest;

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

/// The hash of all that the user decided about an image. Neither the base's digest nor longshore's
/// version is part of it, so that only a decision of the user changes it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Recipe(Digest);

/// All that the user decides about an image. What came later is absent where it is as it was before
/// there was a choice.
#[derive(Clone, Debug, Serialize)]
pub struct Ingredients<'a> {
    /// The Dockerfile, rendered with the base's mutable name.
    pub dockerfile: &'a str,
    /// Build arguments by name.
    pub args: &'a BTreeMap<String, String>,
    /// The platforms; `None` where the user left the choice to longshore. Their order is no matter.
    pub platforms: Option<BTreeSet<String>>,
    /// Whether a copy leaves attestations out: what is built has none.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub drops_attestations: bool,
    /// How new layers are compressed, unless by gzip.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compression: Option<&'static str>,
    /// The digest of the build context, where lines take files from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<&'a Digest>,
    /// The stage that is built, unless it is the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<&'a str>,
    /// Labels beside those of the lines.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: &'a BTreeMap<String, String>,
}

impl Recipe {
    /// The recipe of an image.
    pub fn of(ingredients: &Ingredients<'_>) -> Self {
        let json = serde_json::to_vec(ingredients).expect("texts and maps of texts become JSON");
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
    use crate::image::Platform;

    static NO_LABELS: BTreeMap<String, String> = BTreeMap::new();

    fn vault() -> (String, BTreeMap<String, String>) {
        let dockerfile =
            "FROM docker.io/hashicorp/vault:1.14\nVOLUME [\"/etc/vault\"]\n".to_owned();
        (
            dockerfile,
            BTreeMap::from([("A".to_owned(), "1".to_owned())]),
        )
    }

    fn names(platforms: &[Platform]) -> BTreeSet<String> {
        platforms.iter().map(ToString::to_string).collect()
    }

    fn ingredients<'a>(
        dockerfile: &'a str,
        args: &'a BTreeMap<String, String>,
        platforms: Option<&[Platform]>,
    ) -> Ingredients<'a> {
        Ingredients {
            dockerfile,
            args,
            platforms: platforms.map(names),
            drops_attestations: false,
            compression: None,
            context: None,
            target: None,
            labels: &NO_LABELS,
        }
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
            Recipe::of(&ingredients(&dockerfile, &args, Some(&platforms))).as_str(),
            "sha256:62fe3b619a7924c8c001966c3c222303e02ec71ae9054becec5c01568eadc42e"
        );
        assert_eq!(
            Recipe::of(&ingredients(&dockerfile, &args, None)).as_str(),
            "sha256:c5e0a8df63425a2c890fb127e62645cff1aa33790f3eb0d8d2110813f725c300"
        );
    }

    #[test]
    fn every_decision_counts_and_the_order_of_platforms_does_not() {
        let (dockerfile, args) = vault();
        let amd64: Platform = "linux/amd64".parse().unwrap();
        let arm64: Platform = "linux/arm64/v8".parse().unwrap();
        let of =
            |platforms: &[Platform]| Recipe::of(&ingredients(&dockerfile, &args, Some(platforms)));
        let open = |text: &str, args: &BTreeMap<_, _>| Recipe::of(&ingredients(text, args, None));
        let one = of(&[amd64.clone(), arm64.clone()]);
        assert_eq!(one, of(&[arm64, amd64.clone()]));
        assert_ne!(one, of(&[amd64]));
        let two = open(&dockerfile, &args);
        assert_ne!(one, two);
        assert_ne!(two, open(&dockerfile, &BTreeMap::new()));
        assert_ne!(two, open(&format!("{dockerfile}USER x\n"), &args));
        let plain = ingredients(&dockerfile, &args, None);
        let context = Digest::of(b"context");
        let others = [
            Ingredients {
                drops_attestations: true,
                ..plain.clone()
            },
            Ingredients {
                compression: Some("zstd"),
                ..plain.clone()
            },
            Ingredients {
                context: Some(&context),
                ..plain.clone()
            },
            Ingredients {
                target: Some("tools"),
                ..plain.clone()
            },
            Ingredients {
                labels: &args,
                ..plain
            },
        ];
        for other in others {
            assert_ne!(two, Recipe::of(&other));
        }
    }
}
