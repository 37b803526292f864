//! `longshore sandbox`.

use crate::cli;
use crate::sandbox::{Options, Ports, Sandbox, Upstream};

use super::console;
use super::exit::Exit;

/// The variable that names the upstream registry, for a file's `upstreams` to use.
const UPSTREAM_VARIABLE: &str = "LONGSHORE_SANDBOX_UPSTREAM";

/// Serves a stand-in for ECR until it is interrupted. stdout has the environment to export, so
/// that a shell can evaluate it; stderr says what is served where.
pub(super) async fn sandbox(arguments: cli::Sandbox) -> anyhow::Result<Exit> {
    let first = arguments.port.unwrap_or(0);
    let port = |offset: u16| {
        if first == 0 {
            0
        } else {
            first.saturating_add(offset)
        }
    };
    let options = Options {
        ports: Ports {
            api: first,
            registry: port(1),
            storage: port(2),
            upstream: port(3),
        },
        data: arguments.data,
        upstream: arguments.upstream.map(Upstream::new),
        upstream_endpoints: arguments.upstream_endpoint.into_iter().collect(),
        record: false,
        ..Options::default()
    };
    let mut sandbox = Sandbox::start(options).await?;
    console::say(&sandbox.to_string());
    let mut exports: Vec<String> = sandbox
        .environment()
        .into_iter()
        .map(|(name, value)| format!("export {name}={value}"))
        .collect();
    exports.extend(
        sandbox
            .upstream()
            .map(|host| format!("export {UPSTREAM_VARIABLE}=http://{host}")),
    );
    console::print(&exports.join("\n"))?;
    sandbox.wait().await;
    Ok(Exit::Success)
}
