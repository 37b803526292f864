//! Folders inside an image.

/// The folder that `path` means inside `folder`, without `.`, `..` and needless slashes. `None`
/// where both are empty.
pub(super) fn joined(folder: &str, path: &str) -> Option<String> {
    if folder.is_empty() && path.is_empty() {
        return None;
    }
    let folder = if path.starts_with('/') { "" } else { folder };
    let mut names = Vec::new();
    for name in folder.split('/').chain(path.split('/')) {
        match name {
            "" | "." => {}
            ".." => drop(names.pop()),
            name => names.push(name),
        }
    }
    Some(format!("/{}", names.join("/")))
}

/// Whether a folder is another one or stands above it. Both are as [`joined`] writes them.
pub(super) fn holds(folder: &str, other: &str) -> bool {
    let rest = other.strip_prefix(folder.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_joined_as_docker_joins_them() {
        for (folder, path, expected) in [
            ("/srv/app", "..", "/srv"),
            ("/srv", "../../x/./y/", "/x/y"),
            ("/srv", "/a//b", "/a/b"),
            ("", "x", "/x"),
            ("/", "", "/"),
        ] {
            assert_eq!(joined(folder, path).unwrap(), expected);
        }
        for (folder, other, expected) in [
            ("/srv", "/srv/app", true),
            ("/srv", "/srv", true),
            ("/", "/srv", true),
            ("/srv", "/srvx", false),
            ("/srv/app", "/srv", false),
        ] {
            assert_eq!(holds(folder, other), expected, "{folder} {other}");
        }
    }
}
