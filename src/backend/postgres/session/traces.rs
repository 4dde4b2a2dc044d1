//! What a text of SQL leaves behind in its session, as far as it can be told by reading it.
//!
//! In doubt it leaves something, and the session is reset when it comes back. What a trigger, a view,
//! a default or an operator does by calling a function is not in the text: see `code`.

use super::harmless;
use super::lexer::{Lexer, Token};
use super::plain;
use super::words;
use crate::backend::postgres::wire::tags::Tags;

/// What a text does to the session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "a list of yes and no, each on its own")]
pub(crate) struct Traces {
    /// Something may be left that outlives the transaction.
    pub(crate) session: bool,
    /// It may create something that runs by itself later, for anybody.
    pub(crate) creates: bool,
    /// It may throw away the prepared statements.
    pub(crate) statements: bool,
    /// It commits.
    pub(crate) commits: bool,
    /// It rolls back, to the beginning or to a savepoint.
    pub(crate) rolls_back: bool,
    /// In doubt, it starts a transaction.
    pub(crate) starts: bool,
    /// It is one statement that certainly ends a transaction.
    pub(crate) ends: bool,
    /// It is a commit and nothing else.
    pub(crate) is_commit: bool,
    /// The tags with which it leaves nothing.
    pub(crate) explained: Tags,
    /// It is one `SELECT` that calls nothing, locks no row and does not ask when its transaction began.
    pub(crate) only_reads: bool,
}

/// They leave nothing, and call nothing.
const QUIET: &[&str] = &[
    "BEGIN",
    "START",
    "SAVEPOINT",
    "RELEASE",
    "LOCK",
    "ANALYZE",
    "ANALYSE",
    "VACUUM",
    "TRUNCATE",
    "COMMENT",
    "GRANT",
    "REVOKE",
    "REINDEX",
    "CLUSTER",
    "CHECKPOINT",
    "NOTIFY",
    "SHOW",
    "FETCH",
    "MOVE",
    "CLOSE",
    "DROP",
    "UNLISTEN",
    "SECURITY",
    "REASSIGN",
    "IMPORT",
];

/// They leave nothing but by the functions that they call.
const CALLING: &[&str] = &[
    "SELECT", "WITH", "VALUES", "TABLE", "INSERT", "UPDATE", "DELETE", "MERGE", "EXPLAIN", "COPY",
    "ALTER", "REFRESH",
];

/// They write, lock, or tell when the transaction began.
const TELLING: &[&str] = &[
    "INTO",
    "FOR",
    "CURRENT_DATE",
    "CURRENT_TIME",
    "CURRENT_TIMESTAMP",
    "LOCALTIME",
    "LOCALTIMESTAMP",
];

/// They may stand in front of a parenthesis without calling anything.
const UNCALLED: &[&str] =
    &["ALL", "AND", "ANY", "BETWEEN", "EXISTS", "FROM", "IN", "NOT", "ON", "OR", "SELECT", "WHERE"];

/// What is created by them may run something while it is.
const RUNNING: &[&str] = &["TABLE", "INDEX", "MATERIALIZED", "SCHEMA", "UNIQUE", "UNLOGGED"];

impl Traces {
    /// The traces of a text of any number of statements.
    pub(crate) fn of(sql: &str) -> Self {
        let mut traces = Self {
            starts: words::starts_transaction(sql),
            ends: words::ends_transaction(sql),
            is_commit: words::is_commit(sql),
            ..Self::default()
        };
        let (mut statement, mut is_one) = (Vec::new(), true);
        for token in Lexer::new(sql) {
            if token == Token::Semicolon {
                is_one = false;
                traces.add(&statement);
                statement.clear();
            } else if token != Token::Open || !statement.is_empty() {
                // What stands in parentheses as a whole begins with its first word.
                statement.push(token);
            }
        }
        traces.add(&statement);
        traces.only_reads = is_one && only_reads(&statement);
        traces
    }

