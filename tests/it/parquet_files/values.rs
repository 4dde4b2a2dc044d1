//! Any values of any number of rows come back, whatever the sizes of row groups are.

use super::{column, read};
use proptest::prelude::*;
use rowmill::{Bounds, CutLimits, Feed, Fingerprint, Origin, Result};
use rowmill::{
    Column, ColumnType, FileTarget, Ident, Job, Layout, ParquetColumns, ParquetFile, Prepared,
};
use std::sync::Arc;

/// A type, and texts of its values.
fn texts(ty: &'static str) -> BoxedStrategy<String> {
    match ty {
        "boolean" => any::<bool>().prop_map(|value| value.to_string()).boxed(),
        "smallint" => any::<i16>().prop_map(|value| value.to_string()).boxed(),
        "integer" => any::<i32>().prop_map(|value| value.to_string()).boxed(),
        "bigint" => any::<i64>().prop_map(|value| value.to_string()).boxed(),
        "double precision" => any::<f64>().prop_map(|value| format!("{value:e}")).boxed(),
        "real" => any::<f32>().prop_map(|value| format!("{value:e}")).boxed(),
        "numeric(9,3)" => {
            (-999_999_999_i64..=999_999_999).prop_map(|value| format!("{value}e-3")).boxed()
        }
        "numeric(18,0)" => (-999_999_999_999_999_999_i64..=999_999_999_999_999_999)
            .prop_map(|value| value.to_string())
            .boxed(),
        "numeric(38,38)" => "-?0\\.[0-9]{1,38}".boxed(),
        "numeric" => "-?[0-9]{1,60}\\.[0-9]{0,40}".boxed(),
        "uuid" => "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}".boxed(),
        "date" => (1_i32..9999, 1..13, 1..29)
            .prop_map(|(year, month, day)| format!("{year:04}-{month:02}-{day:02}"))
            .boxed(),
        "timestamp" | "timestamptz" => (1_i32..9999, 1..13, 1..29, 0..86_400, 0..1_000_000)
            .prop_map(|(year, month, day, second, micro)| {
                let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
                format!(
                    "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{micro:06}"
                )
            })
            .boxed(),
        "integer[]" => proptest::collection::vec(proptest::option::of(any::<i32>()), 0..5)
            .prop_map(|items| {
                let items =
                    items.iter().map(|item| item.map_or("NULL".to_owned(), |n| n.to_string()));
                format!("{{{}}}", items.collect::<Vec<_>>().join(","))
            })
            .boxed(),
        "bytea" => proptest::collection::vec(any::<u8>(), 0..20)
            .prop_map(|bytes| bytes.iter().fold("\\x".to_owned(), |hex, b| format!("{hex}{b:02x}")))
            .boxed(),
        _ => "[^\\x00]{0,12}".boxed(),
    }
}

const ALL: [&str; 16] = [
    "boolean",
    "smallint",
    "integer",
    "bigint",
    "real",
    "double precision",
    "numeric(9,3)",
    "numeric(18,0)",
    "numeric(38,38)",
    "numeric",
    "uuid",
    "date",
    "timestamp",
    "timestamptz",
    "integer[]",
    "bytea",
];

/// Rows of texts.
#[derive(Debug)]
struct Given {
    columns: Vec<Column>,
    rows: Vec<Vec<Option<String>>>,
}

impl Feed for Given {
    fn describe(&self) -> String {
        "given".to_owned()
    }

    fn columns(&self) -> &[Column] {
        &self.columns
    }

    fn fingerprint(&self) -> Result<Fingerprint> {
        Ok(Fingerprint("given".to_owned()))
    }

    fn plan(&self, limits: CutLimits, each: &mut dyn FnMut(Bounds) -> Result<()>) -> Result<()> {
        let (mut number, mut first) = (0, 1);
        for rows in self.rows.chunks(limits.rows as usize) {
            each(Bounds::of_rows(number, first, rows.len() as u64))?;
            number += 1;
            first += rows.len() as u64;
        }
        Ok(())
    }

    fn prepare(&self, bounds: &Bounds, layout: &Layout, out: &mut Prepared) -> Result<()> {
        let rows = &self.rows[bounds.start as usize..bounds.end as usize];
        for (index, row) in (0..).zip(rows) {
            out.push(index, layout, |to| {
                for (text, column) in row.iter().zip(&layout.columns) {
                    match text {
                        Some(text) => to.field_with(|out| {
                            rowmill::mapping::text::input(&column.column_type, text, out)
                        })?,
                        None => to.null(),
                    }
                }
                Ok(())
            })?;
        }
        out.read += bounds.rows;
        Ok(())
    }

    fn origin(&self, bounds: &Bounds, index: u32) -> Result<Origin> {
        Ok(Origin::of_row(bounds.first_row + u64::from(index), Vec::new()))
    }
}

/// A value as PostgreSQL prints it.
fn printed(ty: &str, text: &str) -> String {
    let ty = ColumnType::parse(ty).unwrap();
    let (mut packed, mut shown) = (Vec::new(), String::new());
    rowmill::mapping::text::input(&ty, text, &mut packed).unwrap();
    rowmill::mapping::text::output(&ty, &packed, &mut shown).unwrap();
    shown
}

fn names() -> Vec<String> {
    (0..=ALL.len()).map(|at| format!("c{at}")).collect()
}

fn row() -> impl Strategy<Value = Vec<Option<String>>> {
    let all: Vec<_> = ALL.iter().map(|ty| proptest::option::of(texts(ty))).collect();
    (all, proptest::option::of(texts("text"))).prop_map(|(mut row, text)| {
        row.push(text);
        row
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn what_was_written_is_read_back(
        rows in proptest::collection::vec(row(), 1..40),
        group in 1_u64..20,
        write in 1_u64..50,
        batch in 1_u64..50,
        is_required in any::<bool>(),
    ) {
        let types = || ALL.iter().copied().chain(["text"]);
        // The first column is one without NULL in some files.
        let rows: Vec<_> = rows
            .into_iter()
            .map(|mut row| {
                if is_required && row[0].is_none() {
                    row[0] = Some("true".to_owned());
                }
                row
            })
            .collect();
        let columns: Vec<_> = names()
            .iter()
            .zip(types())
            .enumerate()
            .map(|(at, (name, ty))| {
                let ty = ColumnType::parse(ty).unwrap();
                let column = Column::new(Ident::new(name.as_str()).unwrap(), ty);
                if is_required && at == 0 { column.not_null() } else { column }
            })
            .collect();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.parquet");
        let target: FileTarget = ParquetFile::create(&path)
            .columns(columns.clone())
            .parquet(|options| options.row_group_rows = group);
        let ledger = target.ledger().unwrap();
        let feed = Given { columns, rows: rows.clone() };
        Job::named("x").feed(Arc::new(feed), target).batch_rows(write).run(&ledger).unwrap();

        let wanted = names().iter().zip(types()).map(|(name, ty)| column(name, ty)).collect();
        let source = ParquetColumns::open(&path, wanted).unwrap();
        let (found, refused) = read(&source, batch);
        prop_assert_eq!(refused, Vec::<String>::new());
        let expected: Vec<Vec<_>> = rows
            .iter()
            .map(|row| {
                let shown = row.iter().zip(types());
                shown.map(|(text, ty)| text.as_ref().map(|text| printed(ty, text))).collect()
            })
            .collect();
        prop_assert_eq!(found, expected);
    }
}
