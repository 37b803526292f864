//! What a workstation has around the program: completions and manual pages.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::harness::{Longshore, say_not_run};

fn completions(folder: &Path, shell: &str) -> String {
    let run = Longshore::new(folder, &["completions", shell]).run();
    run.exits(0).stdout
}

#[test]
fn each_shell_understands_its_completions() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let script = completions(folder.path(), shell);
        for word in ["github-actions", "detailed-exitcode", "cache"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
        let file = folder.path().join(shell);
        fs::write(&file, script).unwrap();
        match Command::new(shell).arg("-n").arg(&file).output() {
            Ok(output) => assert!(output.status.success(), "{output:?}"),
            Err(_) => say_not_run(
                &format!("the completions of {shell}"),
                &format!("no `{shell}` on the"),
                "PATH",
            ),
        }
    }
    let run = Longshore::new(folder.path(), &["completions", "tcsh"]).run();
    run.exits(2).says(&["invalid value 'tcsh'"]);
}

#[test]
fn bash_completes_commands_and_words() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("completions");
    fs::write(&file, completions(folder.path(), "bash")).unwrap();
    for (typed, offered) in [
        ("longshore ap", "apply"),
        ("longshore cache u", "urls"),
        ("longshore apply --loc", "--locked"),
        (
            "longshore init --for ",
            "file codebuild terraform github-actions",
        ),
    ] {
        let script = format!(
            "source {}\nIFS=' ' read -ra COMP_WORDS <<< '{typed}'\n\
             [[ '{typed}' = *' ' ]] && COMP_WORDS+=('')\nCOMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))\n\
             _longshore longshore \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"\n\
             echo \"${{COMPREPLY[@]}}\"",
            file.display()
        );
        let output = Command::new("bash").args(["-c", &script]).output().unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        assert_eq!(stdout.trim(), offered, "{typed}");
    }
}

#[test]
fn every_command_has_its_manual_page() {
    let folder = tempfile::tempdir().unwrap();
    let run = Longshore::new(folder.path(), &["man", "--directory", "share/man1"]).run();
    assert_eq!(run.exits(0).stdout, "");
    let entries = fs::read_dir(folder.path().join("share/man1")).unwrap();
    let pages: BTreeSet<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let commands = crate::documentation::commands().into_iter();
    let expected = commands.map(|name| format!("longshore-{}.1", name.replace(' ', "-")));
    let groups = ["longshore.1", "longshore-cache.1", "longshore-report.1"];
    let groups = groups.map(str::to_owned);
    assert_eq!(pages, expected.chain(groups).collect());
    let page = fs::read_to_string(folder.path().join("share/man1/longshore-apply.1")).unwrap();
    assert!(page.contains(".TH longshore-apply 1"), "{page}");
    assert!(
        page.contains("LONGSHORE\\_JOBS") || page.contains("LONGSHORE_JOBS"),
        "{page}"
    );

    fs::write(folder.path().join("file"), "").unwrap();
    let run = Longshore::new(folder.path(), &["man", "--directory", "file"]).run();
    run.exits(1).says(&["cannot write manual pages to `file`"]);
}
