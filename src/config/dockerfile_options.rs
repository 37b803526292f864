//! The lines and the template of a Dockerfile, and where they are written.

use super::build_options::{BuildOptions, Taking};
use super::check::Checker;
use super::mistakes::{Located, Place};
use super::reader::Line;
use super::specification::Builder;
use crate::context::Context;
use crate::dockerfile::{
    Demands, LineError, Lines, MetadataLines, NeedsBuild, Template, builds_on, check_dockerfile,
};
use crate::failure::chain;

/// A name that no upstream image has, to try a template with.
pub(super) const TRIAL_BASE: &str = "longshore.invalid/base";

/// What was set. What is absent was not.
#[derive(Clone, Default)]
pub(super) struct DockerfileOptions {
    lines: Option<Lines>,
    line_places: Vec<LinePlace>,
    /// Those of the lines that take files from the build context.
    taking: Option<Vec<Taking>>,
    template: Option<Template>,
    template_place: Option<Place>,
}

/// Where an entry of `lines` stands.
#[derive(Clone)]
pub(super) struct LinePlace {
    place: Place,
    /// Whether the lines of the entry are lines of the file.
    is_block: bool,
}

impl LinePlace {
    pub(super) fn of(entry: &Located<Line>) -> Self {
        Self {
            place: entry.place.clone(),
            is_block: entry.value.is_block,
        }
    }

    /// The place of a line of the entry, counted from 0.
    pub(super) fn at(&self, line: usize) -> Place {
        let mut place = self.place.clone();
        if let Some(position) = &mut place.position
            && self.is_block
        {
            position.line += line;
        }
        place
    }
}

impl DockerfileOptions {
    pub(super) fn check(
        lines: Option<Vec<Located<Line>>>,
        template: Option<Located<String>>,
        checker: &mut Checker<'_>,
    ) -> Self {
        let entries = lines.iter().flatten();
        let line_places: Vec<LinePlace> = entries.map(LinePlace::of).collect();
        let taking = lines.as_deref().map(Taking::among);
        let template_place = template.as_ref().map(|path| path.place.clone());
        Self {
            lines: lines.and_then(|lines| parse(&lines, &line_places, checker)),
            line_places,
            taking,
            template: template.and_then(|path| read(&path, checker)),
            template_place,
        }
    }

    /// These options, with what they leave out taken from others.
    pub(super) fn or(self, others: &Self) -> Self {
        let (template, template_place) = match self.template_place {
            Some(place) => (self.template, Some(place)),
            None => (others.template.clone(), others.template_place.clone()),
        };
        let (lines, line_places) = match self.lines {
            Some(lines) => (Some(lines), self.line_places),
            None => (others.lines.clone(), others.line_places.clone()),
        };
        Self {
            lines,
            line_places,
            taking: self.taking.or_else(|| others.taking.clone()),
            template,
            template_place,
        }
    }

    pub(super) fn lines(&self) -> Lines {
        self.lines.clone().unwrap_or_default()
    }

    pub(super) fn template(&self) -> Template {
        self.template.clone().unwrap_or_default()
    }

    /// Whether anything is added to the source, so that it is not copied.
    pub(super) fn is_built(&self) -> bool {
        let has_lines = |lines: &Lines| !lines.as_slice().is_empty();
        let is_own = |template: &Template| !template.is_builtin();
        self.lines.as_ref().is_some_and(has_lines) || self.template.as_ref().is_some_and(is_own)
    }

    /// Tries the template, and says what the Dockerfile asks of whoever builds.
    pub(super) fn try_template(&self, build: &BuildOptions, checker: &mut Checker<'_>) -> Demands {
        let lines = self.lines();
        let (Some(template), Some(place)) = (&self.template, &self.template_place) else {
            if self.is_built() {
                build.check_target("", None, checker);
            }
            return lines.demands().clone();
        };
        let dockerfile = match template.render(TRIAL_BASE, &lines) {
            Ok(dockerfile) => dockerfile,
            Err(error) => {
                checker.mistakes.add(place, error.to_string(), None);
                return Demands::default();
            }
        };
        build.check_target(&dockerfile, Some(template), checker);
        if build.target.is_none() && !builds_on(&dockerfile, TRIAL_BASE, None) {
            let message = "the template's last stage is not built on `{{base}}`";
            let hint = "begin that stage with `FROM {{base}}`".to_owned();
            checker.mistakes.add(place, message, hint);
        }
        match check_dockerfile(&dockerfile) {
            Ok(demands) => demands,
            Err(errors) => {
                for LineError {
                    line,
                    message,
                    hint,
                    ..
                } in errors
                {
                    let message = format!("{}{message}", rendered_line(line));
                    checker.mistakes.add(place, message, hint);
                }
                Demands::default()
            }
        }
    }

