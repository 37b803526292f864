//! What is derived without a daemon equals what the daemon builds: see `docs/derive.md`.

mod arguments;
mod base;
mod combination;
mod random;
mod table;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::LazyLock;
use std::{env, thread};

use longshore::dockerfile::{DeriveSettings, MetadataLines};
use serde_json::Value;

use self::base::Base;
use self::combination::{Combination, KEYWORDS};
use self::random::Random;
use self::table::{Configurations, Table};
use crate::harness::{Builder, Engine};

static BASES: LazyLock<Vec<Base>> = LazyLock::new(Base::all);

/// The daemon builds this many at a time.
const WORKERS: usize = 4;

fn number(variable: &str, default: u64) -> u64 {
    env::var(variable).map_or(default, |text| text.parse().unwrap())
}

/// A few combinations by default; `make test-equality` asks for many, from another seed each time.
#[test]
fn derived_images_equal_built_ones() {
    let seed = number("LONGSHORE_EQUALITY_SEED", 1);
    let count = number("LONGSHORE_EQUALITY_COMBINATIONS", 25);
    println!("{count} combinations from LONGSHORE_EQUALITY_SEED={seed}");
    let engine = Engine::new();
    for base in BASES.iter() {
        engine.load(&base.name(), base.archive());
    }
    let mut random = Random::new(seed);
    let mut refused = 0;
    let mut combinations = Vec::new();
    while (combinations.len() as u64) < count {
        let combination = Combination::next(&mut random, &BASES);
        match derive(&combination) {
            Some(derived) => combinations.push((combination, derived)),
            None => refused += 1,
        }
    }
    let mut uses = KEYWORDS.map(|keyword| (keyword, 0));
    for keyword in combinations.iter().flat_map(|(one, _)| &one.keywords) {
        uses.iter_mut()
            .find(|(known, _)| known == keyword)
            .unwrap()
            .1 += 1;
    }
    println!("{refused} more need a build; instructions: {uses:?}");
    assert!(refused <= count / 4, "too many need a build");
    if count >= 500 {
        assert!(uses.iter().all(|(_, times)| *times >= 20), "{uses:?}");
    }

    let share = combinations.len().div_ceil(WORKERS);
    let failures: Vec<String> = thread::scope(|scope| {
        let workers = combinations.chunks(share);
        let workers: Vec<_> = workers
            .map(|share| scope.spawn(|| compare(&engine, share)))
            .collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap())
            .collect()
    });
    let few: Vec<_> = failures.iter().take(5).map(String::as_str).collect();
    assert!(
        failures.is_empty(),
        "{} of {count} combinations differ (LONGSHORE_EQUALITY_SEED={seed}):\n{}",
        failures.len(),
        few.join("\n")
    );
}

/// `None` where a build is needed.
fn derive(combination: &Combination) -> Option<Value> {
    let base = combination.base.configuration().to_string();
    let lines = MetadataLines::parse(&combination.dockerfile(), &combination.base.name()).ok()?;
    let settings = DeriveSettings {
        args: combination.args.clone(),
        ..DeriveSettings::default()
    };
    let derived = lines.derive(base.as_bytes(), &settings).ok()?;
    Some(serde_json::from_slice(&derived.configuration).unwrap())
}

/// Builds combinations with both builders and tells those that differ.
fn compare(engine: &Engine, combinations: &[(Combination, Value)]) -> Vec<String> {
    let table = Table::read();
    let mut failures = Vec::new();
    for some in combinations.chunks(20) {
        let built: Vec<_> = some.iter().map(|(one, _)| build(engine, one)).collect();
        let images: Vec<_> = built.iter().flatten().flatten().cloned().collect();
        let configurations = engine.configurations(&images);
        for ((combination, derived), built) in some.iter().zip(built) {
            let differences = match built {
                Ok(built) => differences(&table, combination, derived, &built, &configurations),
                Err(error) => vec![error],
            };
            if !differences.is_empty() {
                let mut failure = combination.dockerfile();
                let _ = writeln!(failure, "# {:?}", combination.args);
                for difference in differences {
                    let _ = writeln!(failure, "=> {difference}");
                }
                failures.push(failure);
            }
        }
    }
    failures
}

/// The images of the classic builder and of BuildKit.
fn build(engine: &Engine, combination: &Combination) -> Result<[String; 2], String> {
    let build = |builder| {
        let platform = combination.base.platform;
        let image = engine.build(
            builder,
            &combination.dockerfile(),
            platform,
            &combination.args,
        );
        image.map_err(|error| format!("derived, but {builder:?} says: {error}"))
    };
    Ok([build(Builder::Classic)?, build(Builder::BuildKit)?])
}

fn differences(
    table: &Table,
    combination: &Combination,
    derived: &Value,
    built: &[String; 2],
    configurations: &BTreeMap<String, Value>,
) -> Vec<String> {
    let [classic, buildkit] = built.each_ref().map(|image| configurations[image].clone());
    table.differences(&Configurations {
        keywords: combination.distinct_keywords(),
        base: combination.base.configuration().clone(),
        classic,
        buildkit,
        derived: derived.clone(),
    })
}
