//! Packed rows into a table.

use super::*;

#[test]
fn a_field_of_every_type_is_loaded_as_sqlite_keeps_it() {
    let mut connection = connect(&memory());
    let fields: Vec<(ColumnType, Vec<u8>, &str)> = vec![
        (ColumnType::Bool, vec![1], "1"),
        (ColumnType::Int2, (-2_i16).to_be_bytes().into(), "-2"),
        (ColumnType::Int4, 70_000_i32.to_be_bytes().into(), "70000"),
        (ColumnType::Int8, i64::MIN.to_be_bytes().into(), "-9223372036854775808"),
        (ColumnType::Float4, 0.5_f32.to_be_bytes().into(), "real:0.5"),
        (ColumnType::Float4, f32::NAN.to_be_bytes().into(), "'NaN'"),
        (ColumnType::Float8, f64::NEG_INFINITY.to_be_bytes().into(), "real:-inf"),
        (ColumnType::Float8, f64::NAN.to_be_bytes().into(), "'NaN'"),
        (ColumnType::Text, "é".into(), "'é'"),
        (ColumnType::Text, vec![], "''"),
        (ColumnType::Varchar(Some(3)), "abc".into(), "'abc'"),
        (ColumnType::Char(3), "a  ".into(), "'a  '"),
        (ColumnType::Json, "{}".into(), "'{}'"),
        (ColumnType::Jsonb, b"\x01[1]".to_vec(), "'[1]'"),
        (ColumnType::Bytea, vec![0, 255], "x[0, 255]"),
        (ColumnType::Bytea, vec![], "x[]"),
        (ColumnType::Uuid, (0..16).collect(), "'00010203-0405-0607-0809-0a0b0c0d0e0f'"),
        (ColumnType::Date, 366_i32.to_be_bytes().into(), "'2001-01-01'"),
        (ColumnType::Timestamp, 1_500_000_i64.to_be_bytes().into(), "'2000-01-01 00:00:01.5'"),
        (ColumnType::Time, 60_000_000_i64.to_be_bytes().into(), "'00:01:00'"),
        (ColumnType::Numeric(None), [0_u8, 1, 0, 0, 0, 0, 0, 1, 0, 7].into(), "'7.0'"),
        (ColumnType::Enum("mood".into()), "sad".into(), "'sad'"),
        (ColumnType::Other("inet".into()), "::1".into(), "'::1'"),
    ];
    let columns: Vec<Column> = (0..fields.len())
        .map(|index| column(&format!("c{index}"), fields[index].0.clone()))
        .collect();
    let names: Vec<String> = columns.iter().map(|column| column.name.to_string()).collect();
    connection.run(&format!("create table t ({})", names.join(", "))).unwrap();
    let mut rows = Rows::new(fields.len() as u16);
    let mut row = rows.begin();
    for (_, bytes, _) in &fields {
        row.field(bytes).unwrap();
    }
    row.finish().unwrap();
    let mut row = rows.begin();
    for _ in &fields {
        row.null();
    }
    row.finish().unwrap();

    assert_eq!(connection.load(&table("t"), &columns, &rows, 0..2).unwrap(), 2);
    let expected: Vec<&str> = fields.iter().map(|(_, _, shown)| *shown).collect();
    let loaded = all(&mut *connection, "select * from t", &[]);
    assert_eq!(loaded[0], expected.join(" "));
    assert_eq!(loaded[1], vec!["NULL"; fields.len()].join(" "));
}

#[test]
fn exactly_the_rows_of_the_range_are_loaded_in_their_order() {
    let mut connection = connect(&memory());
    connection.run("create table t (a integer)").unwrap();
    let rows = numbers(0..200);
    let columns = [column("a", ColumnType::Int8)];
    for range in [3..3, 3..4, 10..42, 50..150] {
        connection.run("delete from t").unwrap();
        let count = connection.load(&table("t"), &columns, &rows, range.clone()).unwrap();
        assert_eq!(count, range.len() as u64);
        let expected: Vec<String> = range.map(|number| number.to_string()).collect();
        assert_eq!(all(&mut *connection, "select a from t order by rowid", &[]), expected);
    }
}

