//! Warns of what Docker does with lines without a word.

use crate::config::BuilderEngine;
use crate::dockerfile::{Configuration, Trap, TrapKind};
use crate::event::{Event, Observer};

use super::marks::base_name;
use super::plan::ImagePlan;
use super::{Plan, Work};

/// Warns of the traps in the lines of all that would be made from them.
pub(super) fn warn_of_traps(plan: &Plan, observer: &dyn Observer) {
    for image in &plan.images {
        for trap in traps(image) {
            let hint = trap.kind.hint();
            let hint = hint.map_or_else(String::new, |hint| format!("; {hint}"));
            let message = format!(
                "line {} of the Dockerfile (`{}`): {}{hint}",
                trap.line, trap.instruction, trap.kind
            );
            let image = image.destination.clone();
            observer.observe(Event::Warning { image, message });
        }
    }
}

/// The traps of an image as far as its base is known.
fn traps(plan: &ImagePlan) -> Vec<Trap> {
    let Some((Work::Build { base, .. } | Work::Derive { base, .. }, _)) = plan.work() else {
        return Vec::new();
    };
    let image = &plan.image;
    let from = base_name(&image.source);
    // What cannot be rendered is told where it is built.
    let Ok(dockerfile) = image.template.render(&from, &image.lines) else {
        return Vec::new();
    };
    let read = base.platforms.iter().filter_map(|base| {
        let bytes = base.configuration.as_ref()?;
        Configuration::parse(bytes).ok()
    });
    let read: Vec<Configuration> = read.collect();
    let find = |base| Trap::find(&dockerfile, &from, base, &image.args);
    let found = match &read[..] {
        [] => find(None),
        bases => bases.iter().flat_map(|base| find(Some(base))).collect(),
    };
    // Most platforms have the same traps.
    let mut traps = Vec::new();
    for trap in found {
        if !traps.contains(&trap) {
            traps.push(trap);
        }
    }
    traps.sort_by_key(|trap| trap.line);
    if image.builder_engine == BuilderEngine::BuildKit {
        traps.retain(|trap| !matches!(trap.kind, TrapKind::LostInVolume { .. }));
    }
    traps
}
