//! Types that no column can have.
use rowmill::Entity;

struct Own;

#[derive(Entity)]
struct Numbers {
    id: u64,
    length: Option<u32>,
    name: &'static str,
}

#[derive(Entity)]
struct Foreign {
    id: i64,
    own: Own,
}

fn main() {}
