//! `--to`: a destination that longshore does not reach through ECR's API.

use super::mistakes::{Mistakes, Place};
use super::single::SingleImage;
use super::specification::Destination;
use crate::image::{Location, Reference};

/// What a layout is called that has a name which no repository may have.
const NAMELESS: &str = "image";

/// A destination and what the image is called there: `NAME` or `NAME:TAG`.
pub(super) struct Elsewhere {
    pub(super) destination: Destination,
    pub(super) name: String,
}

impl Elsewhere {
    /// Reads `HOST/REPOSITORY[:TAG]` or `oci:DIR[:TAG]`. `image` is what else the arguments say,
    /// of which nothing may name another destination.
    pub(super) fn check(
        to: &str,
        image: &SingleImage<'_>,
        mistakes: &mut Mistakes,
    ) -> Option<Self> {
        let mut refuse = |message: &str, hint: &str| {
            mistakes.add(&Place::argument("--to"), message, hint.to_owned());
        };
        let location: Location = match to.parse() {
            Ok(location) => location,
            Err(error) => {
                refuse(
                    &format!("{error}"),
                    "write `HOST/REPOSITORY:TAG` or `oci:DIR:TAG`",
                );
                return None;
            }
        };
        if location.digest().is_some() {
            refuse(
                "a destination has a tag, and no digest",
                "leave the digest out",
            );
            return None;
        }
        let tag = location
            .tag()
            .map_or_else(String::new, |tag| format!(":{tag}"));
        let elsewhere = match location {
            Location::Layout(layout) => {
                let named = Location::Layout(layout.clone()).familiar_repository();
                let name = named.map_or(NAMELESS.to_owned(), |name| name.to_string());
                Self {
                    destination: Destination::Layout(layout.folder),
                    name: format!("{name}{tag}"),
                }
            }
            Location::Daemon(image) => {
                let message = format!("`{to}` is in the Docker daemon, which is no destination");
                refuse(
                    &message,
                    &format!(
                        "`docker pull` brings an image there; write `HOST/{}`",
                        image.familiar_repository()
                    ),
                );
                return None;
            }
            Location::Registry(Reference {
                registry,
                repository,
                ..
            }) => {
                // Docker Hub is public: nothing gets there by a host that was left out.
                let hub = ["docker.io/", "index.docker.io/"];
                if registry.is_docker_hub() && !hub.iter().any(|host| to.starts_with(host)) {
                    refuse(
                        &format!("`{to}` names no registry"),
                        &format!("write `HOST/{to}`, or leave `--to` out to write to ECR"),
                    );
                    return None;
                }
                Self {
                    destination: Destination::Registry(registry),
                    name: format!("{repository}{tag}"),
                }
            }
        };
        elsewhere.refuse_others(image, mistakes);
        Some(elsewhere)
    }

    /// Refuses what names or opens another destination.
    fn refuse_others(&self, image: &SingleImage<'_>, mistakes: &mut Mistakes) {
        let is_layout = matches!(self.destination, Destination::Layout(_));
        let folder_only = |value: Option<&'static str>| value.filter(|_| is_layout);
        let others = [
            image.repository.map(|_| "REPOSITORY"),
            image.namespace.map(|_| "--namespace"),
            image.region.map(|_| "--region"),
            image.account_id.map(|_| "--account-id"),
            image.via.map(|_| "--via"),
            folder_only(image.profile.map(|_| "--profile")),
            folder_only(image.registry.map(|_| "--registry")),
        ];
        for name in others.into_iter().flatten() {
            let message = "`--to` is the whole destination";
            let hint = format!("leave `{name}` out");
            mistakes.add(&Place::argument(name), message, hint);
        }
    }
}
