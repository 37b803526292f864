//! The prefixes of repository names that rules and templates are for.

/// The prefix that stands for every repository.
pub(super) const ROOT: &str = "ROOT";

/// Whether ECR takes a text as a prefix. The pattern is that of its API reference:
/// `^((?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*/?|ROOT)$`.
pub(in crate::sandbox) fn is_prefix(text: &str) -> bool {
    let text = text.strip_suffix('/').unwrap_or(text);
    let is_word = |word: &str| {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        !word.is_empty() && word.chars().all(plain)
    };
    text == ROOT || text.split(['/', '.', '_', '-']).all(is_word)
}

/// What follows a prefix and its slash in a repository's name; with `ROOT` all of it.
pub(super) fn below<'a>(prefix: &str, name: &'a str) -> Option<&'a str> {
    match prefix {
        ROOT => Some(name),
        prefix => name.strip_prefix(prefix)?.strip_prefix('/'),
    }
}

/// Of two prefixes that fit, the longer counts, and `ROOT` is the shortest.
pub(super) fn weight(prefix: &str) -> usize {
    match prefix {
        ROOT => 0,
        prefix => prefix.len(),
    }
}
