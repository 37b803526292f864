//! Pages of the API's lists.

use super::exception::Exception;
use crate::sandbox::page::page;

/// One page and the token of the next.
pub(super) fn cut<T>(
    items: Vec<T>,
    size: Option<usize>,
    token: Option<&str>,
) -> Result<(Vec<T>, Option<String>), Exception> {
    page(items, size, token).map_err(|message| Exception::new("InvalidParameterException", message))
}
