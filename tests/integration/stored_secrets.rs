//! Passwords of upstreams that AWS keeps.

use longshore::sandbox::Fault;
use serde_json::json;

use crate::harness::{Aws, Lab, Registry, Run, World, exception};

const SECRET: &str = "ecr-pullthroughcache/docker-hub";

/// A lab whose Docker Hub lets only `acme` in, with two images.
fn private_lab() -> Lab {
    let lab = Lab::private("acme", "good");
    lab.offer("acme/api", "1", b"api");
    lab.offer("acme/web", "1", b"web");
    lab
}

fn call(lab: &Lab, password: &str, images: &str) -> Run {
    let upstream = lab.upstream();
    let text = format!(
        "version: 1\n\
         upstreams: {{docker.io: {{endpoint: 'http://{upstream}', {password}}}}}\n\
         images: [{images}]\n"
    );
    let run = lab.longshore(&["apply", "--output", "json", "-f", "-"]);
    run.stdin(&text).run()
}

#[test]
fn a_secret_is_read_once_and_when_it_is_wanted() {
    let lab = private_lab();
    let value = json!({"username": "acme", "accessToken": "good"}).to_string();
    lab.aws().keep_secret("eu-west-1", SECRET, &value);
    let password = format!("password: {{secret: {SECRET}}}");
    let both = "acme/api:1, acme/web:1";
    let run = call(&lab, &password, both).exits(0);
    assert_eq!(run.each("status"), ["done"; 2]);
    let asked = || {
        let log = lab.log();
        let operations = log.iter().filter_map(|request| request.operation.clone());
        let kept = operations.filter(|name| name.contains("Get") && name.contains('.'));
        kept.collect::<Vec<_>>()
    };
    assert_eq!(asked(), ["secretsmanager.GetSecretValue"]);

    lab.aws().keep_parameter("eu-west-1", "/hub", "good");
    let password = "username: acme, password: {ssm: /hub}";
    let run = call(&lab, password, both).exits(0);
    assert_eq!(run.each("status"), ["in place"; 2]);
    assert_eq!(asked()[1..], ["AmazonSSM.GetParameter"]);

    let other = format!(
        "version: 1\nupstreams: {{ghcr.io: {{{password}}}, docker.io: {{endpoint: 'http://{}', \
         username: acme, password: {{env: TOKEN}}}}}}\nimages: [acme/api:1]\n",
        lab.upstream()
    );
    let run = lab.longshore(&["plan", "-f", "-"]).stdin(&other);
    run.env("TOKEN", "good").run().exits(0);
    assert_eq!(asked().len(), 2, "nobody asked for ghcr.io");
}

#[test]
fn says_what_is_wrong_with_a_secret() {
    let lab = private_lab();
    let keep = |name: &str, value: &str| lab.aws().keep_secret("eu-west-1", name, value);
    keep("plain", "good");
    keep(
        "json",
        &json!({"username": "acme", "password": "good"}).to_string(),
    );
    keep(
        "wrong",
        &json!({"username": "acme", "accessToken": "bad"}).to_string(),
    );
    let denied = "User: arn:aws:iam::123456789012:user/sandbox is not authorized to perform: \
                  secretsmanager:GetSecretValue on resource: plain because no identity-based \
                  policy allows the secretsmanager:GetSecretValue action";
    let mut told = Vec::new();
    for (case, password) in [
        ("missing", "password: {secret: nowhere}"),
        ("denied", "username: acme, password: {secret: plain}"),
        ("another JSON", "password: {secret: json}"),
        ("no username", "password: {secret: plain}"),
        ("a wrong token", "password: {secret: wrong}"),
        (
            "a missing parameter",
            "username: acme, password: {ssm: /nowhere}",
        ),
    ] {
        if case == "denied" {
            let answer = exception(400, "AccessDeniedException", denied);
            lab.inject(Fault::new("GetSecretValue", answer));
        }
        let run = call(&lab, password, "acme/api:1").exits(3);
        assert!(!run.stderr.contains("good") && !run.stdout.contains("good"));
        told.push(format!("--- {case}\n{}", lab.without_ports(&run.stderr)));
    }
    insta::assert_snapshot!(told.join("\n"));
}

