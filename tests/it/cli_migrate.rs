//! `rowmill migrate` applies SQL files, and says what it did.

use crate::support::{Finished, Home, on_both, rowmill};

fn migrate(home: &Home, words: &[&str]) -> Finished {
    let words = ["migrate"].iter().chain(words).copied();
    rowmill(words).cwd(home.folder()).env("ROWMILL_TARGET", home.url()).finish()
}

/// Writes the files of two migrations.
fn files(home: &Home) {
    std::fs::create_dir(home.folder().join("migrations")).unwrap();
    home.file("migrations/0001_artists.sql", "create table artists (id bigint primary key);\n");
    home.file("migrations/0002_first.sql", "insert into artists values (1);\n");
}

#[test]
fn what_is_applied_is_told_and_the_second_time_there_is_nothing_to_do() {
    on_both(|home| {
        files(home);
        let done = migrate(home, &[]);
        assert_eq!((done.code, done.stdout.as_str()), (Some(0), ""), "{done}");
        let told: Vec<_> = done.stderr.lines().collect();
        assert!(told[0].starts_with("applied 0001_artists.sql in 0."), "{done}");
        assert!(told[1].starts_with("applied 0002_first.sql in 0."), "{done}");
        assert_eq!(told[2..], ["2 files applied"]);
        assert_eq!(home.rows("select id from artists"), ["1"]);
        let again = migrate(home, &["migrations"]);
        assert_eq!((again.code, again.stderr.as_str()), (Some(0), "nothing to apply\n"));
    });
}

#[test]
fn status_shows_each_file_and_changes_nothing() {
    on_both(|home| {
        files(home);
        let pending = "pending   0001_artists.sql\npending   0002_first.sql\n";
        let looked = migrate(home, &["status"]);
        assert_eq!((looked.code, looked.stdout.as_str()), (Some(0), pending), "{looked}");
        assert_eq!(migrate(home, &[]).code, Some(0));
        home.file("migrations/0002_first.sql", "insert into artists values (2);\n");
        home.file("migrations/0003_next.sql", "insert into artists values (3);\n");
        let looked = migrate(home, &["status", "migrations"]);
        let lines: Vec<_> = looked.stdout.lines().collect();
        assert!(lines[0].starts_with("applied   0001_artists.sql, applied 20"), "{looked}");
        assert!(lines[1].starts_with("changed   0002_first.sql, applied 20"), "{looked}");
        assert_eq!(lines[2], "pending   0003_next.sql");
        let line = "rowmill: 0002_first.sql was changed after it was applied: put the file back as \
                    it was, and change the database by a new one\n";
        assert_eq!((looked.code, looked.stderr.as_str()), (Some(2), line));
        let refused = migrate(home, &[]);
        assert_eq!((refused.code, refused.stderr.as_str()), (Some(2), line));
        assert_eq!(home.rows("select id from artists"), ["1"]);
    });
}

#[test]
fn a_file_that_the_database_refuses_is_one_line_with_its_name_and_exit_code_2() {
    on_both(|home| {
        files(home);
        home.file("migrations/0003_wrong.sql", "create tabel x (id int);\n");
        let done = migrate(home, &[]);
        assert_eq!(done.code, Some(2), "{done}");
        let last = done.stderr.lines().last().unwrap();
        assert!(last.starts_with("rowmill: ") && last.contains("[file 0003_wrong.sql]"), "{done}");
        assert_eq!(done.stderr.lines().count(), 3, "{done}");
        let nothing = rowmill(["migrate", "nowhere", "--target", home.url()]).finish();
        assert_eq!(nothing.code, Some(2), "{nothing}");
    });
}

#[test]
fn what_was_overtaken_is_applied_where_that_is_said() {
    on_both(|home| {
        files(home);
        assert_eq!(migrate(home, &[]).code, Some(0));
        std::fs::rename(
            home.folder().join("migrations/0001_artists.sql"),
            home.folder().join("artists.sql"),
        )
        .unwrap();
        let gone = migrate(home, &[]);
        assert!(
            gone.stderr.contains("0001_artists.sql was applied and its file is gone"),
            "{gone}"
        );
        std::fs::rename(
            home.folder().join("artists.sql"),
            home.folder().join("migrations/0001_artists.sql"),
        )
        .unwrap();
        home.file("migrations/0000_before.sql", "create table before (id bigint);\n");
        let overtaken = migrate(home, &[]);
        assert_eq!(overtaken.code, Some(2), "{overtaken}");
        let allowed = migrate(home, &["--out-of-order"]);
        assert_eq!(allowed.code, Some(0), "{allowed}");
    });
}
