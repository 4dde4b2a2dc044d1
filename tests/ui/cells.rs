//! Types that do not say as what they travel, or say too much.
use rowmill::Cell;

#[derive(Cell)]
struct TwoFields(i64, i64);

#[derive(Cell)]
enum NoField {
    One,
}

#[derive(Cell)]
struct Unsigned(u64);

#[derive(Cell)]
#[cell(text, via = "String")]
struct Both(String);

#[derive(Cell)]
#[cell(nul = "Strip")]
struct UnknownPolicy(String);

#[derive(Cell)]
#[cell(column_type = "bigit")]
struct UnknownType(i64);

#[derive(Cell)]
#[cell(column_type = "text", domain = "email")]
struct TwoTypes(String);

#[derive(Cell)]
#[cell(domain = "a.b.c")]
struct LongName(String);

#[derive(Cell)]
#[cell(transparent)]
struct UnknownOption(i64);

#[derive(Cell)]
struct Generic<T>(T);

fn main() {}
