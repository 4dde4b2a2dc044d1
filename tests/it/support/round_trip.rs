//! A value goes to a database and comes back: as a parameter, in a load, in an array, as an
//! `Option`; on both databases, with statements that are kept and with those that are not.

use super::{Home, on_both};
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestRunner};
use rowmill::mapping::cell::Element;
use rowmill::{Cell, Column, ColumnType, Dialect, Engine, Ident, Param, RowRef, Rows, TableName};
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
            let way = Way::prepare::<T>(home, &journey.sql, &journey.before);
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
        let way = Way::prepare::<T>(&home, &self.sql, &self.before);
        way.loaded(home.engine(), &self.edges, self.same);
        let values = proptest::collection::vec(others.clone(), 1..30);
        runner()
            .run(&values, |values| {
                way.loaded(home.engine(), &values, self.same);
                Ok(())
            })
            .unwrap();
    }
}

fn runner() -> TestRunner {
    let config =
        Config { cases: 8, max_shrink_iters: 200, failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
}

/// A database with the tables of one journey: `one` for values, `many` for arrays of them.
struct Way<'a> {
    home: &'a Home,
    sql: &'a str,
    one: Vec<Column>,
    many: Vec<Column>,
    /// With statements that are kept, and without.
    engines: Vec<Engine>,
}

impl<'a> Way<'a> {
    fn prepare<T: Cell>(home: &'a Home, sql: &'a str, before: &str) -> Self {
        let mut engines = vec![home.engine().clone()];
        let own = [T::column_type(), ColumnType::Array(Box::new(T::column_type()))];
        let [one, many] = if home.is_postgres() {
            if !before.is_empty() {
                home.sql(before);
            }
            home.sql(&format!("create table one (n bigint, v {sql}, o {sql})"));
            home.sql(&format!("create table many (n bigint, v {sql}[], o {sql}[])"));
            let unkept = Engine::builder(home.url()).prepared_statements(false).build().unwrap();
            engines.push(unkept);
            ["one", "many"].map(|table| {
                let table = TableName::parse(table).unwrap();
                let info = home.engine().get().unwrap().table_info(&table).unwrap();
                info.unwrap().columns
            })
        } else {
            let [kind, kinds] = own.each_ref().map(|own| Dialect::Sqlite.type_name(own));
            home.sql(&format!("create table one (n bigint, v {kind}, o {kind})"));
            home.sql(&format!("create table many (n bigint, v {kinds}, o {kinds})"));
            own.map(|own| {
                let column = |name, kind| Column::new(Ident::new(name).unwrap(), kind);
                vec![column("n", ColumnType::Int8), column("v", own.clone()), column("o", own)]
            })
        };
        Self { home, sql, one, many, engines }
    }

    /// Each value alone and in an `Option`.
    fn every<T: Cell + Clone + Debug>(&self, values: &[T], same: fn(&T, &T) -> bool) {
        for engine in &self.engines {
            self.loaded(engine, values, same);
            let asked = &values[..values.len().min(30)];
            for (back, sent) in self.asked(engine, asked, "").iter().zip(asked) {
                assert!(same(back, sent), "as a parameter: {back:?} instead of {sent:?}");
            }
            let null = self.asked(engine, &[None::<T>], "");
            assert!(null[0].is_none(), "NULL came back as {null:?}");
        }
    }

    /// All of them in arrays.
    fn arrays<T: Element + Clone + Debug>(&self, values: &[T], same: fn(&T, &T) -> bool) {
        let mut holes: Vec<Option<T>> = values.iter().cloned().map(Some).collect();
        holes.insert(holes.len() / 2, None);
        let one = values.first().cloned().map(Some).into_iter().collect();
        let arrays = [holes, vec![], vec![None], one];
        let equal = |back: &[Option<T>], sent: &[Option<T>]| {
            back.len() == sent.len()
                && back.iter().zip(sent).all(|pair| match pair {
                    (Some(back), Some(sent)) => same(back, sent),
                    (back, sent) => back.is_none() && sent.is_none(),
                })
        };
        for engine in &self.engines {
            for (back, sent) in self.asked(engine, &arrays, "[]").iter().zip(&arrays) {
                assert!(equal(back, sent), "as a parameter: {back:?} instead of {sent:?}");
            }
            let loaded = Self::reloaded(engine, "many", &self.many, &arrays);
            for ((back, _), sent) in loaded.iter().zip(&arrays) {
                assert!(equal(back, sent), "loaded: {back:?} instead of {sent:?}");
            }
        }
    }

    fn loaded<T: Cell + Clone + Debug>(
        &self,
        engine: &Engine,
        values: &[T],
        same: fn(&T, &T) -> bool,
    ) {
        let back = Self::reloaded(engine, "one", &self.one, values);
        for (index, ((back, option), sent)) in back.iter().zip(values).enumerate() {
            assert!(same(back, sent), "loaded: {back:?} instead of {sent:?}");
            let kept = option.as_ref().is_some_and(|option| same(option, sent));
            assert!(kept == (index % 2 == 0), "an option: {option:?} for {sent:?}");
        }
    }

    /// Loads the values, every second one also as an `Option`, and reads them back.
    fn reloaded<T: Cell + Clone>(
        engine: &Engine,
        table: &str,
        columns: &[Column],
        values: &[T],
    ) -> Vec<(T, Option<T>)> {
        let name = TableName::parse(table).unwrap();
        let mut connection = engine.get().unwrap();
        connection.run(&format!("delete from {table}")).unwrap();
        let mut rows = Rows::new(3);
        for (index, value) in values.iter().enumerate() {
            let option = (index % 2 == 0).then(|| value.clone());
            let mut row = rows.begin();
            row.cell(&(index as i64), &columns[0].column_type).unwrap();
            row.cell(value, &columns[1].column_type).unwrap();
            row.cell(&option, &columns[2].column_type).unwrap();
            row.finish().unwrap();
        }
        let count = connection.load(&name, columns, &rows, 0..rows.len()).unwrap();
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

    /// Sends values as parameters and has them sent back.
    fn asked<T: Cell>(&self, engine: &Engine, values: &[T], suffix: &str) -> Vec<T> {
        let column_type = T::column_type();
        let mut rows = Rows::new(values.len() as u16);
        let mut row = rows.begin();
        for value in values {
            row.cell(value, &column_type).unwrap();
        }
        row.finish().unwrap();
        let param = |field: Option<&'_ [u8]>| match field {
            Some(bytes) => Param::Packed(&column_type, bytes.to_vec().into()),
            None => Param::Null,
        };
        let params: Vec<_> = rows.row(0).map(param).collect();
        let cast = match self.home.is_postgres() {
            true => format!("::{}{suffix}", self.sql),
            false => String::new(),
        };
        let items: Vec<_> = (1..=values.len()).map(|number| format!("${number}{cast}")).collect();
        let mut back = Vec::new();
        let each = |row: &dyn RowRef| {
            for index in 0..row.len() {
                back.push(T::unpack(row.cell(index)?)?);
            }
            Ok(())
        };
        engine.query(&format!("select {}", items.join(", ")), &params, each).unwrap();
        assert_eq!(back.len(), values.len());
        back
    }
}
