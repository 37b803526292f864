//! A copy that is killed again and again.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::process::ExitStatusExt as _;
use std::thread::sleep;
use std::time::{Duration, Instant};

use longshore::image::Digest;
use longshore::sandbox::layout::{PlatformImage, write_image};
use longshore::sandbox::{Effect, Fault, Server};
use serde_json::Value;

use crate::harness::Lab;

const KILLS: usize = 50;

/// How long the registry takes for everything that is written to it.
const LATENCY: Duration = Duration::from_millis(20);

const SIGKILL: i32 = 9;

/// A repository and a tag of the destination.
type Place = (String, String);

/// What each destination tag held before the copy, where it held anything, and what it holds after.
struct Corpus {
    old: BTreeMap<Place, Digest>,
    new: BTreeMap<Place, Digest>,
}

impl Corpus {
    /// Twenty images in ten repositories, every other one of three platforms; all images of a
    /// repository share a layer. Five of the tags are in place already and have moved since.
    fn offer(lab: &Lab) -> Self {
        let places = |count: usize| {
            (0..count).map(|it| (format!("app-{}", it % 10), format!("v{}", it / 10)))
        };
        let offer = |age: &str, place: &Place| {
            let (repository, tag) = place;
            let several = ["linux/amd64", "linux/arm64", "linux/s390x"];
            let platforms = if tag == "v0" { &several } else { &several[..1] };
            let image = |platform: &&str| {
                let own = |number: u32| format!("{tag} {platform} {number}");
                let layers = ["base".to_owned(), own(1), own(2)];
                let bytes = |layer: &String| format!("{age} {repository} {layer}").into_bytes();
                PlatformImage::new(
                    platform.parse().unwrap(),
                    layers.iter().map(bytes).collect(),
                )
            };
            let platforms: Vec<PlatformImage> = platforms.iter().map(image).collect();
            write_image(&lab.hub(), repository, tag, &platforms).unwrap()
        };
        let old: BTreeMap<Place, Digest> = places(5)
            .map(|place| (place.clone(), offer("old", &place)))
            .collect();
        write_file(lab, places(5));
        lab.applies(&["done"; 5]);
        let new = places(20)
            .map(|place| (place.clone(), offer("new", &place)))
            .collect();
        write_file(lab, places(20));
        Self { old, new }
    }

    /// Walks the closure of every tag: it is an old or a new one, and whole.
    #[track_caller]
    fn walk(&self, lab: &Lab) {
        let password = lab.password();
        for (place, new) in &self.new {
            let (repository, tag) = place;
            let old = self.old.get(place);
            match lab.manifest(repository, tag) {
                None => assert_eq!(old, None, "{place:?} is gone"),
                Some(manifest) => {
                    let digest = Digest::of(manifest.as_bytes());
                    assert!(
                        digest == *new || Some(&digest) == old,
                        "{place:?} has {digest}"
                    );
                    walk(lab, &password, repository, &manifest);
                }
            }
        }
    }
}

/// Walks a manifest of the destination: what it names is there, with its size and digest.
#[track_caller]
fn walk(lab: &Lab, password: &str, repository: &str, manifest: &str) {
    let manifest: Value = serde_json::from_str(manifest).unwrap();
    let each = |key: &str| manifest[key].as_array().cloned().unwrap_or_default();
    let check = |descriptor: &Value, bytes: Option<Vec<u8>>| {
        let bytes = bytes.unwrap_or_else(|| panic!("`{repository}` lacks {descriptor}"));
        assert_eq!(descriptor["size"], bytes.len());
        assert_eq!(descriptor["digest"], Digest::of(&bytes).as_str());
    };
    let digest = |descriptor: &Value| descriptor["digest"].as_str().unwrap().to_owned();
    for child in each("manifests") {
        let found = lab.manifest(repository, &digest(&child));
        check(&child, found.clone().map(String::into_bytes));
        walk(lab, password, repository, &found.unwrap());
    }
    let config = manifest.get("config").cloned();
    for blob in config.into_iter().chain(each("layers")) {
        check(&blob, lab.blob(password, repository, &digest(&blob)));
    }
}

