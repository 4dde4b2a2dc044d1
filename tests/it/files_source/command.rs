//! Jobs over several files and over standard input, begun and carried on by the command.

use crate::support::{Finished, rowmill, shared};
use std::fmt::Write as _;
use std::path::Path;

fn job(source: &str, max_rejects: u64) -> String {
    format!(
        "name = \"parts\"\n[source]\nkind = \"csv\"\n{source}\n\
         [target]\nurl = \"sqlite:parts.db\"\ntable = \"parts\"\ncreate = true\nmode = \"append\"\n\
         [columns]\nid = \"integer\"\nt = \"text\"\n\
         [limits]\nbatch_rows = 2\nmax_rejects = {max_rejects}\nworkers = 1\n"
    )
}

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).unwrap();
}

fn run(folder: &Path) -> Finished {
    rowmill(["run", "job.toml"]).cwd(folder).finish()
}

fn piped(folder: &Path, input: &str) -> Finished {
    rowmill(["run", "job.toml"]).input(folder.join(input)).cwd(folder).finish()
}

fn three(folder: &Path) {
    write(folder, "a.csv", "id,t\n1,a\n2,b\n3,c\n");
    write(folder, "b.csv", "t,id\nd,4\ne,bad\nf,6\n");
    write(folder, "c.csv", "id,t\n7,g\n8,h\n9,i\n");
}

#[test]
fn a_job_over_several_files_is_carried_on_only_with_the_same_files() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    three(folder);
    write(folder, "job.toml", &job("path = \"*.csv\"", 0));
    let begun = run(folder);
    assert_eq!(begun.code, Some(3), "{begun}");

    let refused = |told: &str| {
        let run = run(folder);
        assert_ne!(run.code, Some(0), "{run}");
        assert!(run.stderr.contains("the input changed after a run had begun"), "{run}");
        assert!(run.stderr.contains(told), "{told}: {run}");
    };
    write(folder, "c.csv", "id,t\n7,g\n8,h\n9,x\n");
    refused("\"c.csv\" changed: its 17 bytes are others");
    write(folder, "c.csv", "id,t\n7,g\n8,h\n9,i\n10,j\n");
    refused("\"c.csv\" changed: it had 17 bytes, it has 22");
    std::fs::rename(folder.join("c.csv"), folder.join("c")).unwrap();
    refused("\"c.csv\" is missing");
    three(folder);
    write(folder, "0.csv", "id,t\n");
    refused("\"0.csv\" was added");
    std::fs::remove_file(folder.join("0.csv")).unwrap();
    std::fs::rename(folder.join("a.csv"), folder.join("x.csv")).unwrap();
    refused("\"a.csv\" is missing; \"x.csv\" was added");
    std::fs::rename(folder.join("x.csv"), folder.join("a.csv")).unwrap();

    write(folder, "job.toml", &job("path = \"*.csv\"", 1));
    let done = run(folder);
    assert_eq!(done.code, Some(0), "{done}");
    let list = rowmill(["rejects", "list", "--target", "sqlite:parts.db"]).cwd(folder).finish();
    assert!(list.stdout.contains("parts line 3: convert: b.csv: "), "{list}");
    assert!(list.stdout.ends_with(": e,bad\n"), "{list}");
}

#[test]
fn files_of_a_list_that_change_places_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    three(folder);
    write(folder, "job.toml", &job("path = [\"a.csv\", \"b.csv\"]", 0));
    assert_eq!(run(folder).code, Some(3));
    write(folder, "job.toml", &job("path = [\"b.csv\", \"a.csv\"]", 1));
    let run = run(folder);
    assert_eq!(run.code, Some(2), "{run}");
    assert!(run.stderr.contains("the job was changed"), "{run}");
}

#[test]
fn every_row_of_several_files_is_loaded_once_in_parallel() {
    let database = shared().database("several_files");
    let folder = tempfile::tempdir().unwrap();
    let mut number = 0;
    for part in 0..12 {
        let mut text = "id,t\n".to_owned();
        for _ in 0..500 {
            number += 1;
            writeln!(text, "{number},{part}").unwrap();
        }
        let bytes = text.into_bytes();
        #[cfg(feature = "compression")]
        let bytes = if part % 2 == 0 { super::compressed::gzip(&bytes) } else { bytes };
        std::fs::write(folder.path().join(format!("part-{part:02}.csv.gz")), bytes).unwrap();
    }
    let text = job("path = \"part-*.csv.gz\"", 0).replace("batch_rows = 2", "batch_rows = 100");
    write(folder.path(), "job.toml", &text.replace("workers = 1", "workers = 4"));
    let run = rowmill(["run", "job.toml", "--target", &database.url()]).cwd(folder.path()).finish();
    assert_eq!(run.code, Some(0), "{run}");
    let counted = "select count(*) || ' ' || count(distinct id) || ' ' || sum(id) from parts";
    assert_eq!(database.value(counted), "6000 6000 18003000");
}

