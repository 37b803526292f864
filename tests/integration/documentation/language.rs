//! What each language of the documentation must be to stand there.

use std::fs;
use std::path::Path;

use longshore::config::Lock;
use serde_json::Value;

use super::fences::Fence;
use super::{shell, terraform};
use crate::harness::try_yaml;
use crate::schema;

/// Executes or validates a block of code.
pub(crate) fn check(fence: &Fence) -> Result<(), String> {
    match fence.language.as_str() {
        "yaml" => yaml(&fence.text),
        "json" => json(&fence.text),
        "sh" => shell::check(&fence.text),
        "hcl" => hcl(&fence.text),
        "handlebars" => template(&fence.text),
        // It says of itself that no program reads it.
        "text" => Ok(()),
        "" => Err("the fence names no language; write `text` for what no program reads".to_owned()),
        other => Err(format!("nobody can check the language `{other}`")),
    }
}

/// A file of longshore's, a buildspec, a workflow or a job of Kubernetes.
pub(crate) fn yaml(text: &str) -> Result<(), String> {
    let value = try_yaml(text)?;
    if value.get("phases").is_some() {
        buildspec(&value)
    } else if value.get("jobs").is_some() {
        workflow(&value, text)
    } else if value.get("apiVersion").is_some() {
        kubernetes_job(&value)
    } else {
        file(text, &value)
    }
}

/// A file of longshore's: sound, and its schema says so too.
fn file(text: &str, value: &Value) -> Result<(), String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    schema::parse(text, folder).map_err(|mistakes| mistakes.to_string())?;
    schema::refusal(value).map_or(Ok(()), Err)
}

/// A buildspec of CodeBuild, whose commands are understood.
fn buildspec(value: &Value) -> Result<(), String> {
    // A number in YAML.
    if value["version"] != 0.2 {
        return Err("the version of a buildspec is 0.2".to_owned());
    }
    let phases = value["phases"].as_object().ok_or("`phases` is a mapping")?;
    for (name, phase) in phases {
        if !["install", "pre_build", "build", "post_build"].contains(&name.as_str()) {
            return Err(format!("CodeBuild knows no phase `{name}`"));
        }
        let commands = phase["commands"].as_array();
        for command in commands.ok_or(format!("`{name}` has no commands"))? {
            shell::check(command.as_str().ok_or("a command is a text")?)?;
        }
    }
    Ok(())
}

/// A job of Kubernetes, whose containers are longshore's own.
fn kubernetes_job(value: &Value) -> Result<(), String> {
    if value["apiVersion"] != "batch/v1" || value["kind"] != "Job" {
        return Err("`batch/v1` with its `Job` is all that is known of Kubernetes".to_owned());
    }
    let containers = value["spec"]["template"]["spec"]["containers"].as_array();
    for container in containers.ok_or("the job has no `containers`")? {
        let arguments = container["args"].as_array().ok_or("`args` is a list")?;
        let texts = arguments.iter().map(|it| it.as_str().map(str::to_owned));
        let command = [Some("longshore".to_owned())].into_iter().chain(texts);
        let command: Option<Vec<String>> = command.collect();
        shell::program(&command.ok_or("an argument is a text")?)?;
    }
    Ok(())
}

/// A workflow of GitHub's, whose commands are understood and whose actions are pinned.
fn workflow(value: &Value, text: &str) -> Result<(), String> {
    // YAML 1.1 takes `on` for a boolean.
    if value.get("true").is_none() {
        return Err("the workflow does not say when it runs: `on`".to_owned());
    }
    let jobs = value["jobs"].as_object().ok_or("`jobs` is a mapping")?;
    for (name, job) in jobs {
        let steps = job["steps"].as_array();
        for step in steps.ok_or(format!("`{name}` has no steps"))? {
            match (step["run"].as_str(), step["uses"].as_str()) {
                (Some(script), None) => shell::check(script)?,
                (None, Some(action)) => pinned(action, text)?,
                _ => return Err(format!("a step of `{name}` neither runs nor uses anything")),
            }
        }
    }
    Ok(())
}

/// An action is named by its commit, and the version that this is stands beside it.
fn pinned(action: &str, text: &str) -> Result<(), String> {
    let hash = action.split_once('@').map_or("", |(_, hash)| hash);
    let is_hash = hash.len() == 40 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hash && text.contains(&format!("{action} # v")) {
        Ok(())
    } else {
        Err(format!(
            "`{action}` is not pinned as `OWNER/NAME@COMMIT # vVERSION`"
        ))
    }
}

/// A configuration of Terraform's.
pub(crate) fn hcl(text: &str) -> Result<(), String> {
    terraform::check(text)
}

/// A lock, a policy of IAM's or a file of longshore's.
fn json(text: &str) -> Result<(), String> {
    let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if value["images"].is_object() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        fs::write(&path, text).unwrap();
        return Lock::read(&path)
            .map(drop)
            .map_err(|error| error.to_string());
    }
    let Some(statements) = value["Statement"].as_array() else {
        return file(text, &value);
    };
    let sound = |statement: &Value| {
        let words = |key: &str| !statement[key].is_null();
        statement["Effect"] == "Allow" && words("Action") && words("Resource")
    };
    if value["Version"] == "2012-10-17" && statements.iter().all(sound) {
        Ok(())
    } else {
        Err("this is no policy of IAM".to_owned())
    }
}

/// The template that is built in.
fn template(text: &str) -> Result<(), String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/Dockerfile.hbs");
    let same = text == fs::read_to_string(path).unwrap();
    same.then_some(())
        .ok_or("this is not the template that is built in".to_owned())
}
