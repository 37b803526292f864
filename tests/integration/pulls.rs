//! Docker Hub's budget of pulls.

use std::io::{BufRead as _, BufReader, Read as _};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use longshore::sandbox::{Effect, Fault, Login, Options, PullLimit, Server, Upstream};
use serde_json::json;

use crate::harness::{Image, Lab, Run, refusal, signal};

const HOURS: u64 = 6 * 3600;

/// Three images of one manifest each.
const SINGLE: &str = "images: [mongo, redis, nats]\n";

fn offer_single(lab: &Lab) {
    lab.write(SINGLE);
    for name in ["mongo", "redis", "nats"] {
        lab.offer(&format!("library/{name}"), "latest", name.as_bytes());
    }
}

/// Two indexes of three platforms each: four pulls.
fn offer_indexes(lab: &Lab) {
    lab.write("images: [mongo, redis]\n");
    for repository in ["library/mongo", "library/redis"] {
        let platforms = ["linux/amd64", "linux/arm64", "linux/s390x"];
        lab.offer_for(repository, "latest", &platforms);
    }
}

fn apply(lab: &Lab, more: &[&str]) -> Run {
    let apply = ["apply", "--output", "json"];
    lab.longshore(&[&apply, more].concat()).run()
}

/// How many manifests were pulled, and how many pulls were refused.
fn pulls(lab: &Lab) -> (usize, usize) {
    let requests = lab.requests();
    let count = |status: &str| {
        let is_one = |line: &&String| {
            line.starts_with("upstream GET")
                && line.contains(" manifest ")
                && line.ends_with(status)
        };
        requests.iter().filter(is_one).count()
    };
    (count(" 200"), count(" 429"))
}

/// What Docker Hub answers beyond the limit.
fn pull_limit() -> Effect {
    let message = "You have reached your unauthenticated pull rate limit. \
                   https://www.docker.com/increase-rate-limit";
    refusal(429, "TOOMANYREQUESTS", message)
}

