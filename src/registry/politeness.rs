//! How hard a registry is leaned on, and what its complaints change.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use reqwest::Method;
use tokio::time::{Instant, sleep_until};

use super::pace::Pace;
use super::pause::Pause;
use super::rate_limit::{Budget, RateLimit};
use super::transfers::Transfers;
use super::window::{Slot, Window};
use crate::image::Registry;

/// Blobs under way at once at one registry. Past three or four there is little to gain on a good
/// line (zarf's measurements); skopeo takes six.
const TRANSFERS: usize = 6;

/// Small requests under way at once at one registry: a few round trips' worth, no burst.
const REQUESTS: usize = 8;

/// Manifests written in a second to ECR, whose quota (`PutImage`) is ten.
const MANIFEST_PUTS: usize = 8;

/// HEADs in a second to Docker Hub, whose abuse limit is thousands of requests a minute.
const DOCKER_HUB_HEADS: usize = 10;

/// Told when a registry asks for slower requests: which one, and for how long nothing is sent to
/// it.
pub type OnPause = Arc<dyn Fn(&Registry, Duration) + Send + Sync>;

/// How hard each registry is leaned on.
#[derive(Clone)]
pub struct Politeness {
    /// Blobs under way at once at one registry.
    pub transfers: usize,
    /// Manifests written in a second to one of ECR's registries. ECR allows ten to an account and
    /// region, so that processes that share them must divide it.
    pub manifest_puts: usize,
    /// How many processes lean on the same registries at the same time. Each keeps to its share of
    /// what all together may send in a second, and of Docker Hub's pulls.
    pub sharers: NonZeroUsize,
    /// Told of every pause.
    pub on_pause: Option<OnPause>,
}

impl Default for Politeness {
    fn default() -> Self {
        Self {
            transfers: TRANSFERS,
            manifest_puts: MANIFEST_PUTS,
            sharers: NonZeroUsize::MIN,
            on_pause: None,
        }
    }
}

impl fmt::Debug for Politeness {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Politeness")
            .field("transfers", &self.transfers)
            .field("manifest_puts", &self.manifest_puts)
            .field("sharers", &self.sharers)
            .finish_non_exhaustive()
    }
}

/// One registry's slots, paces and pauses, which all requests to it share.
pub(super) struct Manners {
    registry: Registry,
    on_pause: Option<OnPause>,
    transfers: Arc<Transfers>,
    requests: Arc<Window>,
    puts: Option<Mutex<Pace>>,
    heads: Option<Mutex<Pace>>,
    pause: Mutex<Pause>,
    budget: Mutex<Budget>,
    /// When the registry may be asked again that wanted to be left alone.
    rested: Mutex<Option<Instant>>,
}

impl Manners {
    /// `transfers` is shared with all other registries.
    pub(super) fn new(
        registry: Registry,
        politeness: &Politeness,
        transfers: Arc<Transfers>,
    ) -> Self {
        let sharers = politeness.sharers;
        let pace = |applies: bool, per_second| {
            applies.then(|| Mutex::new(Pace::shared(per_second, sharers)))
        };
        Self {
            on_pause: politeness.on_pause.clone(),
            transfers,
            requests: Window::new(REQUESTS),
            puts: pace(is_ecr(&registry), politeness.manifest_puts),
            heads: pace(registry.is_docker_hub(), DOCKER_HUB_HEADS),
            pause: Mutex::default(),
            budget: Mutex::default(),
            rested: Mutex::default(),
            registry,
        }
    }

    /// Waits until a small request may go out. It ends with the slot.
    pub(super) async fn turn(&self, method: &Method) -> Slot {
        loop {
            let slot = self.requests.slot().await;
            let Err(next) = self.pass(method, Instant::now()) else {
                return slot;
            };
            drop(slot);
            sleep_until(next).await;
        }
    }

    /// Lets a request go out now, or says when to ask again.
    fn pass(&self, method: &Method, now: Instant) -> Result<(), Instant> {
        let mut paced = self.pace(method).map(Mutex::lock);
        let next = paced.as_ref().map_or(now, |pace| pace.next(now));
        let next = next.max(self.pause.lock().end(now));
        if next > now {
            return Err(next);
        }
        if let Some(pace) = &mut paced {
            pace.pass(now);
        }
        Ok(())
    }

    /// Waits until no pause is on.
    pub(super) async fn wait(&self) {
        loop {
            let now = Instant::now();
            let end = self.pause.lock().end(now);
            if end <= now {
                return;
            }
            sleep_until(end).await;
        }
    }

    /// The registry took a request well.
    pub(super) fn succeeded(&self, method: &Method) {
        self.requests.succeeded();
        self.transfers.succeeded(&self.registry);
        self.pause.lock().succeeded(Instant::now());
        if let Some(pace) = self.pace(method) {
            pace.lock().succeeded();
        }
    }

    /// The registry asked for slower requests, perhaps said for how long to wait.
    pub(super) fn throttled(&self, method: &Method, asked: Option<Duration>) {
        let now = Instant::now();
        if let Some(pace) = self.pace(method) {
            pace.lock().throttled(now);
        }
        let begun = self.pause.lock().throttled(now, asked);
        if let Some(pause) = begun {
            self.requests.throttled();
            self.transfers.throttled(&self.registry);
            tracing::debug!(registry = %self.registry, ?pause, "slowing down");
            if let Some(on_pause) = &self.on_pause {
                on_pause(&self.registry, pause);
            }
        }
    }

