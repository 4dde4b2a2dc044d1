//! What the database refuses, and what only has to wait.

use super::*;

const CODES: &str = "create table t (id bigint primary key, code text unique)";
const CODE_COLUMNS: [&str; 2] = ["id bigint", "code text"];

fn codes(home: &Home) -> Vec<String> {
    home.rows("select id, code from t order by id")
}

#[test]
fn a_row_takes_the_unique_value_of_one_that_the_same_run_deletes() {
    on_both(|home| {
        home.sql(&format!("{CODES}; insert into t values (1, 'x'), (2, 'y')"));
        let job = home.csv_job(Mode::Mirror, "t", &CODE_COLUMNS, "id", "id,code\n2,x\n3,y\n");
        let expected = Tally { read: 2, inserted: 1, updated: 1, deleted: 1, ..Tally::default() };
        assert_eq!(home.run(&job), expected);
        assert_eq!(codes(home), ["2|x", "3|y"]);
    });
}

#[test]
fn a_true_clash_is_one_reject() {
    on_both(|home| {
        for mode in [Mode::Upsert, Mode::Mirror, Mode::Replace, Mode::Append] {
            home.sql(&format!("drop table if exists t; {CODES}"));
            let csv = "id,code\n1,x\n2,y\n3,x\n4,z\n";
            let job = home.csv_job(mode, "t", &CODE_COLUMNS, "id", csv);
            let expected = Tally { read: 4, inserted: 3, rejected: 1, ..Tally::default() };
            assert_eq!(home.run(&job), expected, "{mode}");
            assert_eq!(codes(home), ["1|x", "2|y", "4|z"], "{mode}");
        }
        let rejects = home.rejects_of("line, stage, sqlstate, constraint_name");
        let constraint = home.pick("t.code", "t_code_key");
        assert_eq!(rejects, vec![format!("4|store|23505|{constraint}|3,x"); 4]);
    });
}

#[test]
fn what_meets_another_unique_value_is_passed_over_by_insert_ignore() {
    on_both(|home| {
        home.sql(&format!("{CODES}; insert into t values (9, 'y')"));
        let csv = "id,code\n1,x\n2,y\n3,x\n4,z\n";
        let job = home.csv_job(Mode::InsertIgnore, "t", &CODE_COLUMNS, "id", csv).batch_rows(1);
        let expected = Tally { read: 4, inserted: 2, unchanged: 2, ..Tally::default() };
        assert_eq!(home.run(&job), expected);
        assert_eq!(codes(home), ["1|x", "4|z", "9|y"]);
    });
}

/// Each row takes the value that the one behind it gives up, and one clash spoils the first try.
#[test]
fn a_chain_of_unique_values_is_followed_to_its_end() {
    on_both(|home| {
        for mode in [Mode::Upsert, Mode::Mirror] {
            home.sql(&format!(
                "drop table if exists t; {CODES}; \
                 insert into t values (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd'), (5, 'e'), (6, 'f')"
            ));
            let csv = "id,code\n5,d\n4,c\n3,b\n2,a\n1,z\n7,f\n6,f\n";
            let job = home.csv_job(mode, "t", &CODE_COLUMNS, "id", csv);
            let expected =
                Tally { read: 7, updated: 5, unchanged: 1, rejected: 1, ..Tally::default() };
            assert_eq!(home.run(&job), expected, "{mode}");
            assert_eq!(codes(home), ["1|z", "2|a", "3|b", "4|c", "5|d", "6|f"], "{mode}");
        }
    });
}

const TREE: &str = "create table t (id bigint primary key, parent bigint references t (id))";
const TREE_COLUMNS: [&str; 2] = ["id bigint", "parent bigint"];

fn tree(home: &Home) -> Vec<String> {
    home.rows("select id, parent from t order by id")
}

#[test]
fn children_may_come_before_their_parents() {
    on_both(|home| {
        for mode in [Mode::Upsert, Mode::Mirror, Mode::InsertIgnore, Mode::Replace] {
            home.sql(&format!("drop table if exists t; {TREE}"));
            let csv = "id,parent\n4,3\n3,2\n2,1\n1,\n";
            let job = home.csv_job(mode, "t", &TREE_COLUMNS, "id", csv).batch_rows(1);
            let expected = Tally { read: 4, inserted: 4, ..Tally::default() };
            assert_eq!(home.run(&job), expected, "{mode}");
            assert_eq!(tree(home), ["1|NULL", "2|1", "3|2", "4|3"], "{mode}");
        }
    });
}

