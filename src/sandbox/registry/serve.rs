//! Who may come in, and what each path does.

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use axum::response::{IntoResponse as _, Response};

use super::{Refusal, blobs, manifests, referrers, tags, uploads};
use crate::sandbox::pull_through::{Purpose, Template, import};
use crate::sandbox::repository::{Repository, Settings};
use crate::sandbox::route::Route;
use crate::sandbox::state::State;
use crate::sandbox::tokens::Worth;

/// Answers a request to the registry.
pub(in crate::sandbox) async fn serve(state: &State, request: Request<Body>) -> Response {
    if let Some(refused) = refuse(state, request.headers()) {
        return refused;
    }
    match answer(state, request).await {
        Ok(response) => response,
        Err(refusal) => refusal.into_response(),
    }
}

/// ECR answers 401 in plain text (NVIDIA/enroot#59), and 403 for an expired token (its user guide,
/// "Common errors for Docker commands").
fn refuse(state: &State, headers: &HeaderMap) -> Option<Response> {
    match state.tokens.worth(headers) {
        Worth::Good => None,
        Worth::Expired => {
            let message = "Your authorization token has expired. Reauthenticate and try again.";
            Some(Refusal::new(StatusCode::FORBIDDEN, "DENIED", message).into_response())
        }
        Worth::Unknown => {
            let realm = format!("http://{}/", state.addresses.registry);
            let challenge = format!("Basic realm=\"{realm}\",service=\"ecr.amazonaws.com\"");
            let response = Response::builder()
                .status(StatusCode::UNAUTHORIZED)
                .header("www-authenticate", challenge)
                .header("content-type", "text/plain; charset=utf-8")
                .body(Body::from("Not Authorized\n"));
            Some(response.expect("an address is valid in a header"))
        }
    }
}

async fn answer(state: &State, request: Request<Body>) -> Result<Response, Refusal> {
    let route = Route::of(request.uri().path());
    let reads = [Method::GET, Method::HEAD].contains(request.method());
    if let Route::Manifest(name, reference) = &route
        && reads
    {
        let imported = import(state, name, reference).await;
        imported.map_err(|failure| failure.refusal(state, name))?;
    }
    if let Some(name) = route.repository() {
        require(state, name, request.method())?;
    }
    let (parts, body) = request.into_parts();
    match (&parts.method, route) {
        (&Method::GET | &Method::HEAD, Route::Ping) => Ok(ping()),
        (&Method::HEAD, Route::Blob(name, digest)) => blobs::head(state, &name, &digest).await,
        (&Method::GET, Route::Blob(name, digest)) => blobs::get(state, &name, &digest),
        (&Method::POST, Route::Uploads(name)) => uploads::begin(state, &name, &parts.uri).await,
        (&Method::PATCH, Route::Upload(name, id)) => {
            uploads::patch(state, &name, &id, &parts.headers, body).await
        }
        (&Method::PUT, Route::Upload(name, id)) => {
            uploads::finish(state, &name, &id, &parts.uri, body).await
        }
        (&Method::DELETE, Route::Upload(_, id)) => uploads::cancel(state, &id),
        // Reported for public ECR in dotnet/sdk#33019: an upload cannot be asked how far it is.
        (&Method::GET, Route::Upload(..)) => Err(uploads::unknown()),
        (&Method::GET | &Method::HEAD, Route::Manifest(name, reference)) => {
            manifests::read(state, &name, &reference, &parts)
        }
        (&Method::PUT, Route::Manifest(name, reference)) => {
            manifests::put(state, &name, &reference, &parts.headers, body).await
        }
        (&Method::GET, Route::Tags(name)) => tags::list(state, &name, &parts.uri),
        (&Method::GET, Route::Referrers(name, digest)) => {
            let manifests = {
                let inventory = state.store.read();
                let repository = inventory.repositories.get(&name);
                repository.map(Repository::manifests).unwrap_or_default()
            };
            referrers::list(&name, &digest, manifests.into_iter(), &parts.uri)
        }
        (_, Route::Unknown) => Err(Refusal::not_found("NOT_FOUND", "no such path")),
        _ => Err(Refusal::unsupported("The operation is unsupported.")),
    }
}

/// A push to a missing repository creates it where a template or the sandbox's own option says so;
/// all else is refused.
fn require(state: &State, name: &str, method: &Method) -> Result<(), Refusal> {
    if state.store.read().repositories.contains_key(name) {
        return Ok(());
    }
    let pushes = method == Method::POST || method == Method::PUT;
    state.store.change(|inventory| {
        let template = Template::of(inventory, name, Purpose::CreateOnPush);
        let created = match template.map(Template::repository) {
            Some(repository) => repository,
            None if state.options.create_on_push => Some(Repository::new(Settings::default())),
            None => None,
        };
        let created = created.filter(|_| pushes).ok_or_else(|| {
            let message = state.repository_is_missing(name);
            Refusal::not_found("NAME_UNKNOWN", message)
        })?;
        let repositories = &mut inventory.repositories;
        repositories.entry(name.to_owned()).or_insert(created);
        Ok(())
    })
}

fn ping() -> Response {
    Response::builder()
        .header("docker-distribution-api-version", "registry/2.0")
        .header("content-type", "text/plain; charset=utf-8")
        .body(Body::empty())
        .expect("the headers are valid")
}
