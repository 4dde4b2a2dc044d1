//! Rows in bulk, without the driver and through it.

use super::{backend, in_time, text};
use crate::support::{TestDb, shared};
use rowmill::backend::{Backend, Connection};
use rowmill::{ColumnType, Error, ErrorKind};

/// Calls `test` with a connection of each way.
fn each_way(db: &TestDb<'_>, test: impl Fn(&mut dyn Connection, &str)) {
    for way in ["direct=true", "direct=false"] {
        let url = db.url();
        let mark = if url.contains('?') { '&' } else { '?' };
        let mut connection = backend(&format!("{url}{mark}{way}")).connect(in_time()).unwrap();
        test(&mut *connection, way);
        // Whatever it was: nothing of it is left in the way of the next statement.
        assert_eq!(text(&mut *connection, "select 'clean'", &[]), "clean", "{way}");
        connection.run("begin; commit").unwrap();
    }
}

#[test]
fn rows_in_bulk_are_the_same_whoever_speaks() {
    let db = shared().database("unload");
    each_way(&db, |connection, way| {
        let sql = "select n, case when n % 3 = 0 then repeat('x', 200000) when n % 3 = 1 then '' end \
                   from generate_series(1, 30) n order by n";
        let mut rows = Vec::new();
        let count = connection
            .unload(sql, &[ColumnType::Int4, ColumnType::Text], &mut |row| {
                rows.push(row.fields.map(|field| field.map(<[u8]>::to_vec)).collect::<Vec<_>>());
                Ok(())
            })
            .unwrap();
        let expected: Vec<_> = (1..=30_i32)
            .map(|n| {
                let text = match n % 3 {
                    0 => Some(vec![b'x'; 200_000]),
                    1 => Some(Vec::new()),
                    _ => None,
                };
                vec![Some(n.to_be_bytes().to_vec()), text]
            })
            .collect();
        assert!(rows == expected && count == 30, "{way}");
        let nothing = "select 1 where false";
        assert_eq!(connection.unload(nothing, &[ColumnType::Int4], &mut |_| Ok(())).unwrap(), 0);
    });
}

#[test]
fn who_has_enough_of_the_rows_leaves_the_connection_clean() {
    let db = shared().database("enough");
    each_way(&db, |connection, way| {
        let mut seen = 0;
        let sql = "select n from generate_series(1, 1000) n";
        let error = connection
            .unload(sql, &[ColumnType::Int4], &mut |_| {
                seen += 1;
                if seen == 7 { Err(Error::new(ErrorKind::Stopped, "enough")) } else { Ok(()) }
            })
            .unwrap_err();
        assert_eq!((error.kind(), seen), (ErrorKind::Stopped, 7), "{way}");
    });
}

#[test]
fn rows_of_another_width_are_an_error_and_the_connection_stays() {
    let db = shared().database("width");
    each_way(&db, |connection, way| {
        let error =
            connection.unload("select 1, 2", &[ColumnType::Int4], &mut |_| Ok(())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{way}");
    });
}

#[test]
fn what_the_server_says_at_the_start_or_amid_the_rows_is_told() {
    let db = shared().database("amid");
    each_way(&db, |connection, way| {
        let mut seen = 0;
        for (sql, state) in [
            ("select n from there_is_no_such_table", "42P01"),
            ("select 1 / (5000 - n) from generate_series(1, 9000) n", "22012"),
        ] {
            let error = connection
                .unload(sql, &[ColumnType::Int4], &mut |_| {
                    seen += 1;
                    Ok(())
                })
                .unwrap_err();
            assert_eq!(error.sqlstate().unwrap().code(), state, "{way}");
        }
        assert_eq!(seen, 4999, "{way}");
    });
}
