//! A value goes to a database and comes back: as a parameter, in a load, in an array, as an
//! `Option`; on both databases, with statements that are kept and with those that are not.

use super::{Home, on_both};
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestRunner};
use rowmill::mapping::cell::Element;
use rowmill::{Cell, Column, ColumnType, Engine, Ident, Param, RowRef, Rows, TableName};
use std::fmt::Debug;

/// A column and the values that have to survive it.
pub struct Journey<T> {
    /// The type of the column in PostgreSQL.
    sql: String,
    /// What has to be there before the column is.
    before: String,
    /// The values that are tried on their own, in every run.
    edges: Vec<T>,
    same: fn(&T, &T) -> bool,
}

impl<T: Cell + PartialEq> Journey<T> {
    /// Through the column that is created for the type.
    pub fn new(edges: Vec<T>) -> Self {
        Self::through(&T::column_type().sql(), edges)
    }

    /// Through a column of the type that PostgreSQL calls `sql`.
    pub fn through(sql: &str, edges: Vec<T>) -> Self {
        Self { sql: sql.to_owned(), before: String::new(), edges, same: T::eq }
    }
}

impl<T: Cell> Journey<T> {
    /// For types whose `==` is not what has to hold.
    pub fn compared(edges: Vec<T>, same: fn(&T, &T) -> bool) -> Self {
        Self { sql: T::column_type().sql(), before: String::new(), edges, same }
    }

    /// Through a column of the type that PostgreSQL calls `sql`.
    pub fn in_column_of(mut self, sql: &str) -> Self {
        sql.clone_into(&mut self.sql);
        self
    }

    /// With statements that run first, on PostgreSQL only.
    pub fn after(mut self, sql: &str) -> Self {
        sql.clone_into(&mut self.before);
        self
    }
}

impl<T: Element + Clone + Debug> Journey<T> {
    /// The edges and the values of `others`, alone, in an `Option` and in arrays.
    pub fn run(self, others: &(impl Strategy<Value = T> + Clone)) {
        let journey = &self;
        on_both(|home| {
            let way = Way::prepare(home, &journey.sql, &journey.before);
            way.every(&journey.edges, journey.same);
            way.arrays(&journey.edges, journey.same);
            let values = proptest::collection::vec(others.clone(), 1..30);
            runner()
                .run(&values, |values| {
                    way.every(&values, journey.same);
                    way.arrays(&values, journey.same);
                    Ok(())
                })
                .unwrap();
        });
    }
}

impl<T: Cell + Clone + Debug> Journey<T> {
    /// Only in a load, and on PostgreSQL alone: what its column changes as it must.
    pub fn run_in_column(self, others: &(impl Strategy<Value = T> + Clone)) {
        let home = Home::postgres();
        let way = Way::prepare(&home, &self.sql, &self.before);
        way.loaded(home.engine(), "one", &self.edges, self.same);
        let values = proptest::collection::vec(others.clone(), 1..30);
        runner()
            .run(&values, |values| {
                way.loaded(home.engine(), "one", &values, self.same);
                Ok(())
            })
            .unwrap();
    }
}

fn runner() -> TestRunner {
    let config =
        Config { cases: 12, max_shrink_iters: 200, failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
}

/// A database with the tables of one journey.
struct Way<'a> {
    home: &'a Home,
    sql: &'a str,
    /// With statements that are kept, and without.
    engines: Vec<Engine>,
}

impl<'a> Way<'a> {
    fn prepare(home: &'a Home, sql: &'a str, before: &str) -> Self {
        let mut engines = vec![home.engine().clone()];
        if home.is_postgres() {
            if !before.is_empty() {
                home.sql(before);
            }
            home.sql(&format!("create table one (n bigint, v {sql}, o {sql})"));
            home.sql(&format!("create table many (n bigint, v {sql}[], o {sql}[])"));
            let unkept = Engine::builder(home.url()).prepared_statements(false).build().unwrap();
            engines.push(unkept);
        }
        Self { home, sql, engines }
    }

    /// Each value alone and in an `Option`.
    fn every<T: Cell + Clone + Debug>(&self, values: &[T], same: fn(&T, &T) -> bool) {
        for engine in &self.engines {
            self.loaded(engine, "one", values, same);
            for value in values.iter().take(8) {
                let back: T = self.asked(engine, value, "");
                assert!(same(&back, value), "as a parameter: {back:?} instead of {value:?}");
            }
            let null: Option<T> = self.asked(engine, &None::<T>, "");
            assert!(null.is_none(), "NULL came back as {null:?}");
        }
    }