#[test]
fn an_orphan_costs_itself_and_not_the_children_before_their_parents() {
    on_both(|home| {
        for mode in [Mode::Upsert, Mode::Mirror, Mode::InsertIgnore, Mode::Replace] {
            home.sql(&format!("drop table if exists t; {TREE}"));
            let csv = "id,parent\n8,99\n4,3\n3,2\n2,1\n1,\n9,8\n";
            let job = home.csv_job(mode, "t", &TREE_COLUMNS, "id", csv).batch_rows(2);
            let expected = Tally { read: 6, inserted: 4, rejected: 2, ..Tally::default() };
            assert_eq!(home.run(&job), expected, "{mode}");
            assert_eq!(tree(home), ["1|NULL", "2|1", "3|2", "4|3"], "{mode}");
        }
        for reject in home.rejects_of("stage, sqlstate") {
            assert!(reject.starts_with("store|23503|"), "{reject}");
        }
    });
}

#[test]
fn a_parent_that_another_table_lacks_costs_one_row() {
    on_both(|home| {
        home.sql(
            "create table p (id bigint primary key); insert into p values (1), (2); \
             create table t (id bigint primary key, p bigint not null references p (id))",
        );
        for mode in Mode::ALL {
            home.sql("delete from t");
            let csv = "id,p\n1,1\n2,7\n3,2\n4,8\n5,1\n";
            let job = home.csv_job(mode, "t", &["id bigint", "p bigint"], "id", csv);
            let expected = Tally { read: 5, inserted: 3, rejected: 2, ..Tally::default() };
            assert_eq!(home.run(&job), expected, "{mode}");
            assert_eq!(home.rows("select id from t order by id"), ["1", "3", "5"], "{mode}");
        }
    });
}

/// F17
#[test]
fn constraints_that_the_server_would_check_at_the_end_are_put_down_to_their_rows() {
    let home = Home::postgres();
    home.sql(
        "create table p (id bigint primary key); insert into p values (1); \
         create table t (id bigint primary key, \
         code text unique deferrable initially deferred, \
         p bigint references p (id) deferrable initially deferred)",
    );
    for mode in [Mode::Append, Mode::Upsert, Mode::Mirror, Mode::Replace] {
        home.sql("delete from t");
        let csv = "id,code,p\n1,a,1\n2,b,7\n3,a,1\n4,d,1\n";
        let columns = ["id bigint", "code text", "p bigint"];
        let job = home.csv_job(mode, "t", &columns, "id", csv);
        let expected = Tally { read: 4, inserted: 2, rejected: 2, ..Tally::default() };
        assert_eq!(home.run(&job), expected, "{mode}");
        assert_eq!(home.rows("select id from t order by id"), ["1", "4"], "{mode}");
        let rejects = home.rejects_of("line, sqlstate, constraint_name");
        let last = &rejects[rejects.len() - 2..];
        assert_eq!(last, ["3|23503|t_p_fkey|2,b,7", "4|23505|t_code_key|3,a,1"], "{mode}");
    }
}

/// F17
#[test]
fn a_foreign_key_that_commit_would_check_costs_exactly_the_rows_at_fault() {
    on_both(|home| {
        home.sql(
            "create table p (id bigint primary key); insert into p values (1), (2); \
             create table t (id bigint primary key, \
             p bigint references p (id) deferrable initially deferred)",
        );
        for mode in Mode::ALL {
            home.sql("delete from t; insert into t values (3, 1)");
            let csv = "id,p\n1,1\n2,7\n4,\n5,2\n6,8\n7,9\n8,1\n";
            let job = home.csv_job(mode, "t", &["id bigint", "p bigint"], "id", csv);
            let deleted = u64::from(matches!(mode, Mode::Mirror | Mode::Replace));
            let expected = Tally { read: 7, inserted: 4, deleted, rejected: 3, ..Tally::default() };
            assert_eq!(home.run(&job), expected, "{mode}");
            let kept = home.rows("select id from t where id <> 3 order by id");
            assert_eq!(kept, ["1", "4", "5", "8"], "{mode}");
        }
        let rejects = home.rejects_of("line, stage, sqlstate");
        let one = ["3|store|23503|2,7", "6|store|23503|6,8", "7|store|23503|7,9"];
        assert_eq!(rejects, one.repeat(5));
    });
}

#[test]
fn an_update_that_breaks_a_deferred_foreign_key_costs_itself() {
    on_both(|home| {
        home.sql(
            "create table p (id bigint primary key); insert into p values (1), (2); \
             create table t (id bigint primary key, \
             p bigint references p (id) deferrable initially deferred)",
        );
        for mode in [Mode::Upsert, Mode::Mirror] {
            home.sql("delete from t; insert into t values (1, 1), (2, 1)");
            let csv = "id,p\n1,7\n2,2\n";
            let job = home.csv_job(mode, "t", &["id bigint", "p bigint"], "id", csv);
            let expected = Tally { read: 2, updated: 1, rejected: 1, ..Tally::default() };
            assert_eq!(home.run(&job), expected, "{mode}");
            assert_eq!(home.rows("select id, p from t order by id"), ["1|1", "2|2"], "{mode}");
        }
    });
}

