//! Each module by itself: formatted, valid, and its own tests pass.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::harness::{Longshore, Terraform, calmed, entries};

const REPOSITORY: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn every_module_is_sound_and_tested() {
    let Some(terraform) = Terraform::with_provider("the tests of the Terraform modules") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    for part in ["terraform", "templates"] {
        copy(&Path::new(REPOSITORY).join(part), &folder.path().join(part));
    }
    let settings = terraform.settings(folder.path());
    let run = |at: &Path, arguments: &[&str]| {
        let call = Longshore::program(&terraform.program, at, arguments);
        calmed(call, &settings)
            .env("AWS_REGION", "eu-west-1")
            .run()
            .exits(0)
    };
    let modules = folder.path().join("terraform");
    run(&modules, &["fmt", "-check", "-diff", "-recursive"]);
    for module in entries(&modules) {
        run(&module, &["init", "-input=false", "-backend=false"]);
        let tests = run(&module, &["test"]);
        assert!(tests.stdout.contains(" 0 failed."), "{}", tests.stdout);
        assert!(!tests.stdout.contains("! 0 passed"), "{}", tests.stdout);
        // This validates the module as well, as its users call it.
        for example in entries(&module.join("examples")) {
            run(&example, &["init", "-input=false", "-backend=false"]);
            run(&example, &["validate"]);
        }
    }
}

/// A module with a provider of its own takes none of these arguments.
const META: &str = "  for_each   = toset([\"one\"])\n  depends_on = [terraform_data.first]\n  \
     providers  = { aws = aws.other }\n";

#[test]
fn every_module_can_be_repeated_and_ordered_and_needs_aws_alone() {
    let Some(terraform) = Terraform::with_provider("the modules beside each other") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let modules = Path::new(REPOSITORY).join("terraform");
    let mut text =
        "provider \"aws\" {\n  alias = \"other\"\n}\nresource \"terraform_data\" \"first\" {}\n\
         variable \"anything\" {\n  default = null\n}\n"
            .to_owned();
    for module in entries(&modules) {
        let name = module.file_name().unwrap().to_str().unwrap();
        let variables = fs::read_to_string(module.join("variables.tf")).unwrap();
        writeln!(
            text,
            "module \"{name}\" {{\n  source = \"./longshore/terraform/{name}\"\n{META}"
        )
        .unwrap();
        for variable in names(&variables, "variable") {
            writeln!(text, "  {variable} = var.anything").unwrap();
        }
        text.push_str("}\n");
    }
    let root = terraform.root(folder.path(), &text, |program, arguments| {
        Longshore::program(program, folder.path(), arguments)
    });
    root.run(&["validate"]).exits(0);
    let lock = fs::read_to_string(folder.path().join(".terraform.lock.hcl")).unwrap();
    let providers = names(&lock, "provider");
    assert_eq!(providers, ["registry.terraform.io/hashicorp/aws"]);
}

#[test]
fn every_input_has_its_test() {
    for module in entries(&Path::new(REPOSITORY).join("terraform")) {
        let read = |file: &str| fs::read_to_string(module.join(file)).unwrap();
        let tests = read("tests/inputs.tftest.hcl");
        let is_set = |name: &&str| {
            let mut lines = tests.lines().map(str::trim_start);
            lines.any(|line| {
                line.split_once('=')
                    .is_some_and(|(key, _)| key.trim_end() == *name)
            })
        };
        let variables = read("variables.tf");
        let mut untested = names(&variables, "variable");
        untested.retain(|name| !is_set(name));
        assert_eq!(untested, [""; 0], "{}", module.display());
    }
}

/// The names of the blocks of a kind.
fn names<'a>(text: &'a str, kind: &str) -> Vec<&'a str> {
    let start = format!("{kind} \"");
    let lines = text.lines().filter_map(|line| line.strip_prefix(&start));
    lines
        .filter_map(|rest| Some(rest.split_once('"')?.0))
        .collect()
}

/// The modules that let longshore write allow it what the documentation says it needs.
#[test]
fn every_action_that_longshore_needs_is_allowed() {
    let page = fs::read_to_string(Path::new(REPOSITORY).join("docs/iam.md")).unwrap();
    let (_, policy) = page.split_once("```json\n").unwrap();
    let (policy, _) = policy.split_once("\n```").unwrap();
    let policy: Value = serde_json::from_str(policy).unwrap();
    let statements = policy["Statement"].as_array().unwrap().iter();
    let always = statements
        .take(2)
        .flat_map(|statement| statement["Action"].as_array().unwrap());
    let needed: Vec<_> = always.collect();
    assert!(needed.len() > 5, "{needed:?}");
    for file in ["dockerhub-clone/codebuild.tf", "pull-sync/iam.tf"] {
        let text = fs::read_to_string(Path::new(REPOSITORY).join("terraform").join(file)).unwrap();
        let missing = needed.iter().map(ToString::to_string);
        let missing: Vec<_> = missing.filter(|action| !text.contains(action)).collect();
        assert_eq!(missing, [""; 0], "{file}");
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for path in entries(from) {
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(&path, &to).unwrap();
        }
    }
}