/// ECR takes two of a secret's keys, and somebody else may keep others beside them.
#[test]
fn a_new_token_leaves_other_keys_in_the_secret() {
    let lab = private_lab();
    let aws = lab.aws();
    let kept =
        |token: &str| json!({"username": "acme", "accessToken": token, "owner": {"team": 7}});
    aws.keep_secret("eu-west-1", SECRET, &kept("old").to_string());
    let text = "version: 1\npull_through_cache: {docker-hub: {registry: docker.io, username: acme, \
                access_token: {env: TOKEN}}}\n";
    let apply = || {
        let run = lab.longshore(&["cache", "apply", "--output", "json", "-f", "-"]);
        run.env("TOKEN", "good").stdin(text).run().exits(0)
    };
    let secret = |run: &Run| run.json()["items"][0]["status"].clone();
    assert_eq!(secret(&apply()), "updated");
    assert_eq!(aws.secret("eu-west-1", SECRET), kept("good"));
    assert_eq!(secret(&apply()), "unchanged");
    // What is no mapping has no keys to keep.
    aws.change_secret("eu-west-1", SECRET, &json!("good"));
    assert_eq!(secret(&apply()), "updated");
    let login = json!({"username": "acme", "accessToken": "good"});
    assert_eq!(aws.secret("eu-west-1", SECRET), login);
}

/// The token that the pull-through cache's rule uses logs a build in, too. It is in another region
/// than the destination, which its ARN says.
#[test]
fn one_secret_serves_the_cache_and_a_build() {
    let password = "tok en>?";
    let world = World::with_upstream("one-secret", Registry::private("acme", password));
    world.offer("team/api", "1", "1");
    world.offer("team/web", "1", "1");
    let value = json!({"username": "acme", "accessToken": password}).to_string();
    let name = format!("{SECRET}-one-secret");
    let arn = world.aws.keep_secret("us-east-1", &name, &value);
    world.write_with_login(
        &format!("password: {{secret: '{arn}'}}"),
        "images: [{source: team/api:1, lines: [ENV A=1]}, team/web:1]\n",
    );
    let run = world
        .longshore(&["-vvv", "apply", "--output", "json"])
        .run();
    assert!(!run.stderr.contains("tok en"), "{}", run.stderr);
    assert_eq!(run.exits(0).each("status"), ["done"; 2]);
}

/// `cache apply` puts the one token that the file names into the one secret that the rule and the
/// build's login share.
#[test]
fn a_token_is_kept_once_for_the_rule_and_the_build() {
    let password = "tok en>?";
    let upstream = Registry::private("acme", password);
    let world = World::with("kept-once", upstream, Aws::with_cache());
    world.offer("team/api", "1", "1");
    world.write_whole(&format!(
        "version: 1\n\
         destination: {{namespace: kept-once, registry: 'http://{}'}}\n\
         pull_through_cache:\n  \
           docker-hub: {{registry: docker.io, username: acme, access_token: {{env: TOKEN}}}}\n\
         upstreams:\n  \
           docker.io: {{endpoint: 'http://{}', password: {{secret: {SECRET}}}}}\n\
         images: [{{source: team/api:1, lines: [ENV A=1]}}]\n",
        world.destination.host(),
        world.upstream.host()
    ));
    let run = |arguments: &[&str], token: &str| {
        let run = world.longshore(arguments).env("TOKEN", token).run();
        assert!(!run.stderr.contains("tok en"), "{}", run.stderr);
        run
    };
    let made = run(&["-vvv", "cache", "apply"], password).exits(0);
    assert!(made.stdout.contains("the login is accepted"), "{made:?}");
    let secret = json!({"SecretId": SECRET});
    let secret = world
        .aws
        .call(world.region, "secretsmanager.GetSecretValue", &secret);
    let rules = world
        .aws
        .call(world.region, "DescribePullThroughCacheRules", &json!({}));
    let rule = &rules["pullThroughCacheRules"][0];
    assert_eq!(rule["credentialArn"], secret["ARN"]);

    let built = run(&["-vvv", "apply", "--output", "json"], "unused").exits(0);
    assert_eq!(built.each("status"), ["done"]);
}
