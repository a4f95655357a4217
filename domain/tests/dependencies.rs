//! The core stays small and pure: this reads what cargo says it depends on.

use std::collections::BTreeSet;
use std::process::Command;

/// Everything the core may build on, and all that these bring along.
const ALLOWED: &[&str] = &[
    // Hashing without randomness, and a table that finds indices by it.
    "foldhash",
    "hashbrown",
    // Error texts; it and its like run at compile time.
    "thiserror",
    "thiserror-impl",
    "proc-macro2",
    "quote",
    "syn",
    "unicode-ident",
    // Line ids are in NFC.
    "unicode-normalization",
    "tinyvec",
    "tinyvec_macros",
    // Derived ids. `getrandom` and its like come along because the workspace turns random ids on for the edges;
    // `clippy.toml` forbids the core to make any.
    "uuid",
    "sha1_smol",
    "getrandom",
    "cfg-if",
    "libc",
];

#[test]
fn the_core_depends_on_small_pure_crates_alone() {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--package", env!("CARGO_PKG_NAME"), "--edges", "normal", "--prefix", "none"])
        .args(["--format", "{p}", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs this very test");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).expect("crate names are UTF-8");
    let found: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(found.contains("uuid"), "the tree was read: {tree}");
    let allowed: BTreeSet<&str> = ALLOWED.iter().copied().chain([env!("CARGO_PKG_NAME")]).collect();
    let strangers: Vec<_> = found.difference(&allowed).collect();
    assert!(strangers.is_empty(), "the core must not depend on {strangers:?}");
}
