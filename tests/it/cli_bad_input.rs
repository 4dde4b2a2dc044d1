//! What is wrong with a job, its source or its target is told in one line, and changes nothing.

use crate::support::cluster::PASSWORD;
use crate::support::{Finished, LIMIT, TestDb, rowmill, shared};
use std::time::Instant;
use tempfile::TempDir;

const ROWS: &str = "id,name\n1,a\n2,b\n";

const JOB: &str = r#"name = "t"
source = { kind = "csv", path = "in.csv" }
[target]
url = "${ROWMILL_TARGET}"
table = "t"
create = true
mode = "append"
key = ["id"]
[columns]
id = "bigint"
name = "text"
"#;

/// A folder with a job, its file, and a database of one of the two kinds.
struct Desk {
    folder: TempDir,
    server: Option<TestDb<'static>>,
}

impl Desk {
    fn sqlite() -> Self {
        let desk = Self { folder: tempfile::tempdir().unwrap(), server: None };
        desk.put("in.csv", ROWS);
        desk.put("job.toml", JOB);
        desk
    }

    fn both() -> [Self; 2] {
        let server = Some(shared().database("bad_input"));
        [Self::sqlite(), Self { server, ..Self::sqlite() }]
    }

    fn put(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    /// The job with something else in it.
    fn job_with(&self, old: &str, new: &str) {
        assert!(JOB.contains(old), "{old}");
        self.put("job.toml", &JOB.replace(old, new));
    }

    fn url(&self) -> String {
        self.server.as_ref().map_or_else(|| "sqlite:x.db".to_owned(), TestDb::url)
    }

    fn sql(&self, sql: &str) {
        match &self.server {
            Some(server) => server.sql(sql),
            None => self.database().execute_batch(sql).unwrap(),
        }
    }

    fn database(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.folder.path().join("x.db")).unwrap()
    }

    fn has_file(&self) -> bool {
        self.folder.path().join("x.db").exists()
    }

    /// Every table, view and schema that there is.
    fn content(&self) -> Vec<String> {
        let Some(server) = &self.server else {
            if !self.has_file() {
                return Vec::new();
            }
            let database = self.database();
            let mut found = database.prepare("select name from sqlite_schema order by 1").unwrap();
            return found.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        };
        let sql = "select nspname from pg_namespace where nspname !~ '^pg_' union all \
            select relname from pg_class c join pg_namespace n on n.oid = relnamespace \
            where nspname !~ '^(pg_|information_schema)' order by 1";
        server.rows(sql).into_iter().flatten().flatten().collect()
    }

    fn run(&self, words: &[&str]) -> Finished {
        let command = rowmill(words.iter().copied()).cwd(self.folder.path());
        command.env("ROWMILL_TARGET", self.url()).finish()
    }

    /// `run` and `check` refuse the job with this line and exit code, and leave nothing behind.
    /// `{job}` in the line is what a run knows of the place and a check does not.
    fn refuses(&self, line: &str, code: i32) {
        let before = self.content();
        for (command, job) in [("run", "job t, "), ("check", "")] {
            let done = self.run(&[command, "job.toml"]);
            let line = line.replace("{job}", job);
            let said = done.stderr.strip_prefix("phase: plan\n").unwrap_or(&done.stderr);
            assert_eq!((said, done.code), (format!("rowmill: {line}\n").as_str(), Some(code)));
            assert_eq!(done.stdout, "");
            assert_eq!(self.content(), before, "{command}");
        }
    }
}

#[test]
fn a_file_that_is_missing_empty_or_of_another_shape_is_refused() {
    for desk in Desk::both() {
        for (text, line) in [
            (
                None,
                "cannot open the file: No such file or directory (os error 2) [file in.csv]: \
                a relative path begins where the command is started",
            ),
            (Some(""), "the file is empty: expected a header line [file in.csv]"),
            (
                Some("id\n1\n"),
                "the header has no field \"name\" [file in.csv, line 1]: \
                it names 1 others; say which one it is, or that there is no header",
            ),
            (
                Some("id,Name\n1,a\n"),
                "the header has no field \"name\" [file in.csv, line 1]: \
                did you mean \"Name\"?",
            ),
            (
                Some("id,name,name\n1,a,b\n"),
                "the header has the field \"name\" twice: \
                fields 2 and 3 [file in.csv, line 1]: rename one of them",
            ),
            (
                Some("id,name\n1,a\n2,\"b\n"),
                "unterminated CSV quoted field in the record that \
                begins on line 3 [{job}file in.csv, line 3]: close the quote that this line opens, \
                or write it twice",
            ),
        ] {
            match text {
                Some(text) => desk.put("in.csv", text),
                None => std::fs::remove_file(desk.folder.path().join("in.csv")).unwrap(),
            }
            desk.refuses(line, 2);
        }
    }
}

