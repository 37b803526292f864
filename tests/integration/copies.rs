//! What copying costs, and what arrives.

use longshore::image::Digest;
use longshore::sandbox::Options;
use longshore::sandbox::layout::{PlatformImage, write_image};
use serde_json::{Value, json};

use crate::harness::{Lab, count, digest_of};

#[test]
fn an_unchanged_tag_costs_one_head_at_its_source() {
    let lab = Lab::new();
    lab.write("images: [{source: redis, tags: ['6', '7']}, mongo]\n");
    lab.offer("library/redis", "6", b"six");
    lab.offer("library/redis", "7", b"seven");
    lab.offer("library/mongo", "latest", b"mongo");
    lab.applies(&["done"; 3]);
    lab.requests();

    lab.applies(&["in place"; 3]);
    assert_eq!(
        lab.requests(),
        [
            "api DescribeRepositories 200",
            "api DescribeRepositories 200",
            "api ListImages 200",
            "api ListImages 200",
            "upstream HEAD library/mongo manifest latest 200",
            "upstream HEAD library/redis manifest 6 200",
            "upstream HEAD library/redis manifest 7 200",
        ]
    );
}

#[test]
fn a_new_blob_costs_one_post_and_one_put() {
    let lab = Lab::new();
    lab.write("images: [mongo]\n");
    lab.offer("library/mongo", "latest", b"layer");
    lab.applies(&["done"]);
    assert_eq!(
        lab.requests(),
        [
            "api CreateRepository 200",
            "api DescribeRepositories 400",
            "registry POST mongo upload 202",
            "registry POST mongo upload 202",
            "registry PUT mongo manifest latest 201",
            "registry PUT mongo upload 201",
            "registry PUT mongo upload 201",
            "upstream GET library/mongo blob 200",
            "upstream GET library/mongo blob 200",
            "upstream GET library/mongo manifest by digest 200",
            "upstream HEAD library/mongo manifest latest 200",
        ]
    );

    // The same layer, and a configuration that says otherwise: one blob of two is new.
    let image = PlatformImage {
        config: json!({"Env": ["A=1"]}),
        ..PlatformImage::new("linux/amd64".parse().unwrap(), vec![b"layer".to_vec()])
    };
    write_image(&lab.hub(), "library/mongo", "latest", &[image]).unwrap();
    lab.applies(&["done"]);
    assert_eq!(
        lab.requests(),
        [
            "api BatchCheckLayerAvailability 200",
            "api DescribeRepositories 200",
            "api ListImages 200",
            "registry POST mongo upload 202",
            "registry PUT mongo manifest latest 201",
            "registry PUT mongo upload 201",
            "upstream GET library/mongo blob 200",
            "upstream GET library/mongo manifest by digest 200",
            "upstream HEAD library/mongo manifest latest 200",
        ]
    );
}

#[test]
fn a_shared_blob_is_mounted_where_the_account_allows_it() {
    let lab = Lab::with(Options {
        blob_mounting: true,
        ..Options::default()
    });
    lab.write("images: [mongo, {source: mongo, repository: other/mongo}]\n");
    let mongo = lab.offer("library/mongo", "latest", b"layer");
    let run = lab.longshore(&["apply", "--jobs", "1"]).run();
    run.exits(0);
    let requests = lab.requests();
    let count = |line: &str| count(&requests, line);
    assert_eq!(count("registry POST other/mongo mount 201"), 2);
    assert_eq!(count("registry PUT other/mongo upload 201"), 0);
    assert_eq!(count("upstream GET library/mongo blob 200"), 2);
    assert_eq!(lab.digest("other/mongo", "latest"), Some(mongo));
}

#[test]
fn the_report_says_what_each_copy_took() {
    let lab = Lab::with(Options {
        blob_mounting: true,
        ..Options::default()
    });
    lab.write("images: [mongo, {source: mongo, repository: other/mongo}, 'mongo:again']\n");
    let mongo = lab.offer("library/mongo", "latest", b"layer");
    lab.offer("library/mongo", "again", b"layer");
    let sent = size_of(&lab, "library/mongo", &mongo);
    let call = ["apply", "--jobs", "1", "--output", "json"];
    let run = lab.longshore(&call).run().exits(0);
    let took = |object: &Value| json!([object["bytes"], object["requests"], object["blobs"]]);
    let requests =
        |source: u64, destination: u64| json!({"source": source, "destination": destination});
    let blobs = |copied: u64, mounted: u64, skipped: u64| json!({"copied": copied, "mounted": mounted, "skipped": skipped});
    let report = run.json();
    let images = report["images"].as_array().unwrap();
    let expected = [
        // A manifest and two blobs; two POSTs, two PUTs and the manifest.
        json!([sent, requests(3, 5), blobs(2, 0, 0)]),
        json!([0, requests(1, 3), blobs(0, 2, 0)]),
        json!([0, requests(1, 1), blobs(0, 0, 2)]),
    ];
    assert_eq!(images.iter().map(took).collect::<Vec<_>>(), expected);
    let all = json!([sent, requests(5, 9), blobs(2, 2, 2)]);
    assert_eq!(took(&report["summary"]), all);

    let run = lab.longshore(&call).run().exits(0);
    let report = run.json();
    let nothing = json!([null, null, null]);
    assert_eq!(took(&report["images"][0]), nothing);
    assert_eq!(took(&report["summary"])[0], 0);
}

