//! `rowmill shards` shows the map, the rows and what was left behind, and ends it.

use crate::support::reshard::{grown, rows, sales, with_sales};
use crate::support::shards::{Shards, on_both_shards};
use crate::support::{Cluster, Finished, Invocation, TestDb, rowmill};
use rowmill::{ShardMap, ShardedEngine};

fn shards(words: &[&str], urls: &[(String, String)]) -> Finished {
    let named = urls.iter().map(|(name, url)| format!("{name}={url}"));
    let command = words.iter().fold(rowmill(["shards"]), Invocation::arg);
    named.fold(command, |command, named| command.arg("--shard").arg(named)).finish()
}

#[test]
fn the_map_shows_which_shard_has_it_and_how_many_buckets() {
    let home = Shards::sqlite(3);
    let none = shards(&["map"], home.urls());
    assert!(none.code == Some(4) && none.stdout.contains("there is no such database"), "{none}");
    home.open();
    let shown = shards(&["map"], home.urls());
    assert_eq!(shown.code, Some(0), "{shown}");
    let lines: Vec<_> = shown.stdout.lines().collect();
    assert_eq!(lines[0], "version 1: 3 shards, by hash over 4096 buckets");
    assert_eq!(
        lines[2].split_whitespace().collect::<Vec<_>>(),
        ["a", "1", "1,366", "buckets,", "33.3", "%", "agrees"]
    );
    let json = shards(&["map", "--json"], home.urls());
    assert_eq!(json.stdout.trim().parse::<ShardMap>().unwrap(), home.map());

    let mut swapped = home.urls().to_vec();
    let first = swapped[0].1.clone();
    swapped[0].1 = std::mem::replace(&mut swapped[1].1, first);
    let shown = shards(&["map"], &swapped);
    assert!(shown.code == Some(2) && shown.stdout.contains("is the shard b"), "{shown}");
}

#[test]
fn rows_are_counted_on_each_shard_with_their_skew() {
    let home = Shards::postgres(2);
    let engine = home.open();
    for (shard, rows) in engine.ids().zip([30, 10]) {
        let engine = engine.engine(shard);
        engine
            .run(&format!("create table sale as select generate_series(1, {rows}) as id"))
            .unwrap();
    }
    let shown = shards(&["rows", "sale"], home.urls());
    assert_eq!(shown.code, Some(0), "{shown}");
    assert!(shown.stdout.starts_with("sale: 40 rows, skew 50.0 %\n"), "{shown}");
    let json = shards(&["rows", "sale", "--json"], home.urls());
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json[0]["shards"], serde_json::json!({"a": 30, "b": 10}));
    assert!(!shown.stdout.contains("pw-4-the-mill"));
}

#[test]
fn what_was_prepared_is_listed_and_resolved() {
    let cluster = Cluster::start_with(&["max_prepared_transactions=5"]);
    let databases = [cluster.database("a"), cluster.database("b")];
    let urls: Vec<_> = ["a", "b"]
        .map(str::to_owned)
        .into_iter()
        .zip(databases.each_ref().map(TestDb::url))
        .collect();
    let map = ShardMap::hashed(["a", "b"]).unwrap();
    ShardedEngine::open(map, urls.iter().cloned()).unwrap();
    databases[1].sql("create table t (id int)");
    let none = shards(&["prepared"], &urls);
    assert_eq!(none.stdout, "no transaction is prepared\n", "{none}");
    databases[1].sql("begin; insert into t values (1); prepare transaction 'rowmill:night.7:b'");
    let listed = shards(&["prepared"], &urls);
    assert!(listed.stdout.contains("night.7") && listed.stdout.contains("nothing"), "{listed}");
    let ended = shards(&["resolve", "night.7"], &urls);
    assert_eq!(ended.stdout, "night.7 is rolled back: ended on b\n", "{ended}");
    assert_eq!(databases[1].count("t"), 0);
}

