//! Files with mistakes: every one is told, in one go, before the network is touched.

use std::fs;
use std::path::Path;

use crate::harness::Longshore;

#[test]
fn mistakes_exit_2() {
    let broken = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/config/broken");
    let mut files: Vec<_> = fs::read_dir(&broken)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| {
            Path::new(name)
                .extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .collect();
    files.sort();
    assert!(files.len() >= 12, "{files:?}");
    for name in files {
        // Neither AWS nor Docker is there: nothing may ask for them.
        let run = Longshore::new(&broken, &["apply", "--file", &name])
            .run()
            .exits(2);
        assert_eq!(run.stdout, "", "{name}");
        insta::assert_snapshot!(name.trim_end_matches(".yaml"), run.stderr);
    }
}
