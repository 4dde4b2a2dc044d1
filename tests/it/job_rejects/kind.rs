//! The kinds of bad rows that PostgreSQL knows.

/// Stands in a field for a byte that is no text.
pub const NO_TEXT: char = '\u{fffd}';

/// A kind of bad row: what the table is, which field a bad row has in place of a good one, and what
/// is said of it.
pub struct Kind {
    pub name: &'static str,
    /// The definition of column `v` and what goes with it; `t` has `id bigint` before.
    pub table: &'static str,
    /// What is run before and after the table is made.
    pub before: &'static str,
    pub after: &'static str,
    /// The type of the column in the job.
    pub of_type: &'static str,
    /// `{}` is the number of the row.
    pub good: &'static str,
    pub bad: &'static str,
    pub stage: &'static str,
    pub sqlstate: &'static str,
    pub column: &'static str,
    pub constraint: &'static str,
}

const PLAIN: Kind = Kind {
    name: "",
    table: "v integer",
    before: "",
    after: "",
    of_type: "integer",
    good: "{}",
    bad: "",
    stage: "store",
    sqlstate: "23514",
    column: "NULL",
    constraint: "NULL",
};

pub fn kinds() -> Vec<Kind> {
    let mut kinds = kinds_of_values();
    kinds.extend(kinds_of_texts());
    kinds.extend(kinds_of_constraints());
    kinds.extend(kinds_of_code());
    kinds
}

/// What a value alone tells.
fn kinds_of_values() -> Vec<Kind> {
    vec![
        Kind {
            name: "not null",
            table: "v integer not null",
            stage: "precheck",
            sqlstate: "23502",
            column: "v",
            ..PLAIN
        },
        Kind {
            name: "too long",
            table: "v varchar(9)",
            of_type: "varchar(9)",
            bad: "abcdefghi\u{e9}",
            good: "abcdefgh\u{e9}",
            stage: "precheck",
            sqlstate: "22001",
            column: "v",
            ..PLAIN
        },
        Kind {
            name: "numeric overflow",
            table: "v numeric(9,2)",
            of_type: "numeric(9,2)",
            bad: "9999999.995",
            good: "9999999.994",
            stage: "precheck",
            sqlstate: "22003",
            column: "v",
            ..PLAIN
        },
        Kind {
            name: "invalid text",
            bad: "none",
            stage: "convert",
            sqlstate: "22P02",
            column: "v",
            ..PLAIN
        },
        Kind {
            name: "enum label",
            before: "create type mood as enum ('sad', 'glad')",
            table: "v mood",
            of_type: "text",
            good: "sad",
            bad: "mad",
            stage: "convert",
            sqlstate: "22P02",
            column: "v",
            ..PLAIN
        },
        Kind {
            name: "out of range",
            table: "v smallint",
            of_type: "smallint",
            good: "7",
            bad: "40000",
            stage: "precheck",
            sqlstate: "22003",
            column: "v",
            ..PLAIN
        },
    ]
}

/// Bytes that are no text, and texts that are no values of their type.
fn kinds_of_texts() -> Vec<Kind> {
    let text = Kind { table: "v text", of_type: "text", good: "a{}", stage: "parse", ..PLAIN };
    vec![
        Kind { name: "NUL", bad: "a\0{}", sqlstate: "22021", ..text },
        Kind { name: "encoding", bad: "\u{fffd}{}", sqlstate: "22021", ..text },
        of_type("no date", "date", "2026-02-28", "2026-02-30", "22008"),
        of_type("no time", "timestamptz", "2026-02-28 12:00+02", "2026-02-28 noon", "22007"),
        of_type("no boolean", "boolean", "yes", "maybe", "22P02"),
        of_type(
            "no uuid",
            "uuid",
            "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
            "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1g",
            "22P02",
        ),
        of_type("no json", "jsonb", "[1]", "[{}", "22P02"),
        of_type("NUL in json", "jsonb", "[1]", "\"\"\"\\u0000\"\"\"", "22P05"),
        of_type("half a character", "jsonb", "[1]", "\"\"\"\\ud800\"\"\"", "22P02"),
        of_type("no array", "integer[]", "\"{1,2}\"", "\"{1,x}\"", "22P02"),
        of_type("no bytes", "bytea", "\\x00ff", "\\x00f", "22023"),
        Kind {
            name: "domain length",
            before: "create domain positive as varchar(3)",
            table: "v positive",
            of_type: "text",
            good: "abc",
            bad: "abcd",
            stage: "precheck",
            sqlstate: "22001",
            column: "v",
            ..PLAIN
        },
    ]
}

