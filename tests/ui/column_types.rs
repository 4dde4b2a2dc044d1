//! Types that SQL does not have.
use rowmill::Entity;

#[derive(Entity)]
struct Types {
    #[entity(column_type = "bigit")]
    id: i64,
    #[entity(column_type = "numeric(1001,2)")]
    price: i64,
}

fn main() {}
