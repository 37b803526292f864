//! What pages point to is there.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::fences;

#[test]
fn every_link_leads_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pages: BTreeMap<String, String> = fences::pages().into_iter().collect();
    let mut broken = Vec::new();
    for (name, text) in &pages {
        for link in links(text) {
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let folder = root.join(name).parent().unwrap().to_owned();
            let target = match path {
                "" => root.join(name),
                path => folder.join(path),
            };
            let Ok(target) = fs::canonicalize(target) else {
                broken.push(format!("{name}: {link}"));
                continue;
            };
            let page = target.strip_prefix(root).ok().and_then(Path::to_str);
            let page = page.and_then(|page| pages.get(page));
            if !anchor.is_empty()
                && !page.is_some_and(|page| anchors(page).contains(&anchor.to_owned()))
            {
                broken.push(format!("{name}: {link}"));
            }
        }
    }
    assert_eq!(broken, [""; 0]);
}

/// Somebody who begins at the README finds every page of `docs/`, and every module.
#[test]
fn the_readme_leads_everywhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let links: Vec<&str> = links(&readme).collect();
    let names = |folder: &str| {
        let entries = fs::read_dir(root.join(folder)).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names
            .map(|name| format!("{folder}/{name}"))
            .collect::<Vec<_>>()
    };
    let pages = [names("docs"), names("terraform")].concat();
    let unlinked: Vec<_> = pages
        .iter()
        .filter(|page| !links.contains(&page.as_str()))
        .collect();
    assert_eq!(unlinked, [""; 0]);
}

/// Where the links of a page lead, without those to other hosts.
fn links(page: &str) -> impl Iterator<Item = &str> {
    let ends = page
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'));
    ends.map(|(link, _)| link)
        .filter(|link| !link.contains("://"))
}

/// The headings of a page, as links name them.
fn anchors(page: &str) -> Vec<String> {
    let headings = page.lines().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| {
        let text = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = text
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}
