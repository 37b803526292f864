//! Terraform and the AWS provider, which the environment names.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use serde_json::Value;

use super::longshore::{Longshore, Run};

const PROGRAM: &str = "LONGSHORE_TERRAFORM";
const PLUGINS: &str = "LONGSHORE_TERRAFORM_PLUGINS";

pub(crate) struct Terraform {
    pub(crate) program: PathBuf,
    plugins: Option<PathBuf>,
}

impl Terraform {
    /// Terraform without providers. Where it is absent, what is not run is said loudly.
    pub(crate) fn bare(what: &str) -> Option<Self> {
        let program = env::var_os(PROGRAM).map(PathBuf::from).or_else(|| {
            let path = env::var_os("PATH")?;
            let found = env::split_paths(&path).map(|folder| folder.join("terraform"));
            found.into_iter().find(|file| file.is_file())
        });
        if program.is_none() {
            say_not_run(what, "no `terraform` on the PATH; name one in", PROGRAM);
        }
        Some(Self {
            program: program?,
            plugins: None,
        })
    }

    /// Terraform with the AWS provider. Where either is absent, what is not run is said loudly.
    pub(crate) fn with_provider(what: &str) -> Option<Self> {
        let bare = Self::bare(what)?;
        let plugins = env::var_os(PLUGINS).map(PathBuf::from);
        if plugins.is_none() {
            let why = "no mirror of the AWS provider, as `terraform providers mirror` makes it; name one in";
            say_not_run(what, why, PLUGINS);
        }
        Some(Self {
            plugins: Some(plugins?),
            ..bare
        })
    }

    /// A root module of one file in a folder, ready to be planned; `longshore` in it is this
    /// repository. Terraform is called as the last argument says.
    pub(crate) fn root<'a>(
        &'a self,
        folder: &'a Path,
        text: &str,
        call: impl Fn(&Path, &[&str]) -> Longshore + 'a,
    ) -> Root<impl Fn(&[&str]) -> Longshore + 'a> {
        let link = folder.join("longshore");
        std::os::unix::fs::symlink(env!("CARGO_MANIFEST_DIR"), link).unwrap();
        fs::write(folder.join("main.tf"), text).unwrap();
        let root = Root {
            settings: self.settings(folder),
            call: move |arguments: &[&str]| call(&self.program, arguments),
        };
        root.run(&["init", "-input=false"]).exits(0);
        root
    }

    /// A file that tells Terraform where the providers are.
    pub(crate) fn settings(&self, folder: &Path) -> PathBuf {
        let file = folder.join("terraform.rc");
        let text = self.plugins.as_ref().map(|plugins| {
            let path = plugins.display();
            format!("provider_installation {{\n  filesystem_mirror {{ path = \"{path}\" }}\n}}\n")
        });
        fs::write(&file, text.unwrap_or_default()).unwrap();
        file
    }
}

/// A root module.
pub(crate) struct Root<F> {
    settings: PathBuf,
    call: F,
}

impl<F: Fn(&[&str]) -> Longshore> Root<F> {
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        calmed((self.call)(arguments), &self.settings).run()
    }

    /// Applies with further arguments, such as `-var`.
    pub(crate) fn apply(&self, arguments: &[&str]) -> Run {
        self.run(&[&["apply", "-auto-approve", "-input=false"], arguments].concat())
    }

    /// Checks that a plan has nothing to do.
    #[track_caller]
    pub(crate) fn is_settled(&self, arguments: &[&str]) {
        let plan = ["plan", "-detailed-exitcode", "-input=false"];
        self.run(&[&plan, arguments].concat()).exits(0);
    }

    #[track_caller]
    pub(crate) fn destroy(&self, arguments: &[&str]) {
        self.apply(&[&["-destroy"], arguments].concat()).exits(0);
    }

    /// What the root module puts out, by name.
    #[track_caller]
    pub(crate) fn output(&self, name: &str) -> Value {
        self.run(&["output", "-json", name]).exits(0).json()
    }
}

/// A call of Terraform that paints nothing, asks nobody for news and has these settings.
pub(crate) fn calmed(call: Longshore, settings: &Path) -> Longshore {
    call.env("TF_CLI_CONFIG_FILE", settings)
        .env("TF_CLI_ARGS", "-no-color")
        .env("CHECKPOINT_DISABLE", "1")
}

/// Says what is not run because something is missing: past the test runner, which would keep it to itself.
pub(crate) fn say_not_run(what: &str, why: &str, variable: &str) {
    let text = format!("\n*** NOT RUN: {what}: {why} {variable} ***\n");
    io::stderr().write_all(text.as_bytes()).unwrap();
}
