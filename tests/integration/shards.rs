//! One file shared between machines: partitions, and their reports as one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;

use longshore::sandbox::{Effect, Fault, Server};
use serde_json::{Value, json};

use crate::harness::{Lab, Run};

const PARTS: usize = 8;

/// So many images, each in a repository of its own. Their digests are known, so that planning asks
/// for none of them.
fn images(count: usize) -> String {
    let digest = format!("sha256:{}", "0".repeat(64));
    let image = |number: usize| {
        let team = number % 17;
        format!(
            "- {{source: 'team-{team}/service-{number}@{digest}', repository: 'team-{team}/service-{number}:1'}}\n"
        )
    };
    (0..count).map(image).collect()
}

/// Where each image of a file goes, by partition.
fn partitions(images: &str) -> Vec<BTreeSet<String>> {
    let lab = Lab::new();
    // What no repository is there for is not asked for.
    lab.write(&format!(
        "destination: {{namespace: mine}}\nrepositories: {{create: false}}\nimages:\n{images}"
    ));
    let part = |index| {
        let partition = format!("{index}/{PARTS}");
        let plan = ["plan", "--output", "json", "--partition", &partition];
        let destinations = lab.longshore(&plan).run().exits(0).each("destination");
        let name = |destination: &String| destination.split_once('/').unwrap().1.to_owned();
        destinations.iter().map(name).collect()
    };
    (1..=PARTS).map(part).collect()
}

#[test]
fn partitions_are_disjoint_complete_even_and_stay() {
    const COUNT: usize = 2000;
    let partitions_before = partitions(&images(COUNT));
    let all: BTreeSet<&String> = partitions_before.iter().flatten().collect();
    let sizes: Vec<usize> = partitions_before.iter().map(BTreeSet::len).collect();
    assert_eq!(sizes.iter().sum::<usize>(), COUNT, "disjoint: {sizes:?}");
    assert_eq!(all.len(), COUNT, "complete: {sizes:?}");
    let most = COUNT / PARTS * 5 / 4;
    assert!(sizes.iter().all(|size| *size <= most), "even: {sizes:?}");

    let first = "- {source: mongo, repository: 'aaa:1'}\n";
    let mut partitions_after = partitions(&(first.to_owned() + &images(COUNT)));
    let mut added = 0;
    for partition in &mut partitions_after {
        added += usize::from(partition.remove("mine/aaa:1"));
    }
    assert_eq!(added, 1);
    assert_eq!(partitions_after, partitions_before, "no other image moves");
}

/// Six images and a pattern, in as many repositories.
fn lab() -> Lab {
    let lab = Lab::new();
    lab.write(
        "destination: {namespace: mine}\n\
         images: ['mongo:7', 'nats:2', 'vault:1', 'node:22', 'nginx:1', 'caddy:2', \
         {source: redis, tags: ['7.*']}]\n",
    );
    for image in [
        "mongo:7",
        "nats:2",
        "vault:1",
        "node:22",
        "nginx:1",
        "caddy:2",
        "redis:7.0",
        "redis:7.2",
    ] {
        let (name, tag) = image.split_once(':').unwrap();
        lab.offer(&format!("library/{name}"), tag, image.as_bytes());
    }
    lab
}

/// Runs each of three partitions with a report, and returns their names.
fn run_all(lab: &Lab, command: &str, more: &[&str]) -> Vec<String> {
    let run = |index: usize| {
        let partition = format!("{index}/3");
        let mut call = vec![command, "--output", "json", "--partition", &partition];
        call.extend(more);
        let run = lab.longshore(&call).run();
        let name = format!("report-{index}.json");
        fs::write(lab.path(&name), &run.stdout).unwrap();
        name
    };
    (1..=3).map(run).collect()
}

fn merge(lab: &Lab, reports: &[&str]) -> Run {
    let call = [&["report", "merge"], reports].concat();
    lab.longshore(&call).run()
}

fn merge_all(lab: &Lab, reports: &[String]) -> Run {
    let reports: Vec<&str> = reports.iter().map(String::as_str).collect();
    merge(lab, &reports)
}

/// A report without what differs from run to run, its images by destination.
fn stable(report: &Value) -> (Value, BTreeMap<String, Value>) {
    let mut report = report.clone();
    let images = report["images"].take();
    let images = images.as_array().unwrap().iter().map(|image| {
        let mut image = image.clone();
        image["seconds"].take();
        image["requests"].take();
        (image["destination"].as_str().unwrap().to_owned(), image)
    });
    let images = images.collect();
    report["summary"]["requests"].take();
    (report, images)
}

