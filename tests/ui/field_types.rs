//! Types that no column can have.
use rowmill::Entity;

#[derive(Entity)]
struct Numbers {
    id: u64,
    length: Option<u32>,
    name: &'static str,
}

fn main() {}
