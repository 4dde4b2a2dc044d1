//! Tables that bring nothing with them that could run.

use super::lexer::Token;

/// Types that the server has by itself, by their first word: no code of a user belongs to them.
const TYPES: &[&str] = &[
    "BIGINT",
    "BOOLEAN",
    "BYTEA",
    "CHAR",
    "DATE",
    "DOUBLE",
    "INTEGER",
    "JSON",
    "JSONB",
    "NUMERIC",
    "REAL",
    "SMALLINT",
    "TEXT",
    "TIME",
    "TIMESTAMP",
    "UUID",
    "VARCHAR",
];

/// What may follow: the rest of a type, and whether there may be NULL.
const BEHIND: &[&str] = &["NOT", "NULL", "PRECISION", "TIME", "WITH", "WITHOUT", "ZONE"];

/// Whether a statement that begins with `CREATE` makes a table of which nothing is told but columns of such
/// types: no default, check, key, parent or partition. In doubt it does not.
pub(super) fn is_plain_table(behind_create: &[Token<'_>]) -> bool {
    let [table, rest @ ..] = behind_create else { return false };
    let rest = match rest {
        [name, Token::Dot, table, rest @ ..] if is_name(*name) && is_name(*table) => rest,
        [name, rest @ ..] if is_name(*name) => rest,
        _ => return false,
    };
    let [Token::Open, columns @ .., Token::Close] = rest else { return false };
    let mut depth = 0_i32;
    let mut parts = columns.split(|token| {
        depth += i32::from(*token == Token::Open) - i32::from(*token == Token::Close);
        depth == 0 && *token == Token::Comma
    });
    table.is("TABLE") && parts.all(is_plain_column)
}

fn is_plain_column(column: &[Token<'_>]) -> bool {
    let [name, first, rest @ ..] = column else { return false };
    // As many digits as a number has, in parentheses.
    let rest = match rest {
        [Token::Open, Token::Other, Token::Close, rest @ ..]
        | [Token::Open, Token::Other, Token::Comma, Token::Other, Token::Close, rest @ ..]
        | rest => rest,
    };
    is_name(*name) && first.is_any(TYPES) && rest.iter().all(|token| token.is_any(BEHIND))
}

/// Whether a statement that begins with `ALTER` says of a column how it is kept, and nothing else.
pub(super) fn is_storage(behind_alter: &[Token<'_>]) -> bool {
    let rest = match behind_alter {
        [table, _, Token::Dot, _, rest @ ..] | [table, _, rest @ ..] if table.is("TABLE") => rest,
        _ => return false,
    };
    matches!(rest, [alter, column, _, set, storage, Token::Word(_)]
        if alter.is("ALTER") && column.is("COLUMN") && set.is("SET") && storage.is("STORAGE"))
}

fn is_name(token: Token<'_>) -> bool {
    matches!(token, Token::Word(_) | Token::Quoted(_))
}

#[cfg(test)]
mod tests {
    use super::super::lexer::Lexer;
    use super::*;

    fn behind(sql: &str) -> Vec<Token<'_>> {
        Lexer::new(sql).skip(1).collect()
    }

    #[test]
    fn a_table_of_columns_of_built_in_types_is_plain() {
        for sql in [
            "create table t (a bigint)",
            "CREATE TABLE \"s x\".\"stage_1\" (\"id\" bigint, n numeric(15,2), c char(25) not null, \
             d double precision, at timestamp(6) with time zone, _k bytea)",
        ] {
            assert!(is_plain_table(&behind(sql)), "{sql}");
        }
        assert!(is_storage(&behind("alter table t alter column k set storage external")));
        assert!(is_storage(&behind("alter table \"s\".t alter column k set storage external")));
    }

    #[test]
    fn what_may_bring_code_with_it_is_not() {
        for sql in [
            "create table t (a bigint default f())",
            "create table t (a bigint check (f(a)))",
            "create table t (a bigint, check (f(a)))",
            "create table t (a bigint generated always as (f(b)) stored)",
            "create table t (a my_type)",
            "create table t (a s.bigint)",
            "create table t (\"a\" \"bigint\")",
            "create table t (a bigint[])",
            "create table t (like other)",
            "create table t (a bigint) inherits (other)",
            "create table t (a bigint primary key)",
            "create table t partition of other default",
            "create table t as select f()",
            "create table t ()",
            "create table t (a bigint), (b bigint)",
            "create table t",
            "create unlogged table t (a bigint)",
            "create view t (a bigint)",
        ] {
            assert!(!is_plain_table(&behind(sql)), "{sql}");
        }
        for sql in [
            "alter table t alter column k set default f()",
            "alter table t alter column k set storage external, alter column l set default f()",
            "alter table t alter column k set data type x",
            "alter domain t alter column k set storage external",
        ] {
            assert!(!is_storage(&behind(sql)), "{sql}");
        }
    }
}