#[test]
fn without_shards_the_hint_says_how_they_are_named() {
    let none = rowmill(["shards", "map"]).finish();
    assert!(
        none.code == Some(2) && none.stderr.contains("give --shard NAME=URL for each"),
        "{none}"
    );
    let home = Shards::sqlite(2);
    home.open();
    let named: Vec<_> = home.urls().iter().map(|(name, url)| format!("{name}={url}")).collect();
    let shown = rowmill(["shards", "map"]).env("ROWMILL_SHARDS", named.join(" ")).finish();
    assert_eq!(shown.code, Some(0), "{shown}");
}

fn file(map: &ShardMap) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), map.to_json().unwrap()).unwrap();
    file
}

fn publish(map: &ShardMap, more: &[&str], home: &Shards) -> Finished {
    let file = file(map);
    shards(&[&["publish", file.path().to_str().unwrap()], more].concat(), home.urls())
}

#[test]
fn a_map_is_published_where_it_follows_the_stored_one_and_leaves_no_row_behind() {
    on_both_shards(2, |home| {
        // A file that is not there is no shard yet.
        (0..2).for_each(|index| home.alone(index).run("create table sale (id integer)").unwrap());
        let first = home.map();
        let stored = publish(&first, &[], home);
        assert_eq!(stored.code, Some(0), "{stored}");
        let b = first.shard_named("b").unwrap();
        let second = first.with_buckets_on([0], b).unwrap();
        let third = second.with_buckets_on([1], b).unwrap();
        let late = publish(&third, &["--rows-moved"], home);
        assert_eq!(late.code, Some(2), "{late}");
        assert!(late.stderr.contains("version 3 of the map does not follow version 1"), "{late}");
        let left = publish(&second, &[], home);
        assert_eq!(left.code, Some(2), "{left}");
        assert!(left.stderr.contains("rows would be looked for where they are not"), "{left}");

        // One shard has it already, as if who published it had died.
        let url = &home.urls()[1].1;
        let half = second.to_json().unwrap();
        let at_b = rowmill::Engine::open(url).unwrap();
        let table = if home.is_postgres() { "rowmill.shard_map" } else { "rowmill_shard_map" };
        let sql = format!("update {table} set version = 2, map = '{half}'");
        at_b.run(&sql).unwrap();
        let done = publish(&second, &["--rows-moved"], home);
        assert!(done.code == Some(0) && done.stdout.starts_with("published version 2"), "{done}");
        ShardedEngine::open(second, home.urls().iter().cloned()).unwrap();
        let back = publish(&first, &[], home);
        assert!(
            back.code == Some(2) && back.stderr.contains("does not follow version 2"),
            "{back}"
        );
    });
}

#[test]
fn a_new_shard_is_given_its_share_by_a_command_that_says_where_it_stands() {
    on_both_shards(3, |home| {
        let before = with_sales(home, 2, &sales(700));
        let none = shards(&["status"], home.urls());
        assert_eq!(none.stdout, "no buckets were moved yet\n", "{none}");
        let what = shards(&["move"], home.urls());
        assert!(what.code == Some(2) && what.stderr.contains("no move is under way"), "{what}");
        let tables = shards(&["move", "--add", "c"], home.urls());
        assert!(tables.code == Some(2) && tables.stderr.contains("no table is named"), "{tables}");

        let words = ["move", "--add", "c", "--table", "sale=customer"];
        let moved = shards(&words, home.urls());
        assert_eq!(moved.code, Some(0), "{moved}");
        assert!(moved.stdout.starts_with("move to version 2: done; "), "{moved}");
        assert!(moved.stderr.contains("catching up with changes"), "{moved}");
        assert!(!moved.stderr.contains("pw-4-the-mill"));
        let after = grown(home, &before);
        assert_eq!(rows(&after), sales(700));

        let again = shards(&words, home.urls());
        assert!(again.code == Some(0) && again.stdout.contains("version 2: done"), "{again}");
        let json = shards(&["status", "--json"], home.urls());
        let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
        assert_eq!((&json["step"], &json["version"]), (&"done".into(), &2.into()));
        assert_eq!(json["rows_copied"], json["rows_deleted"]);
        let late = shards(&["cancel"], home.urls());
        assert!(late.code == Some(2) && late.stderr.contains("no move is under way"), "{late}");
        let map = shards(&["map"], home.urls());
        assert!(map.code == Some(0) && map.stdout.starts_with("version 2: 3 shards"), "{map}");
    });
}
