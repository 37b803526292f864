//! What a single instruction may be in a build without BuildKit.

use parse_dockerfile::{AddInstruction, CopyInstruction, Flag, Instruction, RunInstruction};

use super::arguments;
use super::chunks::{directive, heredocs, is_continued};

/// What is wrong with an instruction.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Wrong {
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

impl Wrong {
    pub(super) fn new(message: impl Into<String>, hint: impl Into<Option<&'static str>>) -> Self {
        Self {
            message: message.into(),
            hint: hint.into().map(str::to_owned),
        }
    }
}

/// `parse-dockerfile` wants an image before any other instruction.
const BASE: &str = "FROM scratch\n";

const KNOWN: [&str; 18] = [
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

/// Checks one instruction, and says whether it runs a program of the image.
pub(super) fn check(text: &str, has_from: bool) -> Result<bool, Vec<Wrong>> {
    if let Some(name) = directive(text) {
        let message = format!("a parser directive (`# {name}=`) has no effect");
        return Err(vec![Wrong::new(message, "leave it out")]);
    }
    if !heredocs(text).is_empty() {
        let message = "a heredoc needs BuildKit; Docker's classic builder ignores it in silence";
        return Err(vec![Wrong::new(
            message,
            "write `RUN a && b`, or `COPY --from=IMAGE`",
        )]);
    }
    if is_continued(text) {
        let message = "the last line ends with a backslash, which would join the next instruction";
        return Err(vec![Wrong::new(message, "leave the backslash out")]);
    }
    if KNOWN.contains(&text.trim().to_uppercase().as_str()) {
        let message = format!("`{}` has no arguments", text.trim());
        return Err(vec![Wrong::new(message, None)]);
    }
    let dockerfile = format!("{BASE}{text}\n");
    let parsed = parse_dockerfile::parse_iter(&dockerfile).and_then(|mut instructions| {
        instructions.next().transpose()?;
        instructions.next().transpose()
    });
    let instruction = match parsed {
        Ok(Some(instruction)) => instruction,
        Ok(None) => return Err(vec![Wrong::new("there is no instruction here", None)]),
        Err(error) => return Err(vec![unparsed(text, &error)]),
    };
    let wrongs = match &instruction {
        Instruction::From(_) if !has_from => vec![Wrong::new(
            "`FROM` is written by longshore",
            "the upstream image is named by `source`",
        )],
        Instruction::Run(run) => run_flags(run),
        Instruction::Copy(copy) => self::copy(copy),
        Instruction::Add(add) => self::add(add),
        Instruction::Env(env) => arguments::pairs("ENV", &env.arguments.value),
        Instruction::Label(label) => arguments::pairs("LABEL", &label.arguments.value),
        Instruction::Expose(expose) => {
            let ports = expose.arguments.iter();
            ports
                .filter_map(|port| arguments::port(&port.value))
                .collect()
        }
        Instruction::Stopsignal(signal) => arguments::signal(&signal.arguments.value)
            .into_iter()
            .collect(),
        Instruction::Healthcheck(health) => arguments::healthcheck(&health.options),
        Instruction::Onbuild(onbuild) => match *onbuild.instruction {
            Instruction::From(_) | Instruction::Onbuild(_) | Instruction::Maintainer(_) => {
                vec![Wrong::new(
                    "Docker refuses this instruction after `ONBUILD`",
                    None,
                )]
            }
            _ => Vec::new(),
        },
        Instruction::Volume(volume) => arguments::volume(&volume.arguments),
        _ => Vec::new(),
    };
    if wrongs.is_empty() {
        Ok(matches!(instruction, Instruction::Run(_)))
    } else {
        Err(wrongs)
    }
}

fn unparsed(text: &str, error: &parse_dockerfile::Error) -> Wrong {
    let word = text.split_whitespace().next().unwrap_or_default();
    let upper = word.to_uppercase();
    if KNOWN.contains(&upper.as_str()) {
        let message = format!("{error:#}").replace('\'', "`");
        return Wrong::new(message, None);
    }
    let nearest = KNOWN
        .iter()
        .map(|known| (strsim::damerau_levenshtein(&upper, known), known))
        .min()
        .filter(|(distance, _)| *distance <= (upper.len() / 3).max(1));
    Wrong {
        message: format!("`{word}` is not an instruction of a Dockerfile"),
        hint: Some(match nearest {
            Some((_, nearest)) => format!("did you mean `{nearest}`?"),
            None => "to run a program, write `RUN` before it".to_owned(),
        }),
    }
}

fn run_flags(run: &RunInstruction<'_>) -> Vec<Wrong> {
    flags("RUN", &run.options, &[])
}

fn copy(copy: &CopyInstruction<'_>) -> Vec<Wrong> {
    flags("COPY", &copy.options, &["from", "chown"])
}

fn add(add: &AddInstruction<'_>) -> Vec<Wrong> {
    flags("ADD", &add.options, &["chown"])
}

fn flags(instruction: &str, flags: &[Flag<'_>], classic: &[&str]) -> Vec<Wrong> {
    let name = |flag: &Flag<'_>| flag.name.value.to_string();
    flags
        .iter()
        .map(name)
        .filter(|name| !classic.contains(&name.as_str()))
        .map(|name| Wrong::new(format!("`{instruction} --{name}` needs BuildKit"), None))
        .collect()
}
