//! Runs one command: logging, interruption, and the last word on an error.

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::cli::{Arguments, Command, Output, Talk};
use crate::report::FailureObject;

use super::console::{print_json, say};
use super::exit::{Exit, find_failure};
use super::{apply, mirror, plan, render, sandbox};

/// Runs the command that the arguments name.
pub fn run(arguments: Arguments) -> Exit {
    let talk = arguments.talk;
    log(talk);
    // Two of the dependencies' features would enable two providers; one has to be chosen first.
    let provider = rustls::crypto::aws_lc_rs::default_provider().install_default();
    debug_assert!(provider.is_ok(), "a provider was installed before");

    let name = name(&arguments.command);
    let runtime = match tokio::runtime::Runtime::new().context("cannot start") {
        Ok(runtime) => runtime,
        Err(error) => return report_error(name, talk, &error),
    };
    let result = runtime.block_on(async {
        tokio::select! {
            result = dispatch(arguments.command, talk) => result,
            result = interrupted() => result,
        }
    });
    // A helper process that hangs must not keep the tool from ending.
    runtime.shutdown_background();
    result.unwrap_or_else(|error| report_error(name, talk, &error))
}

async fn dispatch(command: Command, talk: Talk) -> anyhow::Result<Exit> {
    match command {
        Command::Plan(arguments) => plan::plan(arguments, talk).await,
        Command::Apply(arguments) => apply::apply(arguments, talk).await,
        Command::Mirror(arguments) => mirror::mirror(arguments, talk).await,
        Command::Render(arguments) => render::render(arguments, talk).await,
        Command::Sandbox(arguments) => sandbox::sandbox(arguments).await,
    }
}

async fn interrupted() -> anyhow::Result<Exit> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for signals")?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result.context("cannot listen for signals")?,
        _ = terminate.recv() => {}
    }
    say("interrupted; every tag is whole, and the next run finishes the rest");
    Ok(Exit::Interrupted)
}

fn name(command: &Command) -> &'static str {
    match command {
        Command::Plan(_) => "plan",
        Command::Apply(_) => "apply",
        Command::Mirror(_) => "mirror",
        Command::Render(_) => "render",
        Command::Sandbox(_) => "sandbox",
    }
}

/// Only longshore's own messages are ever logged: those of the HTTP libraries may hold credentials.
fn log(talk: Talk) {
    let level = match talk.verbose {
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    tracing_subscriber::registry()
        .with(Targets::new().with_target("longshore", level))
        .with(
            tracing_subscriber::fmt::layer()
                .without_time()
                .with_writer(std::io::stderr),
        )
        .init();
}

fn report_error(command: &'static str, talk: Talk, error: &anyhow::Error) -> Exit {
    let exit = Exit::of_error(error);
    let hint = find_failure(error).and_then(crate::failure::Failure::hint);
    let message = format!("{error:#}");
    say(&format!("error: {message}"));
    if let Some(hint) = &hint {
        say(&format!("  hint: {hint}"));
    }
    if talk.output == Output::Json {
        let kind = match exit {
            Exit::Usage => "usage",
            Exit::Refused => "refused",
            Exit::Unreachable => "unreachable",
            _ => "permanent",
        };
        // The error itself is already told.
        let _ = print_json(&FailureObject::new(command, kind, message, hint));
    }
    exit
}
