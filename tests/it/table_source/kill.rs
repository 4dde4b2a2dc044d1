//! `kill -9` at random moments of a load from a table, and the same command again until it is
//! through. `ROWMILL_FAULT_ROWS`, `ROWMILL_FAULT_KILLS` and `ROWMILL_FAULT_SEED` as in `job_kill`.

use crate::support::loading::Place;
use crate::support::trio;
use crate::support::{Cluster, Running, TestDb, rowmill, shared};
use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

/// Every row of the source, in a target that was empty.
const ALL: &str = "select id || ' ' || v from a";

/// A load of a table of a server into a table of `target`.
struct Load<'a> {
    source: TestDb<'a>,
    target: Place<'a>,
    mode: &'static str,
    consistency: &'static str,
    /// Servers beside the source, as a job file names them.
    replicas: Vec<String>,
    rows: u64,
    /// What stands in the target at the end, asked of the source.
    expected: &'static str,
}

impl<'a> Load<'a> {
    fn new(source: TestDb<'a>, target: Place<'a>, mode: &'static str, how: &'static str) -> Self {
        let rows = setting("ROWMILL_FAULT_ROWS", 60_000);
        source.sql(&format!(
            "create table a (id bigint primary key, v text, touched int not null default 0, becomes bigint not null);
             insert into a select n * 3, md5(n::text), 0, n * 3 from generate_series(1, {rows}) n"
        ));
        // Others learn of it later, and a table that is to stay as it is must not seem to change.
        source.wait_until(&format!(
            "select n_tup_ins = {rows} from pg_stat_all_tables where relid = 'a'::regclass"
        ));
        target.sql(match mode {
            // Nothing but rowmill itself stands against a doubled row.
            "append" => "create table b (id bigint, v text)",
            _ => "create table b (id bigint primary key, v text)",
        });
        Self { source, target, mode, consistency: how, replicas: Vec::new(), rows, expected: ALL }
    }

    fn start(&self, folder: &Path) -> Running {
        let path = folder.join("job.toml");
        let Self { mode, consistency, rows, replicas, .. } = self;
        let key = if *mode == "append" { "" } else { "key = [\"id\"]\n" };
        let batch_rows = (rows / 60).max(100);
        let text = format!(
            "name = \"a to b\"\n[source]\nkind = \"table\"\nurl = \"{}\"\ntable = \"a\"\n\
             replicas = {replicas:?}\nconsistency = \"{consistency}\"\n[target]\nurl = \"{}\"\ntable = \"b\"\n\
             mode = \"{mode}\"\n{key}[columns]\nid = {{ type = \"bigint\", from = \"becomes\" }}\nv = \"text\"\n\
             [limits]\nworkers = 2\nbatch_rows = {batch_rows}\n",
            self.source.url(),
            self.target.url()
        );
        std::fs::write(&path, text).unwrap();
        rowmill(["run"]).arg(&path).spawn()
    }

    /// Kills it at random progress, `kills` times; then lets it come to its end.
    fn survive(&self) {
        let folder = tempfile::tempdir().unwrap();
        let kills = setting("ROWMILL_FAULT_KILLS", 5);
        let seed = setting("ROWMILL_FAULT_SEED", RandomState::new().hash_one(0));
        let mut random = seed;
        let mut hit = 0;
        for kill in 0..kills {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            // A part of all units to each kill, and a moment within it.
            let units = (kill * 60 + (random >> 33) % 60) / kills;
            let mut probe = self.target.probe();
            let mut run = self.start(folder.path());
            if !run.wait_until(|_| probe.units_done() >= units) {
                break;
            }
            std::thread::sleep(Duration::from_micros((random >> 40) % 20_000));
            hit += u64::from(run.kill().code.is_none());
        }
        let run = self.start(folder.path()).wait();
        assert_eq!(run.code, Some(0), "seed {seed}: {run}");
        self.check(hit, seed);
    }

    fn check(&self, hit: u64, seed: u64) {
        let (mut sent, mut found) = (Vec::new(), Vec::new());
        Place::texts_of(&self.source, self.expected, |row| {
            sent.push(row.to_owned());
        });
        self.target.texts("select id || ' ' || v from b", |row| found.push(row.to_owned()));
        sent.sort();
        found.sort();
        let doubled = found.windows(2).filter(|pair| pair[0] == pair[1]).count();
        let lost = sent.iter().filter(|row| found.binary_search(row).is_err()).count();
        eprintln!(
            "FAULTS table {} {} {} rows={} kills={hit} lost={lost} doubled={doubled} seed={seed}",
            self.target.name(),
            self.mode,
            self.consistency,
            self.rows
        );
        assert_eq!((lost, doubled, found.len()), (0, 0, sent.len()), "seed {seed}");
        assert!(hit > 0, "no kill hit, seed {seed}");
    }
}

#[test]
fn a_load_from_a_table_survives_kills_while_others_write_to_it() {
    let cluster = Cluster::start();
    for mode in ["append", "upsert"] {
        let target = Place::Postgres(cluster.database("target"));
        let load = Load::new(cluster.database("source"), target, mode, "per-batch");
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            // Every row moves within its table again and again; none of them changes its key.
            scope.spawn(|| {
                let mut client = load.source.connect();
                for part in (0..97).cycle().take_while(|_| !over.load(Ordering::SeqCst)) {
                    let sql = format!("update a set touched = touched + 1 where id % 97 = {part}");
                    client.batch_execute(&sql).unwrap();
                }
            });
            let survived =
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| load.survive()));
            over.store(true, Ordering::SeqCst);
            survived.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        });
    }
}

/// Of most batches all rows keep to their range, so that they go straight into the table; others have a key
/// of another batch, so that they are staged.
///
/// batch R2
#[test]
fn an_upsert_of_which_some_batches_are_staged_survives_kills() {
    let cluster = Cluster::start();
    let target = Place::Postgres(cluster.database("target"));
    let mut load = Load::new(cluster.database("source"), target, "upsert", "per-batch");
    load.source.sql("update a set becomes = id - 30000 where id % 9000 = 6 and id > 30000");
    // Many rows are there already, every other one of them as it will be.
    load.target.sql(
        "insert into b select n * 3, case when n % 2 = 0 then md5(n::text) else 'old' end \
         from generate_series(1, 40000) n",
    );
    load.expected = "select distinct on (k) k || ' ' || v from \
        (select becomes, v, id from a union all select n * 3, \
         case when n % 2 = 0 then md5(n::text) else 'old' end, 0 from generate_series(1, 40000) n) \
        as r (k, v, place) order by k, place desc";
    load.survive();
}

#[test]
fn a_load_from_one_snapshot_survives_kills_where_nobody_writes() {
    let cluster = Cluster::start();
    for target in [Place::Postgres(cluster.database("target")), Place::sqlite()] {
        Load::new(cluster.database("source"), target, "append", "snapshot").survive();
    }
}

#[test]
fn a_load_from_replicas_survives_kills_while_others_write_to_it() {
    let trio = trio::shared();
    for (target, how) in
        [(Place::Postgres(shared().database("target")), "per-batch"), (Place::sqlite(), "static")]
    {
        let mut load = Load::new(trio.primary.database("source"), target, "append", how);
        trio.catch_up();
        let name = load.source.name().to_owned();
        load.replicas = trio.replicas.iter().map(|replica| replica.url_of(&name)).collect();
        load.survive();
    }
}
