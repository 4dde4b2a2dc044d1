//! Rows that the database refuses.

use super::*;

const TABLE: &str = "create table p (id bigint primary key); insert into p values (1), (2); \
    create table t (id bigint primary key, code text constraint one_code unique, \
    n integer constraint positive check (n > 0), p bigint references p (id), \
    made integer generated always as (nullif(n, 5)) stored not null)";

const COLUMNS: [&str; 4] = ["id bigint", "code text", "n integer", "p bigint"];

const CSV: &str = "id,code,n,p\n1,a,1,1\n2,b,0,1\n3,a,1,1\n4,d,1,7\n5,e,5,2\n6,f,6,2\n";

/// batch 3.3, F52
#[test]
fn each_constraint_refuses_its_own_row_and_is_named() {
    on_both(|home| {
        home.sql(TABLE);
        let job = |mode| home.csv_job(mode, "t", &COLUMNS, "id", CSV).workers(1);
        for mode in [Mode::Append, Mode::Upsert, Mode::Mirror, Mode::Replace] {
            for batch_rows in [1, 2, 100] {
                home.sql("delete from t");
                let counts = home.run(&job(mode).batch_rows(batch_rows));
                assert_eq!(counts, tally(6, 2), "{mode}");
                let all = home.rejects_of(
                    "input_row, line, byte_offset, stage, sqlstate, column_name, \
                                     constraint_name",
                );
                let foreign = home.pick("NULL", "t_p_fkey");
                let unique = home.pick("code|t.code", "NULL|one_code");
                let expected = [
                    "2|3|20|store|23514|NULL|positive|2,b,0,1".to_owned(),
                    format!("3|4|28|store|23505|{unique}|3,a,1,1"),
                    format!("4|5|36|store|23503|NULL|{foreign}|4,d,1,7"),
                    "5|6|44|store|23502|made|NULL|5,e,5,2".to_owned(),
                ];
                assert_eq!(all[all.len() - 4..], expected, "{mode}, batches of {batch_rows}");
                assert_eq!(home.rows("select id from t order by id"), ["1", "6"], "{mode}");
            }
        }
    });
}

#[test]
fn no_value_of_a_row_is_in_the_message_of_the_database() {
    on_both(|home| {
        home.sql(TABLE);
        let csv = CSV.replace(",a,", ",CANARY,").replace(",d,1,7", ",d,1,4711");
        home.run(&home.csv_job(Mode::Upsert, "t", &COLUMNS, "id", csv));
        for reject in home.rejects_of("message") {
            let message = reject.split_once('|').unwrap().0;
            assert!(!message.contains("CANARY") && !message.contains("4711"), "{message}");
        }
    });
}

#[test]
fn a_text_that_is_too_long_for_an_index_costs_one_row() {
    let home = Home::postgres();
    home.sql("create table t (id bigint primary key, code text unique)");
    // What does not compress.
    let mut seed = 1_u64;
    let mut letter = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(b'!' + 1 + (seed >> 33) as u8 % 90)
    };
    let long: String = (0..20_000).map(|_| letter()).filter(|c| !"\",\\".contains(*c)).collect();
    let csv = format!("id,code\n1,a\n2,{long}\n3,c\n");
    for mode in [Mode::Append, Mode::Upsert, Mode::Replace] {
        home.sql("delete from t");
        let job = home.csv_job(mode, "t", &["id bigint", "code text"], "id", &csv);
        assert_eq!(home.run(&job), tally(3, 2), "{mode}");
        assert_eq!(home.rows("select id, code from t order by id"), ["1|a", "3|c"]);
    }
    for reject in home.rejects_of("line, stage, sqlstate") {
        assert!(reject.starts_with("3|store|54000|2,"), "{}", &reject[..40]);
    }
}

/// Rows of which three in ten are refused, in one batch: the good ones are in, exactly once.
fn three_in_ten(home: &Home, rows: u64, bad: impl Fn(u64) -> &'static str) {
    let line = |id: u64| match id % 10 {
        3 | 4 | 8 => format!("{id},c{id},{}\n", bad(id)),
        _ => format!("{id},c{id},1,1\n"),
    };
    let csv: String = (1..=rows).map(line).collect();
    for mode in MODES {
        home.sql("delete from t");
        let csv = format!("id,code,n,p\n{csv}");
        let job = home.csv_job(mode, "t", &COLUMNS, "id", csv).batch_rows(rows);
        let before = home.rejects_or_none().len();
        let counts = home.run(&job.max_rejects(MaxRejects::Share(0.3)));
        assert_eq!(counts, tally(rows, rows / 10 * 7), "{mode}");
        let sum = "select count(*), count(distinct id), sum(id % 10) from t";
        let good = rows / 10 * 7;
        assert_eq!(home.rows(sum), [format!("{good}|{good}|{}", rows / 10 * 30)], "{mode}");
        let rejects = home.rejects_of("input_row, line, stage");
        assert_eq!(rejects.len() - before, (rows / 10 * 3) as usize);
        for (reject, id) in
            rejects[before..].iter().zip((1..).filter(|id| matches!(id % 10, 3 | 4 | 8)))
        {
            assert_eq!(reject, &format!("{id}|{}|store|{id},c{id},{}", id + 1, bad(id)), "{mode}");
        }
    }
}

#[test]
fn three_bad_rows_in_ten_that_the_database_names() {
    on_both(|home| {
        home.sql(TABLE);
        three_in_ten(home, 1_000, |_| "0,1");
    });
}

#[test]
fn three_bad_rows_in_ten_that_the_database_does_not_name() {
    on_both(|home| {
        home.sql(TABLE);
        three_in_ten(home, 500, |id| if id % 2 == 0 { "1,99" } else { "5,1" });
    });
}
