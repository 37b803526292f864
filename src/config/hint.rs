//! What to write instead of a word that nobody knows.

use std::cmp::Reverse;

/// The known word that was most likely meant. Of words that are equally near it is the one that
/// begins alike: `IMUTABLE` is no `MUTABLE`.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let allowed = (word.chars().count() / 3).max(1);
    let distance = |candidate: &str| {
        let candidate = candidate.to_lowercase();
        let begins = word.len() >= 3 && candidate.starts_with(&word);
        let edits = strsim::damerau_levenshtein(&word, &candidate);
        let edits = if begins { edits.min(allowed) } else { edits };
        let pairs = word.chars().zip(candidate.chars());
        let alike = pairs.take_while(|(one, other)| one == other).count();
        (edits, Reverse(alike))
    };
    known
        .into_iter()
        .map(|candidate| (distance(candidate), candidate))
        .filter(|((edits, _), _)| *edits <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// A hint: the nearest known word, or all of them after `otherwise`.
pub(super) fn suggest(word: &str, known: &[&str], otherwise: &str) -> String {
    suggest_or(word, known, &format!("{otherwise} {}", list(known)))
}

/// A hint: the nearest known word, or what else there is to say.
pub(super) fn suggest_or(word: &str, known: &[&str], otherwise: &str) -> String {
    match nearest(word, known.iter().copied()) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => otherwise.to_owned(),
    }
}

/// Words in backticks, joined by commas.
pub(super) fn list(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        let known = ["source", "tags", "repository", "platforms", "lines"];
        for (word, meant) in [
            ("sorce", Some("source")),
            ("Source", Some("source")),
            ("tag", Some("tags")),
            ("repo", Some("repository")),
            ("platfroms", Some("platforms")),
            ("build_commands", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), meant, "{word}");
        }
        let known = ["MUTABLE", "IMMUTABLE", "MUTABLE_WITH_EXCLUSION"];
        for (word, meant) in [
            ("IMUTABLE", Some("IMMUTABLE")),
            ("mutabel", Some("MUTABLE")),
            ("imm", Some("IMMUTABLE")),
            ("FROZEN", None),
        ] {
            assert_eq!(nearest(word, known), meant, "{word}");
        }
    }
}
