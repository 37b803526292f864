//! Opens what a command works with: the specification, the registries, AWS.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;

use crate::aws::{self, RootCertificates, Secrets};
use crate::cache;
use crate::cli::{File, Selection};
use crate::config::{self, Document, EcrDestination, Lock, Partition, Specification};
use crate::credentials::{Caller, DockerConfig, EcrTokens, Keyring, Scope, SecretStore};
use crate::doctor::{Sources, Subject};
use crate::ecr::Ecr;
use crate::event::{Event, Observer};
use crate::image::Registry;
use crate::pipeline::{Access, Daemon, Destination, EcrRegistry, Upstreams};
use crate::registry::{Client, Endpoint, Options, Politeness};
use crate::store::{Detours, Store};

use super::console;

/// A variable of the process's environment; what is no Unicode is taken as absent.
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// A path that was given: an empty one, as Terraform makes of what is left out, counts as absent.
pub(super) fn given_path(path: Option<&PathBuf>) -> Option<&Path> {
    path.map(PathBuf::as_path)
        .filter(|path| !path.as_os_str().is_empty())
}

/// Reads and checks the file, pins it to the lock where one is named, and keeps the images that the
/// arguments name.
pub(super) async fn specification(selection: &Selection) -> anyhow::Result<Specification> {
    let mut specification = whole_specification(&selection.file).await?;
    let names_none = specification.images.is_empty() && specification.patterns.is_empty();
    if names_none && specification.cache.is_some() {
        console::say(
            "warning: the file names no images; what it says of the pull-through cache is for \
             `longshore cache plan` and `longshore cache apply`",
        );
    }
    if let Some(path) = given_path(selection.locked.as_ref()) {
        let name = path.display().to_string();
        specification = Lock::read(path)?.pin(&name, specification)?;
    }
    Ok(specification.narrow(&selection.images)?)
}

/// Reads and checks the file.
pub(super) async fn whole_specification(file: &File) -> anyhow::Result<Specification> {
    Ok(Specification::parse(&document(file).await?, &variable)?)
}

/// Reads and checks the file for a command that logs in nowhere but at AWS: whoever only wants to know
/// a name has no token.
pub(super) async fn specification_without_secrets(file: &File) -> anyhow::Result<Specification> {
    let document = document(file).await?;
    Ok(Specification::parse_without_secrets(&document, &variable)?)
}

async fn document(file: &File) -> anyhow::Result<Document> {
    let file = given_path(file.file.as_ref()).map(Path::to_owned);
    // A terminal or pipe may take its time, and must not keep a signal from being heard.
    let read = tokio::task::spawn_blocking(move || Document::locate(file.as_deref(), &variable));
    Ok(read.await.context("cannot read the configuration")??)
}

/// Opens the pull-through cache.
pub(super) async fn cache(specification: &Specification) -> anyhow::Result<cache::Access> {
    let root_certificates = root_certificates()?;
    let options = destination_side(specification, root_certificates.as_ref());
    let session = aws::Session::load(options.clone()).await?;
    let account_id = specification.destination.ecr().account_id;
    Ok(cache::Access {
        ecr: Ecr::new(&session, account_id),
        secrets: Secrets::new(&session),
        region: session.region().to_owned(),
        store: SecretStore::new(options).with_session(&session),
    })
}

/// The account that the credentials of the destination's side belong to, as STS says.
pub(super) async fn account_id(specification: &Specification) -> anyhow::Result<String> {
    let root_certificates = root_certificates()?;
    let options = destination_side(specification, root_certificates.as_ref());
    let session = aws::Session::load(options).await?;
    Ok(session.introduce().await.identity?.account_id)
}

