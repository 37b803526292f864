//! longshore's own binary, in an environment that holds nothing but what a test puts there.

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

pub(crate) struct Longshore {
    command: Command,
    stdin: Option<String>,
}

impl Longshore {
    pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_longshore");

    /// A program that is longshore in all but its size: what is not optimized takes seconds to be
    /// downloaded and checked.
    pub(crate) const SCRIPT: &str = concat!(
        "#!/bin/sh\nexec ",
        env!("CARGO_BIN_EXE_longshore"),
        " \"$@\"\n"
    );

    /// What `becomes` needs.
    pub(crate) const APPLY: [&str; 3] = ["apply", "--output", "json"];

    /// A call from a folder that is also the home.
    pub(crate) fn new(folder: &Path, arguments: &[&str]) -> Self {
        Self::program(Path::new(Self::BINARY), folder, arguments)
    }

    /// A call of a program that calls longshore.
    pub(crate) fn program(program: &Path, folder: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(folder)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", folder)
            .env("AWS_EC2_METADATA_DISABLED", "true");
        Self {
            command,
            stdin: None,
        }
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<Path>) -> Self {
        self.command.env(name, value.as_ref());
        self
    }

    pub(crate) fn stdin(mut self, text: &str) -> Self {
        self.stdin = Some(text.to_owned());
        self
    }

    pub(crate) fn start(mut self) -> Child {
        let mut child = self
            .command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A call that never reads it may have ended already.
        let _ = stdin.write_all(self.stdin.unwrap_or_default().as_bytes());
        child
    }

    pub(crate) fn run(self) -> Run {
        Run::new(&self.start().wait_with_output().unwrap())
    }

    /// Runs it, and checks what became of each image and the exit code that belongs to that.
    #[track_caller]
    pub(crate) fn becomes(self, statuses: &[&str]) -> Run {
        let code = i32::from(statuses.contains(&"failed"));
        let run = self.run().exits(code);
        assert_eq!(run.each("status"), statuses);
        run
    }
}

/// Sends a signal, such as `INT`, to a call that runs.
pub(crate) fn signal(child: &Child, name: &str) {
    // The shell's own `kill`: not every machine has the program.
    let kill = format!("kill -{name} {}", child.id());
    let status = Command::new("sh").args(["-c", &kill]).status();
    assert!(status.unwrap().success());
}

/// How a call ended.
#[derive(Debug)]
pub(crate) struct Run {
    code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    pub(crate) fn new(output: &Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout.clone()).unwrap(),
            stderr: String::from_utf8(output.stderr.clone()).unwrap(),
        }
    }

    /// Checks the exit code.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        let Self { stdout, stderr, .. } = &self;
        assert_eq!(self.code, Some(code), "\n{stdout}\n{stderr}");
        self
    }

    /// What it said, where it failed.
    pub(crate) fn succeeds(self) -> Result<(), String> {
        match self.code {
            Some(0) => Ok(()),
            _ => Err(self.stdout + &self.stderr),
        }
    }

    /// Checks that stderr holds each of the texts.
    #[track_caller]
    pub(crate) fn says(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(
                self.stderr.contains(text),
                "no `{text}` in:\n{}",
                self.stderr
            );
        }
        self
    }

    /// The object that `--output json` printed.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// One member of every image in the JSON report, in its order.
    #[track_caller]
    pub(crate) fn each(&self, member: &str) -> Vec<String> {
        let images = self.json()["images"].as_array().unwrap().clone();
        let text = |image: &Value| image[member].as_str().unwrap_or("-").to_owned();
        images.iter().map(text).collect()
    }
}
