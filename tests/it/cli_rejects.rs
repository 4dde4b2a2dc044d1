//! `rowmill rejects`: filters, files, and a replay that is killed.

use crate::support::{Home, on_both, rowmill};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

/// A job file that loads `data-${part}.csv` into `t`.
fn job_file(home: &Home, mode: &str, limits: &str) -> PathBuf {
    let text = format!(
        "name = \"stock\"\n[params]\npart = \"1\"\n[source]\nkind = \"csv\"\n\
         path = \"{}/data-${{part}}.csv\"\n[target]\nurl = \"{}\"\ntable = \"t\"\n\
         mode = \"{mode}\"\nkey = [\"id\"]\n[limits]\nmax_rejects = 100000\n{limits}\n\
         [columns]\nid = \"bigint\"\nn = \"integer\"\nnote = \"text\"\n",
        home.folder().display(),
        home.url()
    );
    home.file("job.toml", text)
}

const CSV: &str = "\u{feff}id,note,n\r\n1,a,1\r\n2,\"b\nb\",x\r\n3,=1+1,0\r\n4,d,y\r\n";
const TABLE: &str =
    "create table t (id bigint, n integer constraint positive check (n > 0), note text)";

fn said(home: &Home, words: &[&str]) -> String {
    let run = rowmill(words.iter().copied()).cwd(home.folder()).finish();
    assert_eq!(run.code, Some(0), "{run}");
    run.stdout
}

fn loaded(home: &Home) {
    home.sql(TABLE);
    job_file(home, "append", "");
    home.file("data-1.csv", CSV);
    said(home, &["run", "job.toml", "--quiet"]);
}

#[test]
fn the_list_is_narrowed_by_what_a_reject_is() {
    on_both(|home| {
        loaded(home);
        let count = |words: &[&str]| {
            let words = [&["rejects", "list", "job.toml"], words].concat();
            let said = said(home, &words);
            said.lines().filter(|line| line.starts_with("stock ")).count()
        };
        assert_eq!(count(&[]), 3);
        for (words, lines) in [
            (&["--stage", "store"][..], 1),
            (&["--stage", "convert"], 2),
            (&["--column", "n"], 2),
            (&["--sqlstate", "23514"], 1),
            (&["--sqlstate", "22"], 2),
            (&["--class", "22"], 2),
            (&["--class", "23514"], 1),
            (&["--class", "store"], 1),
            (&["--class", "parse"], 0),
            (&["--constraint", "positive"], 1),
            (&["--constraint", "negative"], 0),
            (&["--since", "1h"], 3),
            (&["--groups"], 0),
            (&["--batch", "0"], 3),
            (&["--batch", "1"], 0),
            (&["--run", "1"], 3),
            (&["--run", "2"], 0),
            (&["--limit", "2"], 2),
            (&["--stage", "convert", "--limit", "1"], 1),
        ] {
            assert_eq!(count(words), lines, "{words:?}");
        }
    });
}

