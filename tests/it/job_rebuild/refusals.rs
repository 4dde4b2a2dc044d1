//! What stands against rebuilding indexes, and the rights that are missing: told before anything is
//! changed.

use super::*;
use parking_lot::Mutex;
use rowmill::batch::ledger::{Ledger, LedgerName};
use rowmill::{Error, ErrorKind, SqlState};

fn refused(database: &TestDb<'_>) -> Error {
    job(Indexes::Rebuild).run(&Engine::open(&database.url()).unwrap()).unwrap_err()
}

/// What is done to the table, what it is then refused for, and how that is taken back.
const OBSTACLES: [(&str, &str, &str); 7] = [
    (
        "create table special () inherits (items)",
        "other tables inherit from it (special)",
        "drop table special",
    ),
    (
        "create trigger note after delete on items for each row execute function noted()",
        "does not fire its triggers on DELETE (note)",
        "drop trigger note on items",
    ),
    (
        "create trigger note after insert or delete on items for each statement \
         execute function noted()",
        "does not fire its triggers on DELETE (note)",
        "drop trigger note on items",
    ),
    (
        "create rule keep as on delete to items do also select 1",
        "passes over its rules for DELETE (keep)",
        "drop rule keep on items",
    ),
    (
        "create publication told for table items with (publish = 'insert, delete')",
        "publications tell of its DELETE and not of TRUNCATE, which empties it (told)",
        "drop publication told",
    ),
    (
        "create publication told for all tables with (publish = 'delete')",
        "publications tell of its DELETE and not of TRUNCATE, which empties it (told)",
        "drop publication told",
    ),
    (
        "alter table items rename to kept; create table items (like kept) partition by list (id)",
        "it is partitioned (items)",
        "drop table items; alter table kept rename to items",
    ),
];

const HARMLESS: &str = "create trigger note after insert or update on items for each row \
     execute function noted(); \
     create trigger gone after delete on items for each row execute function noted(); \
     alter table items disable trigger gone; \
     create publication told for table items; create publication none with (publish = 'delete'); \
     create table other (item bigint)";

#[test]
fn what_truncate_does_not_do_as_delete_does_is_refused_by_name_and_the_rest_is_not() {
    let database = database();
    database.sql(
        "create function noted() returns trigger language plpgsql as 'begin return null; end'",
    );
    for (done, why, undone) in OBSTACLES {
        database.sql(done);
        let error = refused(&database);
        assert_eq!(error.kind(), ErrorKind::Schema, "{done}: {error}");
        assert!(error.message().contains(why), "{done}: {error}");
        assert_eq!(error.hint(), Some("say indexes = \"keep\""), "{done}");
        assert_eq!(error.place().table.as_deref(), Some("items"), "{done}");
        database.sql(undone);
    }
    assert_eq!(database.value("select count(*) from pg_namespace where nspname = 'rowmill'"), "0");
    assert_old(&database, "nothing was changed");
    database.sql(HARMLESS);
    assert_eq!(run(&database, &job(Indexes::Rebuild)).deleted, OLD_ROWS);
    assert_new(&database, "behind it");
}

/// Does something to the database when everything is staged.
struct Meanwhile {
    url: String,
    sql: Mutex<Option<&'static str>>,
}

impl Observer for Meanwhile {
    fn phase(&self, name: &str) {
        let Some(sql) = self.sql.lock().take_if(|_| name == "finish") else { return };
        let mut client = postgres::Client::connect(&self.url, postgres::NoTls).unwrap();
        client.batch_execute(sql).unwrap();
    }
}

#[test]
fn an_obstacle_that_comes_while_rows_are_staged_is_met_with_nothing_changed() {
    let database = database();
    database.sql(
        "create function noted() returns trigger language plpgsql as 'begin return null; end'",
    );
    let before = numbers(&database);
    let sql = "create trigger note after delete on items for each row execute function noted()";
    let meanwhile = Meanwhile { url: database.url(), sql: Mutex::new(Some(sql)) };
    let job = watched(job(Indexes::Rebuild), &Arc::new(meanwhile));
    let error = job.run(&Engine::open(&database.url()).unwrap()).unwrap_err();
    assert!(error.message().contains("triggers on DELETE (note)"), "{error}");
    assert_old(&database, "nothing was changed");
    assert_eq!(numbers(&database), before);
}

#[test]
fn an_index_that_comes_while_rows_are_staged_is_there_behind_it() {
    let database = database();
    let sql = "create index late on items (name, price); drop index by_price";
    let meanwhile = Meanwhile { url: database.url(), sql: Mutex::new(Some(sql)) };
    run(&database, &watched(job(Indexes::Rebuild), &Arc::new(meanwhile)));
    assert_new(&database, "behind it");
    let names: Vec<_> = numbers(&database).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["by_name", "items_pkey", "late"]);
}

/// exactly-once 1c
#[test]
fn who_does_not_own_the_table_is_told_what_is_missing_before_anything_is_changed() {
    let database = database();
    let owner = Engine::open(&database.url()).unwrap();
    Ledger::open(&mut *owner.get().unwrap(), &LedgerName::default()).unwrap();
    let name = format!("user_{}", database.name());
    database.sql(&format!(
        "create role {name} login password 'pw'; \
         grant usage, create on schema rowmill to {name}; \
         grant all on all tables in schema rowmill to {name}; grant all on items to {name}; \
         revoke create on schema public from public"
    ));
    let url = format!("postgresql://{name}:pw@127.0.0.1:{}/{}", shared().port(), database.name());
    let engine = Engine::open(&url).unwrap();
    let refused = || {
        let error = job(Indexes::Rebuild).run(&engine).unwrap_err();
        assert_eq!(error.sqlstate(), SqlState::parse("42501"), "{error}");
        error.hint().unwrap_or_default().to_owned()
    };
    let hint = refused();
    let missing = [
        format!("TO {name}, or ALTER TABLE \"items\" OWNER TO {name}"),
        format!("GRANT CREATE ON SCHEMA public TO {name}"),
    ];
    assert!(missing.iter().all(|missing| hint.contains(missing.as_str())), "{hint}");
    database.sql(&format!("alter table items owner to {name}"));
    assert_eq!(refused(), missing[1]);
    database.sql(&format!("grant create on schema public to {name}"));
    for right in ["select", "insert", "delete", "truncate"] {
        database.sql(&format!("revoke {right} on items from {name}"));
        let granted = format!("GRANT {} ON \"items\" TO {name}", right.to_uppercase());
        assert_eq!(refused(), granted);
        database.sql(&format!("grant {right} on items to {name}"));
    }
    // The policies of a table hold for its owner, too, where that is said.
    database.sql("alter table items enable row level security, force row level security");
    let error = job(Indexes::Rebuild).run(&engine).unwrap_err();
    assert!(error.message().contains("rows that policies hide"), "{error}");
    database.sql("alter table items no force row level security");
    assert_old(&database, "nothing was changed");
    let report = job(Indexes::Rebuild).run(&engine).unwrap();
    assert_eq!((report.inserted, report.deleted), (ROWS as u64, OLD_ROWS));
    database.sql(&format!("drop owned by {name}; drop role {name}"));
}