/// A text that is no value of a type.
fn of_type(
    name: &'static str,
    of_type: &'static str,
    good: &'static str,
    bad: &'static str,
    sqlstate: &'static str,
) -> Kind {
    let table = match of_type {
        "date" => "v date",
        "timestamptz" => "v timestamptz",
        "boolean" => "v boolean",
        "uuid" => "v uuid",
        "jsonb" => "v jsonb",
        "bytea" => "v bytea",
        _ => "v integer[]",
    };
    Kind { name, table, of_type, good, bad, sqlstate, stage: "convert", column: "v", ..PLAIN }
}

/// What only the database can tell.
fn kinds_of_constraints() -> Vec<Kind> {
    vec![
        Kind {
            name: "check",
            table: "v integer constraint positive check (v > 0)",
            bad: "-{}",
            constraint: "positive",
            ..PLAIN
        },
        Kind {
            name: "domain check",
            before: "create domain positive as integer constraint above_0 check (value > 0)",
            table: "v positive",
            bad: "-{}",
            column: "v",
            constraint: "above_0",
            ..PLAIN
        },
        Kind {
            name: "unique",
            table: "v integer constraint once unique",
            after: "insert into t values (0, 0)",
            bad: "0",
            sqlstate: "23505",
            constraint: "once",
            ..PLAIN
        },
        Kind {
            name: "deferred unique",
            table: "v integer constraint once unique deferrable initially deferred",
            after: "insert into t values (0, 0)",
            bad: "0",
            sqlstate: "23505",
            constraint: "once",
            ..PLAIN
        },
        Kind {
            name: "foreign key",
            before: "create table p (id integer primary key); \
                     insert into p select generate_series(1, 100)",
            table: "v integer constraint parent references p",
            good: "7",
            bad: "-{}",
            sqlstate: "23503",
            constraint: "parent",
            ..PLAIN
        },
        Kind {
            name: "trigger",
            after: "create function f() returns trigger language plpgsql as $$ begin \
                    if new.v < 0 then raise 'below'; end if; return new; end $$; \
                    create trigger g before insert on t for each row execute function f()",
            bad: "-{}",
            sqlstate: "P0001",
            ..PLAIN
        },
        Kind {
            name: "exclusion",
            table: "v integer, constraint apart exclude (v with =)",
            after: "insert into t values (0, 0)",
            bad: "0",
            sqlstate: "23P01",
            constraint: "apart",
            ..PLAIN
        },
    ]
}

/// What only the database can tell, and no query over its constraints.
fn kinds_of_code() -> Vec<Kind> {
    vec![
        Kind {
            name: "deferred trigger",
            after: "create function f() returns trigger language plpgsql as $$ begin \
                    if new.v < 0 then raise 'below'; end if; return null; end $$; \
                    create constraint trigger g after insert on t \
                    deferrable initially deferred for each row execute function f()",
            bad: "-{}",
            sqlstate: "P0001",
            ..PLAIN
        },
        Kind {
            name: "generated",
            table: "v integer, g integer generated always as (100 / v) stored",
            bad: "0",
            sqlstate: "22012",
            ..PLAIN
        },
        Kind {
            name: "generated check",
            table: "v integer, g integer generated always as (-v) stored \
                    constraint negative check (g < 0)",
            bad: "-{}",
            constraint: "negative",
            ..PLAIN
        },
        Kind {
            name: "generated null",
            table: "v integer, g integer generated always as (nullif(v, 0)) stored not null",
            bad: "0",
            sqlstate: "23502",
            column: "g",
            ..PLAIN
        },
        Kind {
            name: "unique of some",
            table: "v integer",
            after: "insert into t values (0, 0); create unique index once on t (v) where v < 5",
            bad: "0",
            sqlstate: "23505",
            constraint: "once",
            ..PLAIN
        },
        Kind {
            name: "unique expression",
            table: "v integer",
            after: "insert into t values (0, 0); create unique index once on t ((v + 0))",
            bad: "0",
            sqlstate: "23505",
            constraint: "once",
            ..PLAIN
        },
        Kind {
            name: "domain not null",
            before: "create domain positive as integer not null",
            table: "v positive",
            bad: "",
            sqlstate: "23502",
            stage: "precheck",
            column: "v",
            ..PLAIN
        },
    ]
}
