//! What a single instruction may be.

use parse_dockerfile::Instruction;

use super::arguments;
use super::chunks::{directive, heredocs, is_continued};
use super::demands::Demands;

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

/// Checks one instruction, and says what it asks of whoever builds.
pub(super) fn check(text: &str, has_from: bool) -> Result<Demands, Vec<Wrong>> {
    if let Some(name) = directive(text) {
        let message = format!("a parser directive (`# {name}=`) has no effect");
        return Err(vec![Wrong::new(message, "leave it out")]);
    }
    let mut demands = Demands::default();
    if !heredocs(text).is_empty() {
        demands.heredoc();
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
        Instruction::Run(_) | Instruction::Copy(_) | Instruction::Add(_) => {
            demands.of(&instruction)
        }
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
        Ok(demands)
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
