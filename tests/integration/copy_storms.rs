//! Copies that many requests or many bytes go wrong for, and that succeed all the same.

use longshore::sandbox::{Effect, Fault, Server};

use crate::harness::{Lab, noise};

const NAMES: [&str; 6] = ["mongo", "redis", "nats", "node", "nginx", "httpd"];

/// A lab with several images to copy.
fn several() -> Lab {
    let lab = Lab::new();
    lab.write(&format!("images: [{}]\n", NAMES.join(", ")));
    for name in NAMES {
        lab.offer(&format!("library/{name}"), "latest", name.as_bytes());
    }
    lab
}

fn count(requests: &[String], server: &str, status: &str) -> usize {
    let is_one = |line: &&String| line.starts_with(server) && line.ends_with(status);
    requests.iter().filter(is_one).count()
}

/// The storm breaks out at every door, and ends when it has refused so many requests.
#[track_caller]
fn weathers(fault: impl Fn(&str) -> Fault, waits: &str) {
    let lab = several();
    lab.inject(fault("manifests/latest").at(Server::Upstream).times(3));
    lab.inject(fault("/blobs/sha256").at(Server::Upstream).times(3));
    lab.inject(fault("/blobs/uploads/").at(Server::Registry).times(3));
    lab.inject(fault("manifests/latest").method("PUT").times(2));
    let run = lab.applies(&["done"; 6]);
    assert!(!run.stderr.contains("again at the end"), "{}", run.stderr);
    for registry in ["docker.io", &lab.registry()] {
        let told = format!("{registry} wants fewer requests; all of them wait {waits} s");
        assert!(run.stderr.contains(&told), "{}", run.stderr);
    }
    let requests = lab.requests();
    assert_eq!(count(&requests, "upstream", " 429"), 6);
    assert_eq!(count(&requests, "registry", " 429"), 5);
    for name in NAMES {
        assert!(lab.digest(name, "latest").is_some(), "{name}");
    }
}

#[test]
fn a_storm_of_429_that_says_how_long_passes() {
    weathers(|path| Fault::throttle(path, 1), "1.0");
}

#[test]
fn a_storm_of_429_that_does_not_say_how_long_passes() {
    weathers(|path| Fault::status(path, 429), "0.5");
}

#[test]
fn an_upload_that_is_reset_on_its_way_is_begun_anew() {
    let lab = Lab::new();
    lab.write("images: [mongo]\n");
    let mongo = lab.offer("library/mongo", "latest", &noise(11));
    let reset = Effect::Reset {
        after: 3 * 1024 * 1024,
    };
    lab.inject(Fault::new("/blobs/uploads/", reset).method("PUT").times(2));
    lab.applies(&["done"]);
    assert_eq!(lab.digest("mongo", "latest"), Some(mongo));
    let requests = lab.requests();
    assert_eq!(count(&requests, "registry PUT mongo upload", " broken"), 2);
    assert_eq!(count(&requests, "registry PUT mongo upload", " 201"), 2);
    assert_eq!(
        count(&requests, "upstream GET library/mongo blob", " 200"),
        4
    );
}

#[test]
fn a_blob_that_is_spoiled_on_its_way_is_read_again_at_the_end() {
    for effect in [Effect::Corrupt, Effect::Truncate { after: 5_000_000 }] {
        let lab = Lab::new();
        lab.write("images: [mongo]\n");
        let mongo = lab.offer("library/mongo", "latest", &noise(12));
        let layer = lab.layer_of("library/mongo", &mongo);
        let fault = Fault::new(layer.as_str(), effect).at(Server::Upstream);
        lab.inject(fault);
        let run = lab.longshore(&["apply"]).run().exits(0);
        run.says(&["mongo:latest: cannot copy the image; it will be tried again at the end"]);
        assert_eq!(lab.digest("mongo", "latest"), Some(mongo));
    }
}

#[test]
fn a_manifest_that_is_spoiled_on_its_way_is_read_once_more() {
    let lab = Lab::new();
    lab.write("images: [mongo]\n");
    let mongo = lab.offer("library/mongo", "latest", b"mongo");
    lab.inject(Fault::new("manifests/sha256", Effect::Corrupt).at(Server::Upstream));
    let run = lab.longshore(&["apply"]).run().exits(0);
    assert!(!run.stderr.contains("again at the end"), "{}", run.stderr);
    assert_eq!(lab.digest("mongo", "latest"), Some(mongo.clone()));
    assert_eq!(lab.pulls(&mongo), 2);

    // What is wrong each time is no accident.
    lab.offer("library/mongo", "latest", b"another");
    let fault = Fault::new("manifests/sha256", Effect::Corrupt).at(Server::Upstream);
    lab.inject(fault.times(2));
    let run = lab.longshore(&["apply", "--output", "json"]).run().exits(1);
    assert_eq!(run.json()["images"][0]["error"]["kind"], "permanent");
    assert_eq!(lab.digest("mongo", "latest"), Some(mongo));
}

#[test]
fn a_redirect_to_storage_gets_no_authorization() {
    let lab = Lab::new();
    lab.write("images: [mongo]\n");
    let mongo = lab.offer("library/mongo", "latest", b"mongo");
    lab.applies(&["done"]);
    lab.requests();
    // The same registry as if it were that of another account.
    let host = "111122223333.dkr.ecr.eu-west-1.amazonaws.com";
    lab.write_whole(&format!(
        "version: 1\nimages: [{{source: '{host}/mongo', repository: again}}]\nupstreams:\n  \
         {host}: {{role_arn: 'arn:aws:iam::111122223333:role/pull', endpoint: 'http://{}'}}\n",
        lab.registry()
    ));
    lab.applies(&["done"]);
    assert_eq!(lab.digest("again", "latest"), Some(mongo));
    let requests = lab.requests();
    assert_eq!(count(&requests, "registry GET mongo blob", " 307"), 2);
    assert_eq!(count(&requests, "storage GET blob", " 200"), 2);
    assert_eq!(count(&requests, "storage", " 400"), 0);
}