#[test]
fn standard_input_is_carried_on_with_the_same_bytes_and_refused_with_others() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::create_dir(folder.join("spool")).unwrap();
    let source = "path = \"-\"\nspool_folder = \"spool\"";
    write(folder, "job.toml", &job(source, 0));
    write(folder, "in", "id,t\n1,a\n2,b\n3,c\nbad,d\n5,e\n");
    let begun = piped(folder, "in");
    assert_eq!(begun.code, Some(3), "{begun}");
    write(folder, "other", "id,t\n1,a\n2,b\n3,c\nbad,d\n5,x\n");
    write(folder, "job.toml", &job(source, 1));
    let refused = piped(folder, "other");
    assert!(refused.stderr.contains("the input changed after a run had begun"), "{refused}");
    let done = piped(folder, "in");
    assert_eq!(done.code, Some(0), "{done}");
    assert!(done.stderr.contains('4'), "{done}");
    let again = piped(folder, "in");
    assert_eq!(again.code, Some(0), "{again}");
    assert_eq!(std::fs::read_dir(folder.join("spool")).unwrap().count(), 0);
}

#[test]
fn standard_input_without_an_end_is_refused_at_its_limit() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, "job.toml", &job("path = \"-\"\nmax_spool_bytes = \"1MiB\"", 0));
    let run = rowmill(["run", "job.toml"]).input("/dev/zero").cwd(folder).finish();
    assert!(run.stderr.contains("the stream has more than 1048576 bytes"), "{run}");
    assert!(run.stderr.contains("max_spool_bytes"), "{run}");
    assert!(!folder.join("parts.db").exists());
}

#[cfg(feature = "compression")]
#[test]
fn standard_input_may_be_compressed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, "job.toml", &job("path = \"-\"", 0));
    let packed = super::compressed::gzip(b"id,t\n1,a\n2,b\n3,c\n");
    std::fs::write(folder.join("in"), packed).unwrap();
    let done = piped(folder, "in");
    assert_eq!(done.code, Some(0), "{done}");
    assert!(done.stderr.contains('3'), "{done}");
}

#[cfg(feature = "compression")]
#[test]
fn a_broken_file_is_refused_before_anything_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, "job.toml", &job("path = \"a.csv.gz\"", 0));
    let lines = super::lines(50_000, |id| format!("{id},{}", id * 7919 % 1000));
    let packed = super::compressed::gzip(format!("id,t\n{lines}").as_bytes());
    std::fs::write(folder.join("a.csv.gz"), &packed[..packed.len() - 9]).unwrap();
    let refused = run(folder);
    assert_ne!(refused.code, Some(0), "{refused}");
    assert!(refused.stderr.contains("ends too early near byte"), "{refused}");
    let status = rowmill(["status", "--target", "sqlite:parts.db"]).cwd(folder).finish();
    assert!(status.stdout.contains("no job has run here yet"), "{status}");
}

/// The database refuses rows when buckets are merged, long after their batches were read; a run
/// that is carried on has not read the file at all.
#[cfg(feature = "compression")]
#[test]
fn a_compressed_job_is_carried_on_and_finds_its_rejects_again() {
    let database = shared().database("compressed_job");
    let mut client = database.connect();
    client
        .batch_execute("create table parts (id integer primary key, t text check (t <> 'bad'))")
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let value = |id: u64| if id % 900 == 7 { "bad" } else { "good" };
    let lines = super::lines(6_000, |id| format!("{id},{}", value(id)));
    // Members of odd sizes, in which no record begins where a member does.
    let text = format!("id,t\n{lines}");
    let packed: Vec<u8> = text.as_bytes().chunks(7_001).flat_map(super::compressed::gzip).collect();
    std::fs::write(folder.path().join("in.csv.gz"), packed).unwrap();
    let text = |limit| {
        job("path = \"in.csv.gz\"", limit)
            .replace("\"append\"", "\"upsert\"\nkey = [\"id\"]")
            .replace("batch_rows = 2", "batch_rows = 250")
            .replace("workers = 1", "workers = 4")
    };
    let url = database.url();
    let run = |limit| {
        write(folder.path(), "job.toml", &text(limit));
        rowmill(["run", "job.toml", "--target", &url]).cwd(folder.path()).finish()
    };
    let stopped = run(3);
    assert_eq!(stopped.code, Some(3), "{stopped}");
    let done = run(7);
    assert_eq!(done.code, Some(0), "{done}");
    assert_eq!(database.value("select count(*) || ' ' || sum(id) from parts"), "5993 17978051");
    let list = rowmill(["rejects", "list", "parts", "--target", &url]).finish().stdout;
    for id in (7..6_000).step_by(900) {
        let line = list.lines().find(|line| line.ends_with(&format!(": {id},bad")));
        let line = line.unwrap_or_else(|| panic!("{id}: {list}"));
        assert!(line.contains(&format!("line {}:", id + 2)), "{line}");
    }
}
