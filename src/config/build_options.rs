//! `build`: how lines are built, but for their template.

use std::collections::BTreeMap;
use std::path::Path;

use super::check::Checker;
use super::dockerfile_options::{LinePlace, TRIAL_BASE, rendered_line};
use super::hint::suggest;
use super::mistakes::{Located, Place};
use super::reader::{Line, Table};
use super::{build_secrets, written};
use crate::context::Context;
use crate::docker::BuildSecret;
use crate::dockerfile::{LocalFiles, Template, builds_on, label, stages};
use crate::failure::{Failure as _, chain};

/// The labels that longshore writes.
const OWN_LABELS: [&str; 4] = [
    label::BASE_NAME,
    label::BASE_DIGEST,
    label::PLATFORM_DIGEST,
    label::RECIPE,
];

/// What was set. What is absent was not.
#[derive(Clone, Default)]
pub(super) struct BuildOptions {
    pub(super) args: Option<BTreeMap<String, String>>,
    pub(super) context: Option<Context>,
    pub(super) target: Option<Located<String>>,
    pub(super) network: Option<String>,
    pub(super) labels: Option<BTreeMap<String, String>>,
    pub(super) secrets: Option<Vec<BuildSecret>>,
    pub(super) secrets_place: Option<Place>,
    /// Whether a secret is a mistake already.
    pub(super) has_broken_secrets: bool,
    /// Where these very options set labels.
    labels_place: Option<Place>,
}

impl BuildOptions {
    pub(super) fn check(written: written::Build, checker: &mut Checker<'_>) -> Self {
        let context = written.context;
        let context = context.and_then(|path| open(&path, checker));
        let network = written.network.and_then(|name| {
            let sound = |name: &str| {
                name.starts_with(|c: char| c.is_ascii_alphanumeric())
                    && name
                        .chars()
                        .all(|c| c.is_ascii_alphanumeric() || "_.-:".contains(c))
            };
            checker.shaped(name, sound, "the name of a network", "none")
        });
        let secrets = written.secrets;
        let secrets_place = secrets
            .as_ref()
            .and_then(|secrets| Some(secrets.first()?.place.clone()));
        let mistakes = checker.mistakes.len();
        let secrets = secrets.map(|secrets| build_secrets::check(secrets, checker));
        let has_broken_secrets = checker.mistakes.len() > mistakes;
        let labels = written.labels;
        let labels_place = labels
            .as_ref()
            .and_then(|labels| Some(labels.first()?.0.place.clone()));
        let labels = labels.map(|labels| self::labels(labels, checker));
        Self {
            args: written.args.map(|args| arguments(args, checker)),
            context,
            target: written.target,
            network: network.filter(|name| name != "default"),
            labels,
            labels_place,
            secrets,
            secrets_place,
            has_broken_secrets,
        }
    }

    /// These options, with what they leave out taken from others.
    pub(super) fn or(self, others: &Self) -> Self {
        Self {
            args: self.args.or_else(|| others.args.clone()),
            context: self.context.or_else(|| others.context.clone()),
            target: self.target.or_else(|| others.target.clone()),
            network: self.network.or_else(|| others.network.clone()),
            labels: self.labels.or_else(|| others.labels.clone()),
            labels_place: self.labels_place,
            secrets_place: match &self.secrets {
                Some(_) => self.secrets_place,
                None => others.secrets_place.clone(),
            },
            secrets: self.secrets.or_else(|| others.secrets.clone()),
            has_broken_secrets: self.has_broken_secrets || others.has_broken_secrets,
        }
    }

    /// Refuses labels of an image that is copied as it is.
    pub(super) fn check_labels(&self, is_built: bool, checker: &mut Checker<'_>) {
        if let (false, Some(place)) = (is_built, &self.labels_place) {
            let message = "an image without lines is copied as it is, without more labels";
            let hint = "write them as lines: `LABEL NAME=VALUE`".to_owned();
            checker.mistakes.add(place, message, hint);
        }
    }

