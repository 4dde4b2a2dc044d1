//! What all contenders share: sizes, tables, statements.

/// How many rows of `lineitem` a scale factor of 1 has.
pub const ROWS_OF_SCALE: f64 = 6_000_000.0;
/// What the rows are made of.
pub const SEED: u64 = 0x005E_ED0F_12B0;
/// Rows of a batch, where nothing else is said.
pub const BATCH_ROWS: usize = 5_000;
/// Rows of a batch that is passed on as it is: PostgreSQL up to 15 needs a millisecond to begin and end a
/// COPY, however few rows it has.
pub const COPY_BATCH_ROWS: usize = 20_000;
/// Rows of the table `accounts`.
pub const ACCOUNTS: i64 = 100_000;
/// How many statements sleep at once, and how often each of their callers has one sleep.
pub const SLEEPERS: usize = 64;
pub const SLEEPS: usize = 10;
/// Rounds of the transform, which take about 2 microseconds.
const TRANSFORM_ROUNDS: u32 = 600;
/// One row of so many is bad.
pub const BAD_EVERY: u64 = 100;

pub const COLUMNS: &str = "l_orderkey, l_partkey, l_suppkey, l_linenumber, l_quantity, \
    l_extendedprice, l_discount, l_tax, l_returnflag, l_linestatus, l_shipdate, l_commitdate, \
    l_receiptdate, l_shipinstruct, l_shipmode, l_comment";

/// The columns of `lineitem` with their types, as TPC-H has them.
pub const TYPED_COLUMNS: &str = "l_orderkey bigint not null, l_partkey bigint not null, \
    l_suppkey bigint not null, l_linenumber integer not null, l_quantity numeric(15,2) not null, \
    l_extendedprice numeric(15,2) not null, l_discount numeric(15,2) not null, \
    l_tax numeric(15,2) not null, l_returnflag char(1) not null, l_linestatus char(1) not null, \
    l_shipdate date not null, l_commitdate date not null, l_receiptdate date not null, \
    l_shipinstruct char(25) not null, l_shipmode char(10) not null, l_comment varchar(44) not null";

/// What reads one part of `lineitem`.
pub const READ: &str = "select l_orderkey, l_partkey, l_suppkey, l_linenumber, l_quantity, \
    l_extendedprice, l_discount, l_tax, l_returnflag, l_linestatus, l_shipdate, l_commitdate, \
    l_receiptdate, l_shipinstruct, l_shipmode, l_comment \
    from lineitem where l_orderkey between $1 and $2";

/// What stands in a table, whatever the order of its rows.
pub const SUM_LINEITEM: &str =
    "select count(*), coalesce(sum(hash_record_extended(l, 0)), 0)::text from lineitem l";
pub const SUM_RESULTS: &str =
    "select count(*), coalesce(sum(hash_record_extended(r, 0)), 0)::text from results r";

/// The table that is read in pieces, changed and written.
pub const ITEMS: &str =
    "create table items (id bigint primary key, amount bigint not null, label text not null);
    insert into items select n, n::bigint * 7919 % 100003, 'item number ' || n
        from generate_series(1, {rows}) n;
    create table results (id bigint primary key, amount bigint not null, score bigint not null,
        label text not null);
    vacuum (analyze) items;";
pub const READ_ITEMS: &str = "select id, amount, label from items where id between $1 and $2";
pub const UPSERT: &str = "insert into results (id, amount, score, label)
    select * from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[])
    on conflict (id) do update
        set amount = excluded.amount, score = excluded.score, label = excluded.label";

/// The tables of the small statements.
pub const SMALL: &str =
    "create table accounts (id bigint primary key, balance bigint not null, payload text not null);
    insert into accounts select n, 0, repeat('x', 64) from generate_series(1, 100000) n;
    create table history (account bigint not null, amount bigint not null);
    vacuum (analyze) accounts;";
pub const LOOK_UP: &str = "select payload from accounts where id = $1";
pub const MOVE: &str = "update accounts set balance = balance + $2 where id = $1";
pub const NOTE: &str = "insert into history (account, amount) values ($1, $2)";
pub const SLEEP: &str = "select 1 from pg_sleep(0.05)";

/// The transform: about 2 microseconds of arithmetic that cannot be left out.
pub fn transform(id: i64, amount: i64) -> i64 {
    let mut state = (id as u64) ^ (amount as u64).rotate_left(32);
    for _ in 0..TRANSFORM_ROUNDS {
        state = mix(state);
    }
    (state >> 1) as i64
}

/// One step of splitmix64.
pub fn mix(state: u64) -> u64 {
    let state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    state ^ (state >> 31)
}

/// The key of a turn: all over the table, the same for every contender.
pub fn account_of(turn: u64) -> i64 {
    (mix(turn) >> 2) as i64 % ACCOUNTS + 1
}

/// `parts` ranges of keys that together are `1..=last`.
pub fn ranges(last: i64, parts: usize) -> Vec<(i64, i64)> {
    let parts = parts as i64;
    (0..parts).map(|part| (last * part / parts + 1, last * (part + 1) / parts)).collect()
}

/// Ranges of `size` keys.
pub fn pieces(last: i64, size: usize) -> Vec<(i64, i64)> {
    let size = size as i64;
    (0..(last + size - 1) / size).map(|n| (n * size + 1, last.min((n + 1) * size))).collect()
}
