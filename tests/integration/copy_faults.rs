//! Copies on bad days.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use longshore::image::Digest;
use longshore::sandbox::{Effect, Fault, Request, Server};

use crate::harness::{Lab, Run, count, denied, exception, noise, refusal, wait_until};

/// A lab with one large image to copy, and the image's digest.
fn lab() -> (Lab, Digest) {
    let lab = Lab::new();
    lab.write("images: [mongo]\n");
    let digest = lab.offer("library/mongo", "latest", &noise(7));
    (lab, digest)
}

#[track_caller]
fn arrives_in_spite_of(faults: impl IntoIterator<Item = Fault>) -> Vec<String> {
    let (lab, digest) = lab();
    faults.into_iter().for_each(|fault| lab.inject(fault));
    lab.applies(&["done"]);
    assert_eq!(lab.digest("mongo", "latest"), Some(digest));
    lab.requests()
}

/// The requests that failed at a registry.
fn failed(requests: &[String]) -> Vec<&str> {
    let is_failed = |line: &&str| {
        let status = line.rsplit(' ').next().unwrap();
        !line.starts_with("api ") && !status.starts_with('2')
    };
    requests
        .iter()
        .map(String::as_str)
        .filter(is_failed)
        .collect()
}

#[test]
fn throttling_is_waited_for() {
    let begun = Instant::now();
    let requests = arrives_in_spite_of([
        Fault::throttle("manifests/latest", 2).at(Server::Upstream),
        Fault::throttle("/blobs/uploads/", 1).method("POST"),
        Fault::throttle("manifests/latest", 1).method("PUT"),
    ]);
    assert!(begun.elapsed() >= Duration::from_secs(4));
    assert_eq!(
        failed(&requests),
        [
            "registry POST mongo upload 429",
            "registry PUT mongo manifest latest 429",
            "upstream HEAD library/mongo manifest latest 429",
        ]
    );
}

#[test]
fn servers_that_fail_are_asked_again() {
    let requests = arrives_in_spite_of([
        Fault::status("manifests/latest", 500).at(Server::Upstream),
        Fault::status("manifests/sha256", 502).at(Server::Upstream),
        Fault::status("/blobs/", 503).at(Server::Upstream).times(2),
        Fault::status("/blobs/uploads/", 500).method("POST"),
        Fault::status("/blobs/uploads/", 500).method("PUT"),
        Fault::status("manifests/latest", 500).method("PUT"),
    ]);
    assert_eq!(
        failed(&requests),
        [
            // Has it arrived after all?
            "registry HEAD mongo blob 404",
            "registry POST mongo upload 500",
            "registry PUT mongo manifest latest 500",
            "registry PUT mongo upload 500",
            "upstream GET library/mongo blob 503",
            "upstream GET library/mongo blob 503",
            "upstream GET library/mongo manifest by digest 502",
            "upstream HEAD library/mongo manifest latest 500",
        ]
    );
}

#[test]
fn a_download_that_breaks_goes_on_where_it_was() {
    let after = 3 * 1024 * 1024;
    let requests = arrives_in_spite_of([
        Fault::new("/blobs/", Effect::Cut { after })
            .at(Server::Upstream)
            .times(2),
        Fault::new("manifests/sha256", Effect::Drop).at(Server::Upstream),
    ]);
    assert_eq!(count(&requests, "upstream GET library/mongo blob 206"), 1);
    // The upload never noticed.
    assert_eq!(count(&requests, "registry PUT mongo upload 201"), 2);
    assert_eq!(count(&requests, "registry POST mongo upload 202"), 2);
}

#[test]
fn an_upload_that_breaks_is_begun_anew() {
    let requests = arrives_in_spite_of([
        Fault::new("/blobs/uploads/", Effect::Drop)
            .method("PUT")
            .times(2),
        Fault::new("manifests/latest", Effect::Drop).method("PUT"),
    ]);
    assert_eq!(
        failed(&requests),
        [
            "registry HEAD mongo blob 404",
            "registry HEAD mongo blob 404",
            "registry PUT mongo manifest latest broken",
            "registry PUT mongo upload broken",
            "registry PUT mongo upload broken",
        ]
    );
    assert_eq!(count(&requests, "registry POST mongo upload 202"), 4);
    assert_eq!(count(&requests, "registry PUT mongo upload 201"), 2);
}