/// batch 3.3.1
#[test]
fn counts_of_what_rejects_have_in_common_come_first() {
    on_both(|home| {
        home.sql(TABLE);
        job_file(home, "append", "");
        home.file("data-1.csv", "id,note,n\n1,a,x\n2,b,y\n3,c,1\n4,d,0\n5,e,z\n");
        said(home, &["run", "job.toml", "--quiet"]);
        let list = said(home, &["rejects", "list", "job.toml"]);
        let lines: Vec<_> = list.lines().collect();
        assert_eq!(lines[0], "4 rejects:");
        assert_eq!(lines[1], "        3  stock: convert: not an integer (22P02) [column n]");
        assert!(lines[2].starts_with("        1  stock: store: "), "{list}");
        assert!(lines[2].ends_with("(23514) [constraint positive]"), "{list}");
        assert_eq!((lines[3], lines.len()), ("", 8));
        let groups = said(home, &["rejects", "list", "job.toml", "--groups"]);
        assert_eq!(groups.lines().collect::<Vec<_>>(), lines[..3]);
        let json = said(home, &["rejects", "list", "job.toml", "--json", "--limit", "1"]);
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["count"], 4);
        assert_eq!(json["groups"][0]["count"], 3);
        assert_eq!(json["groups"][0]["params"]["part"], "1");
        assert_eq!(json["groups"][1]["constraint"], "positive");
        assert_eq!(json["rejects"].as_array().unwrap().len(), 1);
        assert_eq!(json["rejects"][0]["raw"], "1,a,x");
        let json = said(home, &["rejects", "list", "job.toml", "--json", "--groups", "--run", "2"]);
        assert_eq!(json, "{\"count\":0,\"groups\":[]}\n");
        // What cannot be meant is a mistake of the command line.
        for words in [["--class", "unique"], ["--since", "yesterday"], ["--stage", "load"]] {
            let words = [&["rejects", "list", "job.toml"], &words[..]].concat();
            let run = rowmill(words.iter().copied()).cwd(home.folder()).finish();
            assert_eq!(run.code, Some(2), "{run}");
        }
    });
}

#[test]
fn a_kind_whose_rejects_say_different_things_is_told_by_one_of_them() {
    let home = Home::sqlite();
    home.sql(TABLE);
    let path = job_file(&home, "append", "");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("mode =", "duplicates = \"reject\"\nmode =")).unwrap();
    home.file("data-1.csv", "id,note,n\n1,a,1\n2,b,2\n1,c,3\n2,d,4\n");
    said(&home, &["run", "job.toml", "--quiet"]);
    let groups = said(&home, &["rejects", "list", "job.toml", "--groups"]);
    let told = "        2  stock: duplicate: such as: row 1 of the input has the same key and came";
    assert!(groups.lines().nth(1).unwrap().starts_with(told), "{groups}");
    let json = said(&home, &["rejects", "list", "job.toml", "--json", "--groups"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["groups"][0]["one_message"], false);
}

#[test]
fn a_ledger_without_rejects_is_an_answer_in_json_too() {
    let home = Home::sqlite();
    home.sql(TABLE);
    job_file(&home, "append", "");
    let empty = "{\"count\":0,\"groups\":[],\"rejects\":[]}\n";
    assert_eq!(said(&home, &["rejects", "list", "job.toml", "--json"]), empty);
    home.file("data-1.csv", "id,note,n\n1,a,1\n");
    said(&home, &["run", "job.toml", "--quiet"]);
    assert_eq!(said(&home, &["rejects", "list", "job.toml", "--json"]), empty);
}

#[test]
fn only_rejects_that_are_not_older_are_listed() {
    on_both(|home| {
        loaded(home);
        home.sql(home.pick(
            "update rowmill_reject set rejected_at = datetime('now', '-2 hours') where input_row = 2",
            "update rowmill.reject set rejected_at = now() - interval '2 hours' where input_row = 2",
        ));
        for (age, count) in [("1h", 2), ("3h", 3)] {
            let words = ["rejects", "list", "job.toml", "--json", "--groups", "--since", age];
            let json: serde_json::Value = serde_json::from_str(&said(home, &words)).unwrap();
            assert_eq!(json["count"], count, "{age}");
        }
    });
}

#[test]
fn raw_records_are_a_file_that_the_same_job_loads() {
    on_both(|home| {
        loaded(home);
        said(home, &["rejects", "export", "job.toml", "--to", "data-2.csv"]);
        let exported = std::fs::read_to_string(home.folder().join("data-2.csv")).unwrap();
        assert_eq!(exported, "\u{feff}id,note,n\r\n2,\"b\nb\",x\r\n3,=1+1,0\r\n4,d,y\r\n");
        let reasons = std::fs::read_to_string(home.folder().join("data-2.csv.reasons")).unwrap();
        let reasons: Vec<_> = reasons.lines().collect();
        assert_eq!(reasons.len(), 3);
        assert!(reasons[0].starts_with("record 1 from line 3: convert: "), "{reasons:?}");
        assert!(reasons[1].contains("(23514) [constraint positive]"), "{reasons:?}");
        // Mended, it goes the way of all files.
        home.file("data-2.csv", exported.replace(",x", ",2").replace(",0", ",3"));
        said(home, &["run", "job.toml", "-p", "part=2", "--quiet"]);
        assert_eq!(home.rows("select id, n from t order by id"), ["1|1", "2|2", "3|3"]);
    });
}

