//! The first command a newcomer types: two nights of orders, on both databases.

use crate::support::{Finished, Invocation, rowmill, shared};
use serde_json::{Value, json};

/// What both nights do, whatever the database.
fn two_nights(target: &str) {
    let (first, report) = night(target, "2026-03-01");
    assert_eq!(first.code, Some(0), "{first}");
    assert_eq!(first.stdout, "");
    assert_counts(&report, &[("read", 30_000), ("inserted", 29_993), ("rejected", 7)]);

    // 491 orders were cancelled and one had lost its number; what the first night rejected is new
    // to the table now, and the one without a number has come back.
    let (second, report) = night(target, "2026-03-02");
    assert_eq!(second.code, Some(0), "{second}");
    assert_counts(&report, &[("read", 30_409), ("rejected", 7), ("duplicates", 0)]);
    let of = |name: &str| report[name].as_u64().unwrap();
    assert_eq!(of("written"), of("inserted") + of("updated"));
    assert_eq!(of("read"), of("written") + of("unchanged") + of("rejected"));
    assert_eq!(of("deleted"), 492);

    let (again, report) = night(target, "2026-03-02");
    assert_eq!(again.code, Some(0), "{again}");
    assert_eq!(report["status"], json!("already_complete"));
}

#[test]
fn two_nights_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    two_nights(&format!("sqlite:{}", folder.path().join("nightly.db").display()));
}

/// batch 3.9.8
#[test]
fn two_nights_on_postgresql() {
    let database = shared().database("nightly");
    two_nights(&database.url());
    // The keys of bad rows are still named: what the table had of them stays.
    assert_eq!(database.value("select quantity > 0 from orders where order_id = 4001"), "t");
    assert_eq!(database.value("select count(*) from orders where order_id = 61"), "0");
    assert_eq!(database.value("select count(*) from orders where order_id = 20005"), "0");
}

/// There the driver itself connects to the socket, and nothing sits between the two.
#[test]
fn a_night_over_a_socket_on_a_machine_without_a_network() {
    let database = shared().database("nightly_alone");
    let Some(command) = rowmill([]).without_network() else { return };
    let (run, report) = night_by(command, &database.socket_url(), "2026-03-01");
    assert_eq!(run.code, Some(0), "{run}");
    assert_counts(&report, &[("read", 30_000), ("inserted", 29_993), ("rejected", 7)]);
    assert_eq!(database.count("orders"), 29_993);
}

fn night(target: &str, night: &str) -> (Finished, Value) {
    night_by(rowmill([]), target, night)
}

fn night_by(command: Invocation, target: &str, night: &str) -> (Finished, Value) {
    let report = tempfile::NamedTempFile::new().unwrap();
    let run = ["run", "examples/nightly/job.toml", "-p", &format!("night={night}"), "--report"]
        .into_iter()
        .fold(command, Invocation::arg)
        .arg(report.path())
        .env("ROWMILL_TARGET", target)
        .cwd(env!("CARGO_MANIFEST_DIR"))
        .finish();
    let text = std::fs::read_to_string(report.path()).unwrap();
    let value =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}\n{run}"));
    (run, value)
}

fn assert_counts(report: &Value, expected: &[(&str, u64)]) {
    for (name, count) in expected {
        assert_eq!(report[name], json!(count), "{name}: {report:#}");
    }
}

/// Every statement with its time, and none of the values that it carried.
#[test]
fn an_echo_shows_the_statements_and_no_value() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("t.csv");
    std::fs::write(&file, "id,name\n1,canary-4711\n2,canary-4712\n").unwrap();
    let job = folder.path().join("job.toml");
    let text = format!(
        "name = \"echoed\"\nsource = {{ kind = \"csv\", path = '{}' }}\n\
         target = {{ url = 'sqlite:{}', table = \"t\", mode = \"append\", create = true }}\n\
         columns = {{ id = \"bigint\", name = \"text\" }}\n",
        file.display(),
        folder.path().join("t.db").display()
    );
    std::fs::write(&job, text).unwrap();
    let run = rowmill(["run", job.to_str().unwrap()]).arg("--echo").finish();
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), ""), "{run}");
    let shown =
        |what: &str| run.stderr.lines().any(|line| line.starts_with('[') && line.contains(what));
    assert!(shown("ms: BEGIN") || shown("s: BEGIN"), "{run}");
    assert!(shown("2 rows: LOAD \"t\" (\"id\", \"name\")") && shown("parameter"), "{run}");
    assert!(!run.stderr.contains("canary"), "{run}");
    let quiet = rowmill(["run", job.to_str().unwrap()]).finish();
    assert!(!quiet.stderr.contains("BEGIN"), "{quiet}");
}
