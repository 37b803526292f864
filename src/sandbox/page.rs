//! Pages of a list, as ECR cuts them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;

/// The entries of a page where the caller asks for no number.
const DEFAULT: usize = 100;
/// The most entries of a page; more is an error and not clipped (go-containerregistry#681).
const LARGEST: usize = 1000;
const MARK: &str = "sandbox-page:";

/// One page and the token of the next. The token is opaque and cannot be made from an entry, as at
/// ECR. What is wrong with the request is told in ECR's words.
pub(super) fn page<T>(
    items: Vec<T>,
    size: Option<usize>,
    token: Option<&str>,
) -> Result<(Vec<T>, Option<String>), String> {
    let size = size.unwrap_or(DEFAULT);
    if size > LARGEST {
        return Err(format!(
            "Invalid parameter at 'maxResults' failed to satisfy constraint: \
             'Member must have value less than or equal to {LARGEST}'"
        ));
    }
    if size == 0 {
        return Err(
            "Invalid parameter at 'maxResults' failed to satisfy constraint: \
             'Member must have value greater than or equal to 1'"
                .to_owned(),
        );
    }
    let start = match token {
        None => 0,
        Some(token) => read(token).ok_or("Invalid next token provided")?,
    };
    let next = start + size;
    let token = (next < items.len()).then(|| URL_SAFE.encode(format!("{MARK}{next}")));
    Ok((items.into_iter().skip(start).take(size).collect(), token))
}

fn read(token: &str) -> Option<usize> {
    let bytes = URL_SAFE.decode(token).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    text.strip_prefix(MARK)?.parse().ok()
}