fn write_file(lab: &Lab, places: impl Iterator<Item = Place>) {
    let upstream = lab.upstream();
    let images = places.map(|(repository, tag)| {
        format!("- {{source: '{upstream}/{repository}:{tag}', repository: {repository}}}\n")
    });
    lab.write(&format!("images:\n{}", images.collect::<String>()));
}

/// What the registry took: blobs and manifests that it answered with 201, as often as it did.
#[derive(Default)]
struct Arrivals(Vec<String>);

impl Arrivals {
    /// Looks for what is new.
    fn update(&mut self, lab: &Lab) -> usize {
        let log = lab.take_log().into_iter();
        let taken = log.filter(|it| {
            (it.at, it.method.as_str(), it.status) == (Server::Registry, "PUT", Some(201))
        });
        // An upload's address has a number of its own and, as the last thing, the digest.
        self.0.extend(taken.map(|it| {
            let path = it.path_and_query;
            match path
                .split_once("/uploads/")
                .zip(path.rsplit_once("digest="))
            {
                Some(((repository, _), (_, digest))) => format!("{repository}/{digest}"),
                None => path,
            }
        }));
        self.0.len()
    }

    /// Waits until nothing comes any more: what was under way when its sender died.
    fn settle(&mut self, lab: &Lab) {
        let mut before = usize::MAX;
        while before != self.0.len() {
            before = self.0.len();
            sleep(2 * LATENCY);
            self.update(lab);
        }
    }
}

#[test]
fn a_copy_that_is_killed_fifty_times_is_never_half_and_repeats_no_blob() {
    // How much an undisturbed copy brings.
    let total = {
        let lab = Lab::new();
        let corpus = Corpus::offer(&lab);
        lab.take_log();
        lab.applies(&["done"; 20]);
        corpus.walk(&lab);
        Arrivals::default().update(&lab)
    };

    let lab = Lab::new();
    let corpus = Corpus::offer(&lab);
    lab.take_log();
    for method in ["POST", "PUT"] {
        let slow = Fault::new("", Effect::Delay(LATENCY)).at(Server::Registry);
        lab.inject(slow.method(method).times(u32::MAX));
    }
    let mut arrivals = Arrivals::default();
    let mut hits = 0;
    for kill in 1..=KILLS {
        // Each run goes on where the last one was killed: until so much of the whole is there, and
        // at least one thing more than before, and a little longer.
        let goal = (kill * total / (KILLS + 1)).max(arrivals.0.len() + 1);
        let mut child = lab.longshore(&["apply"]).start();
        let deadline = Instant::now() + Duration::from_secs(20);
        while arrivals.update(&lab) < goal && child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < deadline, "{goal} of {total} never arrive");
            sleep(Duration::from_millis(1));
        }
        sleep(LATENCY * u32::try_from(kill % 10).unwrap() / 10);
        child.kill().unwrap();
        let is_hit = child.wait().unwrap().signal() == Some(SIGKILL);
        arrivals.settle(&lab);
        hits += usize::from(is_hit && arrivals.0.len() < total);
        corpus.walk(&lab);
    }
    assert!(
        hits >= 40,
        "{hits} kills met a process that had something left to do"
    );

    lab.longshore(&["apply"]).run().exits(0);
    arrivals.update(&lab);
    corpus.walk(&lab);
    for ((repository, tag), new) in &corpus.new {
        assert_eq!(
            lab.digest(repository, tag).as_ref(),
            Some(new),
            "{repository}:{tag}"
        );
    }
    let mut seen = BTreeSet::new();
    for arrived in arrivals.0.iter().filter(|it| !it.contains("/manifests/")) {
        assert!(seen.insert(arrived), "{arrived} was sent twice");
    }
}
