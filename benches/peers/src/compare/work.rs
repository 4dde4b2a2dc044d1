//! The pieces of work: what each needs beforehand, and what must stand there afterwards.

use super::constants::{ITEMS, SMALL, SUM_LINEITEM, SUM_RESULTS, TYPED_COLUMNS, transform};
use super::line_item::LineItem;
use super::servers::Servers;
use super::task::Answer;
use std::io::Write as _;

/// A piece of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Rows that the program makes go into an empty table.
    Load,
    /// The same from a CSV file.
    File,
    /// The same from a CSV file with bad rows.
    Bad,
    /// A table is read into structs.
    Read,
    /// A table is read, changed and upserted, where all keys are there.
    Upsert,
    /// The same where none is.
    UpsertNew,
    /// One row by its key.
    LookUp,
    /// An update and an insert.
    Transaction,
    /// From one server to another.
    Copy,
    /// Statements that wait.
    Sleep,
}

impl Work {
    pub const ALL: [Self; 10] = [
        Self::Load,
        Self::File,
        Self::Read,
        Self::Upsert,
        Self::UpsertNew,
        Self::LookUp,
        Self::Transaction,
        Self::Copy,
        Self::Bad,
        Self::Sleep,
    ];

    /// Its name in the issue, and what it is called on the command line.
    pub fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Load => ("W1", "load"),
            Self::File => ("W1", "file"),
            Self::Read => ("W2", "read"),
            Self::Upsert => ("W3", "upsert"),
            Self::UpsertNew => ("W3", "upsert-new"),
            Self::LookUp => ("W4", "look-up"),
            Self::Transaction => ("W4", "transaction"),
            Self::Copy => ("W5", "copy"),
            Self::Bad => ("W6", "bad"),
            Self::Sleep => ("W7", "sleep"),
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|work| work.names().1 == name)
    }

    /// Whether it lasts some seconds, whatever is done in them.
    pub fn is_timed(self) -> bool {
        matches!(self, Self::LookUp | Self::Transaction)
    }

    /// What is made once, before all contenders.
    pub fn set_up(self, servers: &Servers, rows: u64) {
        match self {
            Self::Read | Self::Copy => {
                let table = format!(
                    "drop table if exists lineitem; create table lineitem ({TYPED_COLUMNS});
                     copy lineitem from '{}' (format csv, header);
                     alter table lineitem add primary key (l_orderkey, l_linenumber)",
                    servers.csv(rows).display()
                );
                let statements = [table.as_str(), "vacuum (freeze, analyze) lineitem"];
                if self == Self::Copy {
                    servers.make_source(&statements);
                } else {
                    for sql in statements {
                        servers.sql(sql);
                    }
                }
            }
            Self::Upsert | Self::UpsertNew => {
                servers.sql("drop table if exists items; drop table if exists results");
                for sql in ITEMS.replace("{rows}", &rows.to_string()).split(';') {
                    servers.sql(sql);
                }
            }
            Self::LookUp | Self::Transaction => {
                servers.sql("drop table if exists accounts; drop table if exists history");
                for sql in SMALL.split(';') {
                    servers.sql(sql);
                }
            }
            Self::Load | Self::File | Self::Bad | Self::Sleep => {}
        }
    }

    /// What is made before each run. The ledger of the runs before stays, as it does from night to
    /// night.
    pub fn prepare(self, servers: &Servers) {
        let empty =
            format!("drop table if exists lineitem; create table lineitem ({TYPED_COLUMNS})");
        match self {
            Self::Load | Self::File | Self::Bad => servers.sql(&empty),
            Self::Copy => {
                servers.sql_other(&empty);
                servers.sql_other("checkpoint");
            }
            Self::Upsert => {
                servers.sql("truncate results");
                servers.sql("insert into results select id, amount, 0, label from items");
                servers.sql("vacuum (analyze) results");
            }
            Self::UpsertNew => servers.sql("truncate results"),
            Self::Transaction => {
                servers.sql("update accounts set balance = 0 where balance <> 0");
                servers.sql("truncate history");
                servers.sql("vacuum accounts");
            }
            Self::Read | Self::LookUp | Self::Sleep => {}
        }
        // What the run before has left to write must not slow this one down.
        servers.sql("checkpoint");
    }

    /// What is there now, to be held against what was expected; or why that cannot be said.
    pub fn outcome(self, servers: &Servers, answer: &Answer) -> Result<String, String> {
        Ok(match self {
            Self::Load | Self::File | Self::Bad => servers.pair(SUM_LINEITEM)?,
            Self::Copy => servers.pair_other(SUM_LINEITEM)?,
            Self::Upsert | Self::UpsertNew => servers.pair(SUM_RESULTS)?,
            Self::Read => format!("{} {}", answer.rows, answer.sum),
            Self::LookUp => String::new(),
            Self::Transaction => servers.pair(
                "select count(*), (select sum(balance) = (select count(*) from history)
                    from accounts)::text from accounts",
            )?,
            Self::Sleep => answer.rows.to_string(),
        })
    }

    /// What has to be there afterwards, made without any contender.
    pub fn expected(self, servers: &Servers, rows: u64) -> String {
        match self {
            Self::Load | Self::File | Self::Copy | Self::Bad => {
                let bad = if self == Self::Bad { BAD } else { "false" };
                // Beside the table of the set-up, whose key and statistics the contenders need.
                servers.sql(&format!(
                    "drop table if exists expected; create table expected ({TYPED_COLUMNS});
                     copy expected from '{}' (format csv, header);
                     delete from expected where {bad}",
                    servers.csv(rows).display()
                ));
                let sum = servers.pair(&SUM_LINEITEM.replace("lineitem", "expected"));
                let sum = sum.expect("count the rows that are expected");
                servers.sql("drop table expected");
                sum
            }
            Self::Read => {
                let sum = (0..rows).map(|n| LineItem::nth(n).sum()).fold(0, u64::wrapping_add);
                format!("{rows} {sum}")
            }
            Self::Upsert | Self::UpsertNew => expected_results(servers),
            Self::LookUp => String::new(),
            Self::Transaction => format!("{} true", super::constants::ACCOUNTS),
            Self::Sleep => (super::constants::SLEEPERS * super::constants::SLEEPS).to_string(),
        }
    }
}

/// The rows that `write_csv` spoils: their numbers are made of their keys.
const BAD: &str = "((l_orderkey - 1) * 4 + l_linenumber - 1) % 100 = 50";

fn expected_results(servers: &Servers) -> String {
    let mut client = servers.connect();
    client.batch_execute("truncate results").expect("empty");
    let items = client.query("select id, amount, label from items", &[]).expect("read");
    let mut sink = client.copy_in("copy results from stdin").expect("start");
    for item in items {
        let (id, amount, label): (i64, i64, &str) = (item.get(0), item.get(1), item.get(2));
        let score = transform(id, amount);
        writeln!(sink, "{id}\t{amount}\t{score}\t{label}").expect("write");
    }
    sink.finish().expect("load");
    servers.pair(SUM_RESULTS).expect("count the rows that are expected")
}