    /// Takes what an answer told of the budget, to a request that was sent at `asked`.
    pub(super) fn learn(&self, told: Option<RateLimit>, asked: Instant) {
        if let Some(told) = told {
            self.budget.lock().learn(told, asked, Instant::now());
        }
    }

    /// The registry wants to be left alone. Nobody waits for that by itself: it may be hours.
    pub(super) fn leave_alone(&self, asked: Option<Duration>) {
        if let Some(rest) = asked {
            *self.rested.lock() = Instant::now().checked_add(rest);
        }
    }

    /// How long the registry still wants to be left alone.
    pub(super) fn rest(&self, now: Instant) -> Duration {
        let rested = *self.rested.lock();
        rested.map_or(Duration::ZERO, |end| end.saturating_duration_since(now))
    }

    pub(super) fn rate_limit(&self) -> Option<RateLimit> {
        self.budget.lock().latest()
    }

    fn pace(&self, method: &Method) -> Option<&Mutex<Pace>> {
        match *method {
            Method::PUT => self.puts.as_ref(),
            Method::HEAD => self.heads.as_ref(),
            _ => None,
        }
    }
}

/// Whether a registry is one of ECR's: `123456789012.dkr.ecr...`, `123456789012.dkr-ecr...` or
/// public.
pub(super) fn is_ecr(registry: &Registry) -> bool {
    let is_private = registry.as_str().split_once('.').is_some_and(|it| {
        let (account, rest) = it;
        account.len() == 12
            && account.bytes().all(|byte| byte.is_ascii_digit())
            && (rest.starts_with("dkr.ecr") || rest.starts_with("dkr-ecr"))
    });
    is_private || registry.is_public_ecr()
}

#[cfg(test)]
mod tests {
    use super::super::fake::{Fake, Reply};
    use super::*;

    const ECR: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";

    fn manners(registry: &str) -> Manners {
        let politeness = Politeness {
            manifest_puts: 2,
            ..Politeness::default()
        };
        let transfers = Transfers::new(politeness.transfers);
        Manners::new(registry.parse().unwrap(), &politeness, transfers)
    }

    #[test]
    fn each_kind_has_its_pace() {
        let now = Instant::now();
        let later = Err(now + Duration::from_secs(1));
        let passes = |manners: &Manners, method, count| {
            let passes = (0..count).map(|_| manners.pass(&method, now));
            passes.collect::<Vec<_>>()
        };
        let ecr = manners(ECR);
        assert_eq!(passes(&ecr, Method::PUT, 3), [Ok(()), Ok(()), later]);
        assert_eq!(passes(&ecr, Method::HEAD, 99), [Ok(()); 99]);
        let plain = manners("ghcr.io");
        assert_eq!(passes(&plain, Method::PUT, 99), [Ok(()); 99]);
        let hub = passes(&manners("docker.io"), Method::HEAD, 11);
        assert_eq!(hub, [&[Ok(()); DOCKER_HUB_HEADS][..], &[later]].concat());
    }

    #[test]
    fn sharers_divide_what_may_be_sent_in_a_second() {
        let passes = |registry: &str, method: &Method| {
            let politeness = Politeness {
                sharers: NonZeroUsize::new(4).unwrap(),
                ..Politeness::default()
            };
            let transfers = Transfers::new(politeness.transfers);
            let manners = Manners::new(registry.parse().unwrap(), &politeness, transfers);
            let now = Instant::now();
            let passes = (0..20).filter(|_| manners.pass(method, now).is_ok());
            passes.count()
        };
        assert_eq!(passes(ECR, &Method::PUT), MANIFEST_PUTS / 4);
        assert_eq!(passes("docker.io", &Method::HEAD), DOCKER_HUB_HEADS / 4);
        assert_eq!(passes("ghcr.io", &Method::PUT), 20, "it has no such limit");
    }

    #[test]
    fn one_complaint_stops_all() {
        let manners = manners(ECR);
        manners.throttled(&Method::PUT, Some(Duration::from_secs(9)));
        let now = Instant::now();
        for method in [Method::GET, Method::HEAD, Method::PUT] {
            let next = manners.pass(&method, now).unwrap_err();
            assert!(next > now + Duration::from_secs(8));
        }
    }

    #[test]
    fn knows_ecr() {
        for (registry, expected) in [
            (ECR, true),
            ("123456789012.dkr-ecr.us-east-1.on.aws", true),
            ("public.ecr.aws", true),
            ("docker.io", false),
            ("ecr.example", false),
            ("123456789012.example", false),
        ] {
            assert_eq!(is_ecr(&registry.parse().unwrap()), expected, "{registry}");
        }
    }

    #[tokio::test]
    async fn docker_hubs_budget_is_known() {
        let fake = Fake::start(|_, _| {
            Reply::manifest()
                .header("ratelimit-limit", "100;w=21600")
                .header("ratelimit-remaining", "76;w=21600")
        })
        .await;
        let client = fake.client_for("docker.io");
        let hub = Registry::docker_hub();
        assert_eq!(client.rate_limit(&hub), None);
        client
            .head_manifest(&"redis:7".parse().unwrap())
            .await
            .unwrap();
        let told = RateLimit {
            limit: 100,
            remaining: 76,
            window: Duration::from_hours(6),
        };
        assert_eq!(client.rate_limit(&hub), Some(told));
    }
}
