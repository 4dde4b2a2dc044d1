//! `[target] shards`: a job file whose rows go to several databases.

use crate::support::shards::{Shards, on_both_shards};
use crate::support::{Cluster, Finished, TestDb, rowmill};
use rowmill::{Cell, ShardMap};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// A job file over these shards, written as the list has them, and its input.
fn job(folder: &Path, shards: &[String], rows: u64, more: &str) -> PathBuf {
    let mut text = "id,owner,size\n".to_owned();
    for id in 0..rows {
        // Every hundredth has no owner, and another one no size that is one.
        let owner = if id % 100 == 7 { String::new() } else { (id / 3).to_string() };
        let size = if id % 100 == 9 { "x" } else { "1" };
        writeln!(text, "{id},{owner},{size}").unwrap();
    }
    let input = folder.join("items.csv");
    std::fs::write(&input, text).unwrap();
    let list: Vec<_> = shards.iter().map(|shard| format!("{shard:?}")).collect();
    let path = folder.join("job.toml");
    let job = format!(
        "name = \"items\"\n[source]\nkind = \"csv\"\npath = \"{}\"\n[target]\nshards = [{}]\n\
         shard_key = \"owner\"\ntable = \"item\"\ncreate = true\nmode = \"upsert\"\nkey = [\"id\"]\n\
         [columns]\nid = \"bigint\"\nowner = \"integer\"\nsize = \"integer\"\n\
         [limits]\nbatch_rows = 100\n{more}\n",
        input.display(),
        list.join(", ")
    );
    std::fs::write(&path, job).unwrap();
    path
}

fn named(databases: &Shards) -> Vec<String> {
    databases.urls().iter().map(|(name, url)| format!("{name}={url}")).collect()
}

fn urls(databases: &Shards) -> Vec<String> {
    databases.urls().iter().map(|(_, url)| url.clone()).collect()
}

fn ids(databases: &Shards, shard: usize) -> Vec<i64> {
    let mut ids = Vec::new();
    let read = databases.alone(shard).query("SELECT id FROM item ORDER BY id", &[], |row| {
        ids.push(i64::unpack(row.cell(0)?)?);
        Ok(())
    });
    read.unwrap();
    ids
}

/// The good rows of the input that belong to a shard.
fn own(map: &ShardMap, shard: usize, rows: i64) -> Vec<i64> {
    let is_own = |id: &i64| {
        id % 100 != 7 && id % 100 != 9 && map.shard_of((id / 3) as i32).unwrap().index() == shard
    };
    (0..rows).filter(is_own).collect()
}

fn ends(run: &Finished, code: i32) {
    assert_eq!(run.code, Some(code), "{run}");
}

