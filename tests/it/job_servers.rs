//! Jobs against every server at hand, of whatever version.
//!
//! `ROWMILL_PG_BINS` names the folders of their programs; without it there is one server, the one of
//! all other tests. `ROWMILL_PG_BIN` puts all other tests before another one.

use crate::support::loading::{Input, JobText, Place};
use crate::support::server::bin_folders;
use crate::support::trial::{Random, seed};
use crate::support::{Cluster, TestDb};

const MODES: [&str; 5] = ["append", "insert-ignore", "upsert", "mirror", "replace"];

/// A load into `database` that is killed once on its way.
fn loads(database: TestDb<'_>, text: &mut JobText, input: &Input, spared: u64, told: &str) {
    let place = Place::Postgres(database);
    "workers = 2\n".clone_into(&mut text.limits);
    place.create_lineitem(text.keyed);
    let job = text.write(input, &place);
    let mut run = job.start();
    let mut probe = place.probe();
    if run.wait_until(|_| probe.units_done() > spared) {
        run.kill();
    }
    let run = job.start().wait();
    assert_eq!(run.code, Some(0), "{told}: {run}");
    input.assert_exact(&place, told);
}

/// batch 3.10.12: whatever the version of the server, in every mode, from a file with bad rows and from a table.
#[test]
fn every_server_at_hand_takes_a_job_in_every_mode() {
    let seed = seed();
    let mut random = Random(seed);
    let input = Input::lineitem(4_000, 197, true);
    let good = Input::lineitem(4_000, usize::MAX, true);
    for folder in bin_folders() {
        let cluster = Cluster::of_server(&folder);
        let version: String = cluster
            .connect("postgres")
            .query_one("select current_setting('server_version')", &[])
            .unwrap()
            .get(0);
        let source = cluster.database("source");
        good.copy_to(&source);
        for mode in MODES {
            let told = format!("PostgreSQL {version}, {mode}, seed {seed}");
            let mut text = JobText::of_mode(mode, 250);
            let spared = random.below(12);
            loads(cluster.database("file"), &mut text, &input, spared, &told);
            text.source_url = Some(source.url());
            loads(cluster.database("table"), &mut text, &good, spared, &format!("{told}, a table"));
        }
        eprintln!("SERVER PostgreSQL {version}: {} modes, seed={seed}", MODES.len());
    }
}