#[test]
fn reasons_are_exported_as_csv_and_as_json() {
    let home = Home::sqlite();
    loaded(&home);
    let url = home.url().to_owned();
    let export = |to: &str, words: &[&str]| {
        let all = [&["rejects", "export", "stock", "--target", &url, "--to", to], words].concat();
        said(&home, &all);
        std::fs::read_to_string(home.folder().join(to)).unwrap()
    };
    let plain = export("plain.csv", &["--format", "csv"]);
    assert!(plain.starts_with("job,params,run,batch,row,"), "{plain}");
    assert!(plain.contains(",\"2,\"\"b\nb\"\",x\"\n"), "{plain}");
    let json = export("all.ndjson", &["--format", "ndjson", "--stage", "store"]);
    let line: serde_json::Value = serde_json::from_str(json.trim_end()).unwrap();
    assert_eq!((&line["row"], &line["sqlstate"]), (&3.into(), &"23514".into()));
    assert_eq!((&line["raw"], &line["params"]["part"]), (&"3,=1+1,0".into(), &"1".into()));
    assert_eq!((&line["row_key"]["t.id"], &line["target"]), (&"3".into(), &"t".into()));
    assert_eq!(line["version"], env!("CARGO_PKG_VERSION"));
    let time = line["rejected_at"].as_str().unwrap();
    assert!(time.starts_with("20") && time.ends_with('Z'), "{time}");
    assert!(line["resolved_at"].is_null() && line["caused_by"].is_null());
}

/// The largest resident size of an export of `count` rejects, in bytes, and how many lines it wrote.
fn export_peak(home: &Home, count: u64, format: &str) -> (u64, usize) {
    let (table, series, raw) = if home.is_postgres() {
        (
            "rowmill.reject",
            "generate_series(1, {}) as g (i)",
            "convert_to(repeat('r', 300), 'UTF8')",
        )
    } else {
        let series = "(with recursive c (i) as (select 1 union all select i + 1 from c \
            where i < {}) select i from c) as g";
        ("rowmill_reject", series, "cast(printf('%.300c', 'r') as blob)")
    };
    home.sql(&format!("delete from {table}"));
    home.sql(&format!(
        "insert into {table} (job_id, batch, position, run_id, input_row, stage, sqlstate, message, \
         raw) select 1, 0, i, 1, i, 'store', '23514', 'some check', {raw} from {}",
        series.replace("{}", &count.to_string())
    ));
    let to = format!("{format}-{count}");
    let mut run = rowmill(["rejects", "export", "job.toml", "--format", format, "--to", &to])
        .cwd(home.folder())
        .spawn();
    let mut peak = 0;
    run.watch(|run| {
        let status = std::fs::read_to_string(format!("/proc/{}/status", run.pid()));
        let line = status.unwrap_or_default();
        let line = line.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        peak = kibibytes.map_or(peak, |kibibytes| kibibytes << 10);
    });
    let run = run.wait();
    assert_eq!(run.code, Some(0), "{run}");
    let written = std::fs::read_to_string(home.folder().join(to)).unwrap();
    (peak, written.lines().count())
}

#[test]
fn ten_times_the_rejects_are_exported_in_the_same_memory() {
    let large = std::env::var("ROWMILL_FAULT_REJECTS").map_or(100_000, |n| n.parse().unwrap());
    on_both(|home| {
        loaded(home);
        for format in ["csv", "ndjson"] {
            let (small, _) = export_peak(home, large / 10, format);
            let (peak, lines) = export_peak(home, large, format);
            eprintln!("EXPORT {format} {large}: {} KiB, a tenth: {} KiB", peak >> 10, small >> 10);
            assert_eq!(lines as u64, large + u64::from(format == "csv"));
            // All of them are 30 MB; a busy machine may look last long before the end of a short run.
            assert!(peak < small + (15 << 20), "{format}: {small}, then {peak}");
        }
    });
}

