//! Real data that is too large for the repository: three nights of OurAirports (public domain).

use std::io::Write;
use std::path::PathBuf;

/// The folder with one folder per night (`2026-08-20` ...), each with `runways.csv` and others.
/// It is `ROWMILL_TEST_DATA`, or lies beside the repository.
///
/// `None`, with a line that says so, where there is none; on a build machine (`CI` is set) that is
/// a failure.
pub fn nights() -> Option<PathBuf> {
    let folder = match std::env::var_os("ROWMILL_TEST_DATA") {
        Some(named) => PathBuf::from(named),
        None => PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/ourairports")),
    };
    if folder.join("2026-08-20/runways.csv").is_file() {
        return Some(folder);
    }
    let missing = format!("no OurAirports data in {}: set ROWMILL_TEST_DATA", folder.display());
    assert!(std::env::var_os("CI").is_none(), "{missing}");
    // Past the capture of the test runner, which would swallow the line of a test that passes.
    let _ = writeln!(std::io::stderr(), "LEFT OUT: {missing}");
    None
}
