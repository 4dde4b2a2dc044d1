use super::{connect, in_time};
use crate::support::cluster::PASSWORD;
use crate::support::shared;
use log::{LevelFilter, Log, Metadata, Record};
use rowmill::{Column, ColumnType, Ident, Param, Rows, TableName};
use std::sync::Mutex;

/// Keeps what the drivers log of the canaries. Other tests log beside this one.
struct Listener {
    heard: Mutex<Vec<String>>,
    count: Mutex<u64>,
}

/// The last is the first in bytes, as a list of numbers is shown.
const CANARIES: [&str; 4] = ["canary-4711", "99887766", PASSWORD, "99, 97, 110, 97, 114, 121"];

impl Log for Listener {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        *self.count.lock().unwrap() += 1;
        let line = record.args().to_string();
        // A password is a word of its own: the test's clusters have it in no other text.
        if CANARIES.iter().any(|canary| line.contains(canary)) {
            self.heard.lock().unwrap().push(format!("{}: {line}", record.target()));
        }
    }

    fn flush(&self) {}
}

static LISTENER: Listener = Listener { heard: Mutex::new(Vec::new()), count: Mutex::new(0) };

#[test]
fn no_log_of_a_driver_shows_a_value_or_the_password() {
    log::set_logger(&LISTENER).unwrap();
    log::set_max_level(LevelFilter::Trace);
    let db = shared().database("canary");
    db.sql("create table t (id bigint, name text, address inet)");
    let mut connection = connect(&db);
    let insert = "insert into t (id, name) values ($1, $2)";
    let packed = Param::Packed(&ColumnType::Text, b"canary-4711".to_vec().into());
    connection.execute(insert, &[Param::Int(99_887_766), "canary-4711".into()]).unwrap();
    connection.execute(insert, &[Param::Null, packed]).unwrap();
    connection.execute("select $1::bytea", &[b"canary-4711".to_vec().into()]).unwrap();
    let columns = [("name", ColumnType::Text), ("address", ColumnType::Other("inet".into()))];
    let columns = columns.map(|(name, kind)| Column::new(Ident::new(name).unwrap(), kind));
    let mut rows = Rows::new(2);
    let mut row = rows.begin();
    row.field(b"canary-4711").unwrap();
    row.field(b"10.0.0.1").unwrap();
    row.finish().unwrap();
    connection.load(&TableName::parse("t").unwrap(), &columns, &rows, 0..1).unwrap();
    connection.run("do $$ begin raise warning 'canary-4711 in a notice'; end $$").unwrap();
    connection.ping(in_time()).unwrap();
    log::set_max_level(LevelFilter::Off);
    // What stands in the text of a statement is no parameter, and the drivers log texts.
    let heard: Vec<_> = LISTENER.heard.lock().unwrap().clone();
    let heard: Vec<_> = heard.iter().filter(|line| !line.contains("raise warning")).collect();
    assert!(heard.is_empty(), "{heard:#?}");
    assert!(*LISTENER.count.lock().unwrap() > 20, "nothing was logged at all");
}