/// Opens the source registries alone.
pub(super) async fn upstreams(
    specification: &Specification,
    observer: Arc<dyn Observer>,
) -> anyhow::Result<Upstreams> {
    if !specification.detours().is_empty() {
        // The registry that caches is the destination's.
        return Ok(access(specification, observer).await?.upstreams);
    }
    let root_certificates = root_certificates()?;
    let tokens = EcrTokens::new(root_certificates.clone());
    let secrets = SecretStore::new(destination_side(specification, root_certificates.as_ref()));
    let keepers = (tokens, secrets);
    open(
        specification,
        root_certificates.as_ref(),
        keepers,
        None,
        observer,
    )
}

/// Opens everything but Docker, which only building needs.
pub(super) async fn access(
    specification: &Specification,
    observer: Arc<dyn Observer>,
) -> anyhow::Result<Access> {
    let root_certificates = root_certificates()?;
    let destination = match &specification.destination {
        config::Destination::Ecr(ecr) => {
            return ecr_access(specification, ecr, root_certificates, observer).await;
        }
        config::Destination::Registry(registry) => Destination::Registry(registry.clone()),
        config::Destination::Layout(folder) => Destination::Layout(folder.clone()),
    };
    let tokens = EcrTokens::new(root_certificates.clone());
    let (certificates, told) = (root_certificates.as_ref(), Arc::clone(&observer));
    let secrets = SecretStore::new(destination_side(specification, certificates));
    let upstreams = open(specification, certificates, (tokens, secrets), None, told)?;
    Ok(Access {
        upstreams,
        destination,
        observer,
    })
}

/// Opens ECR as the destination, and all that images come from.
async fn ecr_access(
    specification: &Specification,
    destination: &EcrDestination,
    root_certificates: Option<RootCertificates>,
    observer: Arc<dyn Observer>,
) -> anyhow::Result<Access> {
    let EcrDestination {
        profile,
        role_arn,
        account_id,
        registry,
        ..
    } = destination.clone();
    let options = destination_side(specification, root_certificates.as_ref());
    let session = aws::Session::load(options.clone()).await?;
    let ecr = Ecr::new(&session, account_id);
    // Asked for in any case: a refused key is then told once, and before anything happened.
    let own = ecr.registry().await?;
    let api_knows_images = registry.is_none();
    let endpoint = registry.unwrap_or(own);
    let name = endpoint.registry.clone();
    let caller = Caller {
        profile,
        role_arn,
        scope: Scope::Region(session.region().to_owned()),
    };
    let certificates = root_certificates.as_ref();
    let tokens = EcrTokens::new(root_certificates.clone()).with(caller, ecr.clone());
    let keepers = (tokens, SecretStore::new(options).with_session(&session));
    let own = Some((endpoint, &ecr));
    let told = Arc::clone(&observer);
    let upstreams = open(specification, certificates, keepers, own, told)?;
    Ok(Access {
        upstreams,
        destination: Destination::Ecr(EcrRegistry {
            ecr,
            registry: name,
            api_knows_images,
        }),
        observer,
    })
}

/// Who we are at AWS on the destination's side.
fn destination_side(
    specification: &Specification,
    root_certificates: Option<&RootCertificates>,
) -> aws::Options {
    let ecr = specification.destination.ecr();
    aws::Options {
        region: ecr.region,
        profile: ecr.profile,
        role_arn: ecr.role_arn,
        root_certificates: root_certificates.cloned(),
    }
}

