//! The rows of `lineitem`: TPC-H's sixteen columns, made of a seed and their number.

use super::constants::{SEED, mix};
use chrono::NaiveDate;
use rowmill::Entity;
use rust_decimal::Decimal;
use std::fmt::Write as _;
use std::io::{self, Write};

/// A row; every contender that maps structs maps this one.
#[derive(Clone, Entity, sqlx::FromRow)]
#[entity(table = "lineitem")]
#[cfg_attr(
    feature = "diesel",
    derive(diesel::Queryable, diesel::Selectable, diesel::Insertable),
    diesel(table_name = super::programs::lineitem_of_diesel::lineitem, treat_none_as_default_value = false, check_for_backend(diesel::pg::Pg))
)]
#[allow(clippy::struct_field_names, reason = "the columns of TPC-H are called so")]
pub struct LineItem {
    #[entity(key)]
    pub l_orderkey: i64,
    pub l_partkey: i64,
    pub l_suppkey: i64,
    #[entity(key)]
    pub l_linenumber: i32,
    pub l_quantity: Decimal,
    pub l_extendedprice: Decimal,
    pub l_discount: Decimal,
    pub l_tax: Decimal,
    pub l_returnflag: String,
    pub l_linestatus: String,
    pub l_shipdate: NaiveDate,
    pub l_commitdate: NaiveDate,
    pub l_receiptdate: NaiveDate,
    pub l_shipinstruct: String,
    pub l_shipmode: String,
    pub l_comment: String,
}

/// Lines of an order.
const LINES: u64 = 4;
const FLAGS: [&str; 3] = ["A", "N", "R"];
const STATES: [&str; 2] = ["F", "O"];
const INSTRUCTIONS: [&str; 4] = ["COLLECT COD", "DELIVER IN PERSON", "NONE", "TAKE BACK RETURN"];
const MODES: [&str; 7] = ["AIR", "FOB", "MAIL", "RAIL", "REG AIR", "SHIP", "TRUCK"];
/// What comments are cut from.
const TEXT: &str = "furiously regular packages among the carefully ironic deposits sleep blithely \
    along the quickly final foxes; slyly bold requests detect silent theodolites above the pending \
    accounts and dependencies nag express platelets according to the daring excuses";

/// The greatest key of `rows` rows.
pub fn orders(rows: u64) -> i64 {
    rows.div_ceil(LINES) as i64
}