#[test]
fn a_corrupted_blob_fails_and_leaves_the_old_tag_whole() {
    let (lab, old) = lab();
    lab.applies(&["done"]);
    let new = lab.offer("library/mongo", "latest", &noise(8));
    let layer = lab.layer_of("library/mongo", &new);
    let file = lab.upstream_path("library/mongo", &layer);
    let sound = fs::read(&file).unwrap();
    let mut bytes = sound.clone();
    bytes[1000] ^= 1;
    fs::write(&file, &bytes).unwrap();
    lab.requests();

    let run = lab.longshore(&["apply"]).run().exits(1);
    let layer = layer.as_str();
    run.says(&[
        &format!("cannot read blob `{layer}` of `docker.io/library/mongo`"),
        &format!("instead of {layer}"),
    ]);
    assert_eq!(lab.digest("mongo", "latest"), Some(old));
    let requests = lab.requests();
    assert_eq!(
        count(&requests, "registry PUT mongo manifest latest 201"),
        0
    );

    fs::write(&file, &sound).unwrap();
    lab.applies(&["done"]);
    assert_eq!(lab.digest("mongo", "latest"), Some(new));
}

/// A copy of a new image whose manifest is refused once, because the registry lacks its blobs; and
/// the requests that it took.
fn refused_once(lab: &Lab) -> Vec<String> {
    let lost = refusal(404, "MANIFEST_BLOB_UNKNOWN", "Layers do not exist");
    lab.inject(Fault::new("manifests/latest", lost).method("PUT"));
    lab.requests();
    let new = lab.offer("library/mongo", "latest", &noise(9));
    lab.applies(&["done"]);
    assert_eq!(lab.digest("mongo", "latest"), Some(new));
    let requests = lab.requests();
    for (status, times) in [("404", 1), ("201", 1)] {
        let put = format!("registry PUT mongo manifest latest {status}");
        assert_eq!(count(&requests, &put), times);
    }
    assert_eq!(count(&requests, "api BatchCheckLayerAvailability 200"), 2);
    requests
}

#[test]
fn blobs_that_the_registry_lost_are_sent_again() {
    let (lab, _) = lab();
    lab.applies(&["done"]);
    // What it has after all is not.
    let requests = refused_once(&lab);
    assert_eq!(count(&requests, "registry PUT mongo upload 201"), 2);

    let (lab, _) = self::lab();
    lab.applies(&["done"]);
    let nothing = Effect::Answer {
        status: 200,
        headers: vec![("content-type", "application/x-amz-json-1.1".to_owned())],
        body: r#"{"layers":[],"failures":[]}"#.to_owned(),
    };
    lab.inject(Fault::new("BatchCheckLayerAvailability", nothing).times(2));
    let requests = refused_once(&lab);
    assert_eq!(count(&requests, "registry PUT mongo upload 201"), 4);
    assert_eq!(count(&requests, "upstream GET library/mongo blob 200"), 4);
}

#[test]
fn a_token_that_expires_on_the_way_is_renewed() {
    let (lab, digest) = lab();
    let slow = Effect::Delay(Duration::from_secs(2));
    lab.inject(Fault::new("/blobs/uploads/", slow).method("PUT").times(2));
    let child = lab.longshore(&["apply"]).start();
    wait_until(|| count_of(&lab, Server::Registry, "POST") == 2);
    lab.expire_tokens();
    Run::new(&child.wait_with_output().unwrap()).exits(0);
    assert_eq!(lab.digest("mongo", "latest"), Some(digest));
    let requests = lab.requests();
    let refused = requests
        .iter()
        .any(|line| line == "registry PUT mongo upload 403");
    assert!(refused, "{requests:?}");
}

#[test]
fn an_upstream_that_moves_meanwhile_is_not_mixed_in() {
    let (lab, old) = lab();
    let slow = Effect::Delay(Duration::from_secs(1));
    lab.inject(Fault::new("manifests/sha256", slow).at(Server::Upstream));
    let child = lab.longshore(&["apply"]).start();
    wait_until(|| count_of(&lab, Server::Upstream, "HEAD") == 1);
    let new = lab.offer("library/mongo", "latest", b"new");
    Run::new(&child.wait_with_output().unwrap()).exits(0);
    assert_eq!(lab.digest("mongo", "latest"), Some(old));
    lab.applies(&["done"]);
    assert_eq!(lab.digest("mongo", "latest"), Some(new));
}