/// Opens what a doctor looks at. The file, the certificates and Docker's configuration may be what is
/// wrong: each has a check then, and the rest goes without.
pub(super) fn subject(
    specification: Option<Specification>,
    observer: Arc<dyn Observer>,
) -> (Subject, Vec<(&'static str, anyhow::Error)>) {
    let mut wrong = Vec::new();
    let certificates = root_certificates();
    let certificates = certificates.unwrap_or_else(|error| {
        wrong.push(("certificates", error));
        None
    });
    let options = aws::Options {
        root_certificates: certificates.clone(),
        ..aws::Options::default()
    };
    let Some(specification) = specification else {
        let subject = Subject {
            specification,
            aws: options,
            variable,
            sources: None,
        };
        return (subject, wrong);
    };
    let options = destination_side(&specification, certificates.as_ref());
    let tokens = EcrTokens::new(certificates.clone());
    let keepers = (tokens, SecretStore::new(options.clone()));
    let dialled = dial(
        &specification,
        certificates.as_ref(),
        keepers,
        None,
        observer,
    );
    let sources = match dialled {
        Ok((client, keyring, _)) => Some(Sources { client, keyring }),
        Err(error) => {
            wrong.push(("upstream", error));
            None
        }
    };
    let subject = Subject {
        specification: Some(specification),
        aws: options,
        variable,
        sources,
    };
    (subject, wrong)
}

fn open(
    specification: &Specification,
    root_certificates: Option<&RootCertificates>,
    keepers: (EcrTokens, SecretStore),
    destination: Option<(Endpoint, &Ecr)>,
    observer: Arc<dyn Observer>,
) -> anyhow::Result<Upstreams> {
    let detours = destination.as_ref().map(|(endpoint, _)| Detours {
        cache: endpoint.registry.clone(),
        list: specification.detours(),
    });
    let (client, credentials, endpoints) = dial(
        specification,
        root_certificates,
        keepers,
        destination,
        observer,
    )?;
    let store = Store::new(client.clone());
    Ok(Upstreams {
        store: match detours {
            Some(detours) => store.with_detours(detours),
            None => store,
        },
        daemon: Daemon::new(Arc::new(variable)),
        client,
        credentials,
        endpoints,
    })
}

/// The client of all registries, who we are at them, and those that are read elsewhere than under
/// their own name.
fn dial(
    specification: &Specification,
    root_certificates: Option<&RootCertificates>,
    (tokens, secrets): (EcrTokens, SecretStore),
    destination: Option<(Endpoint, &Ecr)>,
    observer: Arc<dyn Observer>,
) -> anyhow::Result<(Client, Arc<Keyring>, BTreeMap<Registry, Endpoint>)> {
    let upstreams = specification.upstreams.iter();
    let mut endpoints: BTreeMap<Registry, Endpoint> = upstreams
        .filter_map(|(registry, upstream)| Some((registry.clone(), upstream.endpoint.clone()?)))
        .collect();
    let pulled_from = endpoints.clone();
    let mut keyring = Keyring::new(
        specification.upstreams.clone(),
        tokens,
        DockerConfig::load(&variable)?,
    )
    .with_secrets(secrets);
    if let config::Destination::Registry(registry) = &specification.destination
        && registry.is_public_ecr()
    {
        keyring = keyring.writing_to_public_ecr();
    }
    if let Some((endpoint, ecr)) = destination {
        let registry = endpoint.registry.clone();
        keyring = keyring.with_provider(registry.clone(), Arc::new(ecr.clone()));
        endpoints.insert(registry, endpoint);
    }
    let credentials: Arc<Keyring> = Arc::new(keyring);
    let extra = root_certificates.map(RootCertificates::pem);
    let options = Options {
        credentials: credentials.clone(),
        endpoints,
        extra_root_certificates: extra.unwrap_or_default().to_vec(),
        politeness: Politeness {
            on_pause: Some(Arc::new(move |registry, pause| {
                let registry = registry.clone();
                observer.observe(Event::Paused { registry, pause });
            })),
            sharers: sharers(specification),
            ..Politeness::default()
        },
    };
    Ok((Client::new(options)?, credentials, pulled_from))
}

/// How many runs lean on the same registries: one for each part of the file.
fn sharers(specification: &Specification) -> NonZeroUsize {
    let partition = specification.partition;
    partition.map_or(NonZeroUsize::MIN, Partition::count)
}

/// The certificates that `AWS_CA_BUNDLE` adds to the system's, at AWS and at every registry.
fn root_certificates() -> anyhow::Result<Option<RootCertificates>> {
    let path = variable("AWS_CA_BUNDLE").filter(|path| !path.is_empty());
    let certificates = path.map(|path| RootCertificates::read(Path::new(&path)));
    Ok(certificates.transpose()?)
}
