//! Texts become values as the server's own input functions make them: the same verdict, the same
//! SQLSTATE, the same bytes, and the same text when they are printed.
//!
//! The texts are lists of edges and random mutations of them. A failure prints its seed;
//! `ROWMILL_SEED=n` repeats it, `ROWMILL_MUTATIONS=n` tries more than the default.

#[rustfmt::skip]
mod edges;

use crate::support::{self, TestDb};
use postgres::Client;
use rowmill::ColumnType;
use rowmill::mapping::text;

/// How a type is read and packed on the server.
struct Case {
    column_type: ColumnType,
    /// The value of the text `$1`, through the type's input function: a cast would cut what input
    /// refuses.
    input: &'static str,
    send: &'static str,
    edges: &'static [&'static str],
}

/// What became of a text.
#[derive(Debug, PartialEq)]
enum Outcome {
    Refused(String),
    Value { packed: Vec<u8>, shown: String },
}

const TRY: &str = "
    create function try_input(input text, send text, source text,
        out code text, out packed bytea, out shown text) language plpgsql as $$
    begin
        execute format('select %s(x), format(''%%s'', x) from (select %s x) y', send, input)
            into packed, shown using source;
        code := '';
    exception when others then
        code := sqlstate;
    end $$";

fn connect(database: &TestDb<'_>) -> Client {
    let mut client = database.connect();
    client.batch_execute(&TRY.replace("try_input", "pg_temp.try_input")).unwrap();
    client
        .batch_execute(
            "set datestyle = 'ISO, MDY'; set timezone = 'UTC'; set intervalstyle = 'postgres';
             set extra_float_digits = 1; set timezone_abbreviations = 'Default'",
        )
        .unwrap();
    client
}

fn ask_server(client: &mut Client, case: &Case, texts: &[String]) -> Vec<Outcome> {
    let sql =
        "select (pg_temp.try_input($1, $2, t)).* from unnest($3::text[]) with ordinality u(t, n)
               order by n";
    let rows = client.query(sql, &[&case.input, &case.send, &texts]).unwrap();
    rows.iter()
        .map(|row| match row.get::<_, &str>(0) {
            "" => Outcome::Value { packed: row.get(1), shown: row.get(2) },
            code => Outcome::Refused(code.to_owned()),
        })
        .collect()
}

/// The outcome here; `None` where the two differ on purpose.
fn ask_rowmill(case: &Case, text: &str) -> Option<Outcome> {
    let mut packed = Vec::new();
    if let Err(error) = text::input(&case.column_type, text, &mut packed) {
        let on_purpose = [
            "a word that means another time every day",
            "a name of a time zone",
            "an abbreviation of a time zone whose offset has changed over time",
        ];
        if on_purpose.contains(&error.message()) {
            return None;
        }
        return Some(Outcome::Refused(error.sqlstate().unwrap().to_string()));
    }
    let mut shown = String::new();
    text::output(&case.column_type, &packed, &mut shown).unwrap();
    Some(Outcome::Value { packed, shown })
}

fn compare(case: &Case) {
    let seed = number("ROWMILL_SEED")
        .unwrap_or_else(|| std::time::UNIX_EPOCH.elapsed().unwrap().subsec_nanos().into());
    let mutations = number("ROWMILL_MUTATIONS").unwrap_or(400) as usize;
    let mut texts: Vec<String> = case.edges.iter().map(|text| (*text).to_owned()).collect();
    let mut random = Random(seed | 1);
    texts.extend((0..mutations).map(|_| mutated(case.edges, &mut random)));
    let database = support::shared().database("text_input");
    let server = ask_server(&mut connect(&database), case, &texts);
    let mut differences = Vec::new();
    for (text, expected) in texts.iter().zip(server) {
        let Some(found) = ask_rowmill(case, text) else { continue };
        if !agree(case, text, &found, &expected) {
            differences.push(format!("{text:?}: {found:?} instead of {expected:?}"));
        }
    }
    assert!(
        differences.is_empty(),
        "{}, seed {seed}: {} of {} differ:\n{}",
        case.column_type,
        differences.len(),
        texts.len(),
        differences[..differences.len().min(40)].join("\n")
    );
}

