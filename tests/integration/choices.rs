//! Copies of a part of an index: some platforms, no attestations.

use longshore::image::Digest;
use serde_json::{Value, json};

use crate::harness::{Lab, Longshore, denied, digest_of};

fn children_of(manifest: &str) -> Value {
    let index: Value = serde_json::from_str(manifest).unwrap();
    index["manifests"].clone()
}

/// What an unchanged tag costs whose marks are read.
const UNCHANGED: [&str; 3] = [
    "api BatchGetImage 200",
    "api DescribeRepositories 200",
    "upstream HEAD library/redis manifest 7 200",
];

const CHANGED: &str = "lines, arguments, platforms or attestations changed";

#[test]
fn one_platform_is_that_platforms_own_manifest() {
    let lab = Lab::new();
    lab.write("images: [{source: 'redis:7', platforms: [linux/arm64]}]\n");
    let (_, children) = lab.offer_platforms("library/redis", "7");
    lab.applies(&["done"]);
    let held = lab.digest("redis", "7").unwrap();
    assert_eq!(held, digest_of(&children[1]));
    lab.requests();

    let run = lab.longshore(&["plan", "-v"]).run().exits(0);
    run.says(&["redis:7: read the manifest of redis:7 to find linux/arm64"]);
    assert_eq!(
        lab.requests(),
        [
            "api DescribeRepositories 200",
            "api ListImages 200",
            "upstream GET library/redis manifest by digest 200",
            "upstream HEAD library/redis manifest 7 200",
        ]
    );
}

#[test]
fn some_platforms_are_an_index_that_says_what_it_was_made_from() {
    let lab = Lab::new();
    lab.write("images: [{source: 'redis:7', platforms: [linux/arm64, linux/amd64]}]\n");
    let (text, children) = lab.offer_platforms("library/redis", "7");
    let source = Digest::of(text.as_bytes());
    lab.applies(&["done"]);
    assert_eq!(lab.pulls(&source), 1, "the plan and the copy read it once");
    let manifest = lab.manifest("redis", "7").unwrap();
    let index: Value = serde_json::from_str(&manifest).unwrap();
    let [amd64, arm64, s390x, attestation] = &children[..] else {
        panic!("four children")
    };
    assert_eq!(index["manifests"], json!([amd64, arm64, attestation]));
    assert_eq!(index["x-unknown"], json!({"kept": [1, 2.0]}));
    let annotations = &index["annotations"];
    assert_eq!(
        annotations["org.opencontainers.image.base.name"],
        "docker.io/library/redis:7"
    );
    assert_eq!(
        annotations["org.opencontainers.image.base.digest"],
        source.as_str()
    );
    assert_eq!(lab.manifest("redis", digest_of(s390x).as_str()), None);
    lab.requests();

    lab.applies(&["in place"]);
    assert_eq!(lab.requests(), UNCHANGED);

    // The same choice in another order gives the same bytes.
    lab.write(
        "images:\n\
         - {source: 'redis:7', platforms: [linux/amd64, linux/arm64], repository: again}\n",
    );
    lab.applies(&["done"]);
    assert_eq!(lab.manifest("again", "7"), Some(manifest));
}

#[test]
fn one_call_answers_for_all_marks_of_a_repository() {
    let lab = Lab::new();
    lab.write(
        "images:\n\
         - {source: redis, tags: ['6', '7', '8'], platforms: [linux/amd64, linux/arm64]}\n",
    );
    for tag in ["6", "7"] {
        lab.offer_platforms("library/redis", tag);
    }
    // The last one has nothing that could be left out.
    let children = ["linux/amd64", "linux/arm64"].map(|it| lab.offer_child("library/redis", it));
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": children,
    });
    let eight = lab.offer_index("library/redis", "8", &format!("{index:#}"));
    lab.applies(&["done"; 3]);
    assert_eq!(lab.digest("redis", "8"), Some(eight));
    lab.requests();

    let heads =
        ["6", "7", "8"].map(|tag| format!("upstream HEAD library/redis manifest {tag} 200"));
    lab.applies(&["in place"; 3]);
    let expected = [&UNCHANGED[..2], &heads.each_ref().map(String::as_str)].concat();
    assert_eq!(lab.requests(), expected);

    // Where ECR's API may not be asked, the registry is.
    lab.inject(denied("ecr:BatchGetImage"));
    lab.applies(&["in place"; 3]);
    let reads = ["6", "7", "8"].map(|tag| format!("registry GET redis manifest {tag} 200"));
    let expected = [
        &["api BatchGetImage 400", UNCHANGED[1]],
        &reads.each_ref().map(String::as_str)[..],
        &heads.each_ref().map(String::as_str),
    ];
    assert_eq!(lab.requests(), expected.concat());
}

