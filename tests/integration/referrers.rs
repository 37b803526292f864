//! Signatures and SBOMs that come along with an image.

use longshore::image::{Digest, media_type};
use longshore::sandbox::{Fault, Options, Server, Upstream};
use serde_json::{Value, json};

use crate::harness::{Lab, count, digest_of, refusal};

const SIGNATURE: &str = "application/vnd.cncf.notary.signature";
const SBOM: &str = "application/spdx+json";
const REDIS: &str = "library/redis";

/// A lab whose upstream lists referrers, as most registries do.
fn lab() -> Lab {
    let lab = Lab::with_upstream(Options::default(), |upstream| Upstream {
        referrers: true,
        ..upstream
    });
    lab.write("images: [{source: 'redis:7', referrers: true}]\n");
    lab
}

/// What the upstream's index and what refers to it are.
struct Redis {
    index: Value,
    /// Of the index, of a child, and of the SBOM of that child.
    referrers: Vec<Value>,
}

/// An index with a signature; its first child has an SBOM, which has a signature of its own.
fn offer(lab: &Lab) -> Redis {
    let (text, children) = lab.offer_platforms(REDIS, "7");
    let index = json!({
        "mediaType": media_type::OCI_INDEX,
        "digest": Digest::of(text.as_bytes()),
        "size": text.len(),
    });
    let mut child = children[0].clone();
    child.as_object_mut().unwrap().remove("platform");
    let sbom = lab.offer_referrer(REDIS, &child, SBOM, "what is in it");
    let referrers = vec![
        lab.offer_referrer(REDIS, &index, SIGNATURE, "of the index"),
        lab.offer_referrer(REDIS, &sbom, SIGNATURE, "of the SBOM"),
        sbom,
    ];
    Redis { index, referrers }
}

/// Puts a tag of cosign's upstream, about the index.
fn offer_cosign(lab: &Lab, redis: &Redis, content: &str) -> String {
    let tag = format!("{}.sig", digest_of(&redis.index).referrers_tag());
    let kind = "application/vnd.dev.cosign.simplesigning.v1+json";
    let manifest = lab.artifact(REDIS, kind, content);
    lab.offer_manifest(REDIS, Some(&tag), &manifest);
    tag
}

#[track_caller]
fn assert_arrived(lab: &Lab, descriptors: &[Value]) {
    for descriptor in descriptors {
        let digest = digest_of(descriptor);
        let held = lab.manifest("redis", digest.as_str());
        let held = held.unwrap_or_else(|| panic!("{digest} is not there"));
        assert_eq!(held.as_bytes(), lab.upstream_bytes(REDIS, &digest));
    }
}

#[test]
fn all_that_refers_to_an_image_comes_along() {
    let lab = lab();
    let redis = offer(&lab);
    let tag = offer_cosign(&lab, &redis, "one");
    lab.applies(&["done"]);
    assert_arrived(&lab, &redis.referrers);
    assert_eq!(lab.tags("redis"), ["7", tag.as_str()]);
    lab.requests();

    // An index, four children and three referrers are asked about, and the tag of cosign's.
    let head = format!("upstream HEAD library/redis manifest {tag} 200");
    let unchanged = [
        &["api BatchGetImage 200"][..],
        &["api DescribeRepositories 200"],
        &["api ListImages 200"],
        &["upstream GET library/redis referrers 200"; 8],
        &["upstream GET library/redis/tags/list 200"],
        &["upstream HEAD library/redis manifest 7 200"],
        &[&head],
    ]
    .concat();
    lab.applies(&["in place"]);
    assert_eq!(lab.requests(), unchanged);

    // What is new is noticed beside an image that did not change, and nothing else is sent.
    let new = lab.offer_referrer(REDIS, &redis.index, SIGNATURE, "of somebody else");
    offer_cosign(&lab, &redis, "one and two");
    let plan = lab.longshore(&["plan", "--output", "json"]).run().exits(0);
    assert_eq!(plan.each("action"), ["copy"]);
    assert_eq!(plan.each("reason"), ["lacks 2 referrers"]);
    lab.requests();
    lab.applies(&["done"]);
    let requests = lab.requests();
    assert_arrived(&lab, &[new]);
    assert_eq!(count(&requests, "registry PUT redis upload 201"), 2);
    assert_eq!(
        count(&requests, "registry PUT redis manifest by digest 201"),
        1
    );
    assert_eq!(
        count(&requests, &format!("registry PUT redis manifest {tag} 201")),
        1
    );
    assert_eq!(count(&requests, "registry PUT redis manifest 7 201"), 0);
    lab.applies(&["in place"]);
}

