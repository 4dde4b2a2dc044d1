//! What is refused before anything is sent is what the server would refuse, with the code that it
//! would give; and what is let through, it takes. For each class, over edges and generated values.

use super::*;
use crate::support::trial::{Random, seed};
use std::fmt::Write as _;

/// A class of values that the catalog tells about.
struct Class {
    /// The type in the table, with what goes with it, and in the job.
    table: &'static str,
    job: &'static str,
    /// Values with a meaning of their own, as bytes; `None` is NULL.
    edges: &'static [Option<&'static [u8]>],
    /// Another value.
    value: fn(&mut Random) -> Vec<u8>,
}

const CLASSES: &[Class] = &[
    Class { table: "integer not null", job: "integer", edges: &[None, Some(b"0")], value: digits },
    Class {
        table: "smallint",
        job: "smallint",
        edges: &[None, Some(b"32767"), Some(b"32768"), Some(b"-32768"), Some(b"-32769")],
        value: digits,
    },
    Class {
        table: "integer",
        job: "integer",
        edges: &[
            Some(b"2147483647"),
            Some(b"2147483648"),
            Some(b"-2147483648"),
            Some(b"-2147483649"),
        ],
        value: digits,
    },
    Class {
        table: "bigint",
        job: "bigint",
        edges: &[
            Some(b"9223372036854775807"),
            Some(b"9223372036854775808"),
            Some(b" 7 "),
            Some(b""),
        ],
        value: digits,
    },
    Class {
        table: "varchar(3)",
        job: "varchar(3)",
        edges: &[
            Some(b""),
            Some(b"abc"),
            Some(b"abcd"),
            Some(b"abc   "),
            Some("\u{e9}\u{1f600}x".as_bytes()),
        ],
        value: letters,
    },
    Class {
        table: "char(3)",
        job: "char(3)",
        edges: &[
            Some(b""),
            Some(b"abc"),
            Some(b"abcd"),
            Some(b"ab    "),
            Some("\u{e9}\u{1f600}xy".as_bytes()),
        ],
        value: letters,
    },
    Class {
        table: "numeric(5,2)",
        job: "numeric(5,2)",
        edges: &[
            Some(b"999.99"),
            Some(b"999.994"),
            Some(b"999.995"),
            Some(b"1000"),
            Some(b"-999.995"),
            Some(b"NaN"),
            Some(b"Infinity"),
            Some(b"1e3"),
            Some(b"0.005"),
            Some(b"9.99999e2"),
        ],
        value: number,
    },
    Class {
        table: "numeric(3,5)",
        job: "numeric(3,5)",
        edges: &[Some(b"0.00999"), Some(b"0.009994"), Some(b"0.01"), Some(b"0")],
        value: number,
    },
    Class {
        table: "mood",
        job: "text",
        edges: &[None, Some(b"sad"), Some(b"glad"), Some(b"Sad"), Some(b" sad"), Some(b"")],
        value: letters,
    },
    Class {
        table: "text",
        job: "text",
        edges: &[
            Some(b"a\0b"),
            Some(b"\0"),
            Some(b"\xff"),
            Some(b"\xc3"),
            Some(b"\xc3\xa9"),
            Some(b"\xed\xa0\x80"),
            Some(b"\xf4\x90\x80\x80"),
            Some(b"\xc0\x80"),
            Some(b""),
        ],
        value: bytes,
    },
    Class {
        table: "date",
        job: "date",
        edges: &[
            Some(b"4713-01-01 BC"),
            Some(b"4714-11-23 BC"),
            Some(b"5874897-12-31"),
            Some(b"5874898-01-01"),
            Some(b"2023-02-29"),
            Some(b"infinity"),
        ],
        value: day,
    },
    Class {
        table: "timestamp",
        job: "timestamp",
        edges: &[
            Some(b"294276-12-31 23:59:59.999999"),
            Some(b"294277-01-01"),
            Some(b"2023-01-01 24:00:01"),
        ],
        value: day,
    },
];

fn digits(random: &mut Random) -> Vec<u8> {
    let number = random.number() as i64 >> random.below(64);
    number.to_string().into_bytes()
}

fn letters(random: &mut Random) -> Vec<u8> {
    let mut text = String::new();
    for _ in 0..random.below(6) {
        text.push(['a', ' ', 'z', '\u{e9}', '\u{4e2d}'][random.below(5) as usize]);
    }
    text.into_bytes()
}

