//! The pages of this repository, and the code in them.

use std::fs;
use std::path::{Path, PathBuf};

/// A fenced block of code.
#[derive(Debug)]
pub(crate) struct Fence {
    /// `README.md:12`, where it opens.
    pub(crate) place: String,
    pub(crate) language: String,
    pub(crate) text: String,
}

/// Every page of Markdown: its path in the repository and its text.
pub(crate) fn pages() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    walk(root, &mut paths);
    paths.sort();
    let page = |path: &PathBuf| {
        let name = path.strip_prefix(root).unwrap().display().to_string();
        (name, fs::read_to_string(path).unwrap())
    };
    paths.iter().map(page).collect()
}

/// What is hidden is not ours, and neither is what was built.
fn walk(folder: &Path, pages: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_str().unwrap();
        if name.starts_with('.') || name == "target" {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            walk(&path, pages);
        } else if Path::new(name).extension().is_some_and(|end| end == "md") {
            pages.push(path);
        }
    }
}

/// Every fence of a page. A line that begins as a fence does is one, so that none can hide.
pub(crate) fn fences(name: &str, page: &str) -> Result<Vec<Fence>, String> {
    let mut fences = Vec::new();
    let mut lines = page.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let opened = line.trim_start_matches([' ', '\t', '>']);
        if !opened.starts_with("```") && !opened.starts_with("~~~") {
            continue;
        }
        let place = format!("{name}:{}", at + 1);
        let language = opened
            .strip_prefix("```")
            .filter(|rest| !rest.contains('`'));
        let language = language.ok_or(format!("{place}: open a fence with three backticks"))?;
        let indent = &line[..line.len() - opened.len()];
        let closing = format!("{indent}```");
        let mut body = Vec::new();
        loop {
            let (_, line) = lines
                .next()
                .ok_or(format!("{place}: the fence is not closed"))?;
            if line == closing {
                break;
            }
            if line.trim_start().starts_with("```") {
                return Err(format!("{place}: the fence is not closed as it is opened"));
            }
            body.push(line.strip_prefix(indent).unwrap_or(line));
        }
        fences.push(Fence {
            place,
            language: language.trim().to_owned(),
            text: body.join("\n") + "\n",
        });
    }
    Ok(fences)
}

/// Every fence of every page.
pub(crate) fn all() -> Vec<Fence> {
    let pages = pages().into_iter();
    pages
        .flat_map(|(name, text)| fences(&name, &text).unwrap_or_else(|error| panic!("{error}")))
        .collect()
}

/// The fences of one language on one page.
pub(crate) fn of(page: &str, language: &str) -> Vec<Fence> {
    let (_, text) = pages().into_iter().find(|(name, _)| name == page).unwrap();
    let mut fences = fences(page, &text).unwrap();
    fences.retain(|fence| fence.language == language);
    fences
}
