//! The rivals of `benches/peers` have exact versions in the manifest, in place of a lock file: what
//! was measured can be built again, and no lock file names the registry of whoever measured.

use std::fs;
use std::path::{Path, PathBuf};

fn peers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers")
}

/// The dependencies of a manifest: their names, and what stands behind them.
fn dependencies(manifest: &str) -> Vec<(&str, &str)> {
    let (_, section) = manifest.split_once("\n[dependencies]\n").expect("dependencies");
    let lines = section.lines().take_while(|line| !line.starts_with('['));
    let lines = lines.filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    lines.map(|line| line.split_once(" = ").expect("a name and a version")).collect()
}

fn is_exact(wanted: &str) -> bool {
    let exact = |text: &str| text.starts_with("\"=");
    let version = wanted.split_once("version = ").map(|(_, version)| version);
    exact(wanted) || version.is_some_and(exact)
}

#[test]
fn every_rival_has_an_exact_version() {
    let manifest = fs::read_to_string(peers().join("Cargo.toml")).unwrap();
    let dependencies = dependencies(&manifest);
    assert!(dependencies.len() > 15, "few dependencies: {dependencies:?}");
    let loose: Vec<_> = dependencies
        .into_iter()
        .filter(|(name, wanted)| !is_exact(wanted) && *name != "rowmill")
        .collect();
    assert!(loose.is_empty(), "pin these with `=`: {loose:?}");
}

#[test]
fn every_rival_in_python_has_an_exact_version() {
    let requirements = fs::read_to_string(peers().join("python/requirements.txt")).unwrap();
    let wanted: Vec<_> = requirements.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(wanted.len() > 5, "few requirements: {wanted:?}");
    let loose: Vec<_> = wanted.into_iter().filter(|line| !line.contains("==")).collect();
    assert!(loose.is_empty(), "pin these with `==`: {loose:?}");
}

#[test]
fn a_version_is_exact_only_with_its_sign() {
    assert!(is_exact("\"=1.2.3\"") && is_exact("{ version = \"=1.2.3\", optional = true }"));
    assert!(!is_exact("\"1.2.3\"") && !is_exact("{ version = \"1\", features = [\"x\"] }"));
}
