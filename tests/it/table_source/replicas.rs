//! A table that is read from replicas: which of them, how fresh they are, and what dies meanwhile.

use crate::support::conflict::impatient;
use crate::support::trio::{self, Trio, one, settled, until};
use crate::support::{Home, LIMIT};
use rowmill::{
    Append, Consistency, Engine, Entity, Job, Policy, Report, Result, RoutingOptions, Table,
};
use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

const ROWS: i64 = 4_000;

/// A row, and the port of the server that showed it.
#[derive(Clone, Debug, PartialEq, Entity)]
#[entity(table = "seen")]
struct Seen {
    #[entity(key)]
    id: i64,
    v: String,
    port: i32,
}

const SQL: &str =
    "select id, md5(id::text) as v, cast(current_setting('port') as int4) as port from crm";

/// Rows of 100,000 bytes. All of them are one batch, which does not fit into what lies between a server
/// and its reader: it is still being sent while the first row is looked at.
const FAT: &str = "select id, v, cast(current_setting('port') as int4) as port from fat";
const FAT_ROWS: i64 = 600;

struct Trial<'a> {
    trio: &'a Trio,
    home: Home,
    engine: Engine,
}

impl<'a> Trial<'a> {
    fn new(trio: &'a Trio, wait: Duration) -> Self {
        trio.primary.sql(&format!(
            "drop table if exists crm; create table crm (id bigint primary key, note int);
             insert into crm select n, 0 from generate_series(1, {ROWS}) n"
        ));
        trio.catch_up();
        let routing = |options: RoutingOptions| options.token_wait(wait).policy(Policy::RoundRobin);
        let engine = trio.builder().routing(routing).build().unwrap();
        settled(&engine);
        let home = Home::postgres();
        // Nothing but rowmill itself stands against a doubled row.
        home.sql("create table seen (id bigint, v text, port int)");
        Self { trio, home, engine }
    }

    fn table(&self) -> Table<Seen> {
        Table::query(SQL).key(&["id"]).on(&self.engine)
    }

    fn fat(&self) -> Table<Seen> {
        let trio = self.trio;
        trio.primary.sql(&format!(
            "drop table if exists fat; create table fat (id bigint primary key, v text);
             alter table fat alter v set storage external;
             insert into fat select n, repeat('x', 100000) from generate_series(1, {FAT_ROWS}) n"
        ));
        trio.catch_up();
        Table::query(FAT).key(&["id"]).on(&self.engine)
    }

    fn job_of(name: &str, table: Table<Seen>, look: impl Fn(&Seen) + Send + Sync + 'static) -> Job {
        Job::named(name)
            .read(table)
            .map(move |row: Seen| -> Result<Seen> {
                look(&row);
                Ok(Seen { v: String::new(), ..row })
            })
            .write(Append::<Seen>::new())
            .batch_rows(500)
            .workers(2)
    }

    fn run(&self, job: &Job) -> Report {
        job.run(self.home.engine()).unwrap()
    }

    /// Runs `job`, and has `act` done with the server of the first row that a replica showed, while
    /// that row is on its way.
    fn run_while(&self, table: Table<Seen>, act: impl FnOnce(usize)) -> (Report, Seen) {
        let (told, asked) = mpsc::channel();
        let (done, acted) = mpsc::channel();
        let once = Mutex::new(Some((told, acted)));
        let ports = self.trio.nodes().map(|node| i32::from(node.port()));
        let job = Self::job_of("crm", table, move |row| {
            if row.port != ports[0]
                && let Some((told, acted)) = once.lock().unwrap().take()
            {
                meet(&told, row, &acted);
            }
        });
        let job = job.batch_rows(1_000).batch_bytes(1 << 30).in_flight_bytes(1 << 30);
        thread::scope(|scope| {
            let run = scope.spawn(|| self.run(&job));
            let row: Seen = asked.recv_timeout(LIMIT).expect("a row from a replica");
            act(self.server(row.port));
            done.send(()).unwrap();
            (run.join().unwrap(), row)
        })
    }

    fn server(&self, port: i32) -> usize {
        self.trio.number_of(u16::try_from(port).unwrap())
    }

    /// How many rows came from each server.
    fn from(&self) -> [u64; 3] {
        let mut counts = [0; 3];
        for row in self.home.rows("select port, count(*) from seen group by port") {
            let (port, count) = row.split_once('|').unwrap();
            counts[self.server(port.parse().unwrap())] = count.parse().unwrap();
        }
        counts
    }

    /// Rows that are there once: from 1 to the last.
    fn assert_exact(&self, last: i64) {
        let found = "select count(*), count(distinct id), min(id), max(id) from seen";
        assert_eq!(self.home.rows(found), [format!("{last}|{last}|1|{last}")]);
    }
}

impl Drop for Trial<'_> {
    fn drop(&mut self) {
        self.trio.primary.sql("drop table if exists fat");
    }
}

fn meet(told: &Sender<Seen>, row: &Seen, acted: &Receiver<()>) {
    told.send(row.clone()).unwrap();
    acted.recv_timeout(LIMIT).expect("what was to be done meanwhile");
}