#[test]
fn nobody_asks_for_referrers_unless_told_to() {
    let lab = lab();
    lab.write("images: ['redis:7']\n");
    let redis = offer(&lab);
    offer_cosign(&lab, &redis, "one");
    lab.applies(&["done"]);
    assert_eq!(lab.tags("redis"), ["7"]);
    let requests = lab.requests();
    assert!(
        !requests.iter().any(|line| line.contains("referrers")),
        "{requests:?}"
    );
}

#[test]
fn a_part_of_an_index_brings_what_refers_to_the_part() {
    let lab = lab();
    let redis = offer(&lab);
    lab.write(
        "defaults: {referrers: true}\nimages: [{source: 'redis:7', platforms: [linux/amd64]}]\n",
    );
    lab.applies(&["done"]);
    assert_arrived(&lab, &redis.referrers[1..]);
    let of_the_index = digest_of(&redis.referrers[0]);
    assert_eq!(lab.manifest("redis", of_the_index.as_str()), None);
    lab.applies(&["in place"]);

    lab.write(
        "defaults: {referrers: true, platforms: [linux/amd64, linux/s390x]}\n\
         images: [{source: 'redis:7', repository: two}]\n",
    );
    lab.applies(&["done"]);
    assert!(
        lab.manifest("two", digest_of(&redis.referrers[1]).as_str())
            .is_some()
    );
    assert_eq!(lab.manifest("two", of_the_index.as_str()), None);
    lab.applies(&["in place"]);
}

#[test]
fn a_source_without_the_api_has_a_tag_instead() {
    let lab = Lab::new();
    lab.write("images: [{source: 'redis:7', referrers: true}]\n");
    let redis = offer(&lab);
    let tag = digest_of(&redis.index).referrers_tag();
    let list = json!({
        "schemaVersion": 2,
        "mediaType": media_type::OCI_INDEX,
        "manifests": [redis.referrers[0]],
    });
    lab.offer_manifest(REDIS, Some(tag.as_str()), &list);
    lab.applies(&["done"]);
    assert_arrived(&lab, &redis.referrers[..1]);
    // ECR keeps a list of its own.
    assert_eq!(lab.tags("redis"), ["7"]);
    lab.requests();

    lab.applies(&["in place"]);
    let requests = lab.requests();
    let about = |line: &&String| line.contains("referrers") || line.contains("sha256-");
    let about: Vec<&String> = requests.iter().filter(about).collect();
    assert_eq!(
        about,
        [
            &format!("upstream GET library/redis manifest {tag} 200"),
            // Of the index, four children and the signature, one is asked about.
            "upstream GET library/redis referrers 404",
        ]
    );
}

#[test]
fn a_destination_without_the_api_gets_a_tag_instead() {
    let lab = lab();
    let registry = lab.registry();
    lab.write(&format!(
        "destination: {{registry: 'http://{registry}'}}\n\
         images: [{{source: 'redis:7', referrers: true}}]\n"
    ));
    let unknown = Fault::status("/referrers/", 404).at(Server::Registry);
    lab.inject(unknown.times(u32::MAX));
    let redis = offer(&lab);
    let listed = || {
        let tag = digest_of(&redis.index).referrers_tag();
        let list: Value = serde_json::from_str(&lab.manifest("redis", tag.as_str())?).unwrap();
        let list = list["manifests"].as_array().unwrap().clone();
        Some(list.iter().map(digest_of).collect::<Vec<_>>())
    };
    lab.applies(&["done"]);
    assert_arrived(&lab, &redis.referrers);
    let signature = digest_of(&redis.referrers[0]);
    assert_eq!(listed(), Some(vec![signature.clone()]));
    lab.applies(&["in place"]);

    let new = lab.offer_referrer(REDIS, &redis.index, SIGNATURE, "of somebody else");
    lab.applies(&["done"]);
    assert_eq!(listed(), Some(vec![signature, digest_of(&new)]));
    lab.applies(&["in place"]);
}

