//! What opens a registry.

use std::time::SystemTime;

use aws_sdk_ecr::primitives::DateTime;
use aws_sdk_ecr::types::AuthorizationData;
use aws_sdk_ecrpublic::types::AuthorizationData as PublicAuthorizationData;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretString;

use crate::image::Registry;
use crate::registry::{Endpoint, Login};

const NO_DATA: &str = "there is none in the answer";

/// An authorization token of ECR's. It belongs to a region and lasts twelve hours.
#[derive(Debug)]
pub struct Token {
    /// The user and the password: HTTP Basic, as they come.
    pub login: Login,
    /// Where the registry of the caller's account is.
    pub proxy_endpoint: Endpoint,
    /// When it ends. Absent when nobody says, or when the end had passed on arrival, as with moto.
    pub expires_at: Option<SystemTime>,
}

impl Token {
    /// Reads what `GetAuthorizationToken` answers; the error says what is wrong with it.
    pub(super) fn read(data: Option<&AuthorizationData>) -> Result<Self, String> {
        let data = data.ok_or(NO_DATA)?;
        let login = login(data.authorization_token())?;
        let endpoint = data.proxy_endpoint().ok_or("it names no registry")?;
        let proxy_endpoint: Endpoint = endpoint
            .parse()
            .map_err(|_| format!("its registry is `{endpoint}`"))?;
        Ok(Self {
            login,
            proxy_endpoint,
            expires_at: end(data.expires_at()),
        })
    }

    /// The same of ECR Public, which has one registry.
    pub(super) fn read_public(data: Option<&PublicAuthorizationData>) -> Result<Self, String> {
        let data = data.ok_or(NO_DATA)?;
        Ok(Self {
            login: login(data.authorization_token())?,
            proxy_endpoint: Endpoint::of(&Registry::public_ecr()),
            expires_at: end(data.expires_at()),
        })
    }
}

/// The user and the password, which come as one text in Base64.
fn login(encoded: Option<&str>) -> Result<Login, String> {
    let decoded = STANDARD
        .decode(encoded.ok_or("it is empty")?)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or("it is not Base64")?;
    let (username, password) = decoded
        .split_once(':')
        .ok_or("it is not `user:password` in Base64")?;
    Ok(Login::Password {
        username: username.to_owned(),
        password: SecretString::from(password),
    })
}

fn end(expires_at: Option<&DateTime>) -> Option<SystemTime> {
    expires_at
        .and_then(|time| SystemTime::try_from(*time).ok())
        .filter(|end| *end > SystemTime::now())
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn read(token: &str, endpoint: &str) -> Result<Token, String> {
        let data = AuthorizationData::builder()
            .authorization_token(token)
            .proxy_endpoint(endpoint)
            .build();
        Token::read(Some(&data))
    }

    #[test]
    fn reads_what_ecr_gives() {
        let encoded = STANDARD.encode("AWS:pass:word");
        let host = "https://123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn";
        let token = read(&encoded, host).unwrap();
        assert_eq!(token.proxy_endpoint.to_string(), host);
        assert!(!format!("{token:?}").contains("pass:word"));
        let Login::Password { username, password } = token.login else {
            panic!("ECR gives a password");
        };
        assert_eq!(
            (username.as_str(), password.expose_secret()),
            ("AWS", "pass:word")
        );
    }

    #[test]
    fn says_what_is_wrong() {
        let host = "https://123456789012.dkr.ecr.eu-west-1.amazonaws.com";
        let reasons = [
            read("!", host),
            read(&STANDARD.encode("AWS"), host),
            read(&STANDARD.encode("AWS:x"), "ftp://x"),
        ]
        .map(Result::unwrap_err);
        insta::assert_debug_snapshot!(reasons);
    }
}
