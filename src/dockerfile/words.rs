//! The words of an instruction, before their variables are replaced.

/// Splits as Docker's `parseWords` does: quotation marks hold a word together, a backslash hides
/// the next character. Marks and backslashes stay. `Err` is the quotation mark that is never closed.
pub(super) fn split(text: &str) -> Result<Vec<String>, char> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if quote.is_none() && character.is_whitespace() {
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            continue;
        }
        word.push(character);
        match (character, quote) {
            ('\\', None | Some('"')) => word.extend(characters.next()),
            ('"' | '\'', None) => quote = Some(character),
            (_, Some(open)) if open == character => quote = None,
            _ => {}
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    quote.map_or(Ok(words), Err)
}

/// What separates an instruction from its arguments, and arguments without quotation marks.
const BLANKS: [char; 5] = ['\t', '\u{b}', '\u{c}', '\r', ' '];

/// Cuts a text in two at its first blanks.
pub(super) fn cut(text: &str) -> Option<(&str, &str)> {
    let (first, rest) = text.split_once(BLANKS)?;
    Some((first, rest.trim_start_matches(BLANKS)))
}

/// Splits at blanks alone; quotation marks mean nothing.
pub(super) fn plain(text: &str) -> impl Iterator<Item = &str> {
    text.split(BLANKS).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_where_docker_splits() {
        for (text, words) in [
            ("A=1  B=2", &["A=1", "B=2"][..]),
            (r#"A="b c' d"' e ' f=g"#, &[r#"A="b c' d"' e '"#, "f=g"]),
            (r"A=b\ c d", &[r"A=b\ c", "d"]),
            (r#"A="b\" c" ''"#, &[r#"A="b\" c""#, "''"]),
            (r"A='b\' c", &[r"A='b\'", "c"]),
            ("a=é\u{a0}b", &["a=é", "b"]),
            ("", &[]),
        ] {
            assert_eq!(split(text).unwrap(), words, "{text}");
        }
        assert_eq!(split("A=\"b"), Err('"'));
        assert_eq!(cut("A  some  words"), Some(("A", "some  words")));
        assert_eq!(cut("A"), None);
        assert_eq!(plain("80 \t443").collect::<Vec<_>>(), ["80", "443"]);
    }
}
