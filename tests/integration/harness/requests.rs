//! The requests that the lab's servers have seen, as lines that a test can compare.

use longshore::sandbox::{Request, Server};

/// A line for each request that is not about who asks, sorted. Digests of blobs and numbers of uploads
/// are left out.
pub(super) fn lines(requests: &[Request]) -> Vec<String> {
    let requests = requests.iter().filter(|request| !is_about_login(request));
    let mut lines: Vec<String> = requests.map(line).collect();
    lines.sort();
    lines
}

/// How often a line is there.
pub(crate) fn count(lines: &[String], line: &str) -> usize {
    lines.iter().filter(|seen| *seen == line).count()
}

fn is_about_login(request: &Request) -> bool {
    let path = request.path_and_query.split('?').next().unwrap_or_default();
    matches!(path, "/v2/" | "/token")
        || request.operation.as_deref() == Some("GetAuthorizationToken")
}

/// Such as `registry PUT mongo manifest 7 201`, `registry POST mongo upload 202`, `api ListImages 200`.
fn line(request: &Request) -> String {
    let (path, query) = match request.path_and_query.split_once('?') {
        Some(parts) => parts,
        None => (request.path_and_query.as_str(), ""),
    };
    let path = path.trim_start_matches("/v2/");
    let what = if let Some(operation) = &request.operation {
        operation.clone()
    } else if request.at == Server::Storage {
        format!("{} blob", request.method)
    } else if let Some((repository, blob)) = path.split_once("/blobs/") {
        let what = match blob.starts_with("uploads/") {
            true if query.starts_with("mount=") => "mount",
            true => "upload",
            false => "blob",
        };
        format!("{} {repository} {what}", request.method)
    } else if let Some((repository, reference)) = path.split_once("/manifests/") {
        let is_digest = reference.contains(':');
        let reference = if is_digest { "by digest" } else { reference };
        format!("{} {repository} manifest {reference}", request.method)
    } else if let Some((repository, _)) = path.split_once("/referrers/") {
        format!("{} {repository} referrers", request.method)
    } else {
        format!("{} {path}", request.method)
    };
    let status = request.status.map(|status| status.to_string());
    let status = status.as_deref().unwrap_or("broken");
    format!("{} {what} {status}", request.at)
}
