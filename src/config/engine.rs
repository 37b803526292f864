//! `builder_engine`: what is asked of Docker's builders, held against what the lines need.

use super::check::Checker;
use super::options::Options;
use super::specification::BuilderEngine;
use crate::dockerfile::{BuildKitNeed, Demands, SecretUse};

impl Options {
    /// Refuses lines that only BuildKit understands where the classic builder is to build, and
    /// those that mount a secret that there is not.
    pub(super) fn check_engine(&self, demands: &Demands, checker: &mut Checker<'_>) {
        if !self.dockerfile.is_built() {
            return;
        }
        let is_classic = self.builder_engine == Some(BuilderEngine::Classic);
        for BuildKitNeed {
            entry, line, what, ..
        } in demands.buildkit.iter().filter(|_| is_classic)
        {
            let Some((place, prefix)) = self.dockerfile.place_of(*entry, *line) else {
                continue;
            };
            let message = format!("{prefix}{what} needs BuildKit");
            let hint = "write `builder_engine: buildkit`, or leave `builder_engine: classic` out";
            checker.mistakes.add(&place, message, hint.to_owned());
        }
        if let (true, Some(place)) = (is_classic, &self.build.secrets_place) {
            let message = "the classic builder knows no secrets";
            let hint = "write `builder_engine: buildkit`, or leave `builder_engine: classic` out";
            checker.mistakes.add(place, message, hint.to_owned());
        }
        let known = self.build.secrets.as_deref().unwrap_or_default();
        for SecretUse { entry, line, id } in &demands.secrets {
            if known.iter().any(|secret| secret.id == *id) || self.build.has_broken_secrets {
                continue;
            }
            let Some((place, prefix)) = self.dockerfile.place_of(*entry, *line) else {
                continue;
            };
            let message = format!("{prefix}there is no secret `{id}`");
            let hint = format!(
                "write `build: {{secrets: [{{id: {id}, env: VARIABLE}}]}}`, or `required=false` in \
                 the line"
            );
            checker.mistakes.add(&place, message, hint);
        }
    }
}
