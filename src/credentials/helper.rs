//! Docker's credential helpers, the programs named `docker-credential-NAME`.

use std::env::consts::EXE_SUFFIX;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::timeout;

use super::Error;
use crate::failure::one_line;
use crate::registry::Login;

/// The longest time that a helper may take. Some ask the user, and nobody is there.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);

/// What every helper prints, to stdout and with a failure, when it has nothing.
const NOT_FOUND: &str = "credentials not found in native keychain";

/// The name that stands for "the secret is an identity token".
const TOKEN_USER: &str = "<token>";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: String,
}

/// Asks a helper for the login of a server. `search_path` has the form of `PATH`, `config` is the
/// file that names the helper.
pub(super) async fn ask(
    name: &str,
    server: &str,
    search_path: &OsStr,
    config: &Path,
) -> Result<Option<Login>, Error> {
    let helper = program(name);
    let Some(program) = find(&helper, search_path) else {
        return Err(Error::HelperMissing {
            helper,
            server: server.to_owned(),
            path: config.to_owned(),
        });
    };
    let output = match timeout(TIMEOUT, run(&program, server, search_path)).await {
        Err(_) => {
            let server = server.to_owned();
            return Err(Error::HelperStalled { helper, server });
        }
        Ok(Err(source)) => {
            return Err(Error::HelperBroken {
                helper,
                server: server.to_owned(),
                source: Arc::new(source),
            });
        }
        Ok(Ok(output)) => output,
    };
    tracing::debug!(helper, server, status = %output.status, "asked a credential helper");
    if !output.status.success() {
        if String::from_utf8_lossy(&output.stdout).contains(NOT_FOUND) {
            return Ok(None);
        }
        return Err(Error::HelperFailed {
            helper,
            server: server.to_owned(),
            message: complaint(&output),
        });
    }
    let Ok(answer) = serde_json::from_slice::<Answer>(&output.stdout) else {
        let server = server.to_owned();
        return Err(Error::HelperMalformed { helper, server });
    };
    let secret = SecretString::from(answer.secret);
    Ok(match answer.username {
        username if username.is_empty() => None,
        username if username == TOKEN_USER => Some(Login::IdentityToken(secret)),
        username => Some(Login::Password {
            username,
            password: secret,
        }),
    })
}

/// The program of the helper with this name.
pub(super) fn program(name: &str) -> String {
    format!("docker-credential-{name}")
}

fn find(program: &str, search_path: &OsStr) -> Option<PathBuf> {
    let file = format!("{program}{EXE_SUFFIX}");
    std::env::split_paths(search_path)
        .map(|directory| directory.join(&file))
        .find(|path| path.is_file())
}

async fn run(program: &Path, server: &str, search_path: &OsStr) -> io::Result<Output> {
    let mut child = Command::new(program)
        .arg("get")
        .env("PATH", search_path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // A helper that does not want to know still has an answer.
        let _ = stdin.write_all(server.as_bytes()).await;
    }
    child.wait_with_output().await
}

/// What the helper wrote to stderr, in one line. Its stdout may hold the secret.
fn complaint(output: &Output) -> String {
    one_line(&String::from_utf8_lossy(&output.stderr)).unwrap_or_else(|| output.status.to_string())
}
