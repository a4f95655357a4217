//! Dependencies point one way: the program, the roles, the ports, and at the bottom schemas and the core.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

/// What each crate of ours may depend on, of ours.
const ALLOWED: [(&str, &[&str]); 10] = [
    ("andon-domain", &[]),
    ("andon-schemas", &["andon-domain"]),
    ("andon-log", &["andon-domain", "andon-schemas"]),
    ("andon-store", &["andon-domain", "andon-schemas"]),
    ("andon-processor", &["andon-domain", "andon-schemas", "andon-log", "andon-store"]),
    ("andon-mailer", &["andon-domain", "andon-schemas", "andon-log", "andon-store"]),
    ("andon-query-api", &["andon-domain", "andon-schemas", "andon-log", "andon-store"]),
    (
        "andon",
        &[
            "andon-domain",
            "andon-schemas",
            "andon-log",
            "andon-store",
            "andon-processor",
            "andon-mailer",
            "andon-query-api",
        ],
    ),
    ("andon-loadtest", &["andon-domain", "andon-schemas", "andon-log", "andon-store", "andon-processor"]),
    ("xtask", &[]),
];

/// The core needs no more than these from elsewhere.
const OF_THE_CORE: [&str; 5] = ["foldhash", "hashbrown", "thiserror", "unicode-normalization", "uuid"];

fn normal_dependencies() -> BTreeMap<String, Vec<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs this test");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    let packages = metadata["packages"].as_array().expect("a list of packages");
    packages
        .iter()
        .map(|package| {
            let dependencies = package["dependencies"].as_array().expect("a list of dependencies");
            let names = dependencies
                .iter()
                .filter(|dependency| dependency["kind"].is_null())
                .map(|dependency| dependency["name"].as_str().expect("a name").to_owned())
                .collect();
            (package["name"].as_str().expect("a name").to_owned(), names)
        })
        .collect()
}

#[test]
fn crates_depend_only_on_what_lies_below_them() {
    let found = normal_dependencies();
    let known: Vec<&str> = ALLOWED.iter().map(|(name, _)| *name).collect();
    assert_eq!(found.keys().map(String::as_str).collect::<Vec<_>>().len(), known.len(), "{:?}", found.keys());
    for (name, allowed) in ALLOWED {
        for dependency in found[name].iter().filter(|dependency| known.contains(&dependency.as_str())) {
            assert!(allowed.contains(&dependency.as_str()), "`{name}` must not depend on `{dependency}`");
        }
    }
}

#[test]
fn the_core_depends_on_small_pure_crates_alone() {
    for dependency in &normal_dependencies()["andon-domain"] {
        assert!(OF_THE_CORE.contains(&dependency.as_str()), "the core must not depend on `{dependency}`");
    }
}

#[test]
fn adapters_are_named_in_the_program_alone() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace");
    for role in ["processor", "mailer", "query-api"] {
        let mut folders = vec![root.join(role).join("src")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).expect("a folder of sources") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let text = std::fs::read_to_string(&path).expect("a source");
                let code = text.split("#[cfg(test)]").next().unwrap_or_default();
                for adapter in ["::sqlite", "::kafka", "::scylla"] {
                    assert!(!code.contains(adapter), "{} names the adapter `{adapter}`", path.display());
                }
            }
        }
    }
}