#[test]
fn a_run_that_is_killed_leaves_the_old_tag_and_the_next_repeats_no_blob() {
    let (lab, old) = lab();
    lab.applies(&["done"]);
    let new = lab.offer("library/mongo", "latest", &noise(10));
    lab.requests();
    let slow = Effect::Delay(Duration::from_secs(10));
    lab.inject(Fault::new("manifests/latest", slow).method("PUT"));
    let mut child = lab.longshore(&["apply"]).start();
    wait_until(|| count_of(&lab, Server::Registry, "PUT") == 2);
    // The manifest is on its way, and its answer will not come before the end.
    thread::sleep(Duration::from_millis(500));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(lab.digest("mongo", "latest"), Some(old));

    lab.requests();
    lab.applies(&["done"]);
    assert_eq!(lab.digest("mongo", "latest"), Some(new));
    let requests = lab.requests();
    assert_eq!(count(&requests, "registry POST mongo upload 202"), 0);
}

#[test]
fn runs_that_overlap_all_succeed() {
    let (lab, digest) = lab();
    let runs: Vec<_> = (0..4).map(|_| lab.longshore(&["apply"]).start()).collect();
    for run in runs {
        Run::new(&run.wait_with_output().unwrap()).exits(0);
    }
    assert_eq!(lab.digest("mongo", "latest"), Some(digest));
}

#[test]
fn a_repository_that_could_not_be_created_is_tried_again_at_the_end() {
    let (lab, digest) = lab();
    let failure = exception(500, "ServerException", "try later");
    lab.inject(Fault::new("CreateRepository", failure));
    let call = lab.longshore(&["apply"]).env("AWS_MAX_ATTEMPTS", "1");
    call.run().exits(0);
    assert_eq!(lab.digest("mongo", "latest"), Some(digest));
    let requests = lab.requests();
    assert_eq!(count(&requests, "api CreateRepository 500"), 1);
    assert_eq!(count(&requests, "api CreateRepository 200"), 1);
}

#[test]
fn a_repository_that_cannot_be_listed_fails_alone() {
    let lab = Lab::new();
    lab.write("images: [mongo, {source: redis, tags: ['7.*']}]\n");
    let mongo = lab.offer("library/mongo", "latest", b"mongo");
    lab.offer("library/redis", "7.0", b"redis");
    lab.inject(Fault::status("tags/list", 500).times(100));
    let run = lab.longshore(&["apply", "--output", "json"]).run().exits(1);
    let run = run.says(&["cannot list the tags of `docker.io/library/redis`"]);
    assert_eq!(run.each("status"), ["done"]);
    let unlisted = &run.json()["unlisted"];
    assert_eq!(unlisted[0]["source"], "docker.io/library/redis");
    assert_eq!(unlisted[0]["error"]["kind"], "transient");
    assert_eq!(run.json()["summary"]["failed"], 1);
    assert_eq!(lab.digest("mongo", "latest"), Some(mongo));
}

#[test]
fn what_the_api_may_not_tell_is_asked_of_the_registry() {
    let (lab, _) = lab();
    lab.applies(&["done"]);
    for action in ["ecr:ListImages", "ecr:BatchCheckLayerAvailability"] {
        lab.inject(denied(action).times(100));
    }
    lab.requests();
    lab.applies(&["in place"]);
    let requests = lab.requests();
    assert_eq!(
        requests,
        [
            "api DescribeRepositories 200",
            "api ListImages 400",
            "registry HEAD mongo manifest latest 200",
            "upstream HEAD library/mongo manifest latest 200",
        ]
    );

    let new = lab.offer("library/mongo", "latest", b"new");
    lab.applies(&["done"]);
    assert_eq!(lab.digest("mongo", "latest"), Some(new));
    let requests = lab.requests();
    assert_eq!(count(&requests, "registry HEAD mongo blob 404"), 2);
    assert_eq!(count(&requests, "registry PUT mongo upload 201"), 2);
}

/// How many requests of a method a server has answered.
fn count_of(lab: &Lab, at: Server, method: &str) -> usize {
    let is_one = |seen: &&Request| seen.at == at && seen.method == method;
    lab.log().iter().filter(is_one).count()
}