#[test]
fn a_partition_asks_for_nothing_of_the_others() {
    let lab = lab();
    let mut seen = BTreeMap::new();
    for index in 1..=3 {
        let partition = format!("{index}/3");
        lab.requests();
        let run = lab
            .longshore(&["apply", "--output", "json"])
            .env("LONGSHORE_PARTITION", &partition)
            .run()
            .exits(0);
        let own: BTreeSet<String> = run
            .each("destination")
            .iter()
            .map(|it| repository(it))
            .collect();
        let requests = lab.requests();
        for name in ["mongo", "nats", "vault", "node", "nginx", "caddy", "redis"] {
            let is_asked = requests.iter().any(|request| {
                let mut words = request.split([' ', '/']);
                words.any(|word| word == name)
            });
            assert_eq!(
                is_asked,
                own.contains(name),
                "{name} {own:?}\n{requests:#?}"
            );
            if is_asked {
                assert_eq!(seen.insert(name, index), None, "{name} is in one partition");
            }
        }
    }
    assert_eq!(seen.len(), 7);
    // Two partitions at least, or the test says nothing.
    assert!(seen.values().collect::<BTreeSet<_>>().len() > 1);
    lab.applies(&["in place"; 8]);
}

/// `REGISTRY/mine/redis:7.2` is of `redis`.
fn repository(destination: &str) -> String {
    let name = destination.rsplit('/').next().unwrap();
    name.split_once(':').unwrap().0.to_owned()
}

#[test]
fn joined_reports_are_the_report_of_one_run() {
    let (whole, parted) = (lab(), lab());
    for lab in [&whole, &parted] {
        fs::remove_dir_all(lab.hub().join("library/nats")).unwrap();
    }
    for (command, more, code) in [
        ("plan", &["--repair-repositories"][..], 1),
        ("apply", &[], 1),
        ("apply", &["nginx"], 0),
    ] {
        let mut call = vec![command, "--output", "json"];
        call.extend(more);
        let one = whole.longshore(&call).run().exits(code);
        let mut reports = run_all(&parted, command, more);
        reports.reverse();
        let joined = merge_all(&parted, &reports).exits(code);
        let text = |lab: &Lab, run: &Run| serde_json::from_str(&lab.without_ports(&run.stdout));
        let one: Value = text(&whole, &one).unwrap();
        let joined: Value = text(&parted, &joined).unwrap();
        assert_eq!(stable(&joined), stable(&one), "{command}");
    }
}

#[test]
fn joined_plans_tell_whether_there_are_changes() {
    let lab = lab();
    let reports = run_all(&lab, "plan", &[]);
    merge_all(&lab, &reports).exits(0);
    let mut call = vec!["report", "merge", "--detailed-exitcode"];
    call.extend(reports.iter().map(String::as_str));
    lab.longshore(&call).run().exits(5);
    lab.applies(&["done"; 8]);
    run_all(&lab, "plan", &[]);
    lab.longshore(&call).run().exits(0);
}

#[test]
fn a_failure_everywhere_has_its_own_code() {
    let lab = lab();
    lab.inject(
        Fault::status("library/", 401)
            .at(Server::Upstream)
            .times(u32::MAX),
    );
    let whole = lab.longshore(&["apply"]).run();
    let reports = run_all(&lab, "apply", &[]);
    whole.exits(3);
    merge_all(&lab, &reports).exits(3);

    // No run begins: AWS refuses all of them.
    lab.mend();
    let denied = Effect::Answer {
        status: 400,
        headers: Vec::new(),
        body: json!({"__type": "AccessDeniedException", "message": "no"}).to_string(),
    };
    lab.inject(Fault::new("GetAuthorizationToken", denied).times(u32::MAX));
    lab.longshore(&["apply"]).run().exits(3);
    let reports = run_all(&lab, "apply", &[]);
    merge_all(&lab, &reports).exits(3);

    lab.mend();
    let part = ["apply", "--output", "json", "--partition", "2/3"];
    let run = lab.longshore(&part).run().exits(0);
    fs::write(lab.path(&reports[1]), &run.stdout).unwrap();
    let run = merge_all(&lab, &reports).exits(1);
    run.says(&["the run of `report-1.json` did not begin"]);
}

#[test]
fn what_cannot_be_joined_is_told() {
    let lab = lab();
    let reports = run_all(&lab, "plan", &[]);
    let [one, two, three] = &reports[..] else {
        unreachable!()
    };
    let copy = |name: &str, change: &dyn Fn(&str) -> String| {
        let text = fs::read_to_string(lab.path(one)).unwrap();
        fs::write(lab.path(name), change(&text)).unwrap();
    };
    copy("again.json", &str::to_owned);
    copy("newer.json", &|text| {
        text.replace("\"version\": 1", "\"version\": 2")
    });
    copy("cut.json", &|text| text[..text.len() / 2].to_owned());
    let write = |name: &str, arguments: &[&str]| {
        let run = lab.longshore(arguments).run();
        fs::write(lab.path(name), run.stdout).unwrap();
    };
    write("whole.json", &["plan", "--output", "json"]);
    let part = ["--output", "json", "--partition", "1/3"];
    write("applied.json", &[&["apply"], &part[..]].concat());
    write("narrowed.json", &[&["plan", "nginx"], &part[..]].concat());
    write(
        "fourths.json",
        &["plan", "--output", "json", "--partition", "1/4"],
    );
    write("broken.json", &[&["plan", "nothing"], &part[..]].concat());
    let mut said = String::new();
    for reports in [
        &[one.as_str(), three][..],
        &[two],
        &[one, two, "again.json", three],
        &["newer.json", two, three],
        &["cut.json", two, three],
        &["absent.json"],
        &["whole.json"],
        &["applied.json", two, three],
        &["narrowed.json", two, three],
        &["fourths.json", two, three],
    ] {
        let run = merge(&lab, reports).exits(2);
        assert_eq!(run.json()["command"], "report merge");
        write!(said, "{}\n{}", reports.join(" "), run.stderr).unwrap();
    }
    let run = merge(&lab, &["broken.json", two, three]).exits(1);
    write!(said, "broken.json\n{}", run.stderr).unwrap();
    insta::assert_snapshot!(said);
}