#[test]
fn attestations_are_left_out_on_request() {
    let lab = Lab::new();
    let (text, children) = lab.offer_platforms("library/redis", "7");
    lab.write("images: ['redis:7']\n");
    lab.applies(&["done"]);
    assert_eq!(lab.manifest("redis", "7"), Some(text));

    lab.write("defaults: {attestations: drop}\nimages: ['redis:7']\n");
    let plan = lab.longshore(&["plan", "--output", "json"]).run().exits(0);
    assert_eq!(plan.each("action"), ["copy"]);
    assert_eq!(plan.each("reason"), [CHANGED]);
    lab.applies(&["done"]);
    let bare = lab.manifest("redis", "7").unwrap();
    assert_eq!(children_of(&bare), json!(children[..3]));
    lab.requests();
    lab.applies(&["in place"]);
    assert_eq!(lab.requests(), UNCHANGED);

    lab.write("images: [{source: 'redis:7', repository: again, attestations: drop}]\n");
    lab.applies(&["done"]);
    assert_eq!(lab.manifest("again", "7"), Some(bare));

    // Platforms may be chosen as well; to keep is another choice.
    let choice = "source: 'redis:7', platforms: [linux/amd64, linux/arm64]";
    lab.write(&format!("images: [{{{choice}, attestations: drop}}]\n"));
    lab.applies(&["done"]);
    let two = children_of(&lab.manifest("redis", "7").unwrap());
    assert_eq!(two, json!(children[..2]));
    lab.write(&format!("images: [{{{choice}}}]\n"));
    lab.applies(&["done"]);
    let three = children_of(&lab.manifest("redis", "7").unwrap());
    assert_eq!(three, json!([children[0], children[1], children[3]]));
}

#[test]
fn what_has_no_attestations_is_copied_as_it_is() {
    let lab = Lab::new();
    lab.write("images: [{source: 'redis:7', attestations: drop}]\n");
    let redis = lab.offer("library/redis", "7", b"seven");
    lab.applies(&["done"]);
    assert_eq!(lab.digest("redis", "7"), Some(redis.clone()));
    assert_eq!(lab.pulls(&redis), 1);
    lab.requests();
    lab.applies(&["in place"]);
    assert_eq!(lab.requests(), UNCHANGED);
}

#[test]
fn what_was_built_costs_as_little() {
    let lab = Lab::new();
    lab.write("images: [{source: 'redis:7', lines: [ENV A=1]}]\n");
    lab.offer_base("library/redis", "7");
    let applies = |status: &str| {
        let apply = lab.longshore_with_docker(&Longshore::APPLY);
        apply.becomes(&[status]);
    };
    applies("done");
    lab.requests();
    applies("in place");
    assert_eq!(lab.requests(), UNCHANGED);

    // What the daemon pushed carries its marks as labels alone.
    lab.write(
        "images: [{source: 'redis:7', repository: by/daemon, publish: daemon, lines: [ENV A=1]}]\n",
    );
    applies("done");
    lab.requests();
    applies("in place");
    let reads = ["registry GET by/daemon blob 307", "storage GET blob 200"];
    assert_eq!(
        lab.requests(),
        [&UNCHANGED[..2], &reads, &UNCHANGED[2..]].concat()
    );
}

#[test]
fn an_index_without_platforms_has_none_to_choose_from() {
    let lab = Lab::new();
    let mut child = lab.offer_child("library/redis", "linux/amd64");
    child.as_object_mut().unwrap().remove("platform");
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [child],
    });
    let seven = lab.offer_index("library/redis", "7", &index.to_string());
    for choice in [
        "platforms: [linux/amd64]",
        "platforms: [linux/amd64, linux/arm64]",
        "builder: direct, lines: [ENV A=1]",
    ] {
        lab.write(&format!("images: [{{source: 'redis:7', {choice}}}]\n"));
        let run = lab.longshore(&["apply"]).run().exits(1);
        let run = run.says(&[
            "cannot resolve the source: `docker.io/library/redis:7` is an index that names no platform",
            "without `platforms` and `lines` all of it is copied as it is",
        ]);
        assert!(!run.stderr.contains("daemon"), "{}", run.stderr);
    }
    lab.write("images: ['redis:7']\n");
    lab.applies(&["done"]);
    assert_eq!(lab.digest("redis", "7"), Some(seven));
}
