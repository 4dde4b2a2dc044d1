//! The rows: eight columns, and each contender has a struct of the same fields for them.

use chrono::{DateTime, Utc};

/// How many rows there are.
pub const ROWS: i64 = 100_000;

/// Makes them.
pub const TABLE: &str = "create table people (
        id bigint primary key,
        branch integer not null,
        name text not null,
        email text,
        joined timestamptz not null,
        balance double precision not null,
        active boolean not null,
        visits bigint not null
    );
    insert into people
        select n, n % 100, 'person number ' || n,
            case when n % 4 <> 0 then 'person.' || n || '@example.org' end,
            timestamptz '2020-01-01 00:00:00Z' + n * interval '61.5 s', n * 0.25, n % 3 = 0, n * 7
        from generate_series(1, 100000) n";

/// Takes away what the run before has left, each a statement of its own.
pub const CLEAN: [&str; 2] = ["delete from people where id > 100000", "vacuum (analyze) people"];

/// The names of the columns.
pub const COLUMNS: &str = "id, branch, name, email, joined, balance, active, visits";

/// A struct with the fields of row `n`.
macro_rules! person {
    ($struct:path, $n:expr) => {{
        let n: i64 = $n;
        $struct {
            id: n,
            branch: (n % 100) as i32,
            name: format!("person number {n}"),
            email: (n % 4 != 0).then(|| format!("person.{n}@example.org")),
            joined: crate::person::joined(n),
            balance: n as f64 * 0.25,
            active: n % 3 == 0,
            visits: n * 7,
        }
    }};
}
pub(crate) use person;

/// When person `n` joined.
pub fn joined(n: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(1_577_836_800_000 + n * 61_500).expect("a moment")
}
