//! The paths of the OCI distribution protocol.

/// What a path names.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Route {
    /// `/v2/`.
    Ping,
    /// `/v2/REPOSITORY/manifests/TAG-OR-DIGEST`.
    Manifest(String, String),
    /// `/v2/REPOSITORY/blobs/DIGEST`.
    Blob(String, String),
    /// `/v2/REPOSITORY/blobs/uploads/`, where uploads begin.
    Uploads(String),
    /// `/v2/REPOSITORY/blobs/uploads/ID`, one upload.
    Upload(String, String),
    /// `/v2/REPOSITORY/tags/list`.
    Tags(String),
    /// `/v2/REPOSITORY/referrers/DIGEST`.
    Referrers(String, String),
    /// Anything else.
    Unknown,
}

impl Route {
    /// Reads a path. A repository's name may hold slashes, so the path is read from its end.
    pub(super) fn of(path: &str) -> Self {
        let Some(rest) = path.strip_prefix("/v2") else {
            return Self::Unknown;
        };
        let parts: Vec<&str> = rest.split('/').skip(1).collect();
        let last = |text: &str| text.to_owned();
        match parts[..] {
            [] | [""] => Self::Ping,
            [ref name @ .., "blobs", "uploads", ""] | [ref name @ .., "blobs", "uploads"] => {
                Self::Uploads(name.join("/"))
            }
            [ref name @ .., "blobs", "uploads", id] => Self::Upload(name.join("/"), last(id)),
            [ref name @ .., "blobs", digest] => Self::Blob(name.join("/"), last(digest)),
            [ref name @ .., "manifests", reference] => {
                Self::Manifest(name.join("/"), last(reference))
            }
            [ref name @ .., "tags", "list"] => Self::Tags(name.join("/")),
            [ref name @ .., "referrers", digest] => Self::Referrers(name.join("/"), last(digest)),
            _ => Self::Unknown,
        }
    }

    /// The repository that the path is in.
    pub(super) fn repository(&self) -> Option<&str> {
        match self {
            Self::Manifest(name, _)
            | Self::Blob(name, _)
            | Self::Uploads(name)
            | Self::Upload(name, _)
            | Self::Tags(name)
            | Self::Referrers(name, _) => Some(name),
            Self::Ping | Self::Unknown => None,
        }
    }
}

/// The value of a name in a query.
pub(super) fn query(uri: &axum::http::Uri, name: &str) -> Option<String> {
    let pairs = url::form_urlencoded::parse(uri.query()?.as_bytes());
    let mut values = pairs.filter(|(key, _)| key == name);
    values.next().map(|(_, value)| value.into_owned())
}
