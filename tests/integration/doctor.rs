//! `doctor`: each fault is named, with its remedy and its exit code.

use std::time::{Duration, SystemTime};

use longshore::sandbox::{Effect, Fault, Login, Options, PullLimit, Upstream};
use serde_json::json;

use crate::harness::{Lab, Longshore, Run};

const FILE: &str = "destination: {account_id: '123456789012', namespace: ecsclone}\n\
                    images:\n\
                    \x20 - redis:7\n\
                    \x20 - {source: mongo, lines: [RUN true], platforms: [linux/s390x]}\n";

/// A lab with a sound file, whose Docker Hub tells how many pulls are left.
fn lab(pulls: u32) -> Lab {
    let lab = Lab::limited(pulls, 21600);
    lab.offer("ratelimitpreview/test", "latest", b"layer");
    lab.write(&format!("{FILE}{}", registry(&lab)));
    lab
}

/// Where ECR's registry really is, which the file's first line names in one place.
fn registry(_: &Lab) -> &'static str {
    ""
}

/// What doctor prints, without what differs from machine to machine.
fn told(lab: &Lab, run: &Run) -> String {
    lab.without_ports(&run.stdout)
        .replace(&lab.api(), "API")
        .replace(&lab.folder().display().to_string(), "HOME")
}

/// The line of a check, and its remedy.
fn check(lab: &Lab, run: &Run, start: &str) -> String {
    let told = told(lab, run);
    let mut lines = told.lines().skip_while(|line| {
        let rest = line.strip_prefix("not checked").or_else(|| {
            let (_, rest) = line.split_once(' ')?;
            Some(rest)
        });
        !rest.is_some_and(|rest| rest.trim_start().starts_with(start))
    });
    let first = lines
        .next()
        .unwrap_or_else(|| panic!("no `{start}` in {told}"));
    let hint = lines.next().filter(|line| line.starts_with("  hint:"));
    [first]
        .into_iter()
        .chain(hint)
        .collect::<Vec<_>>()
        .join("\n")
}

/// An answer of IAM to the simulation, which denies one action.
fn denial() -> Fault {
    let body = "<SimulatePrincipalPolicyResponse><SimulatePrincipalPolicyResult>\
                <EvaluationResults><member><EvalActionName>ecr:PutImage</EvalActionName>\
                <EvalResourceName>arn:aws:ecr:eu-west-1:123456789012:repository/ecsclone/mongo\
                </EvalResourceName><EvalDecision>implicitDeny</EvalDecision></member>\
                </EvaluationResults><IsTruncated>false</IsTruncated>\
                </SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>";
    Fault::new("SimulatePrincipalPolicy", answer(200, "text/xml", body))
}

fn answer(status: u16, kind: &str, body: &str) -> Effect {
    Effect::Answer {
        status,
        headers: vec![("content-type", kind.to_owned())],
        body: body.to_owned(),
    }
}

fn refused_by_policy(action: &str) -> Fault {
    let message = format!(
        "User: arn:aws:iam::123456789012:user/sandbox is not authorized to perform: {action} on \
         resource: * because no identity-based policy allows the {action} action"
    );
    let body = json!({"__type": "AccessDeniedException", "message": message}).to_string();
    let (_, operation) = action.split_once(':').unwrap();
    Fault::new(operation, answer(400, "application/x-amz-json-1.1", &body)).times(9)
}

#[test]
fn a_healthy_world() {
    let lab = lab(76);
    lab.create_repository("ecsclone/redis");
    let run = lab.longshore_with_docker(&["doctor"]).run().exits(0);
    let told = told(&lab, &run);
    let told: Vec<&str> = told.lines().collect();
    println!("{}", told.join("\n"));
}

#[test]
fn a_bare_machine() {
    let folder = tempfile::tempdir().unwrap();
    let nothing = |arguments: &[&str]| {
        Longshore::new(folder.path(), arguments).env("DOCKER_HOST", "unix:///nowhere/docker.sock")
    };
    let run = nothing(&["doctor"]).env("AWS_REGION", "eu-west-1").run();
    println!("{}", run.stdout);
    let run = nothing(&["doctor"]).run();
    println!("{}", run.stdout);
}