#[test]
fn what_a_partition_cannot_do_is_told_before_anything_is_asked() {
    let lab = lab();
    lab.requests();
    let mut said = String::new();
    for arguments in [
        &["plan", "--partition", "1/3", "--lock", "images.lock"][..],
        &["plan", "--partition", "1/3", "--orphans"],
        &["apply", "--partition", "1/3", "--prune-orphans"],
        &["apply", "--partition", "4/3"],
        &["apply", "--partition", "auto"],
    ] {
        let run = lab.longshore(arguments).run().exits(2);
        write!(said, "{}\n{}", arguments.join(" "), run.stderr).unwrap();
    }
    insta::assert_snapshot!(said);
    assert_eq!(lab.requests(), [""; 0]);
}

#[test]
fn an_engine_tells_the_partition() {
    let lab = lab();
    let reports: Vec<Value> = [
        ("auto", "AWS_BATCH_JOB_ARRAY_INDEX", "1"),
        ("auto/3", "JOB_COMPLETION_INDEX", "1"),
        ("auto/3", "CODEBUILD_BATCH_BUILD_IDENTIFIER", "part_2"),
        ("2/3", "AWS_BATCH_JOB_ARRAY_INDEX", "0"),
    ]
    .map(|(partition, variable, value)| {
        let plan = ["plan", "--output", "json", "--partition", partition];
        let run = lab.longshore(&plan).env(variable, value);
        let run = run.env("AWS_BATCH_JOB_ARRAY_SIZE", "3").run().exits(0);
        run.json()["partition"].clone()
    })
    .into();
    assert_eq!(reports[0]["index"], 2);
    assert_eq!(reports[0]["count"], 3);
    assert!(reports.iter().all(|it| *it == reports[0]), "{reports:#?}");
}

#[test]
fn a_partition_without_images_has_nothing_to_do() {
    let lab = Lab::new();
    lab.offer("library/nats", "2", b"nats");
    lab.write("destination: {namespace: mine}\nimages: ['nats:2']\n");
    lab.requests();
    let run = |command, partition| {
        let run = lab.longshore(&[command, "--partition", partition]).run();
        let run = run.exits(0);
        run.stdout + &run.stderr
    };
    let said = [run("plan", "1/2"), run("apply", "1/2")].concat();
    insta::assert_snapshot!(said);
    assert_eq!(lab.requests(), [""; 0]);
    assert_eq!(lab.digest("mine/nats", "2"), None);
    run("apply", "2/2");
    lab.applies(&["in place"]);
}

#[test]
fn partitions_share_a_lock_of_the_whole() {
    let lab = lab();
    lab.longshore(&["plan", "--lock", "images.lock"])
        .run()
        .exits(0);
    // What moved since is not what is locked.
    lab.offer("library/redis", "7.4", b"newer");
    let reports = run_all(&lab, "apply", &["--locked", "images.lock"]);
    let merged = merge_all(&lab, &reports).exits(0);
    assert_eq!(merged.each("status"), ["done"; 8]);
    assert_eq!(lab.tags("mine/redis"), ["7.0", "7.2"]);
}

/// Two images in two partitions; the registry allows 4 pulls, of which each partition takes 2.
#[test]
fn partitions_share_docker_hubs_pulls() {
    let lab = Lab::limited(4, 6 * 3600);
    let children = ["linux/amd64", "linux/arm64"].map(|it| lab.offer_child("library/nats", it));
    let index = json!({"schemaVersion": 2, "manifests": children}).to_string();
    lab.offer_index("library/nats", "2", &index);
    lab.write("destination: {namespace: mine}\nimages: ['nats:2']\n");
    // Three pulls of four, which one run may take and one of two partitions may not.
    let runs = ["1/2", "2/2"].map(|it| lab.longshore(&["apply", "--partition", it]).run());
    let mut said = runs.map(|run| run.stdout + &run.stderr);
    said.sort_by_key(String::len);
    insta::assert_snapshot!(lab.without_ports(&said[1]));
    lab.applies(&["done"]);
}