#[test]
fn a_run_that_cannot_finish_says_so_and_does_what_fits() {
    let lab = Lab::limited(2, HOURS);
    offer_single(&lab);
    let plan = lab.longshore(&["plan"]).run().exits(0);
    let run = apply(&lab, &["--jobs", "1"]).exits(1);
    insta::assert_snapshot!(plan.stderr, @r"
    docker.io allows 2 of 2 pulls in 6 h
    warning: docker.io allows 2 more pulls and about 3 are needed: not enough for 1 image
      hint: add a login for `docker.io` under `upstreams`, let `apply --wait` wait, or name fewer images
    ");
    insta::assert_snapshot!(without_seconds(&run.stderr), @r"
    docker.io allows 2 of 2 pulls in 6 h
    warning: docker.io allows 2 more pulls and about 3 are needed: not enough for 1 image
      hint: add a login for `docker.io` under `upstreams`, let `apply --wait` wait, or name fewer images
    mongo: repository created
    mongo:latest: done
    redis: repository created
    redis:latest: done
    ");
    assert_eq!(run.each("status"), ["done", "done", "failed"]);
    let error = &run.json()["images"][2]["error"];
    assert_eq!(
        *error,
        json!({
            "kind": "exhausted",
            "message": "cannot read the source: `docker.io` allows 2 more pulls of 2 in 6 h, too few for this image and those before it",
            "hint": "add a login for `docker.io` under `upstreams`, wait as `--wait` does, or name fewer images",
        })
    );
    let begun = lab.log();
    let begun = begun.iter().filter(|request| {
        let is_about_nats = request.path_and_query.contains("nats");
        is_about_nats && request.at != Server::Upstream
    });
    assert_eq!(begun.count(), 0, "nothing of the third image moved");
    assert_eq!(pulls(&lab), (2, 0));
    // What is in place needs no pulls, and says nothing of them.
    let again = apply(&lab, &["mongo", "redis"]).exits(0);
    assert_eq!(again.each("status"), ["in place"; 2]);
    assert!(!again.stderr.contains("needed"), "{}", again.stderr);
}

#[test]
fn children_are_counted_and_what_was_read_is_not_paid_twice() {
    let lab = Lab::limited(8, HOURS);
    offer_indexes(&lab);
    assert_eq!(apply(&lab, &[]).exits(0).each("status"), ["done"; 2]);
    assert_eq!(pulls(&lab), (8, 0));

    let lab = Lab::limited(7, HOURS);
    offer_indexes(&lab);
    let run = apply(&lab, &[]).exits(1);
    run.says(&["docker.io allows 5 more pulls and about 6 are needed: not enough for 1 image\n"]);
    assert_eq!(
        pulls(&lab),
        (5, 0),
        "both indexes, and the first one's children"
    );
}

#[test]
fn an_image_that_never_fits_says_so() {
    let lab = Lab::limited(2, HOURS);
    offer_indexes(&lab);
    let run = apply(&lab, &["--wait", "mongo"]).exits(1);
    let error = &run.json()["images"][0]["error"];
    assert_eq!(
        *error,
        json!({
            "kind": "permanent",
            "message": "cannot read the source: it needs 3 pulls of `docker.io`, which never allows more than 2 in 6 h",
            "hint": "add a login for `docker.io` under `upstreams`, or choose fewer `platforms`",
        })
    );
    assert_eq!(pulls(&lab), (1, 0));
}

#[test]
fn who_has_a_login_needs_one_that_is_allowed_more() {
    let window = Duration::from_secs(HOURS);
    let lab = Lab::with_upstream(Options::default(), |upstream| Upstream {
        login: Some(Login::new("acme", "token")),
        pulls: Some(PullLimit { pulls: 0, window }),
        ..upstream
    });
    lab.write_whole(&format!(
        "version: 1\n\
         upstreams: {{docker.io: {{endpoint: 'http://{}', username: acme, password: {{env: TOKEN}}}}}}\n\
         images: [redis]\n",
        lab.upstream()
    ));
    for repository in ["library/redis", "ratelimitpreview/test"] {
        lab.offer(repository, "latest", b"layer");
    }
    let call = |arguments: &[&str]| lab.longshore(arguments).env("TOKEN", "token").run();
    let remedy = "use a login for `docker.io` that is allowed more";
    let plan = call(&["plan"]).exits(0);
    plan.says(&[&format!("  hint: {remedy}, let `apply --wait` wait, or")]);
    let run = call(&["apply", "--output", "json"]).exits(1);
    assert_eq!(
        run.json()["images"][0]["error"]["hint"],
        format!("{remedy}, or choose fewer `platforms`")
    );
    let doctor = call(&["doctor"]).exits(1);
    let told = format!("{remedy}, or wait until the limit's window has passed");
    assert!(doctor.stdout.contains(&told), "{}", doctor.stdout);
}

#[test]
fn equal_tags_cost_one_pull() {
    let lab = Lab::limited(1, HOURS);
    lab.write("images: [{source: redis, tags: ['7', '7.2', latest]}]\n");
    for tag in ["7", "7.2", "latest"] {
        lab.offer("library/redis", tag, b"redis");
    }
    assert_eq!(apply(&lab, &[]).exits(0).each("status"), ["done"; 3]);
    assert_eq!(pulls(&lab), (1, 0));
}

#[test]
fn a_patient_run_waits_for_the_next_window() {
    let lab = Lab::limited(2, 3);
    offer_single(&lab);
    let begun = Instant::now();
    let run = apply(&lab, &["--wait"]).exits(0);
    assert_eq!(run.each("status"), ["done"; 3]);
    let run = run.says(&[
        "docker.io allows 2 more pulls and about 3 are needed: not enough for 1 image yet",
        "waiting until docker.io allows more pulls, for at most 1 min",
    ]);
    assert!(!run.stderr.contains("error"), "{}", run.stderr);
    assert!(begun.elapsed() >= Duration::from_secs(2));
    assert_eq!(pulls(&lab), (3, 0));
}

#[test]
fn a_patient_run_also_waits_when_somebody_else_took_the_pulls() {
    let lab = Lab::limited(100, 3);
    offer_single(&lab);
    let refused = Fault::new("library/redis/manifests/sha256", pull_limit()).at(Server::Upstream);
    // Once when it is counted, once when it is copied.
    lab.inject(refused.clone().times(2));
    let run = apply(&lab, &["--wait"]).exits(0);
    assert_eq!(run.each("status"), ["done"; 3]);
    run.says(&["waiting until docker.io allows more pulls"]);
    assert_eq!(pulls(&lab).1, 2);

    // In vain, and without patience.
    for (more, waits) in [(&["--wait"][..], true), (&[], false)] {
        lab.offer("library/redis", "latest", if waits { b"1" } else { b"2" });
        lab.inject(refused.clone().times(1000));
        let run = apply(&lab, more).exits(1);
        assert_eq!(run.each("status"), ["in place", "failed", "in place"]);
        assert_eq!(run.json()["images"][1]["error"]["kind"], "exhausted");
        assert_eq!(
            run.stderr.contains("waiting until"),
            waits,
            "{}",
            run.stderr
        );
        run.says(&[
            "error: ",
            "cannot copy the image",
            "the pull rate limit of `docker.io` is used up",
        ]);
    }
}

#[test]
fn the_pulls_of_the_docker_daemon_are_waited_for_too() {
    // One is needed to plan the build, and one by the daemon.
    let apply = |seconds, more: &[&str]| {
        let lab = Lab::limited(1, seconds);
        // A base that the daemon has not got, whatever ran on it before.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let name = format!("budget-{}-{}", std::process::id(), since.as_nanos());
        lab.write(&format!("images: [{{source: {name}, lines: [ENV A=1]}}]\n"));
        lab.offer_base(&format!("library/{name}"), "latest");
        let apply = ["apply", "--output", "json"];
        lab.longshore_with_docker(&[&apply, more].concat()).run()
    };
    let run = apply(HOURS, &[]).exits(1);
    let error = &run.json()["images"][0]["error"];
    assert_eq!(error["kind"], "exhausted");
    run.says(&[
        "docker.io allows 0 more pulls and about 1 are needed: not enough for what Docker builds\n",
        &format!("cannot build for linux/{}: ", Image::native()),
        "toomanyrequests: You have reached your unauthenticated pull rate limit",
        "hint: log in to that registry as somebody with a higher limit",
    ]);
    let run = apply(3, &["--wait"]).exits(0);
    assert_eq!(run.each("status"), ["done"]);
}

#[test]
fn a_wait_can_be_interrupted() {
    let lab = Lab::limited(2, HOURS);
    offer_single(&lab);
    let mut child = lab.longshore(&["apply", "--wait"]).start();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut told = String::new();
    while !told.contains("waiting until docker.io allows more pulls, for at most 360 min") {
        assert_ne!(stderr.read_line(&mut told).unwrap(), 0, "{told}");
    }
    signal(&child, "TERM");
    stderr.read_to_string(&mut told).unwrap();
    assert!(told.contains("interrupted"), "{told}");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(lab.digest("redis", "latest").is_some());
}

#[test]
fn a_lock_asks_once_what_is_left() {
    let lab = Lab::limited(2, HOURS);
    offer_single(&lab);
    lab.longshore(&["plan", "--lock", "images.lock"])
        .run()
        .exits(0);
    lab.requests();
    let run = apply(&lab, &["--locked", "images.lock"]).exits(1);
    assert_eq!(run.each("status"), ["done", "done", "failed"]);
    let requests = lab.requests();
    let asked: Vec<_> = requests
        .iter()
        .filter(|line| line.starts_with("upstream HEAD"))
        .collect();
    assert_eq!(
        asked,
        ["upstream HEAD library/mongo manifest by digest 200"]
    );
}

fn without_seconds(text: &str) -> String {
    let lines = text.lines().map(|line| match line.split_once(": done") {
        Some((image, _)) => format!("{image}: done"),
        None => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}
