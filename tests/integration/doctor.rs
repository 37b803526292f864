//! `doctor`: each fault is named, with its remedy and its exit code, and hides no other.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, SystemTime};

use longshore::sandbox::{Effect, Fault, Options};
use serde_json::{Value, json};

use crate::harness::{Lab, Longshore, Run, denied};

const COPIES: &str = "destination: {account_id: '123456789012', namespace: ecsclone}\n\
                      images: [redis]\n";

/// A lab whose Docker Hub tells how many pulls are left, with a file that copies one image.
fn lab(pulls: u32) -> Lab {
    let lab = Lab::limited(pulls, 21600);
    lab.offer("ratelimitpreview/test", "latest", b"layer");
    lab.write(COPIES);
    lab
}

fn told(lab: &Lab, run: &Run) -> String {
    lab.without_ports(&run.stdout)
        .replace(&lab.api(), "API")
        .replace(&lab.folder().display().to_string(), "HOME")
}

/// The checks of this name, each with its remedy on the next line.
fn checks(lab: &Lab, run: &Run, name: &str) -> String {
    let object: Value = serde_json::from_str(&told(lab, run)).unwrap();
    let checks = object["checks"].as_array().unwrap();
    let named = checks.iter().filter(|check| check["name"] == name);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let lines = named.map(|check| {
        let [subject, status, kind, message, hint] =
            ["subject", "status", "kind", "message", "hint"].map(|key| text(&check[key]));
        format!("{status} {kind} | {subject} | {message}\n{hint}")
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn doctor(lab: &Lab) -> Longshore {
    lab.longshore(&["doctor", "--output", "json"])
}

/// What the doctor says in one state of a lab after another.
struct Story<'a> {
    lab: &'a Lab,
    told: Vec<String>,
}

impl<'a> Story<'a> {
    fn of(lab: &'a Lab) -> Self {
        let told = Vec::new();
        Self { lab, told }
    }

    /// Calls the doctor, who ends with this code, and keeps the checks of these names.
    #[track_caller]
    fn tells(&mut self, call: Longshore, code: i32, names: &[&str]) {
        let run = call.run().exits(code);
        let checks = names.iter().map(|name| checks(self.lab, &run, name));
        self.told.extend(checks);
    }

    fn whole(&self) -> String {
        self.told.join("\n\n")
    }
}

#[test]
fn the_daemon_is_asked_whether_it_runs_a_foreign_program() {
    let lab = lab(100);
    lab.write("images: [{source: mongo, lines: [RUN true], platforms: [linux/s390x]}]\n");
    let run = lab
        .longshore_with_docker(&["doctor", "--output", "json"])
        .run();
    let told = checks(&lab, &run, "platform");
    // This machine may have emulation or not.
    if told.starts_with("ok ") {
        assert_eq!(told, "ok  | linux/s390x | the daemon runs its programs\n");
        run.exits(0);
    } else {
        insta::assert_snapshot!(told);
        run.exits(1);
    }
}

#[test]
fn all_is_well() {
    let lab = lab(100);
    lab.write(
        "destination: {account_id: '123456789012', namespace: ecsclone}\n\
         images:\n\
         \x20 - redis\n\
         \x20 - {source: mongo, lines: [RUN true]}\n\
         repositories: {tag_immutability: true, encryption: {kms_key_arn: 'arn:aws:kms:eu-west-1:123456789012:key/1'}}\n\
         pull_through_cache: {quay: {registry: quay.io}}\n",
    );
    lab.create_repository("ecsclone/redis");
    lab.take_log();
    let call = lab.longshore_with_docker(&["doctor"]);
    let run = call.run().exits(0);
    // What a daemon tells of itself differs from one to the next.
    let told = told(&lab, &run);
    let (docker, rest): (Vec<&str>, Vec<&str>) = told
        .lines()
        .filter(|line| !line.contains(" with a warning, "))
        .partition(|line| line.contains(" docker  ") || line.contains(" docker s"));
    assert!(docker[0].starts_with("ok           docker "), "{docker:?}");
    assert!(docker[0].contains("version "), "{docker:?}");
    assert_eq!(docker.len(), 3, "{docker:?}");
    insta::assert_snapshot!(rest.join("\n"));
    let operations = lab.log();
    let writes = ["Create", "Put", "Delete", "Update"];
    assert!(operations.iter().all(|request| {
        let operation = request.operation.as_deref().unwrap_or_default();
        !writes.iter().any(|write| operation.starts_with(write))
            && request.method != "PUT"
            && !(request.method == "GET" && request.path_and_query.contains("/manifests/"))
    }));
}

#[test]
fn a_machine_with_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let nothing = || {
        Longshore::new(folder.path(), &["doctor"]).env("DOCKER_HOST", "unix:///nowhere/docker.sock")
    };
    let without_region = nothing().run().exits(4).stdout;
    let without_credentials = nothing()
        .env("AWS_REGION", "eu-west-1")
        .run()
        .exits(4)
        .stdout;
    insta::assert_snapshot!(format!("{without_region}\n{without_credentials}"));
}

#[test]
fn a_file_that_builds_nothing_needs_no_docker() {
    let lab = lab(100);
    let run = doctor(&lab).run().exits(0);
    insta::assert_snapshot!(told(&lab, &run));
    let lines = "images: [{source: redis, lines: [ENV A=1], builder: BUILDER}]\n";
    for (builder, code) in [("docker", 4), ("auto", 0), ("direct", 0)] {
        lab.write(&lines.replace("BUILDER", builder));
        doctor(&lab).run().exits(code);
    }
    lab.write("images: ['docker-daemon:app:1']\n");
    doctor(&lab).run().exits(4);
}

#[test]
fn a_broken_file_hides_nothing() {
    let lab = lab(100);
    let mut story = Story::of(&lab);
    lab.write("images: [redis:]\nimage: []\n");
    fs::write(lab.path("config.json"), "{").unwrap();
    let run = lab.longshore(&["doctor"]).run().exits(4);
    insta::assert_snapshot!(told(&lab, &run));

    lab.write(COPIES);
    story.tells(
        doctor(&lab).env("DOCKER_CONFIG", lab.folder()),
        2,
        &["upstream", "ecr token"],
    );

    let run = lab
        .longshore(&["doctor", "-f", "nowhere.yaml"])
        .run()
        .exits(4);
    assert!(run.stdout.contains("`nowhere.yaml`"), "{run:?}");
    insta::assert_snapshot!(story.whole());
}

#[test]
fn a_key_that_aws_does_not_know() {
    let lab = Lab::with(Options {
        access_key_id: Some("AKIASANDBOX".to_owned()),
        ..Options::default()
    });
    let mut story = Story::of(&lab);
    lab.write("images: [redis]\n");
    let call = doctor(&lab).env("AWS_ACCESS_KEY_ID", "AKIAOTHER");
    story.tells(call, 3, &["aws identity", "ecr token"]);
    insta::assert_snapshot!(story.whole());
}

#[test]
fn a_registry_of_another_region() {
    let lab = lab(100);
    let mut story = Story::of(&lab);
    let elsewhere = "https://123456789012.dkr.ecr.us-east-1.amazonaws.com";
    lab.write(&format!(
        "destination: {{registry: '{elsewhere}'}}\nimages: [redis]\n"
    ));
    story.tells(doctor(&lab), 2, &["ecr registry"]);
    insta::assert_snapshot!(story.whole());
}

#[test]
fn an_account_of_somebody_else() {
    let lab = lab(100);
    let mut story = Story::of(&lab);
    lab.write("destination: {account_id: '210987654321'}\nimages: [redis]\n");
    let names = ["aws account", "repository", "blob mounting"];
    story.tells(doctor(&lab), 3, &names);
    insta::assert_snapshot!(story.whole());
}

#[test]
fn a_clock_that_is_wrong() {
    let lab = lab(100);
    let mut story = Story::of(&lab);
    let then = SystemTime::now() - Duration::from_hours(1);
    let effect = Effect::Answer {
        status: 403,
        headers: vec![("date", httpdate::fmt_http_date(then))],
        body: "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>Signature not yet \
               current</Message></Error></ErrorResponse>"
            .to_owned(),
    };
    lab.inject(Fault::new("GetCallerIdentity", effect).times(9));
    story.tells(doctor(&lab), 3, &["aws identity", "clock"]);
    insta::assert_snapshot!(story.whole());
}

#[test]
fn permissions_that_are_missing() {
    let lab = lab(100);
    let mut story = Story::of(&lab);
    let denial = |action: &str| {
        format!(
            "<member><EvalActionName>{action}</EvalActionName><EvalResourceName>\
             arn:aws:ecr:eu-west-1:123456789012:repository/ecsclone/redis</EvalResourceName>\
             <EvalDecision>implicitDeny</EvalDecision></member>"
        )
    };
    let body = format!(
        "<SimulatePrincipalPolicyResponse><SimulatePrincipalPolicyResult><EvaluationResults>{}{}\
         </EvaluationResults><IsTruncated>false</IsTruncated></SimulatePrincipalPolicyResult>\
         </SimulatePrincipalPolicyResponse>",
        denial("ecr:PutImage"),
        denial("ecr:CreateRepository"),
    );
    let effect = Effect::Answer {
        status: 200,
        headers: vec![("content-type", "text/xml".to_owned())],
        body,
    };
    lab.inject(Fault::new("SimulatePrincipalPolicy", effect));
    story.tells(doctor(&lab), 3, &["permissions"]);

    lab.mend();
    lab.create_repository("ecsclone/redis");
    lab.inject(denied("iam:SimulatePrincipalPolicy").times(9));
    story.tells(doctor(&lab), 0, &["permissions", "reads"]);
    lab.inject(denied("ecr:ListImages").times(9));
    lab.inject(denied("ecr:BatchCheckLayerAvailability").times(9));
    lab.inject(denied("ecr:DescribeRepositories"));
    story.tells(doctor(&lab), 3, &["repository"]);
    story.tells(doctor(&lab), 3, &["reads"]);
    insta::assert_snapshot!(story.whole());
}

#[test]
fn an_assumed_role_is_asked_about() {
    let lab = lab(100);
    let mut story = Story::of(&lab);
    let role = "arn:aws:iam::123456789012:role/deploy";
    lab.write(&COPIES.replace(
        "namespace: ecsclone",
        &format!("namespace: ecsclone, role_arn: '{role}'"),
    ));
    lab.inject(denied("iam:GetRole").times(9));
    story.tells(doctor(&lab), 0, &["aws identity", "permissions"]);
    insta::assert_snapshot!(story.whole());
}

#[test]
fn whoever_decides_on_a_login_is_named() {
    let lab = Lab::private("acme", "right");
    let mut story = Story::of(&lab);
    lab.offer("team/app", "latest", b"layer");
    let secret = json!({"username": "acme", "accessToken": "right"}).to_string();
    lab.aws().keep_secret("eu-west-1", "hub", &secret);
    let endpoint = format!("endpoint: 'http://{}'", lab.upstream());
    lab.write_whole(&format!(
        "version: 1\n\
         upstreams:\n\
         \x20 a.example: {{{endpoint}, username: acme, password: {{env: TOKEN}}}}\n\
         \x20 b.example: {{{endpoint}, password: {{secret: hub}}}}\n\
         \x20 c.example: {{{endpoint}}}\n\
         images: [c.example/team/app]\n"
    ));
    let doctor = |token: &str| doctor(&lab).env("TOKEN", token);
    story.tells(doctor("right"), 3, &["upstream"]);

    fs::create_dir(lab.path(".docker")).unwrap();
    let auths = json!({"auths": {lab.upstream(): {"auth": "YWNtZTpyaWdodA=="}}});
    fs::write(lab.path(".docker/config.json"), auths.to_string()).unwrap();
    story.tells(doctor("wrong"), 3, &["upstream"]);

    let helper = lab.path("docker-credential-vault");
    let script = "#!/bin/sh\necho '{\"Username\": \"acme\", \"Secret\": \"right\"}'\n";
    fs::write(&helper, script).unwrap();
    fs::set_permissions(&helper, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(
        lab.path(".docker/config.json"),
        r#"{"credsStore": "vault"}"#,
    )
    .unwrap();
    let path = format!(
        "{}:{}",
        lab.folder().display(),
        std::env::var("PATH").unwrap()
    );
    story.tells(doctor("right").env("PATH", path), 0, &["upstream"]);
    insta::assert_snapshot!(story.whole());
}

#[test]
fn an_upstream_that_refuses_the_login() {
    let lab = Lab::private("acme", "right");
    let mut story = Story::of(&lab);
    lab.write_whole(&format!(
        "version: 1\n\
         upstreams: {{docker.io: {{endpoint: 'http://{}', username: acme, password: {{env: TOKEN}}}}}}\n\
         images: [redis]\n",
        lab.upstream()
    ));
    let call = doctor(&lab).env("TOKEN", "wrong");
    story.tells(call, 3, &["upstream", "pulls"]);
    insta::assert_snapshot!(story.whole());
}

#[test]
fn a_rate_limit_that_is_used_up() {
    let lab = lab(0);
    let mut story = Story::of(&lab);
    story.tells(doctor(&lab), 1, &["upstream", "pulls"]);
    insta::assert_snapshot!(story.whole());
}

#[test]
fn upstreams_that_are_out_of_reach() {
    let lab = lab(100);
    let mut story = Story::of(&lab);
    lab.write_whole(
        "version: 1\nupstreams: {docker.io: {endpoint: 'http://127.0.0.1:1'}}\nimages: [redis]\n",
    );
    story.tells(doctor(&lab), 4, &["upstream", "ecr registry"]);

    // Nobody needs to reach what is read through the cache, unless its tags are listed.
    let through = "version: 1\n\
                   upstreams: {quay.io: {endpoint: 'http://127.0.0.1:1', via: pull_through_cache}}\n\
                   pull_through_cache: {quay: {registry: quay.io}}\n";
    let rule = json!({"ecrRepositoryPrefix": "quay", "upstreamRegistryUrl": "quay.io"});
    lab.aws()
        .call("eu-west-1", "CreatePullThroughCacheRule", &rule);
    for (image, code) in [
        ("quay.io/org/app:1", 0),
        ("{source: quay.io/org/app, tags: [\"1.*\"]}", 4),
    ] {
        lab.write_whole(&format!("{through}images: [{image}]\n"));
        story.tells(doctor(&lab), code, &["upstream"]);
    }
    insta::assert_snapshot!(story.whole());
}

#[test]
fn rules_of_the_cache_are_asked_about() {
    let lab = Lab::private("acme", "good-token");
    let rules = "version: 1\npull_through_cache:\n\
                 \x20 docker-hub: {registry: docker.io, username: acme, access_token: {env: TOKEN}}\n\
                 \x20 ghcr: {registry: ghcr.io, credential: manual}\n\
                 \x20 quay: {registry: quay.io}\n";
    let call = |arguments: &[&str], token: &str| lab.longshore(arguments).env("TOKEN", token);
    let doctor = |token| call(&["doctor", "--output", "json"], token);
    let mut story = Story::of(&lab);
    lab.write_whole(rules);
    story.tells(doctor("bad-token"), 0, &["cache rule"]);

    let through = "upstreams: {docker.io: {via: pull_through_cache}}\nimages: [redis]\n";
    lab.write_whole(&format!("{rules}{through}"));
    story.tells(doctor("bad-token"), 1, &["cache rule", "upstream"]);

    call(&["cache", "apply"], "bad-token").run().exits(1);
    story.tells(doctor("bad-token"), 3, &["cache rule"]);
    call(&["cache", "apply"], "good-token").run().exits(1);
    lab.write_whole(&rules.replace("{registry: quay.io}", "{registry: registry.k8s.io}"));
    lab.take_log();
    story.tells(doctor("good-token"), 3, &["cache rule"]);
    let asked = lab.log();
    let validates = |name: &Option<String>| name.as_deref() == Some("ValidatePullThroughCacheRule");
    let asked = asked.iter().filter(|it| validates(&it.operation)).count();
    assert_eq!(asked, 2);

    lab.inject(denied("ecr:DescribePullThroughCacheRules"));
    story.tells(doctor("good-token"), 0, &["cache rule"]);
    insta::assert_snapshot!(story.whole());
}