#[test]
fn children_may_come_before_their_parents_where_the_foreign_key_is_deferred() {
    on_both(|home| {
        for mode in [Mode::Upsert, Mode::Mirror, Mode::InsertIgnore, Mode::Replace] {
            home.sql(
                "drop table if exists t; create table t (id bigint primary key, \
                 parent bigint references t (id) deferrable initially deferred)",
            );
            let csv = "id,parent\n8,99\n4,3\n3,2\n2,1\n1,\n9,8\n";
            let job = home.csv_job(mode, "t", &TREE_COLUMNS, "id", csv).batch_rows(2);
            let expected = Tally { read: 6, inserted: 4, rejected: 2, ..Tally::default() };
            assert_eq!(home.run(&job), expected, "{mode}");
            assert_eq!(tree(home), ["1|NULL", "2|1", "3|2", "4|3"], "{mode}");
        }
    });
}

#[test]
fn a_deferred_unique_value_can_be_swapped() {
    let home = Home::postgres();
    home.sql(
        "create table t (id bigint primary key, code text unique deferrable initially deferred); \
         insert into t values (1, 'x'), (2, 'y')",
    );
    let job = home.csv_job(Mode::Upsert, "t", &CODE_COLUMNS, "id", "id,code\n1,y\n2,x\n");
    assert_eq!(home.run(&job), Tally { read: 2, updated: 2, ..Tally::default() });
    assert_eq!(codes(&home), ["1|y", "2|x"]);
}

#[test]
fn a_trigger_that_refuses_a_row_costs_one_row() {
    on_both(|home| {
        home.sql("create table t (id bigint primary key, code text)");
        home.sql(home.pick(
            "create trigger no before insert on t when new.code = 'no' \
             begin select raise(abort, 'not this one'); end",
            "create function no() returns trigger language plpgsql as $$ begin \
             if new.code = 'no' then raise exception 'not this one'; end if; return new; end $$; \
             create trigger no before insert on t for each row execute function no()",
        ));
        for mode in Mode::ALL {
            home.sql("delete from t");
            let csv = "id,code\n1,a\n2,no\n3,c\n";
            let job = home.csv_job(mode, "t", &CODE_COLUMNS, "id", csv);
            let expected = Tally { read: 3, inserted: 2, rejected: 1, ..Tally::default() };
            assert_eq!(home.run(&job), expected, "{mode}");
            assert_eq!(codes(home), ["1|a", "3|c"], "{mode}");
        }
        assert_eq!(home.rejects_of("stage, sqlstate"), ["store|P0001|2,no"; 5]);
    });
}

#[test]
fn rows_that_a_trigger_passes_over_are_accounted_for() {
    on_both(|home| {
        home.sql("create table t (id bigint primary key, code text)");
        home.sql(home.pick(
            "create trigger no before insert on t when new.code = 'no' \
             begin select raise(ignore); end",
            "create function no() returns trigger language plpgsql as $$ begin \
             if new.code = 'no' then return null; end if; return new; end $$; \
             create trigger no before insert on t for each row execute function no()",
        ));
        for mode in Mode::ALL {
            home.sql("delete from t");
            let csv = "id,code\n1,a\n2,no\n3,c\n";
            let job = home.csv_job(mode, "t", &CODE_COLUMNS, "id", csv);
            let expected = Tally { read: 3, inserted: 2, unchanged: 1, ..Tally::default() };
            assert_eq!(home.run(&job), expected, "{mode}");
            assert_eq!(codes(home), ["1|a", "3|c"], "{mode}");
        }
    });
}

#[test]
fn views_are_no_targets() {
    on_both(|home| {
        home.sql(&format!("{CODES}; create view v as select * from t"));
        for mode in Mode::ALL {
            let error = home.fails(&home.csv_job(mode, "v", &CODE_COLUMNS, "id", "id,code\n1,a\n"));
            assert_eq!(error.kind(), ErrorKind::Schema, "{mode}");
            assert!(error.message().contains("not a table"), "{error}");
        }
    });
}

#[test]
fn a_key_that_is_not_unique_in_the_table_is_refused() {
    on_both(|home| {
        home.sql("create table t (id bigint, code text, unique (id, code))");
        for mode in [Mode::InsertIgnore, Mode::Upsert, Mode::Mirror] {
            let error = home.fails(&home.csv_job(mode, "t", &CODE_COLUMNS, "id", "id,code\n1,a\n"));
            assert_eq!(error.kind(), ErrorKind::Schema, "{mode}");
        }
    });
}
