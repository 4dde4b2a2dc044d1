//! What must not compile, and what it says then: `tests/ui/*.rs` and their `.stderr`.

#[test]
fn shapes_that_are_no_table_are_refused_where_they_stand() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