#[test]
fn a_table_that_is_missing_or_does_not_fit_is_refused() {
    for desk in Desk::both() {
        desk.sql("create table t (id bigint, name text); insert into t values (7, 'x')");
        desk.sql("create table other (id date primary key, name text)");
        desk.sql("create view v as select * from t");
        for (old, new, line) in [
            (
                "create = true\nmode",
                "mode",
                "the table does not exist [{job}table none]: \
                create it, or say create = true",
            ),
            (
                "mode = \"append\"",
                "mode = \"upsert\"",
                "no unique index is on exactly the key \
                (id) [{job}table t]: create one, for instance as the primary key, or name another \
                key",
            ),
            (
                "table = \"t\"",
                "table = \"other\"",
                "the type is date in the table and bigint in \
                the job [{job}table other, column id]: declare the column as it is, or change the \
                table",
            ),
            (
                "table = \"t\"",
                "table = \"v\"",
                "not a table, but a view or the like \
                [{job}table v]: name the table that is behind it",
            ),
            (
                "name = \"text\"",
                "nmae = { type = \"text\", from = \"name\" }",
                "it has no column \"nmae\" [{job}table t, column nmae]",
            ),
        ] {
            desk.job_with(old, new);
            if line.contains("table none") {
                desk.put(
                    "job.toml",
                    &JOB.replace(old, new).replace("\"t\"\nmode", "\"none\"\nmode"),
                );
            }
            desk.refuses(line, 2);
        }
    }
}

#[test]
fn a_new_database_is_not_made_for_a_job_that_creates_no_table() {
    let desk = Desk::sqlite();
    desk.job_with("create = true", "create = false");
    desk.refuses("the table does not exist [table t]: create it, or say create = true", 2);
    assert!(!desk.has_file());
}

#[test]
fn looking_makes_no_database() {
    let desk = Desk::sqlite();
    for (words, line) in [
        (&["status", "job.toml"][..], "no job has run here yet: there is no sqlite:x.db\n"),
        (&["rejects", "list", "job.toml"], "no job has run here yet: there is no sqlite:x.db\n"),
        (&["check", "job.toml"], "database sqlite:x.db will be created\n"),
    ] {
        let done = desk.run(words);
        assert!(done.stdout.contains(line) && done.code == Some(0), "{done}");
        assert!(!desk.has_file(), "{words:?}");
    }
}

#[test]
fn looking_leaves_every_byte_of_a_database_as_it_is() {
    let desk = Desk::sqlite();
    desk.sql("create table t (id bigint, name text)");
    let file = || std::fs::read(desk.folder.path().join("x.db")).unwrap();
    let before = file();
    for words in [&["check"][..], &["status"], &["rejects", "list"]] {
        let done = desk.run(&[words, &["job.toml"]].concat());
        assert_eq!(done.code, Some(0), "{done}");
        assert!(file() == before, "{words:?}");
        let names = std::fs::read_dir(desk.folder.path()).unwrap();
        assert_eq!(names.count(), 3, "{words:?} leaves a file behind");
    }
}

#[test]
fn a_check_of_a_good_job_changes_nothing() {
    for desk in Desk::both() {
        desk.sql("create table other (id bigint)");
        let before = desk.content();
        let done = desk.run(&["check", "job.toml"]);
        assert!(done.stdout.contains("table    t will be created\nplan     2 rows in 1 batch"));
        assert_eq!((done.stderr.as_str(), done.code), ("", Some(0)));
        assert_eq!(desk.content(), before);
    }
}

#[test]
fn a_server_that_does_not_listen_is_told_within_seconds() {
    let desk = Desk::sqlite();
    let url = "postgresql://me:hunter2@127.0.0.1:1/x";
    for words in [&["run"][..], &["check"], &["status"], &["rejects", "list"]] {
        let before = Instant::now();
        let words = [words, &["job.toml", "--target", url]].concat();
        let done = desk.run(&words);
        let line = "rowmill: cannot connect to 127.0.0.1:1/x as me: Connection refused \
            (os error 111) (08001): start the server, or correct the URL\n";
        assert_eq!((done.stderr.as_str(), done.code), (line, Some(4)), "{words:?}");
        assert!(before.elapsed() < LIMIT / 3, "{:?}", before.elapsed());
    }
}