#[test]
fn a_job_file_spreads_its_rows_and_every_command_says_what_is_where() {
    on_both_shards(3, |databases| {
        let folder = tempfile::tempdir().unwrap();
        let path = job(folder.path(), &named(databases), 1_000, "");
        let check = rowmill(["check"]).arg(&path).finish();
        ends(&check, 0);
        assert!(check.stdout.contains("shards   by owner, map of version 1: 3 shards"), "{check}");
        assert!(check.stdout.contains("shard    b: table    item will be created"), "{check}");

        let report = folder.path().join("report.json");
        let run = rowmill(["run"]).arg(&path).arg("--report").arg(&report).finish();
        ends(&run, 0);
        for shard in ["a", "b", "c"] {
            let line = format!("  shard {shard}: 10 of 10 batches committed, ");
            assert!(run.stderr.contains(&line), "{run}");
        }
        let map = databases.map();
        for shard in 0..3 {
            assert_eq!(ids(databases, shard), own(&map, shard, 1_000));
        }
        let report: serde_json::Value =
            serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
        assert_eq!((&report["read"], &report["rejected"]), (&1_000.into(), &20.into()));
        let sum = |key: &str| -> u64 {
            report["shards"].as_array().unwrap().iter().map(|s| s[key].as_u64().unwrap()).sum()
        };
        assert_eq!((sum("read"), sum("rejected"), sum("inserted")), (1_000, 20, 980));

        let status = rowmill(["status"]).arg(&path).finish();
        ends(&status, 0);
        for shard in ["a", "b", "c"] {
            let line = format!("shard {shard}: items -> item: complete since ");
            assert!(status.stdout.contains(&line), "{status}");
        }
        let rejects = rowmill(["rejects", "list"]).arg(&path).finish();
        ends(&rejects, 0);
        let without_owner = "shard a: items line 9: precheck: ";
        assert!(rejects.stdout.contains(without_owner), "{rejects}");
        let all: usize = ["a", "b", "c"]
            .iter()
            .map(|shard| rejects.stdout.matches(&format!("shard {shard}: items line ")).count())
            .sum();
        assert_eq!(all, 20, "{rejects}");
        let json = rowmill(["rejects", "list", "--json"]).arg(&path).finish();
        assert_eq!(json.stdout.lines().count(), 3, "{json}");
        let to = folder.path().join("rejects.csv");
        let export = rowmill(["rejects", "export"]).arg(&path).arg("--to").arg(&to).finish();
        ends(&export, 0);
        assert_eq!(std::fs::read_to_string(&to).unwrap().lines().count(), 21);
        let replay = rowmill(["rejects", "replay"]).arg(&path).finish();
        ends(&replay, 0);
        assert!(replay.stdout.contains("shard a: "), "{replay}");
        assert!(replay.stdout.contains(" 0 resolved, "), "{replay}");

        // Each database says which shard it is: names can be left out, and the order is no matter.
        let mut bare = urls(databases);
        bare.reverse();
        let again = rowmill(["run"]).arg(job(folder.path(), &bare, 1_000, "")).finish();
        ends(&again, 0);
        assert!(again.stderr.contains("already complete"), "{again}");
        assert!(rowmill(["check"]).arg(&path).finish().stdout.contains("item is there and fits"));
    });
}

#[test]
fn what_is_wrong_with_shards_is_one_line_of_the_job_file() {
    let folder = tempfile::tempdir().unwrap();
    let shard = |name: &str| format!("{name}=sqlite:{}.db", folder.path().join(name).display());
    let good =
        std::fs::read_to_string(job(folder.path(), &[shard("a"), shard("b")], 5, "")).unwrap();
    for (from, to, expected) in [
        (
            "table = \"item\"",
            "url = \"sqlite:x.db\"\ntable = \"item\"",
            "url: cannot stand beside shards",
        ),
        ("mode = \"upsert\"", "mode = \"mirror\"", "\"mirror\" is not for shards"),
        ("shard_key = \"owner\"", "shard_key = \"onwer\"", "did you mean \"owner\"?"),
        ("create = true", "create = false", "no map of shards is stored"),
        ("items.csv", "none.csv", "none.csv"),
        ("a=sqlite", "b=sqlite", "two shards have the name b"),
        (
            "shard_key = \"owner\"",
            "shard_key = \"size\"\nreplicas = []",
            "replicas: cannot stand beside",
        ),
    ] {
        let text = good.replace(from, to);
        assert_ne!(text, good, "{from}");
        let path = folder.path().join("bad.toml");
        std::fs::write(&path, text).unwrap();
        let run = rowmill(["run"]).arg(&path).finish();
        ends(&run, 2);
        assert!(run.stderr.contains(expected), "{to}: {run}");
        assert_eq!(run.stderr.lines().count(), 1, "{run}");
    }
    let path = folder.path().join("job.toml");
    let target = rowmill(["run", "--target", "sqlite:x.db"]).arg(&path).finish();
    ends(&target, 2);
    assert!(target.stderr.contains("--target names one database"), "{target}");
    assert!(!folder.path().join("a.db").exists(), "a refused job left a database behind");
}

