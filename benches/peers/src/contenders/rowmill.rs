//! rowmill's own pool.

#[path = "../../../common/nothing.rs"]
mod nothing;

use crate::blocking::{Lend, Serve};
use crate::scenario::{HOLD, POINT};
use nothing::Nothing;
use rowmill::{CellRef, ColumnType, Engine, Param, PoolOptions, Pooled};
use std::sync::Arc;

/// A pool of connections that do nothing.
pub fn trivial(most: u32) -> impl Lend {
    let options = PoolOptions::new().pool_size(most).max_overflow(0);
    Engine::from_backend(Arc::new(Nothing), options).expect("make a pool")
}

/// A pool of connections to the server.
pub fn real(url: &str, most: u32) -> impl Serve {
    let builder = Engine::builder(url).pool_size(most).max_overflow(0);
    builder.build().expect("make a pool")
}

impl Lend for Engine {
    type Loan = Pooled;

    fn get(&self) -> Pooled {
        Engine::get(self).expect("take a connection")
    }
}

impl Serve for Engine {
    fn hold(loan: &mut Pooled) {
        loan.run(HOLD).expect("hold a connection");
    }

    fn point(loan: &mut Pooled, key: i64) -> usize {
        let mut length = 0;
        let asked = loan.query(POINT, &[Param::Int(key)], &mut |row| {
            if let CellRef::Packed(ColumnType::Text, bytes) = row.cell(0)? {
                length = bytes.len();
            } else if let CellRef::Text(text) = row.cell(0)? {
                length = text.len();
            }
            Ok(())
        });
        asked.expect("ask");
        length
    }
}
