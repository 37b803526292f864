//! Runs one command: logging, interruption, and the last word on an error.

use std::time::Duration;

use anyhow::Context;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::cli::{Arguments, Cache, Command, Output, Report, Talk};
use crate::failure::{Failure, Kind};
use crate::pipeline::Cleanup;
use crate::report::{FailureObject, error_lines};

use super::console::{print_json, say};
use super::exit::{Exit, find_failure};
use super::{
    apply, cache, completions, doctor, init, man, mirror, plan, render, report, sandbox, schema,
};

/// How long an interrupted command may take to remove what it left. A second signal ends that too.
const CLEANUP: Duration = Duration::from_secs(10);

/// Runs the command that the arguments name.
pub fn run(arguments: Arguments) -> Exit {
    let Arguments { command, talk } = arguments;
    log(talk);
    // Two of the dependencies' features would enable two providers; one has to be chosen first.
    let provider = rustls::crypto::aws_lc_rs::default_provider().install_default();
    debug_assert!(provider.is_ok(), "a provider was installed before");

    let last_word = LastWord::of(&command);
    let runtime = match tokio::runtime::Runtime::new().context("cannot start") {
        Ok(runtime) => runtime,
        Err(error) => return last_word.on_error(&error),
    };
    let cleanup = Cleanup::default();
    let result = runtime.block_on(async {
        // The command is dropped where a signal comes first.
        let signalled = tokio::select! {
            result = dispatch(command, talk, &cleanup) => return result,
            signalled = signal() => signalled,
        };
        tokio::select! {
            () = cleanup.finish() => {}
            () = tokio::time::sleep(CLEANUP) => {}
            _ = signal() => {}
        }
        signalled.map(|()| last_word.on_signal())
    });
    // A helper process or a pipe that hangs must not keep the tool from ending.
    runtime.shutdown_background();
    result.unwrap_or_else(|error| last_word.on_error(&error))
}

async fn dispatch(command: Command, talk: Talk, cleanup: &Cleanup) -> anyhow::Result<Exit> {
    match command {
        Command::Plan(arguments) => Box::pin(plan::plan(arguments, talk)).await,
        Command::Apply(arguments) => Box::pin(apply::apply(arguments, talk, cleanup)).await,
        Command::Mirror(arguments) => Box::pin(mirror::mirror(*arguments, talk, cleanup)).await,
        Command::Render(arguments) => render::render(arguments, talk).await,
        Command::Cache(Cache::Plan(arguments)) => cache::plan(arguments).await,
        Command::Cache(Cache::Apply(arguments)) => cache::apply(arguments, talk).await,
        Command::Cache(Cache::Urls(arguments)) => cache::urls(arguments).await,
        Command::Cache(Cache::Warm(arguments)) => Box::pin(cache::warm(arguments, talk)).await,
        Command::Cache(Cache::Policy(arguments)) => cache::policy(arguments).await,
        Command::Report(Report::Merge(arguments)) => report::merge(&arguments),
        Command::Doctor(arguments) => doctor::doctor(arguments, talk).await,
        Command::Init(arguments) => init::init(&arguments),
        Command::Schema => schema::schema(),
        Command::Completions(arguments) => completions::completions(&arguments),
        Command::Man(arguments) => man::man(&arguments),
        Command::Sandbox(arguments) => sandbox::sandbox(arguments).await,
    }
}

/// Waits until the user or the system asks the tool to end.
async fn signal() -> anyhow::Result<()> {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate()).context("cannot listen for signals")?;
        tokio::select! {
            result = interrupt => result.context("cannot listen for signals"),
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    interrupt.await.context("cannot listen for signals")
}

/// Only longshore's own messages are ever logged: those of the HTTP libraries may hold credentials.
fn log(talk: Talk) {
    let level = match talk.verbose {
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let layer = tracing_subscriber::fmt::layer()
        .without_time()
        .with_level(false)
        .with_target(false)
        .with_writer(std::io::stderr);
    tracing_subscriber::registry()
        .with(Targets::new().with_target("longshore", level))
        .with(layer)
        .init();
}

/// What is left to say when a command does not end by itself.
struct LastWord {
    command: &'static str,
    output: Output,
}

impl LastWord {
    fn of(command: &Command) -> Self {
        let (command, output) = match command {
            Command::Plan(arguments) => ("plan", arguments.data.output),
            Command::Apply(arguments) => ("apply", arguments.data.output),
            Command::Mirror(arguments) => ("mirror", arguments.data.output),
            Command::Render(_) => ("render", Output::Text),
            Command::Cache(Cache::Plan(arguments)) => ("cache plan", arguments.data.output),
            Command::Cache(Cache::Apply(arguments)) => ("cache apply", arguments.data.output),
            Command::Cache(Cache::Urls(arguments)) => ("cache urls", arguments.data.output),
            Command::Cache(Cache::Warm(arguments)) => ("cache warm", arguments.data.output),
            Command::Cache(Cache::Policy(_)) => ("cache policy", Output::Text),
            Command::Report(Report::Merge(_)) => ("report merge", Output::Json),
            Command::Doctor(arguments) => ("doctor", arguments.data.output),
            Command::Init(_) => ("init", Output::Text),
            Command::Schema => ("schema", Output::Text),
            Command::Completions(_) => ("completions", Output::Text),
            Command::Man(_) => ("man", Output::Text),
            Command::Sandbox(_) => ("sandbox", Output::Text),
        };
        Self { command, output }
    }

    fn on_signal(&self) -> Exit {
        let message = match self.command {
            // A server is always ended by a signal.
            "sandbox" => return Exit::Success,
            "apply" | "mirror" => {
                "interrupted; every tag is whole, and the next run finishes the rest"
            }
            _ => "interrupted",
        };
        say(message);
        self.print("interrupted", message, None);
        Exit::Interrupted
    }

    fn on_error(&self, error: &anyhow::Error) -> Exit {
        let failure = find_failure(error);
        let kind = failure.map_or(Kind::Permanent, Failure::kind);
        let hint = failure.and_then(Failure::hint);
        let message = format!("{error:#}");
        say(&error_lines(&message, hint.as_deref()).join("\n"));
        self.print(kind.as_str(), &message, hint);
        Exit::of_kind(kind)
    }

    fn print(&self, kind: &'static str, message: &str, hint: Option<String>) {
        if self.output == Output::Json {
            // stderr has it already, so nothing is lost where stdout is gone.
            let _ = print_json(&FailureObject::new(
                self.command,
                kind,
                message.to_owned(),
                hint,
            ));
        }
    }
}
