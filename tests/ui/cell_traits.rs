//! Conversions that are not there.
use rowmill::Cell;

#[derive(Clone, Cell)]
#[cell(via = "i64")]
struct OneWay(i64);

impl From<OneWay> for i64 {
    fn from(value: OneWay) -> Self {
        value.0
    }
}

fn main() {}