/// A `jsonb` keeps its text, which the server brings into its own form: only the verdict counts.
fn agree(case: &Case, text: &str, found: &Outcome, expected: &Outcome) -> bool {
    match (&case.column_type, found, expected) {
        (ColumnType::Jsonb, Outcome::Value { packed, shown }, Outcome::Value { .. }) => {
            packed[0] == 1 && &packed[1..] == text.as_bytes() && shown == text
        }
        _ => found == expected,
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// A xorshift generator: enough to mutate texts, and the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }
}

fn mutated(edges: &[&str], random: &mut Random) -> String {
    let mut text: Vec<char> = edges[random.below(edges.len())].chars().take(300).collect();
    for _ in 0..=random.below(3) {
        let other: Vec<char> = edges[random.below(edges.len())].chars().take(300).collect();
        let at = random.below(text.len() + 1);
        let end = (at + random.below(4)).min(text.len());
        match random.below(4) {
            0 => {
                text.drain(at..end);
            }
            1 => {
                let from = random.below(other.len() + 1);
                let to = (from + random.below(5)).min(other.len());
                text.splice(at..end, other[from..to].iter().copied());
            }
            2 => {
                let piece: Vec<char> = text[at..end].to_vec();
                text.splice(at..at, piece);
            }
            _ => {
                let kept = random.below(other.len() + 1);
                text.truncate(at);
                text.extend(&other[kept..]);
            }
        }
    }
    text.into_iter().collect()
}

macro_rules! same_as_the_server {
    ($($name:ident: $column_type:expr, $input:literal, $send:literal, $edges:expr;)*) => {$(
        #[test]
        fn $name() {
            compare(&Case { column_type: $column_type, input: $input, send: $send, edges: $edges });
        }
    )*};
}

fn array(element: ColumnType) -> ColumnType {
    ColumnType::Array(Box::new(element))
}

same_as_the_server! {
    booleans_are_read_as_the_server_does:
        ColumnType::Bool, "boolin(textout($1))", "boolsend", edges::BOOLEANS;
    smallints_are_read_as_the_server_does:
        ColumnType::Int2, "int2in(textout($1))", "int2send", edges::INTEGERS;
    integers_are_read_as_the_server_does:
        ColumnType::Int4, "int4in(textout($1))", "int4send", edges::INTEGERS;
    bigints_are_read_as_the_server_does:
        ColumnType::Int8, "int8in(textout($1))", "int8send", edges::INTEGERS;
    reals_are_read_as_the_server_does:
        ColumnType::Float4, "float4in(textout($1))", "float4send", edges::FLOATS;
    doubles_are_read_as_the_server_does:
        ColumnType::Float8, "float8in(textout($1))", "float8send", edges::FLOATS;
    numerics_are_read_as_the_server_does:
        ColumnType::Numeric(None), "numeric_in(textout($1), 0, -1)", "numeric_send", edges::NUMERICS;
    numerics_with_a_scale_are_read_as_the_server_does:
        ColumnType::Numeric(Some((10, 2))), "numeric_in(textout($1), 0, 655366)", "numeric_send",
        edges::NUMERICS;
    numerics_with_a_negative_scale_are_read_as_the_server_does:
        ColumnType::Numeric(Some((3, -2))), "numeric_in(textout($1), 0, ((3 << 16) | (-2 & 2047)) + 4)",
        "numeric_send", edges::NUMERICS;
    numerics_with_a_large_scale_are_read_as_the_server_does:
        ColumnType::Numeric(Some((3, 5))), "numeric_in(textout($1), 0, ((3 << 16) | 5) + 4)",
        "numeric_send", edges::NUMERICS;
    texts_are_read_as_the_server_does:
        ColumnType::Text, "textin(textout($1))", "textsend", edges::TEXTS;
    limited_texts_are_read_as_the_server_does:
        ColumnType::Varchar(Some(5)), "varcharin(textout($1), 0, 9)", "varcharsend", edges::TEXTS;
    padded_texts_are_read_as_the_server_does:
        ColumnType::Char(5), "bpcharin(textout($1), 0, 9)", "bpcharsend", edges::TEXTS;
    bytes_are_read_as_the_server_does:
        ColumnType::Bytea, "byteain(textout($1))", "byteasend", edges::BYTES;
    dates_are_read_as_the_server_does:
        ColumnType::Date, "date_in(textout($1))", "date_send", edges::DATES;
    times_are_read_as_the_server_does:
        ColumnType::Time, "time_in(textout($1), 0, -1)", "time_send", edges::TIMES;
    times_with_a_zone_are_read_as_the_server_does:
        ColumnType::TimeTz, "timetz_in(textout($1), 0, -1)", "timetz_send", edges::TIMES;
    timestamps_are_read_as_the_server_does:
        ColumnType::Timestamp, "timestamp_in(textout($1), 0, -1)", "timestamp_send", edges::DATES;
    timestamps_with_a_zone_are_read_as_the_server_does:
        ColumnType::TimestampTz, "timestamptz_in(textout($1), 0, -1)", "timestamptz_send", edges::DATES;
    intervals_are_read_as_the_server_does:
        ColumnType::Interval, "interval_in(textout($1), 0, -1)", "interval_send", edges::INTERVALS;
    uuids_are_read_as_the_server_does:
        ColumnType::Uuid, "uuid_in(textout($1))", "uuid_send", edges::UUIDS;
    json_is_read_as_the_server_does:
        ColumnType::Json, "json_in(textout($1))", "json_send", edges::JSON;
    jsonb_is_read_as_the_server_does:
        ColumnType::Jsonb, "jsonb_in(textout($1))", "jsonb_send", edges::JSON;
    arrays_of_integers_are_read_as_the_server_does:
        array(ColumnType::Int4), "$1::int4[]", "array_send", edges::ARRAYS;
    arrays_of_texts_are_read_as_the_server_does:
        array(ColumnType::Text), "$1::text[]", "array_send", edges::ARRAYS;
    arrays_of_dates_are_read_as_the_server_does:
        array(ColumnType::Date), "$1::date[]", "array_send", edges::ARRAYS;
    arrays_of_numerics_are_read_as_the_server_does:
        array(ColumnType::Numeric(None)), "$1::numeric[]", "array_send", edges::ARRAYS;
}