#[test]
fn a_wrong_password_or_database_is_told_at_once_without_the_password() {
    let desk = Desk::sqlite();
    let port = shared().port();
    let server = format!("127.0.0.1:{port}");
    for (url, line) in [
        (
            format!("postgresql://postgres:hunter2@{server}/postgres"),
            format!(
                "cannot connect to {server}/postgres as postgres: password authentication failed \
                 for user \"postgres\" (28P01): correct it in the URL, PGPASSWORD or ~/.pgpass"
            ),
        ),
        (
            format!("postgresql://postgres:{PASSWORD}@{server}/none"),
            format!(
                "cannot connect to {server}/none as postgres: database \"none\" does not exist \
                 (3D000): create it, or correct the URL"
            ),
        ),
    ] {
        for command in ["run", "check", "status"] {
            let before = Instant::now();
            let done = desk.run(&[command, "job.toml", "--target", &url]);
            assert_eq!((done.stderr, done.code), (format!("rowmill: {line}\n"), Some(4)));
            assert!(before.elapsed() < LIMIT / 6, "{:?}", before.elapsed());
        }
    }
}

#[test]
fn a_url_that_cannot_be_used_is_refused_without_its_password() {
    let desk = Desk::sqlite();
    for (url, line, code) in [
        (
            "postgresql://me:hunter2@db.example.com/x?channel_binding=require&sslmode=disable",
            "channel_binding=require does not go with sslmode=disable for db.example.com:5432: it \
            needs TLS: write sslmode=verify-full",
            2,
        ),
        ("mysql://me:hunter2@db/x", "MySQL is not built in yet: use postgresql:// or sqlite:", 2),
    ] {
        for command in ["run", "check", "status"] {
            let done = desk.run(&[command, "job.toml", "--target", url]);
            assert_eq!((done.stderr, done.code), (format!("rowmill: {line}\n"), Some(code)));
        }
    }
    let done = desk.run(&["run", "job.toml", "--target", "sqlite:no/such/x.db"]);
    assert!(done.stderr.contains("does not exist (58P01): create it, or name the database by"));
    assert_eq!((done.stderr.lines().count(), done.code), (1, Some(4)));
}

#[test]
fn what_was_typed_wrongly_is_one_line() {
    let desk = Desk::sqlite();
    for (words, line) in [
        (
            &["run", "job.toml", "--repotr", "r.json"][..],
            "unexpected argument '--repotr' found, \
            a similar argument exists: '--report'; see --help",
        ),
        (&["rum"], "unrecognized subcommand 'rum', a similar subcommand exists: 'run'; see --help"),
        (&["run"], "the following required arguments were not provided: <JOB.toml>; see --help"),
        (
            &["run", "job.toml", "-p", "night"],
            "invalid value 'night' for '--param <K=V>': \
            expected NAME=VALUE; see --help",
        ),
        (&["run", "none.toml"], "none.toml: no such file"),
        (
            &["run", "job.toml", "--report", "no/such/r.json"],
            "the report no/such/r.json cannot be \
            written: No such file or directory (os error 2)",
        ),
    ] {
        let done = desk.run(words);
        let line = format!("rowmill: {line}\n");
        assert_eq!((done.stderr, done.stdout.as_str(), done.code), (line, "", Some(2)));
        assert!(!desk.has_file());
    }
}

#[test]
fn an_error_in_the_job_file_is_one_line_with_its_place() {
    let desk = Desk::sqlite();
    for (old, new, line) in [
        (
            "\"bigint\"",
            "\"bigintt\"",
            "job.toml:10: [columns] id: \"bigintt\" is no column type, \
            did you mean \"bigint\"?",
        ),
        (
            "create =",
            "craete =",
            "job.toml:6: [target] craete: unknown key, did you mean \"create\"?",
        ),
        (
            "[\"id\"]",
            "[\"di\"]",
            "job.toml:8: [target] key: \"di\" is not in [columns], did you mean \"id\"?",
        ),
    ] {
        desk.job_with(old, new);
        desk.refuses(line, 2);
        assert!(!desk.has_file());
    }
}
