//! The reject of a parent explains those of its children.

use crate::support::{Home, on_both};
use rowmill::{Job, Mode};

const PARENT: [&str; 2] = ["id bigint", "n integer"];
const CHILD: [&str; 2] = ["id bigint", "parent bigint"];

fn parents(home: &Home, mode: Mode, csv: &str) -> Job {
    home.csv_job(mode, "parent", &PARENT, "id", format!("id,n\n{csv}"))
}

fn children(home: &Home, mode: Mode, csv: &str) -> Job {
    home.csv_job(mode, "child", &CHILD, "id", format!("id,parent\n{csv}"))
}

/// The input row of each reject of a table with a certain code, and what caused it.
fn causes(home: &Home) -> Vec<String> {
    let table = home.pick("rowmill_reject", "rowmill.reject");
    home.rows(&format!(
        "select input_row, caused_by from {table} where sqlstate = '23503' order by job_id, input_row"
    ))
}

fn keys(home: &Home) -> Vec<String> {
    let table = home.pick("rowmill_reject", "rowmill.reject");
    home.rows(&format!("select row_key from {table} order by job_id, input_row"))
}

const TABLES: &str = "create table parent (id bigint primary key, n integer check (n > 0)); \
    create table child (id bigint primary key, parent bigint references parent (id))";

/// batch 3.3.3
#[test]
fn a_child_without_its_parent_is_put_down_to_the_reject_of_the_parent_in_every_mode() {
    for mode in Mode::ALL {
        on_both(|home| {
            home.sql(TABLES);
            // One is no value, the next is refused by the database; 9 was never there.
            // What others refer to is not replaced.
            let of_parents = if mode == Mode::Replace { Mode::Append } else { mode };
            home.run(&parents(home, of_parents, "1,1\n2,x\n3,0\n4,4\n"));
            home.run(&children(home, mode, "1,1\n2,2\n3,3\n4,9\n5,2\n6,4\n"));
            assert_eq!(
                causes(home),
                ["2|job 0 row 2", "3|job 0 row 3", "4|NULL", "5|job 0 row 2"],
                "{mode}"
            );
            let name = home.pick("parent.id", "public.parent.id");
            let child = home.pick("child.id", "public.child.id");
            let key = |name: &str, id: u32| format!("{{\"{name}\":\"{id}\"}}");
            let expected = [key(name, 2), key(name, 3)];
            let expected = expected.into_iter().chain((2..=5).map(|id| key(child, id)));
            assert_eq!(keys(home), expected.collect::<Vec<_>>(), "{mode}");
        });
    }
}

#[test]
fn the_newest_reject_that_is_open_is_the_cause() {
    on_both(|home| {
        home.sql(TABLES);
        let first = parents(home, Mode::Upsert, "2,0\n3,0\n");
        home.run(&first);
        let second = parents(home, Mode::Upsert, "8,8\n2,0\n");
        home.run(&second);
        // What a replay has brought in is no cause any more.
        home.sql(home.pick(
            "update rowmill_reject set resolved_at = 'now' where input_row = 2 and job_id = 1",
            "update rowmill.reject set resolved_at = now() where input_row = 2 and job_id = 1",
        ));
        home.run(&children(home, Mode::Append, "1,2\n2,3\n"));
        assert_eq!(causes(home), ["1|job 1 row 2", "2|NULL"]);
    });
}

#[test]
fn within_one_table_the_parent_may_be_rejected_after_its_children() {
    on_both(|home| {
        home.sql(
            "create table part (id bigint primary key, whole bigint references part (id), \
             n integer check (n > 0))",
        );
        let columns = ["id bigint", "whole bigint", "n integer"];
        for (mode, rows) in [(Mode::Append, 1), (Mode::Append, 100), (Mode::Upsert, 2)] {
            home.sql("delete from part");
            let csv = "id,whole,n\n1,,1\n2,7,1\n3,7,1\n4,2,1\n5,1,5\n6,77,1\n7,,0\n";
            let job = home.csv_job(mode, "part", &columns, "id", csv);
            let is_first = home.rejects_or_none().is_empty();
            let before = if is_first { 0 } else { causes(home).len() };
            let name = job.name().to_owned();
            home.run(&job.batch_rows(rows).workers(2));
            let expected = [
                format!("2|{name} row 7"),
                format!("3|{name} row 7"),
                format!("4|{name} row 2"),
                "6|NULL".to_owned(),
            ];
            assert_eq!(&causes(home)[before..], expected, "{mode} {rows}");
        }
    });
}