#[test]
fn what_the_destination_refuses_is_a_warning() {
    let lab = lab();
    let redis = offer(&lab);
    let signature = digest_of(&redis.referrers[0]);
    let message =
        "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'";
    let refused = refusal(405, "UNSUPPORTED", message);
    let refusal = Fault::new(&format!("manifests/{signature}"), refused).method("PUT");
    lab.inject(refusal);
    let run = lab.longshore(&["apply"]).run().exits(0);
    run.says(&[
        &format!("warning: redis:7: `{signature}` does not stand beside it: cannot copy the image"),
        message,
    ]);
    assert_eq!(lab.digest("redis", "7"), Some(digest_of(&redis.index)));
    assert_arrived(&lab, &redis.referrers[1..]);
    assert_eq!(lab.manifest("redis", signature.as_str()), None);

    // What may pass fails, and is tried again.
    let down = Fault::status(&format!("manifests/{signature}"), 503).method("PUT");
    lab.inject(down.times(4));
    let run = lab.applies(&["done"]);
    run.says(&["redis:7: cannot copy the image; it will be tried again at the end"]);
    assert_arrived(&lab, &redis.referrers);
}

#[test]
fn a_tag_of_cosigns_that_cannot_move_is_a_warning() {
    let lab = lab();
    lab.write(
        "repositories: {tag_immutability: true}\n\
         images: [{source: 'redis:7', referrers: true}]\n",
    );
    let redis = offer(&lab);
    let tag = offer_cosign(&lab, &redis, "one");
    lab.applies(&["done"]);
    offer_cosign(&lab, &redis, "one and two");
    let run = lab.applies(&["in place"]);
    let warning = format!("redis:{tag}` is immutable and holds something else than at the source");
    run.says(&["warning: redis:7: ", &warning]);
}

#[test]
fn mirror_takes_both_choices_without_a_file() {
    let lab = lab();
    let redis = offer(&lab);
    let source = format!("{}/{REDIS}:7", lab.upstream());
    let children = |tag: &str| {
        let index = lab.parsed("redis", tag);
        index["manifests"].as_array().unwrap().len()
    };
    let mirror = |tag: &str, arguments: &[&str]| {
        let target = format!("redis:{tag}");
        lab.longshore(&[&["mirror", &source, &target], arguments].concat())
    };
    mirror("plain", &[]).run().exits(0);
    assert_eq!(children("plain"), 4);
    let signature = digest_of(&redis.referrers[0]);
    assert_eq!(lab.manifest("redis", signature.as_str()), None);

    mirror("bare", &["--attestations", "drop"]).run().exits(0);
    assert_eq!(children("bare"), 3);
    let whole = mirror("whole", &["--attestations", "keep", "--referrers"]);
    whole.run().exits(0);
    assert_eq!(children("whole"), 4);
    assert_arrived(&lab, &redis.referrers);

    // As Terraform calls it.
    let by_variable = mirror("again", &[])
        .env("LONGSHORE_ATTESTATIONS", "drop")
        .env("LONGSHORE_REFERRERS", "true");
    by_variable.run().exits(0);
    assert_eq!(children("again"), 3);
    let empty = mirror("empty", &[]).env("LONGSHORE_ATTESTATIONS", "");
    empty.env("LONGSHORE_REFERRERS", "").run().exits(0);
    assert_eq!(children("empty"), 4);

    let run = mirror("no", &["--attestations", "some"]).run().exits(2);
    run.says(&["--attestations: `some` is nothing to do with attestations"]);
    let one = ["--platform", "linux/amd64", "--attestations", "keep"];
    let run = mirror("no", &one).run().exits(2);
    run.says(&["--attestations: linux/amd64 alone gives a single image, without attestations"]);
}