#[test]
fn a_shard_that_is_down_is_told_by_its_name_and_the_same_command_completes_it() {
    let clusters: [Cluster; 3] = std::array::from_fn(|_| Cluster::start());
    let databases: Vec<_> = clusters.iter().map(|cluster| cluster.database("shard")).collect();
    let folder = tempfile::tempdir().unwrap();
    let list: Vec<_> =
        "abc".chars().zip(&databases).map(|(n, db)| format!("{n}={}", db.url())).collect();
    // The map is stored by a job of its own.
    ends(&rowmill(["run"]).arg(job(folder.path(), &list, 0, "")).finish(), 0);
    let path = job(folder.path(), &list, 500, "");
    let text = std::fs::read_to_string(&path).unwrap().replace("\"items\"", "\"more\"");
    std::fs::write(&path, text).unwrap();
    clusters[1].stop_immediate();
    let run = rowmill(["run"]).arg(&path).finish();
    ends(&run, 4);
    assert!(run.stderr.contains("the shard b is not complete: "), "{run}");
    assert!(run.stderr.contains("  shard a: 5 of 5 batches committed, "), "{run}");
    assert!(
        run.stderr.contains("  shard b: nobody knows how many of 5 batches are committed"),
        "{run}"
    );
    let status = rowmill(["status"]).arg(&path).finish();
    ends(&status, 4);
    assert!(status.stdout.contains("shard c: more -> item: complete since"), "{status}");
    clusters[1].restart();
    let run = rowmill(["run"]).arg(&path).finish();
    ends(&run, 0);
    let map = ShardMap::hashed(["a", "b", "c"]).unwrap();
    for (shard, database) in databases.iter().enumerate() {
        assert_eq!(kept(database), own(&map, shard, 500), "{shard}");
    }
}

fn kept(database: &TestDb<'_>) -> Vec<i64> {
    let rows = database.rows("select i.id::text from item i order by i.id");
    rows.into_iter().map(|row| row[0].as_ref().unwrap().parse().unwrap()).collect()
}

/// F43
#[test]
fn kills_of_the_command_leave_every_row_on_its_shard_once_and_nothing_done_twice() {
    let databases = Shards::postgres(3);
    let folder = tempfile::tempdir().unwrap();
    // The ledgers are there before the first kill, so that they can be looked at.
    ends(&rowmill(["run"]).arg(job(folder.path(), &named(&databases), 0, "")).finish(), 0);
    let rows = 12_000;
    let path = job(folder.path(), &named(&databases), rows, "max_rejects = 1000");
    let text = std::fs::read_to_string(&path).unwrap().replace("\"items\"", "\"big\"");
    std::fs::write(&path, text).unwrap();
    let of_big = "from rowmill.batch b join rowmill.job j on j.id = b.job_id where j.name = 'big' \
        and b.phase = 0 and b.done";
    let done = |shard: usize| {
        databases.databases()[shard]
            .rows(&format!("select b.number::text, b.run_id::text {of_big} order by b.number"))
    };
    let (mut before, mut kills) = (vec![Vec::new(); 3], 0);
    for least in [2, 20, 45, 80, 100] {
        let mut running = rowmill(["run"]).arg(&path).spawn();
        let count = format!("select count(*)::text {of_big}");
        let reached = running.wait_until(|_| {
            databases.databases()[kills % 3].watch(&count).parse::<usize>().unwrap() >= least
        });
        running.kill();
        kills += usize::from(reached);
        for (shard, before) in before.iter_mut().enumerate() {
            let now = done(shard);
            let kept = before.iter().all(|batch| now.contains(batch));
            assert!(kept, "a batch of shard {shard} was done again");
            *before = now;
        }
    }
    let run = rowmill(["run"]).arg(&path).finish();
    ends(&run, 0);
    assert!(kills > 0, "no kill hit the load");
    let map = databases.map();
    for (shard, before) in before.iter().enumerate() {
        assert!(before.iter().all(|batch| done(shard).contains(batch)));
        assert_eq!(ids(&databases, shard), own(&map, shard, rows as i64), "{shard}");
    }
    let rejects = "select count(*)::text from rowmill.reject";
    let all: u64 =
        databases.databases().iter().map(|db| db.value(rejects).parse::<u64>().unwrap()).sum();
    assert_eq!(all, rows / 50);
}