#[test]
fn the_row_that_a_constraint_refuses_is_named_wherever_it_stands() {
    for conflict in ["abort", "fail"] {
        let mut connection = connect(&memory());
        connection
            .run(&format!(
                "create table t (a integer check (a >= 0) unique on conflict {conflict})"
            ))
            .unwrap();
        let columns = [column("a", ColumnType::Int8)];
        for wrong in [10_i64, 11, 31, 41, 42, 73, 79] {
            // Row `wrong` repeats the one before it; the range begins with row 10.
            let rows = numbers((0..80).map(|n| if n == wrong && n > 10 { n - 1 } else { n }));
            connection.begin().unwrap();
            let outcome = connection.load(&table("t"), &columns, &rows, 10..80);
            if wrong == 10 {
                assert_eq!(outcome.unwrap(), 70);
            } else {
                let error = outcome.unwrap_err();
                assert_eq!(error.place().row, Some(wrong as u64 - 9), "{conflict}: {error}");
                assert_eq!((code(&error).as_str(), error.constraint()), ("23505", Some("t.a")));
            }
            connection.rollback().unwrap();
        }
    }
}

#[test]
fn a_load_outside_a_transaction_is_all_or_nothing() {
    let database = Database::new();
    let backend = database.backend();
    let mut connection = connect(&backend);
    connection.run("create table t (a integer unique)").unwrap();
    let columns = [column("a", ColumnType::Int8)];
    let rows = numbers((0..100).chain([5]));
    let error = connection.load(&table("t"), &columns, &rows, 0..101).unwrap_err();
    assert_eq!(error.place().row, Some(101));
    assert!(!connection.in_transaction());
    assert_eq!(one(&mut *connection, "select count(*) from t"), "0");
    assert_eq!(connection.load(&table("t"), &columns, &rows, 0..100).unwrap(), 100);
    connect(&backend).begin().unwrap();
}

#[test]
fn after_a_refused_load_the_savepoint_before_it_can_be_carried_on() {
    let mut connection = connect(&memory());
    connection.run("create table t (a integer unique)").unwrap();
    let columns = [column("a", ColumnType::Int8)];
    connection.begin().unwrap();
    connection.run("insert into t values (-1); savepoint s").unwrap();
    let rows = numbers((0..50).chain([-1]));
    connection.load(&table("t"), &columns, &rows, 0..51).unwrap_err();
    connection.run("rollback to s").unwrap();
    assert_eq!(connection.load(&table("t"), &columns, &rows, 0..50).unwrap(), 50);
    connection.commit().unwrap();
    assert_eq!(one(&mut *connection, "select count(*) from t"), "51");
}

#[test]
fn a_load_that_rolls_everything_back_commits_nothing() {
    let mut connection = connect(&memory());
    connection.run("create table t (a integer unique on conflict rollback)").unwrap();
    let columns = [column("a", ColumnType::Int8)];
    connection.begin().unwrap();
    let rows = numbers((0..20).chain([3]).chain(20..39));
    connection.load(&table("t"), &columns, &rows, 0..40).unwrap_err();
    assert_eq!(code(&connection.commit().unwrap_err()), "25P02");
    assert_eq!(one(&mut *connection, "select count(*) from t"), "0");
}

#[test]
fn a_malformed_field_is_an_error_with_row_and_column() {
    let mut connection = connect(&memory());
    connection.run("create table t (a)").unwrap();
    let columns = [column("a", ColumnType::Int4)];
    let error = connection.load(&table("t"), &columns, &numbers(0..50), 20..30).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Encode);
    assert_eq!((error.place().row, error.place().column.as_deref()), (Some(1), Some("a")));
}
