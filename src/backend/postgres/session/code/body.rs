//! Whether the text of a function can change a session.

use crate::backend::postgres::session::lexer::{Lexer, Token};
use std::collections::HashSet;

/// The server's own functions that change a session, or run a text.
pub(crate) const CHANGING: &[&str] = &[
    "set_config",
    "setseed",
    "pg_advisory_lock",
    "pg_advisory_lock_shared",
    "pg_try_advisory_lock",
    "pg_try_advisory_lock_shared",
    "pg_replication_origin_session_setup",
    "pg_create_logical_replication_slot",
    "pg_create_physical_replication_slot",
    "pg_copy_logical_replication_slot",
    "pg_copy_physical_replication_slot",
    "pg_start_backup",
    "pg_backup_start",
    "query_to_xml",
    "query_to_xmlschema",
    "query_to_xml_and_xmlschema",
    "ts_rewrite",
    "ts_stat",
];

/// The words without which no command changes a session, or runs a text. `SET` is looked at more
/// closely: most of them stand in an `UPDATE`.
const WORDS: &[&str] = &[
    "reset",
    "execute",
    "listen",
    "unlisten",
    "temp",
    "temporary",
    "pg_temp",
    "hold",
    "prepare",
    "deallocate",
    "discard",
    "load",
];

/// What a statement inside of a body follows.
const BEFORE: &[&str] = &["BEGIN", "ATOMIC", "THEN", "ELSE", "LOOP"];

/// What is found in the text of a function.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Body {
    /// By itself it can change the session that calls it.
    pub(crate) changes: bool,
    /// The names in it, as the server knows them: it may use what has one of them.
    pub(crate) names: HashSet<String>,
}

impl Body {
    /// Reads a text; `None` is one that cannot be read.
    pub(crate) fn of(text: Option<&str>) -> Self {
        let Some(text) = text else { return Self { changes: true, names: HashSet::new() } };
        let tokens: Vec<_> = Lexer::new(text).collect();
        let names: HashSet<_> = tokens.iter().filter_map(|token| name(*token)).collect();
        let is_any = |words: &[&str]| words.iter().any(|word| names.contains(*word));
        let changes =
            is_any(CHANGING) || is_any(WORDS) || sets(&tokens) || does(&tokens) || is_odd(text);
        Self { changes, names }
    }
}

/// The name that a token is, as the server knows it.
pub(crate) fn name(token: Token<'_>) -> Option<String> {
    match token {
        Token::Word(word) => Some(word.to_ascii_lowercase()),
        Token::Quoted(name) => Some(name.to_owned()),
        _ => None,
    }
}

/// Names that are written in escapes (`U&"..."`) cannot be compared.
pub(crate) fn is_odd(text: &str) -> bool {
    text.contains("U&\"") || text.contains("u&\"")
}

/// Whether there is a `SET` that is a statement, and not `SET LOCAL` or the like.
fn sets(tokens: &[Token<'_>]) -> bool {
    let is_set = |at: usize| {
        let begins = match at.checked_sub(1).map(|before| tokens[before]) {
            Some(Token::Word(word)) => BEFORE.iter().any(|known| known.eq_ignore_ascii_case(word)),
            Some(Token::Quoted(_)) => false,
            _ => true,
        };
        let next = tokens.get(at + 1).copied().unwrap_or(Token::Other);
        begins && !next.is_any(&["LOCAL", "TRANSACTION", "CONSTRAINTS"])
    };
    (0..tokens.len()).any(|at| tokens[at].is("SET") && is_set(at))
}

/// Whether there is a block of code in it, whose text is a constant.
fn does(tokens: &[Token<'_>]) -> bool {
    let is_block = |pair: &[Token<'_>]| pair[0].is("DO") && !pair[1].is_any(&["NOTHING", "UPDATE"]);
    tokens.windows(2).any(is_block)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(text: &str) -> bool {
        Body::of(Some(text)).changes
    }

    #[test]
    fn a_function_that_keeps_to_its_transaction_changes_nothing() {
        for text in [
            "begin new.changed := now(); return new; end",
            "begin update t set a = 1; update t as x set a = 1; update \"t\" set b = 2; end",
            "begin insert into t values (1) on conflict (a) do update set b = 1; end",
            "begin insert into t values (1) on conflict do nothing; end",
            "begin set local work_mem = '1MB'; perform pg_advisory_xact_lock(1); end",
            "begin raise 'set_config, execute'; -- set work_mem = 1\nend",
            "begin perform f(1); end",
            "",
        ] {
            assert!(!changes(text), "{text}");
        }
    }

    #[test]
    fn a_function_that_can_change_its_session_is_found() {
        for text in [
            "begin perform set_config('a', 'b', false); end",
            "begin perform \"set_config\"('a', 'b', false); end",
            "begin perform PG_ADVISORY_LOCK(1); end",
            "begin execute 'se' || 't a = b'; end",
            "begin set work_mem = '1MB'; end",
            "begin if true then set work_mem = '1MB'; end if; end",
            "begin <<here>> set work_mem = '1MB'; end",
            "begin /* x */ set -- y\n role x; end",
            "select 1; set role x",
            "set role x",
            "begin create temp table x (n int); end",
            "begin create table pg_temp.x (n int); end",
            "begin listen x; end",
            "begin do $x$ begin end $x$; end",
            "begin do language plpgsql 'begin end'; end",
            "begin reset all; end",
            "select U&\"set\\005Fconfig\"('a', 'b', false)",
        ] {
            assert!(changes(text), "{text}");
        }
        assert!(Body::of(None).changes);
    }

    #[test]
    fn the_names_are_those_that_the_server_knows() {
        let names = Body::of(Some("begin perform F(1), \"G\"(2), 'h'; end")).names;
        assert!(names.contains("f") && names.contains("G") && !names.contains("h"));
    }
}