#[test]
fn a_log_says_how_much_was_sent() {
    let lab = Lab::new();
    lab.write("images: [mongo, redis]\n");
    let mongo = lab.offer("library/mongo", "latest", &[7; 5000]);
    lab.offer("library/redis", "latest", b"redis");
    let sent = size_of(&lab, "library/mongo", &mongo);
    let run = lab.longshore(&["apply"]).run().exits(0);
    let run = run.says(&[&format!("mongo:latest: done, {sent} B in ")]);
    let last = run.stdout.lines().last().unwrap();
    assert!(
        last.starts_with("2 done, 0 in place, 0 skipped, 0 failed; "),
        "{last}"
    );
    let run = lab.longshore(&["apply"]).run().exits(0);
    let last = run.stdout.lines().last().unwrap();
    assert_eq!(last, "0 done, 2 in place, 0 skipped, 0 failed");
}

/// How many bytes the blobs of an image without platforms have together.
fn size_of(lab: &Lab, repository: &str, image: &Digest) -> usize {
    let blobs = blobs_of(lab, repository, image);
    let sizes = blobs
        .iter()
        .map(|blob| lab.upstream_bytes(repository, blob).len());
    sizes.sum()
}

/// The blobs of an image without platforms.
fn blobs_of(lab: &Lab, repository: &str, image: &Digest) -> Vec<Digest> {
    let manifest: Value = serde_json::from_slice(&lab.upstream_bytes(repository, image)).unwrap();
    let layers = manifest["layers"].as_array().unwrap().iter();
    layers.chain([&manifest["config"]]).map(digest_of).collect()
}

#[test]
fn an_index_arrives_byte_for_byte_with_its_attestation() {
    let lab = Lab::new();
    lab.write("images: ['redis:7']\n");
    let (text, children) = lab.offer_platforms("library/redis", "7");
    assert!(text.contains("\"x-unknown\""), "{text}");
    let attestation = &children[3]["annotations"]["vnd.docker.reference.type"];
    assert_eq!(attestation, "attestation-manifest");
    lab.applies(&["done"]);
    assert_eq!(lab.manifest("redis", "7"), Some(text));
    let password = lab.password();
    for child in &children {
        let digest = digest_of(child);
        assert_eq!(
            lab.manifest("redis", digest.as_str()).unwrap().as_bytes(),
            lab.upstream_bytes("library/redis", &digest),
            "{child}"
        );
        for blob in blobs_of(&lab, "library/redis", &digest) {
            let held = lab.blob(&password, "redis", blob.as_str());
            let offered = lab.upstream_bytes("library/redis", &blob);
            assert_eq!(held, Some(offered), "{child}");
        }
    }
    assert_eq!(lab.tags("redis"), ["7"]);
    lab.applies(&["in place"]);
}

#[test]
fn a_pattern_copies_what_it_selects_and_nothing_else() {
    let lab = Lab::new();
    lab.write("images: [{source: redis, tags: ['7.*']}]\n");
    for tag in ["6.2", "7.0", "7.2", "latest"] {
        lab.offer("library/redis", tag, tag.as_bytes());
    }
    lab.applies(&["done"; 2]);
    assert_eq!(lab.tags("redis"), ["7.0", "7.2"]);
    lab.requests();

    lab.applies(&["in place"; 2]);
    assert_eq!(
        lab.requests(),
        [
            "api DescribeRepositories 200",
            "api ListImages 200",
            "upstream GET library/redis/tags/list 200",
            "upstream HEAD library/redis manifest 7.0 200",
            "upstream HEAD library/redis manifest 7.2 200",
        ]
    );
}

#[test]
fn a_collision_of_patterns_stops_everything_before_it_begins() {
    let lab = Lab::new();
    lab.write(
        "images:\n\
         - mongo\n\
         - {source: redis, tags: ['7.*']}\n\
         - {source: valkey/valkey, tags: ['*.0'], repository: redis}\n",
    );
    for repository in ["library/redis", "valkey/valkey", "library/mongo"] {
        lab.offer(repository, "7.0", repository.as_bytes());
        lab.offer(repository, "latest", repository.as_bytes());
    }
    let run = lab.longshore(&["apply"]).run().exits(2);
    run.says(&[
        "`redis:7.0` would be written twice",
        "`redis:7.0` (images[1]",
        "`valkey/valkey:7.0` (images[2]",
    ]);
    let requests = lab.requests();
    let moves = |line: &&String| !line.starts_with("api Describe") && !line.contains("tags/list");
    assert_eq!(requests.iter().find(moves), None, "{requests:?}");
}

#[test]
fn a_moved_tag_is_copied_again_and_sends_only_what_is_new() {
    let lab = Lab::new();
    lab.write("images: [mongo]\n");
    let old = lab.offer("library/mongo", "latest", b"old");
    lab.applies(&["done"]);
    assert_eq!(lab.digest("mongo", "latest"), Some(old.clone()));

    let new = lab.offer("library/mongo", "latest", b"new");
    let plan = lab
        .longshore(&["plan", "--detailed-exitcode", "--output", "json"])
        .run()
        .exits(5);
    assert_eq!(plan.each("action"), ["copy"]);
    assert_eq!(plan.json()["summary"]["copy"], 1);
    let held = &old.as_str()[..19];
    assert_eq!(plan.each("reason"), [format!("the tag holds {held}")]);
    lab.applies(&["done"]);
    assert_eq!(lab.digest("mongo", "latest"), Some(new));
}

#[test]
fn mirror_copies_where_there_is_no_line() {
    let lab = Lab::new();
    let mongo = lab.offer("team/mongo", "1.10", b"layer");
    let source = format!("{}/team/mongo:1.10", lab.upstream());
    let run = lab.longshore(&["mirror", &source, "mongo:stable"]).run();
    let stdout = run.exits(0).stdout;
    assert!(
        stdout.ends_with(&format!("/mongo:stable@{mongo}\n")),
        "{stdout}"
    );
    assert_eq!(lab.digest("mongo", "stable"), Some(mongo));
}
