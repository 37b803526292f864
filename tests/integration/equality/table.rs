//! The committed table of `docs/derive.md`, and the comparison that obeys it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

/// Whom longshore follows where the builders differ.
#[derive(Clone, Copy, Debug)]
enum Follows {
    Classic,
    BuildKit,
    Base,
}

#[derive(Clone, Debug)]
struct Rule {
    follows: Follows,
    /// The instructions without which the builders must agree; `None` for all.
    differs_on: Option<BTreeSet<String>>,
}

/// The rules by field: `author`, `config.Env`.
pub(super) struct Table {
    rules: BTreeMap<String, Rule>,
}

/// The configurations of one combination of lines.
pub(super) struct Configurations {
    pub(super) keywords: BTreeSet<String>,
    pub(super) base: Value,
    pub(super) classic: Value,
    pub(super) buildkit: Value,
    pub(super) derived: Value,
}

impl Table {
    pub(super) fn read() -> Self {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/derive.md");
        let page = fs::read_to_string(page).unwrap();
        let rows = page.lines().filter(|line| line.starts_with("| `"));
        let mut rules = BTreeMap::new();
        for row in rows {
            let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
            let [fields, differs_on, _, _, follows] = cells.as_slice() else {
                panic!("not a row of five cells: {row}");
            };
            let rule = Rule {
                follows: match *follows {
                    "classic" => Follows::Classic,
                    "BuildKit" => Follows::BuildKit,
                    "base" => Follows::Base,
                    other => panic!("whom does longshore follow: {other}"),
                },
                differs_on: (*differs_on != "all").then(|| quoted(differs_on)),
            };
            for field in quoted(fields) {
                rules.insert(field, rule.clone());
            }
        }
        assert!(!rules.is_empty());
        Self { rules }
    }

    /// What is not as it should be, field by field.
    pub(super) fn differences(&self, all: &Configurations) -> Vec<String> {
        let [base, classic, buildkit, derived] =
            [&all.base, &all.classic, &all.buildkit, &all.derived].map(fields);
        let names: BTreeSet<_> = [&base, &classic, &buildkit, &derived]
            .iter()
            .flat_map(|fields| fields.keys())
            .collect();
        let mut differences = Vec::new();
        for name in names {
            let of = |fields: &BTreeMap<String, Value>| fields.get(name).cloned();
            let [base, classic, buildkit, derived] = [&base, &classic, &buildkit, &derived].map(of);
            let rule = self.rules.get(name);
            let is_unknown = name.contains("x-") && classic.is_none() && buildkit.is_none();
            let expected = match rule.map(|rule| rule.follows) {
                _ if is_unknown => &base,
                Some(Follows::BuildKit) => &buildkit,
                Some(Follows::Base) => &base,
                Some(Follows::Classic) | None => &classic,
            };
            if derived != *expected {
                differences.push(format!(
                    "{name}: derived {}, expected {}",
                    shown(derived.as_ref()),
                    shown(expected.as_ref())
                ));
            }
            let may_differ = rule.is_some_and(|rule| {
                let on = rule.differs_on.as_ref();
                on.is_none_or(|on| !on.is_disjoint(&all.keywords))
            });
            if classic != buildkit && !may_differ {
                differences.push(format!(
                    "{name}: the builders differ, classic {}, BuildKit {}",
                    shown(classic.as_ref()),
                    shown(buildkit.as_ref())
                ));
            }
        }
        differences
    }
}

fn quoted(cell: &str) -> BTreeSet<String> {
    let words = cell.split('`').skip(1).step_by(2);
    words.map(str::to_owned).collect()
}

fn shown(value: Option<&Value>) -> String {
    value.map_or("nothing".to_owned(), Value::to_string)
}

/// The fields of a configuration that are not empty. Of the history only counts which entries have
/// no layer.
fn fields(document: &Value) -> BTreeMap<String, Value> {
    let mut fields = BTreeMap::new();
    for (name, value) in document.as_object().unwrap() {
        match name.as_str() {
            "config" => {
                for (name, value) in value.as_object().unwrap() {
                    fields.insert(format!("config.{name}"), value.clone());
                }
            }
            "history" => {
                let entries = value.as_array().unwrap().iter();
                let empty = entries.map(|entry| entry["empty_layer"] == true);
                fields.insert(name.clone(), empty.collect());
            }
            _ => drop(fields.insert(name.clone(), value.clone())),
        }
    }
    let empty = [json!(null), json!(""), json!(false), json!([]), json!({})];
    fields.retain(|_, value| !empty.contains(value));
    fields
}

/// A rule that is changed on purpose must be seen, whichever it is.
#[test]
fn every_wrong_field_is_found() {
    let table = Table::read();
    let built = || {
        json!({
            "author": "a", "architecture": "amd64", "os": "linux", "variant": "v8", "created": "now",
            "config": {
                "Env": ["A=1"], "Cmd": ["c"], "Entrypoint": ["e"], "Labels": {"l": "1"},
                "Healthcheck": {"Test": ["NONE"]}, "Shell": ["s"], "OnBuild": ["RUN x"],
            },
            "history": [{"created_by": "x"}, {"empty_layer": true}],
        })
    };
    let all = |keyword: &str, change: &dyn Fn(&mut Configurations)| {
        let mut all = Configurations {
            keywords: BTreeSet::from([keyword.to_owned()]),
            base: built(),
            classic: built(),
            buildkit: built(),
            derived: built(),
        };
        change(&mut all);
        table.differences(&all)
    };
    assert_eq!(all("ENV", &|_| {}), [""; 0]);
    let others = [
        "os",
        "architecture",
        "x-top",
        "config.Cmd",
        "config.Entrypoint",
        "config.Shell",
    ];
    let ruled = table.rules.keys().map(String::as_str);
    for field in ruled.chain(others) {
        let path = format!("/{}", field.replace('.', "/"));
        let wrong = |document: &mut Value| {
            let (parent, name) = path.rsplit_once('/').unwrap();
            let parent = document.pointer_mut(parent).unwrap();
            parent[name] = json!([{"empty_layer": true}]);
        };
        let found = all("ENV", &|all| wrong(&mut all.derived));
        assert_eq!(found.len(), 1, "{field}: {found:?}");
        assert!(
            found[0].starts_with(&format!("{field}: derived ")),
            "{found:?}"
        );
    }
    // BuildKit's healthcheck counts, and only a line that sets one may make a difference.
    let merged = |all: &mut Configurations| {
        all.classic["config"]["Healthcheck"] = json!({"Test": ["NONE"], "Interval": 1});
    };
    assert_eq!(all("HEALTHCHECK", &merged), [""; 0]);
    let found = all("ENV", &merged);
    assert!(
        found[0].starts_with("config.Healthcheck: the builders differ"),
        "{found:?}"
    );
}
