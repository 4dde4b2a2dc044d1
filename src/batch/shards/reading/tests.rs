use super::*;
use crate::error::{Error, ErrorKind};
use crate::ident::{Ident, TableName};
use crate::mapping::column::Column;
use crate::mapping::column_type::ColumnType;
use crate::sharding::ShardMap;
use crate::sink::mode::Mode;
use crate::sink::target::Target;
use crate::source::bounds::{CutLimits, Fingerprint, Origin};
use std::sync::atomic::{AtomicBool, Ordering};

/// Batches of ten rows each, whose one column counts.
#[derive(Debug)]
struct Numbers {
    columns: Vec<Column>,
    fails: AtomicBool,
}

impl Feed for Numbers {
    fn describe(&self) -> String {
        "numbers".to_owned()
    }

    fn columns(&self) -> &[Column] {
        &self.columns
    }

    fn fingerprint(&self) -> Result<Fingerprint> {
        Ok(Fingerprint(String::new()))
    }

    fn plan(&self, _: CutLimits, _: &mut dyn FnMut(Bounds) -> Result<()>) -> Result<()> {
        Ok(())
    }

    fn prepare(&self, bounds: &Bounds, layout: &Layout, out: &mut Prepared) -> Result<()> {
        if self.fails.swap(false, Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::Source, "once"));
        }
        out.read = bounds.rows;
        (0..bounds.rows).try_for_each(|index| {
            let number = bounds.start + index;
            out.push(index as u32, layout, |to| to.field(&number.to_be_bytes()))
        })
    }

    fn origin(&self, _: &Bounds, _: u32) -> Result<Origin> {
        Ok(Origin::of_row(1, Vec::new()))
    }
}

fn reading(room: u64) -> (Reading, Layout) {
    let column = Column::new(Ident::new("id").unwrap(), ColumnType::Int8);
    let layout = Layout::new(vec![column.clone()], Vec::new());
    let table = TableName::parse("t").unwrap();
    let target = Target::new(table, vec![column.clone()], Vec::new(), Mode::Append).unwrap();
    let map = ShardMap::hashed(["a", "b"]).unwrap();
    let spread = Spread::of(Some("id"), &map, &target.into()).unwrap();
    let feed = Numbers { columns: vec![column], fails: AtomicBool::new(false) };
    (Reading::new(Arc::new(feed), Arc::new(spread), 2, room, 2), layout)
}

fn batch(number: u32) -> Bounds {
    Bounds::of_rows(number, u64::from(number) * 10 + 1, 10)
}

fn take(reading: &Reading, layout: &Layout, shard: usize, number: u32) -> u64 {
    let mut out = Prepared::new(layout);
    reading.take(shard, &batch(number), layout, &mut out).unwrap();
    assert_eq!(out.read, out.rows.len() as u64);
    out.read
}

#[test]
fn what_one_has_read_is_there_for_the_other_and_nothing_of_it_stays() {
    let (reading, layout) = reading(1 << 20);
    reading.enter(0);
    reading.enter(1);
    for number in 0..9 {
        let first = take(&reading, &layout, (number % 2) as usize, number);
        assert_eq!(first + take(&reading, &layout, (1 - number % 2) as usize, number), 10);
    }
    assert_eq!(reading.read(), 9);
    let state = reading.state.lock();
    assert!(state.batches.is_empty() && state.takers.iter().all(|taker| taker.bytes == 0));
}

/// It costs a second: who is ahead waits that long for who takes nothing.
#[test]
fn who_takes_nothing_is_left_behind_in_bounded_memory_and_reads_again() {
    let (reading, layout) = reading(0);
    reading.enter(0);
    reading.enter(1);
    let all: Vec<u64> = (0..50).map(|number| take(&reading, &layout, 0, number)).collect();
    assert!(reading.state.lock().batches.len() <= 1);
    for (number, first) in (0..).zip(all) {
        assert_eq!(first + take(&reading, &layout, 1, number), 10);
    }
    assert!(reading.read() <= 100);
    assert_eq!(reading.state.lock().takers[0].bytes, 0);
}

#[test]
fn nothing_is_kept_for_one_that_is_not_there_and_a_failure_is_told_once() {
    let (reading, layout) = reading(1 << 20);
    reading.enter(0);
    take(&reading, &layout, 0, 0);
    assert!(reading.state.lock().batches.is_empty());
    reading.enter(1);
    take(&reading, &layout, 0, 1);
    assert_eq!(reading.state.lock().batches.len(), 1);
    reading.leave(1);
    assert!(reading.state.lock().batches.is_empty());
}
