//! `rowmill nodes` shows a primary and its replicas, and a job follows the primary.

use crate::support::cluster::Cluster;
use crate::support::trio::{self, Trio, one};
use crate::support::{Finished, Invocation, rowmill};

fn nodes(trio: &Trio, words: &[&str]) -> Finished {
    let urls = trio.nodes().map(Cluster::url);
    let mut command = rowmill(["nodes"]);
    for url in &urls {
        command = command.arg("--target").arg(url);
    }
    words.iter().fold(command, Invocation::arg).finish()
}

#[test]
fn each_server_is_a_line_with_its_role_its_lag_and_its_health() {
    let trio = trio::shared();
    trio.catch_up();
    let shown = nodes(&trio, &[]);
    assert_eq!(shown.code, Some(0), "{shown}");
    let lines: Vec<_> =
        shown.stdout.lines().map(|it| it.split_whitespace().collect::<Vec<_>>()).collect();
    assert_eq!(lines[0][..4], ["NODE", "ROLE", "HEALTH", "LAG"]);
    let roles: Vec<_> = lines[1..].iter().map(|line| line[1..3].to_vec()).collect();
    assert_eq!(roles, [["primary", "fit"], ["replica", "fit"], ["replica", "fit"]], "{shown}");
    assert!(lines[1][0].ends_with(&format!(":{}/postgres", trio.primary.port())));
    assert!(!shown.stdout.contains(trio.primary.password()));
}

#[test]
fn the_same_is_shown_as_json_also_of_a_server_that_is_gone() {
    let trio = trio::shared();
    trio.catch_up();
    trio.replicas[1].stop_fast();
    let shown = nodes(&trio, &["--json"]);
    trio.replicas[1].restart();
    assert_eq!(shown.code, Some(0), "{shown}");
    let json: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!((&json[0]["role"], &json[1]["role"]), (&"primary".into(), &"replica".into()));
    assert!(json[1]["lag_bytes"].as_u64().is_some() && json[1]["lag_seconds"].as_f64().is_some());
    assert_eq!((&json[2]["health"], json[2]["role"].is_null()), (&"down".into(), true));
    assert!(json[2]["error"].as_str().unwrap().contains("refused"), "{shown}");
}

#[test]
fn without_a_primary_the_exit_code_says_so() {
    let trio = trio::shared();
    let replica = trio.replicas[0].url();
    let shown = rowmill(["nodes"]).env("ROWMILL_TARGET", &replica).finish();
    assert_eq!(shown.code, Some(4), "{shown}");
    assert!(shown.stderr.starts_with("rowmill: no server takes writes: "), "{shown}");
    let sqlite = rowmill(["nodes", "--target", "sqlite::memory:"]).finish();
    assert!(sqlite.code == Some(2) && sqlite.stderr.contains("cannot have replicas"), "{sqlite}");
}

#[test]
fn a_job_writes_to_the_primary_wherever_it_stands_in_the_file() {
    let trio = trio::shared();
    let folder = tempfile::tempdir().unwrap();
    let job = format!(
        "name = \"followed\"\n[source]\nkind = \"csv\"\npath = \"rows.csv\"\n\
         [target]\nurl = \"{}\"\nreplicas = [\"{}\"]\ntable = \"followed\"\ncreate = true\nmode = \"append\"\n\
         [columns]\nid = \"bigint\"\n",
        trio.replicas[0].url(),
        trio.primary.url()
    );
    std::fs::write(folder.path().join("job.toml"), &job).unwrap();
    std::fs::write(folder.path().join("rows.csv"), "id\n1\n2\n3\n").unwrap();
    trio.primary.sql("drop table if exists followed; drop schema if exists rowmill cascade");
    let done = rowmill(["run", "job.toml"]).cwd(folder.path()).finish();
    let rows = one(&trio.primary, "select count(*) from followed");
    trio.primary.sql("drop table if exists followed; drop schema if exists rowmill cascade");
    assert_eq!((done.code, rows.as_str()), (Some(0), "3"), "{done}");
    let wrong = job.replace("replicas = [", "replicas = [7, ");
    std::fs::write(folder.path().join("job.toml"), wrong).unwrap();
    let refused = rowmill(["check", "job.toml"]).cwd(folder.path()).finish();
    assert_eq!(refused.code, Some(2), "{refused}");
    assert!(refused.stderr.contains("[target] replicas"), "{refused}");
}
