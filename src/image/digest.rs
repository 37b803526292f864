//! Content digests.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256, Sha512};

use super::{Descriptor, Tag};

/// How many hexadecimal digits of a digest stand in the tag of its referrers.
const REFERRERS_DIGITS: usize = 64;

/// A content digest such as `sha256:9f86d0...`, lower-case hexadecimal, as the OCI image
/// specification defines it. SHA-256 and SHA-512 are known.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Digest(String);

/// A text is no digest.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{0}` is not a digest; a digest is `sha256:` and 64 lower-case hexadecimal digits")]
pub struct ParseDigestError(String);

impl Digest {
    /// The SHA-256 digest of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let mut hasher = Hasher::sha256();
        hasher.update(bytes);
        hasher.finish()
    }

    /// The whole digest: `sha256:9f86d0...`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the colon: `sha256`.
    pub fn algorithm(&self) -> &str {
        self.0
            .split_once(':')
            .map_or("", |(algorithm, _)| algorithm)
    }

    /// The part after the colon.
    pub fn hex(&self) -> &str {
        self.0.split_once(':').map_or("", |(_, hex)| hex)
    }

    /// The first twelve hexadecimal digits, as Docker prints identifiers.
    pub fn short(&self) -> &str {
        &self.hex()[..12]
    }

    /// The tag under which a registry without the referrers API keeps the index of what refers to
    /// this digest: `sha256-9f86d0...`, with at most 64 hexadecimal digits (OCI distribution
    /// specification 1.1, "Referrers Tag Schema"). Cosign's tags begin in the same way.
    pub fn referrers_tag(&self) -> Tag {
        let hex = self.hex().get(..REFERRERS_DIGITS);
        let tag = format!("{}-{}", self.algorithm(), hex.unwrap_or(self.hex()));
        tag.parse()
            .expect("an algorithm and hexadecimal digits are a tag")
    }

    /// A hasher of this digest's own algorithm.
    pub fn hasher(&self) -> Hasher {
        match self.algorithm() {
            "sha512" => Hasher::Sha512(Sha512::new()),
            _ => Hasher::sha256(),
        }
    }

    /// Whether these bytes are what the digest names.
    pub fn matches(&self, bytes: &[u8]) -> bool {
        self.verify(bytes).is_ok()
    }

    /// The same; the error is the digest that they have.
    pub fn verify(&self, bytes: &[u8]) -> Result<(), Digest> {
        let mut hasher = self.hasher();
        hasher.update(bytes);
        hasher.verify(self)
    }
}

impl FromStr for Digest {
    type Err = ParseDigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let length = match text.split_once(':') {
            Some(("sha256", _)) => 64,
            Some(("sha512", _)) => 128,
            _ => return Err(ParseDigestError(text.to_owned())),
        };
        let hex = &text[7..];
        let lower_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if hex.len() == length && hex.bytes().all(lower_hex) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseDigestError(text.to_owned()))
        }
    }
}

/// The digest that a descriptor names.
impl TryFrom<&Descriptor> for Digest {
    type Error = ParseDigestError;

    fn try_from(descriptor: &Descriptor) -> Result<Self, Self::Error> {
        descriptor.digest().to_string().parse()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl serde::Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Computes a digest from bytes that arrive piece by piece.
#[derive(Clone, Debug)]
pub enum Hasher {
    /// SHA-256.
    Sha256(Sha256),
    /// SHA-512.
    Sha512(Sha512),
}

impl Hasher {
    /// A new SHA-256 hasher.
    pub fn sha256() -> Self {
        Self::Sha256(Sha256::new())
    }

    /// Adds the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha512(hasher) => hasher.update(bytes),
        }
    }

    /// The digest of all bytes added.
    pub fn finish(self) -> Digest {
        let (algorithm, bytes) = match self {
            Self::Sha256(hasher) => ("sha256", hasher.finalize().to_vec()),
            Self::Sha512(hasher) => ("sha512", hasher.finalize().to_vec()),
        };
        Digest(format!("{algorithm}:{}", hex::encode(bytes)))
    }

    /// Whether all bytes added are what a digest names; the error is the digest that they have.
    pub fn verify(self, expected: &Digest) -> Result<(), Digest> {
        let actual = self.finish();
        if actual == *expected {
            Ok(())
        } else {
            Err(actual)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_bytes() {
        let digest = Digest::of(b"test");
        assert_eq!(
            digest.as_str(),
            "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
        );
        assert_eq!(digest.as_str().parse(), Ok(digest.clone()));
        assert!(digest.matches(b"test"));
        assert!(!digest.matches(b"Test"));
        assert_eq!(digest.short(), "9f86d081884c");
    }

    #[test]
    fn referrers_have_a_tag() {
        let digest = Digest::of(b"test");
        let tag = digest.referrers_tag();
        assert_eq!(tag.as_str(), format!("sha256-{}", digest.hex()));
        let mut hasher = Hasher::Sha512(Sha512::new());
        hasher.update(b"test");
        let digest = hasher.finish();
        assert_eq!(digest.referrers_tag().as_str().len(), "sha512-".len() + 64);
    }

    #[test]
    fn sha512_is_known() {
        let mut hasher = Hasher::Sha512(Sha512::new());
        hasher.update(b"test");
        let digest = hasher.finish();
        assert_eq!(digest.algorithm(), "sha512");
        assert!(digest.matches(b"test"));
    }

    #[test]
    fn rejects_what_is_no_digest() {
        let upper = format!("sha256:{}", "A".repeat(64));
        for text in [
            "",
            "sha256:",
            "sha256:abc",
            "md5:0123",
            "sha256",
            upper.as_str(),
        ] {
            assert!(text.parse::<Digest>().is_err(), "{text}");
        }
    }
}
