//! `kill -9` at each step of a replacement that rebuilds indexes, and what `rowmill check` says of it.

use super::*;
use crate::support::{Running, rowmill};
use tempfile::TempDir;

/// What waits while somebody holds a lock: a trigger of the table, of the ledger, or of statements.
const PLACES: [(&str, &str); 4] = [
    (
        "it is emptied",
        "create trigger gate after truncate on items for each statement execute function gate()",
    ),
    (
        "it is filled",
        "create trigger gate after insert on items for each statement execute function gate()",
    ),
    (
        "an index is built",
        "create event trigger gate on ddl_command_end when tag in ('CREATE INDEX') \
         execute function gate_of_indexes()",
    ),
    (
        "the end is marked",
        "create trigger gate after update on rowmill.batch for each row when (new.phase = 2) \
         execute function gate()",
    ),
];

const GATES: &str = "
create function gate() returns trigger language plpgsql as $$ begin
    perform pg_advisory_xact_lock_shared(7); return null; end $$;
create function gate_of_indexes() returns event_trigger language plpgsql as $$ begin
    if exists (select from pg_event_trigger_ddl_commands() where object_identity = 'public.by_name') then
        perform pg_advisory_xact_lock_shared(7);
    end if; end $$";

struct Command {
    folder: TempDir,
    url: String,
}

impl Command {
    /// A job file beside its input.
    fn new(database: &TestDb<'_>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let line = |id| format!("{id},new {id},{id}\n");
        let rows: String = (0..ROWS).map(line).collect();
        std::fs::write(folder.path().join("items.csv"), format!("id,name,price\n{rows}")).unwrap();
        let job = "name = \"items\"\nsource = { kind = \"csv\", path = \"items.csv\" }\n\
            [target]\nurl = \"${ROWMILL_TARGET}\"\ntable = \"items\"\nmode = \"replace\"\n\
            key = [\"id\"]\nindexes = \"rebuild\"\n[limits]\nbatch_rows = 100\n\
            [columns]\nid = \"bigint\"\nname = \"text\"\nprice = \"double precision\"\n";
        std::fs::write(folder.path().join("job.toml"), job).unwrap();
        Self { folder, url: database.url() }
    }

    fn start(&self, command: &str) -> Running {
        rowmill([command, "job.toml"])
            .cwd(self.folder.path())
            .env("ROWMILL_TARGET", &self.url)
            .spawn()
    }
}

/// batch R2, faults F45
#[test]
fn a_replacement_that_is_killed_at_any_step_has_changed_nothing_and_is_carried_on() {
    for (told, trigger) in PLACES {
        let database = database();
        let owner = Engine::open(&database.url()).unwrap();
        let name = rowmill::batch::ledger::LedgerName::default();
        rowmill::batch::ledger::Ledger::open(&mut *owner.get().unwrap(), &name).unwrap();
        database.sql(&format!("{GATES}; {trigger}"));
        let (catalog_before, numbers_before) = (catalog(&database), numbers(&database));
        let command = Command::new(&database);
        let mut holder = database.connect();
        holder.batch_execute("select pg_advisory_lock(7)").unwrap();
        let mut load = command.start("run");
        let held = "select exists (select from pg_locks l join pg_database d on d.oid = l.database \
             where d.datname = current_database() and not l.granted and l.locktype = 'advisory')";
        assert!(load.wait_until(|_| database.watch(held) == "t"), "{told}: {}", load.stderr());
        assert_eq!(load.kill().code, None, "{told}");
        drop(holder);
        // It waits for the lock of the one that died.
        assert_old(&database, told);
        assert_eq!(
            (catalog(&database), numbers(&database)),
            (catalog_before.clone(), numbers_before)
        );
        let load = command.start("run").wait();
        assert_eq!(load.code, Some(0), "{told}: {load}");
        assert_new(&database, told);
        assert_eq!(catalog(&database), catalog_before, "{told}");
        let ends =
            "select count(*) || ' ' || sum(deleted) from rowmill.batch where phase = 2 and done";
        assert_eq!(database.value(ends), format!("1 {OLD_ROWS}"), "{told}");
    }
}

#[test]
fn check_says_which_indexes_are_built_anew_and_what_stands_against_it() {
    let database = database();
    let command = Command::new(&database);
    let found = command.start("check").wait();
    assert_eq!(found.code, Some(0), "{found}");
    for line in [
        "target   items, replace, key id, indexes rebuilt",
        "index    items_pkey stays: it keeps rows out",
        "index    by_name is built anew behind the rows",
    ] {
        assert!(found.stdout.lines().any(|said| said == line), "{line}: {found}");
    }
    database.sql("create rule keep as on delete to items do also select 1");
    let found = command.start("check").wait();
    assert_eq!(found.code, Some(2), "{found}");
    assert!(found.stderr.contains("its rules for DELETE (keep)"), "{found}");
}
