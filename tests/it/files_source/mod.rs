//! Several files, compressed files and standard input are read as one plain file would be.

#[cfg(feature = "cli")]
mod command;
#[cfg(feature = "compression")]
mod compressed;
#[cfg(feature = "files")]
mod several;

use rowmill::source::feed::{Feed, Layout};
use rowmill::source::prepared::Prepared;
use rowmill::{Bounds, CutLimits, Error, Origin, Rows};

/// What a source yields: the packed rows, and the rejects, each with its number in the input.
type Seen = Vec<(u64, Result<Vec<u8>, Vec<u8>>)>;

/// So many lines.
fn lines(count: u64, line: impl Fn(u64) -> String) -> String {
    (0..count).map(|number| line(number) + "\n").collect()
}

fn plan(feed: &dyn Feed, limits: CutLimits) -> Result<Vec<Bounds>, Error> {
    let mut batches = Vec::new();
    feed.plan(limits, &mut |bounds| {
        batches.push(bounds);
        Ok(())
    })?;
    Ok(batches)
}

fn tuple(rows: &Rows, place: usize) -> Vec<u8> {
    rows.tuples(place..place + 1).to_vec()
}

/// The rows of some batches, in the order of the input.
fn rows(feed: &dyn Feed, batches: &[Bounds]) -> Result<Seen, Error> {
    let layout = Layout::new(feed.columns().to_vec(), Vec::new());
    let mut seen = Vec::new();
    for bounds in batches {
        let mut prepared = Prepared::new(&layout);
        feed.prepare(bounds, &layout, &mut prepared)?;
        for (place, index) in prepared.indexes.iter().enumerate() {
            seen.push((bounds.first_row + u64::from(*index), Ok(tuple(&prepared.rows, place))));
        }
        for refused in prepared.refused {
            let origin: Origin = feed.origin(bounds, refused.index)?;
            assert_eq!(origin, refused.origin);
            seen.push((origin.row, Err(origin.raw)));
        }
    }
    seen.sort();
    Ok(seen)
}
