//! `doctor`: each fault is named, with its remedy and its exit code, and hides no other.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, SystemTime};

use longshore::sandbox::{Effect, Fault, Login, Options, Upstream};
use serde_json::{Value, json};

use crate::harness::{Lab, Longshore, Run};

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

/// A refusal by IAM, every time.
fn denied(action: &str) -> Fault {
    let (_, operation) = action.split_once(':').unwrap();
    let message = format!(
        "User: arn:aws:iam::123456789012:user/sandbox is not authorized to perform: {action} on \
         resource: *"
    );
    let (status, body) = if action.starts_with("iam:") {
        let error = format!("<Code>AccessDenied</Code><Message>{message}</Message>");
        (
            403,
            format!("<ErrorResponse><Error>{error}</Error></ErrorResponse>"),
        )
    } else {
        let error = json!({"__type": "AccessDeniedException", "message": message});
        (400, error.to_string())
    };
    let effect = Effect::Answer {
        status,
        headers: Vec::new(),
        body,
    };
    Fault::new(operation, effect).times(9)
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
    let mut story = Vec::new();
    let lab = lab(100);
    lab.write("images: [redis:]\nimage: []\n");
    fs::write(lab.path("config.json"), "{").unwrap();
    let run = lab.longshore(&["doctor"]).run().exits(4);
    insta::assert_snapshot!(told(&lab, &run));

    lab.write(COPIES);
    let run = doctor(&lab)
        .env("DOCKER_CONFIG", lab.folder())
        .run()
        .exits(2);
    story.push(checks(&lab, &run, "upstream"));
    story.push(checks(&lab, &run, "ecr token"));

    let run = lab
        .longshore(&["doctor", "-f", "nowhere.yaml"])
        .run()
        .exits(4);
    assert!(run.stdout.contains("`nowhere.yaml`"), "{run:?}");
    insta::assert_snapshot!(story.join("\n\n"));
}

#[test]
fn wrong_aws() {
    let mut story = Vec::new();
    let lab = Lab::with(Options {
        access_key_id: Some("AKIASANDBOX".to_owned()),
        ..Options::default()
    });
    lab.write("images: [redis]\n");
    let run = doctor(&lab)
        .env("AWS_ACCESS_KEY_ID", "AKIAOTHER")
        .run()
        .exits(3);
    story.push(checks(&lab, &run, "aws identity"));
    story.push(checks(&lab, &run, "ecr token"));

    let elsewhere = "https://123456789012.dkr.ecr.us-east-1.amazonaws.com";
    lab.write(&format!(
        "destination: {{registry: '{elsewhere}'}}\nimages: [redis]\n"
    ));
    let run = doctor(&lab).run().exits(2);
    story.push(checks(&lab, &run, "ecr registry"));

    lab.write("destination: {account_id: '210987654321'}\nimages: [redis]\n");
    let run = doctor(&lab).run().exits(3);
    story.push(checks(&lab, &run, "aws account"));
    story.push(checks(&lab, &run, "repository"));
    story.push(checks(&lab, &run, "blob mounting"));
    insta::assert_snapshot!(story.join("\n\n"));
}

#[test]
fn a_clock_that_is_wrong() {
    let mut story = Vec::new();
    let lab = lab(100);
    let then = SystemTime::now() - Duration::from_hours(1);
    let effect = Effect::Answer {
        status: 403,
        headers: vec![("date", httpdate::fmt_http_date(then))],
        body: "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>Signature not yet \
               current</Message></Error></ErrorResponse>"
            .to_owned(),
    };
    lab.inject(Fault::new("GetCallerIdentity", effect).times(9));
    let run = doctor(&lab).run().exits(3);
    story.push(checks(&lab, &run, "aws identity"));
    story.push(checks(&lab, &run, "clock"));
    insta::assert_snapshot!(story.join("\n\n"));
}

#[test]
fn permissions_that_are_missing() {
    let mut story = Vec::new();
    let lab = lab(100);
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
    let run = doctor(&lab).run().exits(3);
    story.push(checks(&lab, &run, "permissions"));

    lab.mend();
    lab.create_repository("ecsclone/redis");
    lab.inject(denied("iam:SimulatePrincipalPolicy"));
    let run = doctor(&lab).run().exits(0);
    story.push(checks(&lab, &run, "permissions"));
    story.push(checks(&lab, &run, "reads"));
    lab.inject(denied("ecr:ListImages"));
    lab.inject(denied("ecr:BatchCheckLayerAvailability"));
    lab.inject(denied("ecr:DescribeRepositories").times(1));
    let run = doctor(&lab).run().exits(3);
    story.push(checks(&lab, &run, "repository"));
    let run = doctor(&lab).run().exits(3);
    story.push(checks(&lab, &run, "reads"));
    insta::assert_snapshot!(story.join("\n\n"));
}

#[test]
fn an_assumed_role_is_asked_about() {
    let mut story = Vec::new();
    let lab = lab(100);
    let role = "arn:aws:iam::123456789012:role/deploy";
    lab.write(&COPIES.replace(
        "namespace: ecsclone",
        &format!("namespace: ecsclone, role_arn: '{role}'"),
    ));
    lab.inject(denied("iam:GetRole"));
    let run = doctor(&lab).run().exits(0);
    story.push(checks(&lab, &run, "aws identity"));
    story.push(checks(&lab, &run, "permissions"));
    insta::assert_snapshot!(story.join("\n\n"));
}

#[test]
fn whoever_decides_on_a_login_is_named() {
    let mut story = Vec::new();
    let acme = Login::new("acme", "right");
    let lab = Lab::with_upstream(Options::default(), |upstream| Upstream {
        login: Some(acme),
        ..upstream
    });
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
    let run = doctor("right").run().exits(3);
    story.push(checks(&lab, &run, "upstream"));

    fs::create_dir(lab.path(".docker")).unwrap();
    let auths = json!({"auths": {lab.upstream(): {"auth": "YWNtZTpyaWdodA=="}}});
    fs::write(lab.path(".docker/config.json"), auths.to_string()).unwrap();
    let run = doctor("wrong").run().exits(3);
    story.push(checks(&lab, &run, "upstream"));

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
    let run = doctor("right").env("PATH", path).run().exits(0);
    story.push(checks(&lab, &run, "upstream"));
    insta::assert_snapshot!(story.join("\n\n"));
}

#[test]
fn upstreams_that_are_out_of_reach() {
    let mut story = Vec::new();
    let lab = lab(0);
    let run = doctor(&lab).run().exits(1);
    story.push(checks(&lab, &run, "pulls"));

    lab.write_whole(
        "version: 1\nupstreams: {docker.io: {endpoint: 'http://127.0.0.1:1'}}\nimages: [redis]\n",
    );
    let run = doctor(&lab).run().exits(4);
    story.push(checks(&lab, &run, "upstream"));
    story.push(checks(&lab, &run, "ecr registry"));

    // Nobody needs to reach what is read through the cache, unless its tags are listed.
    let through = "version: 1\n\
                   upstreams: {quay.io: {endpoint: 'http://127.0.0.1:1', via: pull_through_cache}}\n\
                   pull_through_cache: {quay: {registry: quay.io}}\n";
    for image in [
        "quay.io/org/app:1",
        "{source: quay.io/org/app, tags: [\"1.*\"]}",
    ] {
        lab.write_whole(&format!("{through}images: [{image}]\n"));
        story.push(checks(&lab, &doctor(&lab).run(), "upstream"));
    }
    insta::assert_snapshot!(story.join("\n\n"));
}