    /// All of them in arrays.
    fn arrays<T: Element + Clone + Debug>(&self, values: &[T], same: fn(&T, &T) -> bool) {
        let mut holes: Vec<Option<T>> = values.iter().cloned().map(Some).collect();
        holes.insert(holes.len() / 2, None);
        let arrays =
            [holes, vec![], vec![None], values.first().cloned().into_iter().map(Some).collect()];
        for engine in &self.engines {
            let equal = |back: &[Option<T>], sent: &[Option<T>]| {
                back.len() == sent.len()
                    && back.iter().zip(sent).all(|pair| match pair {
                        (Some(back), Some(sent)) => same(back, sent),
                        (back, sent) => back.is_none() && sent.is_none(),
                    })
            };
            for sent in &arrays {
                let back: Vec<Option<T>> = self.asked(engine, sent, "[]");
                assert!(equal(&back, sent), "as a parameter: {back:?} instead of {sent:?}");
            }
            for (back, sent) in self.reloaded(engine, "many", &arrays).into_iter().zip(&arrays) {
                assert!(equal(&back.0, sent), "loaded: {:?} instead of {sent:?}", back.0);
            }
        }
    }

    fn loaded<T: Cell + Clone + Debug>(
        &self,
        engine: &Engine,
        table: &str,
        values: &[T],
        same: fn(&T, &T) -> bool,
    ) {
        let back = self.reloaded(engine, table, values);
        for (index, ((back, option), sent)) in back.iter().zip(values).enumerate() {
            assert!(same(back, sent), "loaded: {back:?} instead of {sent:?}");
            let kept = option.as_ref().is_some_and(|option| same(option, sent));
            assert!(kept == (index % 2 == 0), "an option: {option:?} for {sent:?}");
        }
    }

    /// Loads the values, every second one also as an `Option`, and reads them back.
    fn reloaded<T: Cell + Clone>(
        &self,
        engine: &Engine,
        table: &str,
        values: &[T],
    ) -> Vec<(T, Option<T>)> {
        let name = TableName::parse(table).unwrap();
        let mut connection = engine.get().unwrap();
        if self.home.is_postgres() {
            connection.run(&format!("truncate {table}")).unwrap();
        } else {
            connection.run(&format!("drop table if exists {table}")).unwrap();
            let kind = rowmill::Dialect::Sqlite.type_name(&T::column_type());
            connection
                .run(&format!("create table {table} (n bigint, v {kind}, o {kind})"))
                .unwrap();
        }
        let columns = if self.home.is_postgres() {
            connection.table_info(&name).unwrap().unwrap().columns
        } else {
            let column = |name, column_type| Column::new(Ident::new(name).unwrap(), column_type);
            vec![
                column("n", ColumnType::Int8),
                column("v", T::column_type()),
                column("o", T::column_type()),
            ]
        };
        let mut rows = Rows::new(3);
        for (index, value) in values.iter().enumerate() {
            let option = (index % 2 == 0).then(|| value.clone());
            let mut row = rows.begin();
            row.cell(&(index as i64), &columns[0].column_type).unwrap();
            row.cell(value, &columns[1].column_type).unwrap();
            row.cell(&option, &columns[2].column_type).unwrap();
            row.finish().unwrap();
        }
        let count = connection.load(&name, &columns, &rows, 0..rows.len()).unwrap();
        assert_eq!(count as usize, values.len());
        let mut back = Vec::new();
        let sql = format!("select v, o from {table} order by n");
        let mut each = |row: &dyn RowRef| {
            back.push((T::unpack(row.cell(0)?)?, Option::unpack(row.cell(1)?)?));
            Ok(())
        };
        connection.query(&sql, &[], &mut each).unwrap();
        back
    }

    /// Sends a value as a parameter and has it sent back.
    fn asked<T: Cell>(&self, engine: &Engine, value: &T, suffix: &str) -> T {
        let column_type = T::column_type();
        let mut rows = Rows::new(1);
        let mut row = rows.begin();
        row.cell(value, &column_type).unwrap();
        row.finish().unwrap();
        let field = rows.row(0).next().unwrap();
        let param = field.map_or(Param::Null, |bytes| Param::Packed(&column_type, bytes.into()));
        let sql = match self.home.is_postgres() {
            true => format!("select $1::{}{suffix}", self.sql),
            false => "select $1".to_owned(),
        };
        let mut back = None;
        let each = |row: &dyn RowRef| {
            back = Some(T::unpack(row.cell(0)?)?);
            Ok(())
        };
        engine.query(&sql, &[param], each).unwrap();
        back.unwrap()
    }
}
