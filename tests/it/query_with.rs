//! Queries that read from queries with a name.

use crate::support::chinook::{Employee, Track, on_both_filled};
use rowmill::{Entity, ErrorKind, Find, Sql, fragment};

/// A row of a query with the name `long_tracks`.
#[derive(Debug, PartialEq, Entity)]
#[entity(table = "long_tracks")]
struct LongTrack {
    id: i64,
    minutes: i64,
}

/// An employee, and how many are above.
#[derive(Debug, PartialEq, Entity)]
#[entity(table = "ranks")]
struct Rank {
    id: i64,
    above: i64,
}

const LONG: &str = "select id, cast(milliseconds / 60000 as bigint) as minutes from tracks \
                    where milliseconds > :least";

#[test]
fn an_entity_reads_from_a_query_that_has_the_name_of_its_table_and_values() {
    on_both_filled(|home| {
        let rows = LongTrack::query()
            .with("long_tracks", Sql::new(LONG).bind("least", 400_000))
            .filter(LongTrack::minutes.ne(7))
            .order_by(LongTrack::id)
            .all(home.engine())
            .unwrap();
        let expected = home.rows(
            "select id, milliseconds / 60000 from tracks where milliseconds > 400000 \
             and milliseconds / 60000 <> 7 order by id",
        );
        let shown: Vec<_> = rows.iter().map(|row| format!("{}|{}", row.id, row.minutes)).collect();
        assert_eq!(shown, expected);
        assert!(!shown.is_empty());
    });
}

#[test]
fn a_fragment_reads_from_it_too_and_the_numbers_of_values_go_on() {
    on_both_filled(|home| {
        let long = fragment::<Track, bool, _>("{} IN (SELECT id FROM long_tracks)", Track::id);
        let found = Track::query()
            .filter(Track::cents.eq(99))
            .with("others", Sql::new("select id from tracks where id > :id").bind("id", 7_i64))
            .with("long_tracks", Sql::new(LONG).bind("least", 400_000))
            .filter(long)
            .count(home.engine());
        let expected =
            home.rows("select count(*) from tracks where milliseconds > 400000 and cents = 99");
        assert_eq!(found.unwrap().to_string(), expected[0]);
    });
}

#[test]
fn a_recursive_one_walks_a_tree() {
    on_both_filled(|home| {
        let ranks = Rank::query()
            .with_recursive(
                "ranks",
                "select id, cast(0 as bigint) as above from employees where reports_to is null \
                 union all select e.id, r.above + 1 from employees e join ranks r on e.reports_to = r.id",
            )
            .order_by(Rank::id)
            .all(home.engine())
            .unwrap();
        let above: Vec<_> = ranks.iter().map(|rank| rank.above).collect();
        assert_eq!(above, [0, 1, 2, 2, 2]);
        assert_eq!(Employee::query().count(home.engine()).unwrap(), 5);
    });
}

#[test]
fn its_values_have_names() {
    on_both_filled(|home| {
        let numbered = Sql::new("select id, 1 as minutes from tracks where id = $1").value(1_i64);
        let query = LongTrack::query().with("others", "select 2").with("long_tracks", numbered);
        assert_eq!(query.count(home.engine()).unwrap(), 1, "it comes before all other values");
        let numbered = Sql::new("select id, 1 as minutes from tracks where id = $1").value(1_i64);
        let second = LongTrack::query()
            .with("first", Sql::new("select :a").bind("a", 1))
            .with("long_tracks", numbered);
        assert_eq!(second.count(home.engine()).unwrap_err().kind(), ErrorKind::Config);
    });
}