#[test]
fn what_is_in_of_a_job_that_stopped_is_explained_already() {
    on_both(|home| {
        home.sql(TABLES);
        home.run(&parents(home, Mode::Append, "2,0\n"));
        let job = children(home, Mode::Append, "1,2\n2,2\n3,2\n").batch_rows(1).workers(1);
        let error = home.fails(&job.max_rejects(rowmill::MaxRejects::Count(2)));
        assert_eq!(error.kind(), rowmill::ErrorKind::RejectLimit);
        assert_eq!(causes(home), ["1|job 0 row 1", "2|job 0 row 1"]);
    });
}

#[test]
fn where_the_database_does_not_say_which_reference_is_broken_each_may_be() {
    let home = Home::sqlite();
    home.sql(
        "create table Parent (code char(9), part integer, n integer check (n > 0), id integer, \
         unique (id), primary key (part, code)); \
         create table child (id bigint primary key, its_part integer, its_code char(9), \
         other integer references parent (id), \
         foreign key (its_part, its_code) references PARENT)",
    );
    let csv = "code,part,n,id\na,1,0,1\nb,1,0,2\nc,1,1,3\n";
    let columns = ["code char(9)", "part integer", "n integer", "id integer"];
    home.run(&home.csv_job(Mode::Append, "parent", &columns, "code part", csv));
    let csv = "id,its_part,its_code,other\n1,1,a,3\n2,1,b,\n3,2,b,\n4,,b,7\n5,1,c,3\n";
    let columns = ["id bigint", "its_part integer", "its_code char(9)", "other integer"];
    home.run(&home.csv_job(Mode::Append, "child", &columns, "id", csv));
    assert_eq!(causes(&home), ["1|job 0 row 1", "2|job 0 row 2", "3|NULL", "4|NULL"]);
}

#[test]
fn a_key_that_is_too_long_for_an_index_costs_its_row_and_not_the_batch() {
    let home = Home::postgres();
    home.sql(
        "create table parent (code text, part integer, n integer check (n > 0), \
         unique (part, code)); \
         create table child (id bigint primary key, code text, part integer, \
         constraint its_parent foreign key (code, part) references parent (code, part))",
    );
    // It does not compress: an index entry of its length is refused.
    let digits = |n: u64| format!("{:x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let long = (0..1_000).map(digits).collect::<Vec<_>>().concat();
    let columns = ["code text", "part integer", "n integer"];
    let csv = format!("code,part,n\n{long},1,0\nb,1,0\n");
    home.run(&home.csv_job(Mode::Append, "parent", &columns, "code part", csv));
    let csv = format!("id,code,part\n1,{long},1\n2,b,1\n3,b,2\n4,,1\n");
    let columns = ["id bigint", "code text", "part integer"];
    home.run(&home.csv_job(Mode::Append, "child", &columns, "id", csv));
    assert_eq!(causes(&home), ["1|job 0 row 1", "2|job 0 row 2", "3|NULL"]);
}

#[test]
fn a_replay_that_fails_again_is_put_down_to_what_is_the_cause_then() {
    on_both(|home| {
        home.sql(TABLES);
        home.run(&parents(home, Mode::Append, "2,0\n"));
        let child = children(home, Mode::Append, "1,2\n2,3\n");
        home.run(&child);
        assert_eq!(causes(home), ["1|job 0 row 1", "2|NULL"]);
        home.run(&parents(home, Mode::Append, "5,1\n3,0\n2,0\n"));
        let replayed = child.replay(home.engine(), false).unwrap();
        assert_eq!((replayed.resolved, replayed.refused), (0, 2));
        assert_eq!(causes(home), ["1|job 2 row 3", "2|job 2 row 2"]);
        home.sql("insert into parent values (2, 1)");
        let replayed = child.replay(home.engine(), false).unwrap();
        assert_eq!((replayed.resolved, replayed.refused), (1, 1));
        // What it was stays known.
        assert_eq!(causes(home), ["1|job 2 row 3", "2|job 2 row 2"]);
    });
}
