//! Parameters, results and counts.

use super::*;

#[test]
fn placeholders_are_bound_by_number_whatever_their_order() {
    let mut connection = connect(&memory());
    let params = ["first".into(), 2_i64.into(), Param::Null];
    assert_eq!(
        all(&mut *connection, "select $2, $3, $1, $2", &params),
        ["2 NULL 'first' 2".to_owned()]
    );
    let eleven: Vec<Param<'_>> = (1..=11).map(Param::Int).collect();
    let sql = "select $11, $1 where $2 + $3 + $4 + $5 + $6 + $7 + $8 + $9 + $10 = 54";
    assert_eq!(all(&mut *connection, sql, &eleven), ["11 1"]);
}

#[test]
fn a_statement_with_more_or_fewer_placeholders_than_parameters_is_refused() {
    let mut connection = connect(&memory());
    for (sql, sqlstate) in [
        ("select $2", "42P02"),
        ("select 1", "42P02"),
        ("select ?", "42601"),
        ("select $1::int", "42601"),
        ("select $0", "42601"),
    ] {
        let error = connection.execute(sql, &[1.into()]).unwrap_err();
        assert_eq!(code(&error), sqlstate, "{sql}: {error}");
    }
}

#[test]
fn every_kind_of_parameter_becomes_its_value() {
    let mut connection = connect(&memory());
    let params = [
        true.into(),
        f64::NAN.into(),
        1.5.into(),
        vec![1_u8, 2].into(),
        Param::Packed(&ColumnType::Int4, vec![0, 0, 1, 0].into()),
        Param::Packed(&ColumnType::Uuid, vec![0xab; 16].into()),
    ];
    assert_eq!(
        all(&mut *connection, "select $1, $2, $3, $4, $5, $6", &params),
        ["1 'NaN' real:1.5 x[1, 2] 256 'abababab-abab-abab-abab-abababababab'"]
    );
}

#[test]
fn the_count_of_changed_rows_is_that_of_the_statement() {
    let mut connection = connect(&memory());
    connection.run("create table t (a); insert into t values (1), (2), (3)").unwrap();
    for (sql, count) in [
        ("update t set a = a + 1", 3),
        ("create table u (a)", 0),
        ("delete from t where a = 9", 0),
        ("select * from t", 0),
        ("insert into t values (7), (8) returning a", 2),
        ("delete from t where a > 6", 2),
    ] {
        assert_eq!(connection.execute(sql, &[]).unwrap(), count, "{sql}");
    }
}

#[test]
fn rows_know_their_names_and_a_cell_that_is_not_there_is_an_error() {
    let mut connection = connect(&memory());
    connection
        .query("select 1 as first, 2 as second", &[], &mut |row| {
            assert_eq!((row.len(), row.name(0), row.name(1)), (2, "first", "second"));
            assert_eq!(row.cell(2).unwrap_err().kind(), ErrorKind::Decode);
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_text_that_is_not_utf8_is_an_error_with_its_column() {
    let mut connection = connect(&memory());
    let error = connection
        .query("select cast(x'61ff' as text) as name", &[], &mut |row| row.cell(0).map(drop))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert_eq!(error.place().column.as_deref(), Some("name"));
}

#[test]
fn after_an_error_of_the_reader_the_rest_is_thrown_away() {
    let mut connection = connect(&memory());
    connection.run("create table t (a); insert into t values (1), (2)").unwrap();
    let mut seen = 0;
    let error = connection
        .query("select a from t", &[], &mut |_| {
            seen += 1;
            Err(Error::new(ErrorKind::Stopped, "enough"))
        })
        .unwrap_err();
    assert_eq!((seen, error.kind()), (1, ErrorKind::Stopped));
    connection.run("drop table t").unwrap();
}

#[test]
fn a_statement_with_nul_or_with_another_behind_it_is_refused() {
    let mut connection = connect(&memory());
    assert_eq!(code(&connection.run("select 1;\0 drop table t").unwrap_err()), "42601");
    assert_eq!(code(&connection.execute("select 1; select 2", &[]).unwrap_err()), "42601");
}
