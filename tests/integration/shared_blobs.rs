//! Blobs that several repositories need at once.

use longshore::image::Digest;
use longshore::sandbox::layout::{PlatformImage, write_image};
use longshore::sandbox::{Fault, Options, Server};
use serde_json::json;

use crate::harness::Lab;

/// A lab, and whether its account lets blobs be mounted.
fn lab(blob_mounting: bool) -> Lab {
    Lab::with(Options {
        blob_mounting,
        ..Options::default()
    })
}

/// Puts images with these layers upstream, each with a configuration of its own, and writes a file
/// that copies all of them. Returns the images' digests.
fn offer(lab: &Lab, images: &[(&str, Vec<Vec<u8>>)]) -> Vec<Digest> {
    let names: Vec<&str> = images.iter().map(|(name, _)| *name).collect();
    lab.write(&format!("images: [{}]\n", names.join(", ")));
    let offer = |(name, layers): &(&str, Vec<Vec<u8>>)| {
        let image = PlatformImage {
            config: json!({"Env": [format!("NAME={name}")]}),
            ..PlatformImage::new("linux/amd64".parse().unwrap(), layers.clone())
        };
        let repository = format!("library/{name}");
        write_image(&lab.hub(), &repository, "latest", &[image]).unwrap()
    };
    images.iter().map(offer).collect()
}

/// How often a blob was read from the source.
fn reads(lab: &Lab, digest: &Digest) -> usize {
    let log = lab.log();
    let reads = log.iter().filter(|request| {
        request.at == Server::Upstream
            && request.method == "GET"
            && request.path_and_query.ends_with(digest.as_str())
    });
    reads.count()
}

fn arrived(lab: &Lab, names: &[&str], digests: &[Digest]) {
    let held = names.iter().map(|name| lab.digest(name, "latest"));
    let digests = digests.iter().cloned().map(Some);
    assert_eq!(
        held.collect::<Vec<_>>(),
        digests.collect::<Vec<_>>(),
        "{names:?}"
    );
}

const EIGHT: [&str; 8] = ["a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8"];

/// Copies eight images that share a layer, as many at once, and returns the layer.
fn copy_eight(lab: &Lab, jobs: &str) -> Digest {
    let digests = offer(lab, &EIGHT.map(|name| (name, vec![b"shared".to_vec()])));
    let run = lab.longshore(&["apply", "--jobs", jobs]).run();
    run.exits(0);
    arrived(lab, &EIGHT, &digests);
    lab.layer_of("library/a1", &digests[0])
}

fn count(lab: &Lab, what: &str) -> usize {
    lab.requests()
        .iter()
        .filter(|line| line.contains(what))
        .count()
}

#[test]
fn a_layer_of_eight_repositories_is_read_once_where_it_can_be_mounted() {
    for jobs in ["1", "3", "8"] {
        let lab = lab(true);
        let layer = copy_eight(&lab, jobs);
        assert_eq!(reads(&lab, &layer), 1, "{jobs}");
        assert_eq!(count(&lab, "mount 201"), 7, "{jobs}");
    }
}

#[test]
fn a_layer_of_eight_repositories_is_read_once_for_each_where_it_cannot() {
    let lab = lab(false);
    let layer = copy_eight(&lab, "8");
    assert_eq!(reads(&lab, &layer), 8);
    let requests = lab.requests();
    let count = |what: &str| requests.iter().filter(|line| line.contains(what)).count();
    // The account was asked, so that nobody had to wait in order to find out.
    assert_eq!(count("api GetAccountSetting 200"), 1);
    assert_eq!(count(" mount "), 0);
}

#[test]
fn what_the_api_may_not_tell_is_found_out_by_one_mount() {
    let lab = lab(false);
    lab.inject(Fault::status("GetAccountSetting", 400).times(9));
    let layer = copy_eight(&lab, "1");
    assert_eq!(reads(&lab, &layer), 8);
    assert_eq!(count(&lab, " mount 202"), 1);
}

/// More of them wait than there are slots for blobs.
#[test]
fn images_that_need_each_others_layers_do_not_wait_for_ever() {
    for mounts in [true, false] {
        let lab = lab(mounts);
        let names = ["a1", "a2", "a3"];
        let layers = |names: [&str; 2]| {
            let layers = names.into_iter().flat_map(|name| {
                let layer = move |number| format!("{name} {number}").into_bytes();
                (0..3).map(layer)
            });
            layers.collect()
        };
        let images = [
            (names[0], layers(["one", "two"])),
            (names[1], layers(["two", "three"])),
            (names[2], layers(["three", "one"])),
        ];
        let digests = offer(&lab, &images);
        lab.applies(&["done"; 3]);
        arrived(&lab, &names, &digests);
        if mounts {
            // Three manifests, three configurations, nine layers.
            assert_eq!(count(&lab, "upstream GET"), 3 + 3 + 9);
        }
    }
}

#[test]
fn a_repository_that_fails_leaves_its_layers_to_the_next() {
    let lab = lab(true);
    let digests = offer(&lab, &EIGHT.map(|name| (name, vec![b"shared".to_vec()])));
    // Whichever is the first to get so far is refused for good.
    lab.inject(Fault::status("/manifests/latest", 400).method("PUT"));
    let run = lab.longshore(&["apply", "--jobs", "8"]).run().exits(1);
    let failed: Vec<&str> = EIGHT
        .into_iter()
        .filter(|name| lab.digest(name, "latest").is_none())
        .collect();
    assert_eq!(failed.len(), 1, "{}", run.stderr);
    let layer = lab.layer_of("library/a1", &digests[0]);
    assert_eq!(reads(&lab, &layer), 2);
    lab.requests();

    // What arrived for it is not sent again.
    lab.longshore(&["apply"]).run().exits(0);
    arrived(&lab, &EIGHT, &digests);
    assert_eq!(count(&lab, "PUT"), 1);
}