    /// Where a line of an entry comes from, or of what the template gives, and what to say before
    /// what is wrong there.
    pub(super) fn place_of(&self, entry: usize, line: usize) -> Option<(Place, String)> {
        match &self.template_place {
            Some(place) => Some((place.clone(), rendered_line(line))),
            None => Some((self.line_places.get(entry)?.at(line), String::new())),
        }
    }

    /// Whether the lines alone let an image be derived. With [`Builder::Direct`] they must.
    pub(super) fn is_derived(&self, builder: Builder, checker: &mut Checker<'_>) -> bool {
        let lines = self.lines();
        // A template that fails is a mistake already.
        let Ok(dockerfile) = self.template().render(TRIAL_BASE, &lines) else {
            return false;
        };
        if builder == Builder::Docker || !self.is_built() {
            return false;
        }
        let Err(reason) = MetadataLines::parse(&dockerfile, TRIAL_BASE) else {
            return true;
        };
        if builder == Builder::Direct {
            self.refuse(&reason, &lines, checker);
        }
        false
    }

    /// Refuses to derive, where the line stands in the file.
    fn refuse(&self, reason: &NeedsBuild, lines: &Lines, checker: &mut Checker<'_>) {
        let place = match (&self.template_place, reason.line) {
            (None, Some(line)) => self.place_in_dockerfile(line, lines),
            (place, _) => place.clone(),
        };
        let message = match &self.template_place {
            None => format!(
                "`{}` needs a build: {}",
                reason.instruction,
                chain(&reason.why)
            ),
            Some(_) => format!("of what it gives, {}", chain(reason)),
        };
        if let Some(place) = place {
            let hint =
                "write `builder: auto` to build what cannot be derived, or leave the line out";
            checker.mistakes.add(&place, message, hint.to_owned());
        }
    }

    /// Where a line of the Dockerfile stands that longshore's own template gives: `FROM` is the
    /// first.
    fn place_in_dockerfile(&self, line: usize, lines: &Lines) -> Option<Place> {
        let mut first = 2;
        for (entry, place) in lines.as_slice().iter().zip(&self.line_places) {
            let count = entry.lines().count();
            if line < first + count {
                return Some(place.at(line.saturating_sub(first)));
            }
            first += count;
        }
        None
    }

    /// The build context, where the Dockerfile takes files from it. What it lacks is a mistake.
    pub(super) fn context(
        &self,
        build: &BuildOptions,
        checker: &mut Checker<'_>,
    ) -> Option<Context> {
        let mistakes = checker.mistakes.len();
        let taking = self.taking.as_deref().unwrap_or_default();
        let mut takes = build.check_files(taking, checker);
        // A template repeats the lines, and their mistakes.
        if checker.mistakes.len() == mistakes
            && let (Some(template), Some(place)) = (&self.template, &self.template_place)
        {
            let dockerfile = template
                .render(TRIAL_BASE, &self.lines())
                .unwrap_or_default();
            let taking = Taking::rendered(&dockerfile, place);
            takes = build.check_files(&taking, checker);
        }
        build.context.clone().filter(|_| takes)
    }
}

/// What to say before what is wrong in a line of what a template gives, counted from 0.
pub(super) fn rendered_line(line: usize) -> String {
    format!("line {} of what it gives: ", line + 1)
}

fn parse(
    written: &[Located<Line>],
    places: &[LinePlace],
    checker: &mut Checker<'_>,
) -> Option<Lines> {
    let texts: Vec<String> = written.iter().map(|line| line.value.text.clone()).collect();
    match Lines::parse(&texts) {
        Ok(lines) => Some(lines),
        Err(errors) => {
            for error in errors {
                let place = places[error.entry].at(error.line);
                checker.mistakes.add(&place, error.message, error.hint);
            }
            None
        }
    }
}

fn read(path: &Located<String>, checker: &mut Checker<'_>) -> Option<Template> {
    let text = checker.read(path)?;
    match Template::parse(&text) {
        Ok(template) => Some(template),
        Err(error) => {
            checker.mistakes.add(&path.place, error.to_string(), None);
            None
        }
    }
}