fn number(random: &mut Random) -> Vec<u8> {
    let scale = random.below(8) as usize;
    let digits = 1 + random.below(9) as u32;
    let number = random.below(10_u64.pow(digits)) as f64;
    format!("{:.*}", scale, number / 10_f64.powi(random.below(8) as i32)).into_bytes()
}

fn bytes(random: &mut Random) -> Vec<u8> {
    let pool = [b'a', b'"', b',', b'\\', 0, 0x80, 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xf0];
    (0..random.below(5)).map(|_| pool[random.below(pool.len() as u64) as usize]).collect()
}

fn day(random: &mut Random) -> Vec<u8> {
    let (month, day) = (random.below(14), random.below(33));
    format!("{:04}-{month:02}-{day:02}", 1 + random.below(9_999)).into_bytes()
}

/// What the server says of each value by itself: its code, or the value as it prints it.
fn verdicts(home: &Home, values: &[Option<Vec<u8>>]) -> Vec<String> {
    let mut insert = String::from("truncate raw; insert into raw values ");
    for (id, value) in values.iter().enumerate() {
        let value = value.as_ref().map_or("null".to_owned(), |value| {
            let mut literal = String::from("'\\x");
            for byte in value {
                write!(literal, "{byte:02x}").unwrap();
            }
            literal + "'"
        });
        write!(insert, "{}({id}, {value})", if id == 0 { "" } else { ", " }).unwrap();
    }
    home.sql(&insert);
    home.sql(
        "truncate u; do $$ declare r record; begin for r in select * from raw order by id loop begin \
         execute format('insert into u (id, v) values (%s, %L)', r.id, convert_from(r.v, 'UTF8')); \
         exception when others then insert into u (id, code) values (r.id, sqlstate); end; \
         end loop; end $$",
    );
    home.rows("select coalesce(code, 'as ' || coalesce(v::text, 'NULL')) from u order by id")
}

fn csv(values: &[Option<Vec<u8>>]) -> Vec<u8> {
    let mut csv = b"id,v\n".to_vec();
    for (id, value) in values.iter().enumerate() {
        csv.extend(format!("{id},").bytes());
        if let Some(value) = value {
            csv.push(b'"');
            csv.extend(
                value
                    .iter()
                    .flat_map(|&byte| if byte == b'"' { vec![byte; 2] } else { vec![byte] }),
            );
            csv.push(b'"');
        }
        csv.push(b'\n');
    }
    csv
}

#[test]
fn what_is_refused_beforehand_the_server_refuses_too_and_it_takes_what_is_let_through() {
    let seed = seed();
    eprintln!("seed {seed}");
    let mut random = Random(seed);
    for class in CLASSES {
        let home = Home::postgres();
        let Class { table, job, edges, value } = class;
        let nullable = table.trim_end_matches(" not null");
        home.sql(&format!(
            "create type mood as enum ('sad', 'glad'); create table raw (id integer, v bytea); \
             create table t (id bigint primary key, v {table}); \
             create table u (id bigint, v {nullable}, code text{})",
            if nullable == *table { "" } else { ", check (code is not null or v is not null)" }
        ));
        let mut values: Vec<_> = edges.iter().map(|edge| edge.map(<[u8]>::to_vec)).collect();
        values.extend((0..300).map(|_| Some(value(&mut random))));
        let expected: Vec<_> = verdicts(&home, &values)
            .into_iter()
            .map(|said| if said == "23514" { "23502".to_owned() } else { said })
            .collect();
        let columns = ["id bigint", &format!("v {job}")];
        let job = home.csv_job(Mode::Append, "t", &columns, "id", csv(&values));
        home.run(&job.max_rejects(MaxRejects::Share(1.0)));
        let mut found = vec![String::new(); values.len()];
        for row in home.rows("select id, 'as ' || coalesce(v::text, 'NULL') from t") {
            let (id, value) = row.split_once('|').unwrap();
            value.clone_into(&mut found[id.parse::<usize>().unwrap()]);
        }
        for reject in home.rejects_of("input_row, stage, sqlstate") {
            let mut parts = reject.splitn(4, '|');
            let row: usize = parts.next().unwrap().parse().unwrap();
            assert_ne!(parts.next(), Some("store"), "{table}, seed {seed}: {:?}", values[row - 1]);
            parts.next().unwrap().clone_into(&mut found[row - 1]);
        }
        for (place, value) in values.iter().enumerate() {
            assert_eq!(found[place], expected[place], "{table}, seed {seed}: {value:02x?}");
        }
    }
}