#[test]
fn batches_come_from_all_replicas_and_none_from_the_primary() {
    let trio = trio::shared();
    let trial = Trial::new(&trio, LIMIT);
    let report = trial.run(&Trial::job_of("crm", trial.table(), |_| {}).batch_rows(100));
    assert!(report.batches >= 20, "{}", report.batches);
    trial.assert_exact(ROWS);
    let from = trial.from();
    assert!(from[1] > 0 && from[2] > 0, "{from:?}");
    // On a busy machine a question can be missed, and then the primary is better than nothing.
    assert!(from[0] < 1_000, "{from:?}");
}

#[test]
fn what_was_committed_before_the_run_is_read_wherever_replicas_stand() {
    let trio = trio::shared();
    let trial = Trial::new(&trio, Duration::from_millis(50));
    trio.replicas.iter().for_each(|replica| replica.sql("select pg_wal_replay_pause()"));
    trio.primary.sql(&format!("insert into crm values ({}, 0)", ROWS + 1));
    trial.run(&Trial::job_of("crm", trial.table(), |_| {}));
    trial.assert_exact(ROWS + 1);
    assert_eq!(trial.from(), [ROWS as u64 + 1, 0, 0], "no replica shows the last row");
    // One of them goes on.
    trio.replicas[0].sql("select pg_wal_replay_resume()");
    let shown = "select count(*) from crm";
    until("it has caught up", || one(&trio.replicas[0], shown) == (ROWS + 1).to_string());
    trial.home.sql("truncate seen");
    trial.engine.ask_nodes();
    trial.run(&Trial::job_of("again", trial.table(), |_| {}));
    trial.assert_exact(ROWS + 1);
    let from = trial.from();
    assert!(from[1] > 0 && from[2] == 0, "{from:?}");
    trio.replicas[1].sql("select pg_wal_replay_resume()");
}

#[test]
fn a_replica_that_is_behind_the_start_is_waited_for() {
    let trio = trio::shared();
    let trial = Trial::new(&trio, LIMIT);
    trio.replicas.iter().for_each(|replica| replica.sql("select pg_wal_replay_pause()"));
    trio.primary.sql(&format!("insert into crm values ({}, 0)", ROWS + 1));
    let begun = trial.engine.nodes()[0].pool.check_outs;
    thread::scope(|scope| {
        scope.spawn(|| trial.run(&Trial::job_of("crm", trial.table(), |_| {})));
        // The table is looked at, and then it is asked how far the primary is.
        until("a run that has begun", || trial.engine.nodes()[0].pool.check_outs >= begun + 2);
        trio.replicas.iter().for_each(|replica| replica.sql("select pg_wal_replay_resume()"));
    });
    trial.assert_exact(ROWS + 1);
    let from = trial.from();
    assert!(from[1] + from[2] > 0, "{from:?}");
}

#[test]
fn a_snapshot_is_that_of_one_replica() {
    let trio = trio::shared();
    let trial = Trial::new(&trio, LIMIT);
    let table = trial.table().consistency(Consistency::Snapshot);
    trial.run_while(table, |_| {
        trio.primary.sql("delete from crm where id > 3000; insert into crm values (9000, 0)");
        trio.catch_up();
    });
    trial.assert_exact(ROWS);
    let from = trial.from();
    assert!(from.iter().filter(|count| **count > 0).count() == 1 && from[0] == 0, "{from:?}");
}

#[test]
fn a_table_that_nobody_changes_is_read_from_replicas_though_only_the_primary_counts() {
    let trio = trio::shared();
    let trial = Trial::new(&trio, LIMIT);
    let counted =
        format!("select n_tup_ins = {ROWS} from pg_stat_all_tables where relid = 'crm'::regclass");
    until("the rows are counted", || one(&trio.primary, &counted) == "t");
    let feed = super::whole(&trial.engine, "crm").consistency(Consistency::Static);
    let job = super::copy(&trial.home, feed, "copied", rowmill::Mode::Append, &[]);
    let report = job.run(trial.home.engine()).unwrap();
    assert_eq!(report.inserted, ROWS as u64);
}

#[test]
fn a_batch_whose_replica_dies_is_read_elsewhere() {
    let trio = trio::shared();
    let trial = Trial::new(&trio, LIMIT);
    let table = trial.fat();
    let (report, row) = trial.run_while(table, |server| trio.nodes()[server].kill_all());
    trio.nodes()[trial.server(row.port)].restart();
    trial.assert_exact(FAT_ROWS);
    assert!(report.retries >= 1, "{}", report.retries);
    let again = trial.home.rows(&format!("select port from seen where id = {}", row.id));
    assert_ne!(again, [row.port.to_string()], "it was dead by then");
}

#[test]
fn a_batch_that_a_replica_cancels_for_what_it_replays_is_read_again_and_each_row_is_there_once() {
    let trio = impatient();
    let trial = Trial::new(&trio, LIMIT);
    let table = trial.fat();
    let (report, _) = trial.run_while(table, |server| {
        trio.clean_away("fat");
        // It is in the middle of the rows, and is told to end.
        trio.until_readers_are_told(server);
    });
    trial.assert_exact(FAT_ROWS);
    assert!(report.retries >= 1, "{}", report.retries);
}
