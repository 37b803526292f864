//! Proxies that are wrong.

use crate::harness::{Longshore, Run};

const FILE: &str = "version: 1\n\
    destination: {registry: 'http://127.0.0.1:5000'}\n\
    images: [{source: 'registry.example/app:1', lines: [USER app]}]\n";

fn render_through(proxy: &str) -> Run {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("longshore.yaml"), FILE).unwrap();
    Longshore::new(folder.path(), &["-vvv", "render"])
        .env("HTTPS_PROXY", proxy)
        .run()
}

#[test]
fn a_proxy_that_does_not_run_is_named_without_its_password() {
    // Nothing listens on the discard port.
    let run = render_through("http://user:hush@127.0.0.1:9")
        .exits(4)
        .says(&[
            "`https://registry.example` cannot be reached through the proxy `http://127.0.0.1:9`: \
         Connection refused",
            "nothing listens at the proxy `http://127.0.0.1:9`",
        ]);
    assert!(!run.stderr.contains("hush"), "{}", run.stderr);
}

#[test]
fn what_is_no_proxy_is_a_mistake() {
    let run = render_through("http://user:hush@proxy.example:port")
        .exits(2)
        .says(&["`HTTPS_PROXY` names no proxy"]);
    assert!(!run.stderr.contains("hush"), "{}", run.stderr);
}
