//! The ports of `EXPOSE`.

use super::Why;
use crate::dockerfile::arguments;

/// `80`, `443/tcp`, `9000-9002/udp`, as the configuration lists them: one by one.
pub(super) fn exposed(word: &str) -> Result<Vec<String>, Why> {
    if word.contains(':') {
        return Err(Why::unsure("an `EXPOSE` with a host's port"));
    }
    if word.contains('$') || arguments::port(word).is_some() {
        return Err(Why::refused(format!("`{word}` is not a port")));
    }
    let (range, protocol) = word.rsplit_once('/').unwrap_or((word, "tcp"));
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let number = |text: &str| text.parse::<u16>().expect("the port was checked");
    let protocol = protocol.to_lowercase();
    let ports = number(first)..=number(last);
    Ok(ports.map(|port| format!("{port}/{protocol}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_listed_one_by_one() {
        for (word, ports) in [
            ("080", &["80/tcp"][..]),
            ("443/TCP", &["443/tcp"]),
            ("9-11/udp", &["9/udp", "10/udp", "11/udp"]),
        ] {
            assert_eq!(exposed(word).unwrap(), ports);
        }
        for word in ["70000", "http", "$", "80/", "127.0.0.1:80:80"] {
            assert!(exposed(word).is_err(), "{word}");
        }
    }
}
