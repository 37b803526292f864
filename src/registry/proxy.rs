//! The proxies that the environment names.

use hyper_util::client::proxy::matcher::Matcher;
use url::Url;

/// The variables that name a proxy. Of each pair the first that is set counts.
const VARIABLES: [[&str; 2]; 3] = [
    ["HTTPS_PROXY", "https_proxy"],
    ["HTTP_PROXY", "http_proxy"],
    ["ALL_PROXY", "all_proxy"],
];

/// Knows which requests go through a proxy, by the same rules as reqwest, which does not tell.
pub(super) struct Proxies(Matcher);

impl Proxies {
    pub(super) fn of_the_system() -> Self {
        Self(Matcher::from_system())
    }

    /// The proxy that stands before a URL, without user and password.
    pub(super) fn before(&self, url: &Url) -> Option<String> {
        let proxy = self.0.intercept(&url.as_str().parse().ok()?)?;
        Some(proxy.uri().to_string().trim_end_matches('/').to_owned())
    }
}

/// The first variable whose value names no proxy. reqwest would take it as absent and go around the
/// proxy.
pub(super) fn unreadable(variable: impl Fn(&str) -> Option<String>) -> Option<&'static str> {
    let set = VARIABLES.iter().filter_map(|names| {
        let mut set = names
            .iter()
            .filter_map(|name| Some((*name, variable(name)?)));
        set.next()
    });
    set.filter(|(_, value)| !value.is_empty())
        .find(|(_, value)| !is_proxy(value))
        .map(|(name, _)| name)
}

fn is_proxy(value: &str) -> bool {
    let proxies = Matcher::builder().all(value).build();
    let anywhere = "https://registry.example".parse().expect("a sound URL");
    let Some(proxy) = proxies.intercept(&anywhere) else {
        return false;
    };
    let proxy = proxy.uri();
    // A port that is no number is kept in the text and ignored.
    let has_port = proxy
        .authority()
        .is_some_and(|authority| Some(authority.as_str()) != proxy.host());
    !has_port || proxy.port_u16().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_proxy_and_no_password() {
        let matcher = Matcher::builder()
            .https("http://user:secret@proxy.example:3128")
            .no("near.example")
            .build();
        let proxies = Proxies(matcher);
        for (url, proxy) in [
            ("https://far.example/v2/", Some("http://proxy.example:3128")),
            ("https://near.example/v2/", None),
            ("http://far.example/v2/", None),
        ] {
            let before = proxies.before(&url.parse().unwrap());
            assert_eq!(before.as_deref(), proxy, "{url}");
        }
    }

    #[test]
    fn finds_what_is_no_proxy() {
        for (name, value, wrong) in [
            ("HTTPS_PROXY", "http://proxy.example:3128", None),
            ("https_proxy", "proxy.example:3128", None),
            ("ALL_PROXY", "socks5://proxy.example", None),
            ("HTTPS_PROXY", "", None),
            (
                "HTTPS_PROXY",
                "http://proxy.example:port",
                Some("HTTPS_PROXY"),
            ),
            ("https_proxy", "ftp://proxy.example", Some("https_proxy")),
            ("HTTP_PROXY", "http://pass word@proxy", Some("HTTP_PROXY")),
        ] {
            let found = unreadable(|asked| (asked == name).then(|| value.to_owned()));
            assert_eq!(found, wrong, "{name}={value}");
        }
    }
}