#[test]
fn nothing_is_overwritten_or_followed_and_only_the_owner_reads() {
    let home = Home::sqlite();
    loaded(&home);
    let path = |name: &str| home.folder().join(name);
    said(&home, &["rejects", "export", "job.toml", "--to", "new.csv"]);
    for name in ["new.csv", "new.csv.reasons"] {
        let mode = std::fs::metadata(path(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    home.file("there.csv", "mine");
    symlink(path("elsewhere.csv"), path("link.csv")).unwrap();
    home.file("half.csv.reasons", "mine");
    for name in ["there.csv", "link.csv", "half.csv", "none/x.csv"] {
        let run = rowmill(["rejects", "export", "job.toml", "--to", name]);
        let run = run.cwd(home.folder()).finish();
        assert_eq!(run.code, Some(2), "{name}: {run}");
        assert_eq!(run.stderr.lines().count(), 1, "{name}: {run}");
    }
    assert_eq!(std::fs::read_to_string(path("there.csv")).unwrap(), "mine");
    assert!(!path("elsewhere.csv").exists() && !path("half.csv").exists());
}

/// batch 3.3.1
#[test]
fn a_replay_that_is_killed_again_and_again_brings_each_row_in_once() {
    let home = Home::postgres();
    home.sql(TABLE);
    job_file(&home, "append", "batch_rows = 10");
    let rows: Vec<_> = (1..=600).map(|id| format!("{id},n{id},-{id}\n")).collect();
    let rows = rows.concat();
    home.file("data-1.csv", format!("id,note,n\n{rows}"));
    said(&home, &["run", "job.toml", "--quiet"]);
    // Two in three pass now.
    home.sql("alter table t drop constraint positive");
    home.sql("alter table t add constraint thirds check (id % 3 > 0)");
    let resolved = || {
        let sql = "select count(*) from rowmill.reject where resolved_at is not null";
        home.rows(sql)[0].parse::<u64>().unwrap()
    };
    // Where somebody holds the lock of a row that goes in, the replay stands still.
    home.sql(
        "create function gate() returns trigger language plpgsql as \
         $$ begin perform pg_advisory_xact_lock_shared(new.id); return new; end $$; \
         create trigger gate before insert on t for each row execute function gate()",
    );
    let replay = || rowmill(["rejects", "replay", "job.toml"]).cwd(home.folder()).spawn();
    let left = "select id from generate_series(1, 600) id \
                where id % 3 > 0 and id not in (select id from t) order by id";
    let waits = "select count(*) from pg_locks where locktype = 'advisory' and not granted \
                 and database = (select oid from pg_database where datname = current_database())";
    for kill in 1..=4 {
        let mut left = home.rows(left);
        let id = left.swap_remove(left.len() / 2);
        let mut holder = home.engine().get().unwrap();
        holder.run(&format!("select pg_advisory_lock({id})")).unwrap();
        let mut running = replay();
        assert!(running.wait_until(|_| home.rows(waits) == ["1"]), "{kill}: {}", running.stderr());
        running.kill();
        assert!(resolved() < 400, "{kill}: {}", resolved());
    }
    let ended = replay().wait();
    assert_eq!(ended.code, Some(0), "{ended}");
    assert!(ended.stdout.contains("200 stay"), "{ended}");
    assert_eq!(
        home.rows("select count(*), count(distinct id), sum(id) from t"),
        [format!("400|400|{}", (1..=600).filter(|id| id % 3 > 0).sum::<u64>())]
    );
    assert_eq!(resolved(), 400);
    let report = said(&home, &["status", "job.toml"]);
    assert!(report.contains("200 rejected"), "{report}");
}
