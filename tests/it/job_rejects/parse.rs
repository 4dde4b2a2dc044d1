//! Records without the shape of the file.

use super::*;

/// A byte order mark, a field over two lines, and every fault a record can have by itself.
const BROKEN: &[u8] = b"\xEF\xBB\xBFid,name,n\n\
    1,\"two\nlines\",1\n\
    2,short\n\
    3,long,3,3\n\
    4,\xFFbytes,4\n\
    5,nul\0,5\n\
    6,carriage\rreturn,6\n\
    \\.\n\
    7,good,7\n\
    8,\"quote\"s\" here\",8\n\
    9,last,9";

/// batch 3.3, F52
#[test]
fn a_broken_record_has_its_place_and_its_bytes() {
    on_both(|home| {
        home.sql("create table t (id bigint primary key, name text, n integer)");
        let columns = ["id bigint", "name text", "n integer"];
        let job = |mode| home.csv_job(mode, "t", &columns, "id", BROKEN);
        in_every_mode(home, job, |counts, rejects| {
            assert_eq!(counts, tally(10, 4));
            let expected = [
                "2|4|29|parse|22P04|NULL|2,short",
                "3|5|37|parse|22P04|NULL|3,long,3,3",
                r"4|6|48|parse|22021|NULL|4,\xffbytes,4",
                r"5|7|59|parse|22021|NULL|5,nul\x00,5",
                r"6|8|68|parse|22P04|NULL|6,carriage\rreturn,6",
                r"7|9|88|parse|22P04|NULL|\.",
            ];
            assert_eq!(rejects, expected);
            let rows = home.rows("select id, name, n from t order by id");
            let expected = ["1|two\nlines|1", "7|good|7", "8|quotes here|8", "9|last|9"];
            assert_eq!(rows, expected);
        });
    });
}

#[test]
fn a_file_with_a_quote_that_is_never_closed_is_refused_with_its_line() {
    on_both(|home| {
        home.sql("create table t (id bigint primary key, name text)");
        let csv = "id,name\n1,a\n2,\"b\n3,c\n4,d\n";
        let job = home.csv_job(Mode::Append, "t", &["id bigint", "name text"], "id", csv);
        let error = home.fails(&job);
        assert_eq!((error.kind(), error.place().line), (ErrorKind::Source, Some(3)));
        assert_eq!(home.rows("select * from t").len(), 0);
    });
}

#[test]
fn a_line_that_ends_otherwise_than_the_file_is_a_reject_and_no_row_disappears() {
    on_both(|home| {
        home.sql("create table t (id bigint primary key, name text)");
        let csv = "id,name\r\n1,a\r\n2,b\n3,c\r\n4,d\r\n";
        let columns = ["id bigint", "name text"];
        let tally = home.run(&home.csv_job(Mode::Append, "t", &columns, "id", csv));
        let loaded = home.rows("select id from t order by id");
        assert_eq!(tally.read, tally.inserted + tally.rejected);
        assert_eq!((loaded.first().unwrap().as_str(), loaded.last().unwrap().as_str()), ("1", "4"));
        for reject in home.rejects() {
            assert!(reject.contains("|parse|22P04|"), "{reject}");
        }
    });
}