    /// Refuses a stage that there is not, or that is not built on the base.
    pub(super) fn check_target(
        &self,
        dockerfile: &str,
        template: Option<&Template>,
        checker: &mut Checker<'_>,
    ) {
        let Some(target) = &self.target else { return };
        if template.is_none_or(Template::is_builtin) {
            let message = "there is one stage only, which has no name";
            let hint = "stages are written in a template of your own: `build.template`".to_owned();
            checker.mistakes.add(&target.place, message, hint);
            return;
        }
        let stages = stages(dockerfile);
        let is_known = |name: &String| name.eq_ignore_ascii_case(&target.value);
        if !stages.iter().any(is_known) {
            let message = format!("the template has no stage `{}`", target.value);
            let names: Vec<&str> = stages.iter().map(String::as_str).collect();
            let hint = match &names[..] {
                [] => "name one: `FROM {{base}} AS NAME`".to_owned(),
                names => suggest(&target.value, names, "its stages are"),
            };
            checker.mistakes.add(&target.place, message, hint);
        } else if !builds_on(dockerfile, TRIAL_BASE, Some(&target.value)) {
            let message = format!(
                "the stage `{}` is not built on `{{{{base}}}}`",
                target.value
            );
            let hint = "begin that stage with `FROM {{base}}`".to_owned();
            checker.mistakes.add(&target.place, message, hint);
        }
    }

    /// Holds the lines against the context, and says whether they need one. `true` too where it
    /// cannot be told before the build.
    pub(super) fn check_files(&self, files: &[Taking], checker: &mut Checker<'_>) -> bool {
        for Taking {
            place,
            prefix,
            files,
        } in files
        {
            let keyword = files.keyword;
            let Some(context) = &self.context else {
                if files.is_certain() {
                    let message =
                        format!("{prefix}`{keyword}` finds no files: there is no build context");
                    let hint = without_context(keyword, place);
                    checker.mistakes.add(place, message, hint);
                }
                continue;
            };
            if !files.is_certain() {
                continue;
            }
            for source in &files.sources {
                if let Err(error) = context.check_source(source) {
                    let message = format!("{prefix}{error}");
                    let hint = error.hint().to_owned();
                    checker.mistakes.add(place, message, hint);
                }
            }
        }
        !files.is_empty()
    }
}

/// A line that takes files from the context, and where it is written.
#[derive(Clone)]
pub(super) struct Taking {
    place: Place,
    /// What comes before a message about it.
    prefix: String,
    files: LocalFiles,
}

impl Taking {
    /// Those among written lines.
    pub(super) fn among(lines: &[Located<Line>]) -> Vec<Self> {
        let of_entry = |entry: &Located<Line>| {
            let files = LocalFiles::all(&entry.value.text).into_iter();
            let taking = |files: LocalFiles| Self {
                place: LinePlace::of(entry).at(files.line),
                prefix: String::new(),
                files,
            };
            files.map(taking).collect::<Vec<_>>()
        };
        lines.iter().flat_map(of_entry).collect()
    }

    /// Those of what a template gives.
    pub(super) fn rendered(dockerfile: &str, template: &Place) -> Vec<Self> {
        let taking = |files: LocalFiles| Self {
            place: template.clone(),
            prefix: rendered_line(files.line),
            files,
        };
        LocalFiles::all(dockerfile)
            .into_iter()
            .map(taking)
            .collect()
    }
}

fn without_context(keyword: &str, place: &Place) -> String {
    let elsewhere = match keyword {
        "ADD" => "add from a web address with `ADD https://...`",
        _ => "copy from another image with `COPY --from=IMAGE`",
    };
    match place.position {
        Some(_) => format!("name its folder with `build.context`, or {elsewhere}"),
        None => elsewhere.to_owned(),
    }
}

fn open(path: &Located<String>, checker: &mut Checker<'_>) -> Option<Context> {
    match Context::open(checker.folder, Path::new(&path.value)) {
        Ok(context) => Some(context),
        Err(error) => {
            checker
                .mistakes
                .add(&path.place, chain(&error), error.hint());
            None
        }
    }
}

fn labels(written: Table<Located<String>>, checker: &mut Checker<'_>) -> BTreeMap<String, String> {
    for (name, _) in &written {
        let message = match name.value.as_str() {
            "" => "a label needs a name".to_owned(),
            own if OWN_LABELS.contains(&own) => format!("`{own}` is written by longshore"),
            _ => continue,
        };
        checker.mistakes.add(&name.place, message, None);
    }
    let pairs = written.into_iter();
    pairs
        .map(|(name, value)| (name.value, value.value))
        .collect()
}

fn arguments(
    written: Table<Located<String>>,
    checker: &mut Checker<'_>,
) -> BTreeMap<String, String> {
    let sound = |name: &str| {
        !name.starts_with(|c: char| c.is_ascii_digit())
            && !name.is_empty()
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    written
        .into_iter()
        .filter_map(|(name, value)| {
            let name = checker.shaped(name, sound, "the name of a build argument", "HTTP_PROXY")?;
            Some((name, value.value))
        })
        .collect()
}