impl LineItem {
    /// The row of that number, from 0.
    pub fn nth(number: u64) -> Self {
        let one = mix(SEED ^ number);
        let two = mix(one);
        let quantity = one % 50 + 1;
        let shipped = two % 2_526;
        let from = (two >> 12) as usize % (TEXT.len() - 44);
        let length = (two >> 24) as usize % 34 + 10;
        let pick =
            |list: &'static [&'static str], by: u64| list[by as usize % list.len()].to_owned();
        Self {
            l_orderkey: (number / LINES) as i64 + 1,
            l_partkey: (one >> 8) as i64 % 200_000 + 1,
            l_suppkey: (one >> 28) as i64 % 10_000 + 1,
            l_linenumber: (number % LINES) as i32 + 1,
            l_quantity: Decimal::new(quantity as i64 * 100, 2),
            l_extendedprice: Decimal::new((quantity * (90_000 + (one >> 40) % 110_000)) as i64, 2),
            l_discount: Decimal::new((two >> 32) as i64 % 11, 2),
            l_tax: Decimal::new((two >> 36) as i64 % 9, 2),
            l_returnflag: pick(&FLAGS, two >> 40),
            l_linestatus: pick(&STATES, two >> 44),
            l_shipdate: date(shipped),
            l_commitdate: date(shipped + (two >> 48) % 60),
            l_receiptdate: date(shipped + (two >> 54) % 30 + 1),
            l_shipinstruct: pick(&INSTRUCTIONS, one >> 52),
            l_shipmode: pick(&MODES, one >> 56),
            l_comment: TEXT[from..from + length].to_owned(),
        }
    }

    /// What proves that all columns were read; texts of fixed length come back with their blanks.
    pub fn sum(&self) -> u64 {
        let days = |date: NaiveDate| u64::from(date.to_epoch_days().cast_unsigned());
        let cents = |amount: Decimal| (amount.mantissa() as u64) << (8 * (2 - amount.scale()));
        let text = |text: &str| {
            let text = text.trim_end().as_bytes();
            let ends = text.first().zip(text.last());
            ends.map_or(0, |(first, last)| u64::from(*first) * 31 + u64::from(*last))
                + text.len() as u64
        };
        let numbers = self.l_orderkey as u64
            + self.l_partkey as u64 * 3
            + self.l_suppkey as u64 * 5
            + self.l_linenumber as u64 * 7;
        let amounts = cents(self.l_quantity)
            + cents(self.l_extendedprice) * 3
            + cents(self.l_discount) * 5
            + cents(self.l_tax) * 7;
        let dates =
            days(self.l_shipdate) + days(self.l_commitdate) * 3 + days(self.l_receiptdate) * 5;
        let texts = text(&self.l_returnflag)
            + text(&self.l_linestatus) * 3
            + text(&self.l_shipinstruct) * 5
            + text(&self.l_shipmode) * 7
            + text(&self.l_comment) * 11;
        numbers.wrapping_add(amounts * 13).wrapping_add(dates * 17).wrapping_add(texts * 19)
    }

    /// As a line of CSV or, with tabs, of COPY's text form: no value needs quotes.
    pub fn write_line(&self, out: &mut String, separator: char) {
        let s = separator;
        let Self { l_orderkey, l_partkey, l_suppkey, l_linenumber, .. } = self;
        let Self { l_quantity, l_extendedprice, l_discount, l_tax, .. } = self;
        let Self { l_returnflag, l_linestatus, l_shipdate, l_commitdate, l_receiptdate, .. } = self;
        let Self { l_shipinstruct, l_shipmode, l_comment, .. } = self;
        let written = writeln!(
            out,
            "{l_orderkey}{s}{l_partkey}{s}{l_suppkey}{s}{l_linenumber}{s}{l_quantity}{s}\
             {l_extendedprice}{s}{l_discount}{s}{l_tax}{s}{l_returnflag}{s}{l_linestatus}{s}\
             {l_shipdate}{s}{l_commitdate}{s}{l_receiptdate}{s}{l_shipinstruct}{s}{l_shipmode}{s}\
             {l_comment}"
        );
        written.expect("write to a string");
    }
}

fn date(days: u64) -> NaiveDate {
    // Days since 1970: 1992-01-02 and later.
    NaiveDate::from_epoch_days(8_036 + days as i32).expect("a date")
}

/// Writes rows as CSV, with a header; every `bad`th one, if any, has a number that is none.
pub fn write_csv(out: &mut dyn Write, rows: u64, bad: Option<u64>) -> io::Result<()> {
    writeln!(out, "{}", super::constants::COLUMNS.replace(' ', ""))?;
    let mut line = String::new();
    for number in 0..rows {
        line.clear();
        LineItem::nth(number).write_line(&mut line, ',');
        if bad.is_some_and(|every| number % every == every / 2) {
            line.insert(0, 'x');
        }
        out.write_all(line.as_bytes())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_always_the_same() {
        assert_eq!(LineItem::nth(7).sum(), LineItem::nth(7).sum());
        assert_ne!(LineItem::nth(7).sum(), LineItem::nth(8).sum());
    }

    #[test]
    fn one_row_of_a_hundred_is_bad() {
        let mut csv = Vec::new();
        write_csv(&mut csv, 1_000, Some(100)).unwrap();
        let csv = String::from_utf8(csv).unwrap();
        assert_eq!(csv.lines().filter(|line| line.starts_with('x')).count(), 10);
    }
}
