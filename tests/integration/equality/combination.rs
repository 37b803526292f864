//! A combination of lines.

use std::collections::{BTreeMap, BTreeSet};

use super::arguments::arguments;
use super::base::Base;
use super::random::Random;

/// A Dockerfile on one of the bases, with build arguments.
pub(super) struct Combination {
    pub(super) base: &'static Base,
    pub(super) lines: String,
    pub(super) args: BTreeMap<String, String>,
    /// The instructions, in capitals, as often as they occur.
    pub(super) keywords: Vec<&'static str>,
}

pub(super) const KEYWORDS: [&str; 14] = [
    "ENV",
    "LABEL",
    "ARG",
    "VOLUME",
    "USER",
    "EXPOSE",
    "CMD",
    "ENTRYPOINT",
    "STOPSIGNAL",
    "HEALTHCHECK",
    "SHELL",
    "ONBUILD",
    "MAINTAINER",
    "WORKDIR",
];

impl Combination {
    pub(super) fn next(random: &mut Random, bases: &'static [Base]) -> Self {
        let base = &bases[random.below(bases.len())];
        let count = 1 + random.below(8);
        let keywords: Vec<_> = (0..count).map(|_| random.one(&KEYWORDS)).collect();
        // BuildKit looks up the user who makes a folder.
        let has_workdir = keywords.contains(&"WORKDIR");
        let mut lines = String::new();
        for keyword in &keywords {
            let arguments = match *keyword {
                "USER" if has_workdir => random.one(&["0", "1000:1000", "base", "root"]).to_owned(),
                keyword => arguments(random, keyword, base),
            };
            let keyword = if random.once_in(5) {
                keyword.to_lowercase()
            } else {
                (*keyword).to_owned()
            };
            lines.push_str(random.one(&["", "", "", "# a comment\n", "\n", "  "]));
            let blank = random.one(&[" ", " ", "\t", "  "]);
            lines.extend([keyword.as_str(), blank, &arguments, "\n"]);
        }
        let mut args = BTreeMap::new();
        for (name, value) in [("Q", "given"), ("A", "given $B"), ("UNUSED", "x")] {
            if random.once_in(3) {
                args.insert(name.to_owned(), value.to_owned());
            }
        }
        Self {
            base,
            lines,
            args,
            keywords,
        }
    }

    pub(super) fn dockerfile(&self) -> String {
        format!("FROM {}\n{}", self.base.name(), self.lines)
    }

    pub(super) fn distinct_keywords(&self) -> BTreeSet<String> {
        self.keywords.iter().map(ToString::to_string).collect()
    }
}