    fn add(&mut self, statement: &[Token<'_>]) {
        let Some((first, rest)) = statement.split_first() else { return };
        let next = rest.first().copied().unwrap_or(Token::Other);
        if first.is_any(&["COMMIT", "END"]) {
            self.commits |= !next.is("PREPARED");
        } else if first.is_any(&["ROLLBACK", "ABORT"]) {
            self.rolls_back = true;
        } else if first.is("SET") && next.is_any(&["LOCAL", "TRANSACTION", "CONSTRAINTS"]) {
            self.explained = self.explained.with(Tags::SET);
        } else if first.is("CREATE") {
            self.session |= creates(rest);
            // What is temporary goes with the session.
            self.creates |= !next.is_any(&["TEMP", "TEMPORARY"]) && !plain::is_plain_table(rest);
        } else if first.is("DECLARE") {
            self.explained = self.explained.with(Tags::CURSOR);
            self.session |= rest.iter().any(|token| token.is("HOLD")) || calls(statement);
        } else if first.is_any(CALLING) {
            self.session |= calls(statement) || makes_temporary(rest);
            self.creates |= first.is("ALTER") && !plain::is_storage(rest);
        } else if first.is("PREPARE") && next.is("TRANSACTION") {
            // The transaction leaves the session, with all that is in it.
        } else if first.is_any(QUIET) {
            self.creates |= first.is("IMPORT");
        } else {
            self.session = true;
            self.creates |= first.is_any(&["DO", "CALL"]);
            self.statements |= first.is_any(&["DISCARD", "DEALLOCATE", "DO", "CALL"]);
        }
    }
}

/// Whether a statement is a `SELECT` that calls nothing, locks no row and does not ask when its transaction
/// began. In doubt it is none: a word in front of a parenthesis is a call, but for those that cannot be one.
fn only_reads(statement: &[Token<'_>]) -> bool {
    let calls = |pair: &[Token<'_>]| {
        let is_name = matches!(pair[0], Token::Word(_) | Token::Quoted(_));
        pair[1] == Token::Open && is_name && !pair[0].is_any(UNCALLED)
    };
    statement.first().is_some_and(|first| first.is("SELECT"))
        && !statement.iter().any(|token| token.is_any(TELLING))
        && !statement.windows(2).any(calls)
}

/// Whether something temporary is made that may outlive its transaction, or something is called.
fn creates(rest: &[Token<'_>]) -> bool {
    let is_head = |token: &&Token<'_>| !matches!(token, Token::Open) && !token.is("AS");
    let mut head = rest.iter().take_while(is_head);
    let drops = |at: &[Token<'_>]| at[0].is("ON") && at[1].is("COMMIT") && at[2].is("DROP");
    let is_temporary = |token: &Token<'_>| token.is_any(&["TEMP", "TEMPORARY", "PG_TEMP"]);
    if head.any(is_temporary) && !rest.windows(3).any(drops) {
        return true;
    }
    let is_running = rest.iter().take(3).any(|token| token.is_any(RUNNING));
    is_running && (calls(rest) || rest.iter().any(|token| token.is("PG_TEMP")))
}

/// `SELECT ... INTO TEMP`, and the schema of temporary things.
fn makes_temporary(rest: &[Token<'_>]) -> bool {
    rest.windows(2).any(|pair| pair[0].is("INTO") && pair[1].is_any(&["TEMP", "TEMPORARY"]))
        || rest.iter().any(|token| token.is("PG_TEMP"))
}

/// Whether a function is called that is not known to leave nothing.
fn calls(statement: &[Token<'_>]) -> bool {
    let opens = statement.iter().enumerate().filter(|(_, token)| **token == Token::Open);
    opens.into_iter().any(|(at, _)| calls_at(&statement[..at], &statement[at..]))
}

/// Whether the parentheses that open here end with `, true`: so does a `set_config` that holds for
/// the transaction only.
fn is_local(opened: &[Token<'_>]) -> bool {
    let mut depth = 0;
    let end = opened.iter().position(|token| {
        depth += i32::from(*token == Token::Open) - i32::from(*token == Token::Close);
        depth == 0
    });
    end.is_some_and(|end| end > 2 && opened[end - 1].is("TRUE") && opened[end - 2] == Token::Comma)
}

/// Whether the parenthesis between these tokens is that of such a call.
fn calls_at(before: &[Token<'_>], opened: &[Token<'_>]) -> bool {
    let (before, name) = match before {
        [before @ .., Token::Word(name) | Token::Quoted(name)] => (before, *name),
        _ => return false,
    };
    let (before, schema) = match before {
        [before @ .., Token::Word(schema) | Token::Quoted(schema), Token::Dot] => {
            (before, Some(*schema))
        }
        before => (before, None),
    };
    let is_built_in = schema.is_none_or(|schema| schema.eq_ignore_ascii_case("pg_catalog"));
    let is_quiet =
        harmless::is(name) || (name.eq_ignore_ascii_case("set_config") && is_local(opened));
    let leaves_nothing = is_built_in && is_quiet;
    !leaves_nothing && !names_a_relation(before)
}

/// Whether the name behind these tokens is that of a table, a type or an alias, so that columns
/// stand in the parentheses.
fn names_a_relation(before: &[Token<'_>]) -> bool {
    let Some(last) = before.last() else { return true };
    if last.is_any(&["INTO", "TABLE", "REFERENCES", "COPY", "AS", "WITH", "RECURSIVE", "EXISTS"]) {
        return true;
    }
    let is_index = before.iter().take(3).any(|token| token.is("INDEX"));
    *last == Token::Close || (is_index && last.is_any(&["ON", "USING"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(sql: &str) -> bool {
        Traces::of(sql).session
    }

    #[test]
    fn what_ends_with_its_transaction_leaves_nothing() {
        for sql in [
            "select set_config('a', concat('b', (1)), true) where true",
            "begin; set local work_mem = '1MB'; set transaction read only; commit",
            "create temp table x (n int) on commit drop",
            "select pg_advisory_xact_lock(1), count(*), now() from t where a in (1, 2)",
            "insert into t (a, b) values ($1, lower($2)) on conflict (a) do update set b = 1",
            "with x (a) as (select coalesce(1, 2)) select * from x join unnest($1::int[]) u(n) on true",
            "copy \"public\".\"t\" (\"a\") from stdin (format binary)",
            "create table if not exists s.t (n numeric(10, 2), primary key (n), check (length('') = 0))",
            "create unique index on t using btree (a)",
            "create function f() returns int language sql as $$ select set_config('a', 'b', false) $$",
            "declare c cursor for select 1",
            "select 'set_config(1)' -- set_config(1)",
            "(select 1)",
            "prepare transaction 'x'",
            "",
        ] {
            assert!(!leaves(sql), "{sql}");
        }
    }

    #[test]
    fn what_may_outlive_its_transaction_leaves_something() {
        for sql in [
            "set work_mem = '1MB'",
            "SET ROLE x",
            "/* a */ set session authorization x",
            "select set_config('search_path', 'x', false)",
            "select set_config('search_path', 'x', not true), (1, true)",
            "select set_config('a', 'b', false",
            "select 1; select PG_ADVISORY_LOCK(1)",
            "select pg_catalog.pg_try_advisory_lock(1)",
            "select * from t join u on f(t.a)",
            "select s.lower('x')",
            "with x as (select f(1)) select 1",
            "insert into t select f(1)",
            "create temporary table x (n int)",
            "create temp table x on commit preserve rows as select 1",
            "create table pg_temp.x (n int)",
            "create table x as select f(1)",
            "select 1 into temp x",
            "declare c cursor with hold for select 1",
            "listen x",
            "prepare x as select 1",
            "do $$ begin end $$",
            "call p()",
            "discard all",
            "(select f(1))",
            "whatever",
        ] {
            assert!(leaves(sql), "{sql}");
        }
    }

    #[test]
    fn what_only_reads_is_one_select_that_calls_and_locks_nothing() {
        for sql in [
            "select payload from points where id = $1",
            "SELECT \"id\" FROM \"for\" WHERE (\"id\" IN ($1, $2)) AND (now > 'f(1)' OR a = ANY($3))",
            "(select 1)",
        ] {
            assert!(Traces::of(sql).only_reads, "{sql}");
        }
        for sql in [
            "",
            "select f(1)",
            "select \"f\"(1)",
            "select nextval ('s')",
            "select 1 from t for update",
            "select 1 into x",
            "select current_timestamp",
            "select 1; select 2",
            "select 1;",
            "insert into t values (1)",
            "with x as (delete from t returning *) select * from x",
            "table t",
        ] {
            assert!(!Traces::of(sql).only_reads, "{sql}");
        }
    }

    #[test]
    fn the_end_of_a_transaction_is_found_in_any_text() {
        let traces = Traces::of("insert into t values (1); /* now */ commit and chain");
        assert!(traces.commits && !traces.rolls_back);
        assert!(Traces::of("rollback to a").rolls_back);
        assert!(!Traces::of("select 'commit'; commit prepared 'x'").commits);
        assert!(Traces::of("deallocate all").statements);
    }

    #[test]
    fn what_may_run_by_itself_later_is_noticed_when_it_is_created() {
        for sql in [
            "create or replace function f() ...",
            "alter table t alter a set default f()",
            "select 1; create trigger t ...",
            "do $$ $$",
            "import foreign schema x",
        ] {
            assert!(Traces::of(sql).creates, "{sql}");
        }
        for sql in [
            "create temp table x (n int) on commit drop",
            "create table x (n bigint); alter table x alter column n set storage external",
            "select 1",
            "drop table x",
        ] {
            assert!(!Traces::of(sql).creates, "{sql}");
        }
    }
}
