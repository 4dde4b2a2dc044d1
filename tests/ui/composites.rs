//! Structs that are no composite type.
use rowmill::Composite;

#[derive(Composite)]
struct Unnamed(i64);

#[derive(Composite)]
enum Variants {
    One,
}

#[derive(Composite)]
#[composite(name = "a.b.c")]
struct LongName {
    a: i64,
}

#[derive(Composite)]
struct Fields {
    #[composite(field = "b")]
    a: i64,
    b: u64,
    c: i32,
    #[composite(field = "c")]
    d: i32,
    #[composite(column = "e")]
    e: i32,
}

fn main() {}
