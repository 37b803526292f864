//! The Docker daemon.

use std::collections::BTreeSet;

use super::findings::{Findings, answer};
use super::{Check, Verdict};
use crate::config::{Builder, ImagePattern, ImageSpecification, Specification};
use crate::docker::{self, DaemonDetails, Docker};
use crate::failure::Kind;
use crate::image::{Location, Platform};

const NAME: &str = "docker";
const STORAGE: &str = "docker storage";
const SPACE: &str = "docker space";
const BUILDKIT: &str = "buildkit";
const PLATFORM: &str = "platform";

/// Less than this, in bytes, is gone with one build on a large base.
const LITTLE: u64 = 2 * GIB;

const GIB: u64 = 1024 * 1024 * 1024;

pub(super) async fn examine(
    specification: Option<&Specification>,
    variable: fn(&str) -> Option<String>,
) -> Findings {
    let need = Need::of(specification);
    let found = answer(NAME, async {
        let docker = Docker::connect(&variable).await?;
        let details = docker.describe().await?;
        Ok::<_, docker::Error>((docker, details))
    });
    let (docker, details) = match found.await {
        Ok(found) => found,
        Err(check) => return need.soften(check).into(),
    };
    let mut findings = Findings::default();
    findings.add(daemon(&docker, &details));
    findings.add(storage(&details));
    findings.add(space(&details));
    findings.add(buildkit(&details));
    for platform in specification
        .map(|specification| foreign(specification, docker.platform()))
        .unwrap_or_default()
    {
        findings.add(emulation(&docker, &platform).await);
    }
    findings
}

/// How much the file needs Docker.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Need {
    /// Some image is built in any case or comes from the daemon, or there is no file to tell.
    Certain,
    /// Some image is built where its lines cannot be derived.
    Possible,
    /// Everything is copied or derived.
    None,
}

impl Need {
    fn of(specification: Option<&Specification>) -> Self {
        let Some(specification) = specification else {
            return Self::Certain;
        };
        let is_local = |image: &ImageSpecification| matches!(image.source, Location::Daemon(_));
        if images(specification).any(is_local) {
            return Self::Certain;
        }
        let made: Vec<Builder> = images(specification)
            .filter(|image| !image.is_copy())
            .map(|image| image.builder)
            .collect();
        if made.contains(&Builder::Docker) {
            Self::Certain
        } else if made.contains(&Builder::Auto) {
            Self::Possible
        } else {
            Self::None
        }
    }

    /// A missing daemon is a failure only for whoever needs it.
    fn soften(self, check: Check) -> Check {
        let reason = match self {
            Self::Certain => return check,
            Self::Possible => "only lines that cannot be derived need it",
            Self::None => "nothing in the file needs it",
        };
        Check {
            verdict: Verdict::Warning,
            message: format!("{} ({reason})", check.message),
            ..check
        }
    }
}

/// What each tag of the file becomes, those that are to be listed included.
fn images(specification: &Specification) -> impl Iterator<Item = &ImageSpecification> {
    let listed = specification.patterns.iter().map(ImagePattern::image);
    specification.images.iter().chain(listed)
}

fn daemon(docker: &Docker, details: &DaemonDetails) -> Check {
    let DaemonDetails {
        address,
        version,
        api,
        ..
    } = details;
    let platform = docker.platform();
    let message = format!("version {version} (API {api}, {platform}) at `{address}`");
    Check::ok(NAME, message)
}

fn storage(details: &DaemonDetails) -> Check {
    let store = if details.has_containerd_store {
        "images are kept in containerd"
    } else {
        "images are kept in the classic store"
    };
    Check::ok(STORAGE, format!("{}, {store}", details.driver))
}

fn space(details: &DaemonDetails) -> Check {
    let root = details.root.display();
    let Some(free) = details.free else {
        let message = format!("`{root}` is not on this machine");
        return Check::not_checked(SPACE, message);
    };
    let tenths = free / (GIB / 10);
    let message = format!("{}.{} GiB free in `{root}`", tenths / 10, tenths % 10);
    if free < LITTLE {
        let hint = "`docker system prune` frees what no container and no tag uses";
        return Check::warning(SPACE, message).hint(hint);
    }
    Check::ok(SPACE, message)
}

fn buildkit(details: &DaemonDetails) -> Check {
    if details.has_buildkit {
        Check::ok(BUILDKIT, "the daemon has it")
    } else {
        let message = "the daemon has none: that takes Linux and Docker 18.09 or newer";
        Check::warning(BUILDKIT, message)
    }
}

/// The platforms of other processors for which the file has something run in a build.
fn foreign(specification: &Specification, own: &Platform) -> BTreeSet<Platform> {
    images(specification)
        .filter(|image| image.lines.has_run() || !image.template.is_builtin())
        .flat_map(|image| image.platforms.chosen().unwrap_or_default())
        .filter(|platform| *platform != own)
        .cloned()
        .collect()
}

/// Whether the daemon runs programs of a platform.
async fn emulation(docker: &Docker, platform: &Platform) -> Check {
    let check = match answer(PLATFORM, docker.runs(platform)).await {
        Ok(true) => Check::ok(PLATFORM, "the daemon runs its programs"),
        Ok(false) => {
            let message = "the daemon does not run its programs, and the file has some run";
            Check::failed(PLATFORM, Kind::Permanent, message).hint(
                "`docker run --privileged --rm tonistiigi/binfmt --install all` brings emulation",
            )
        }
        Err(check) => check,
    };
    check.of(platform.to_string())
}
