//! The columns of a file, for whoever wants to know them.

use super::footer::Footers;
use super::leaf::Leaf;
use crate::error::{Locate, Result};
use crate::mapping::column_type::ColumnType;
use crate::source::input::{Compression, Files, Parts};
use parquet::basic::{ConvertedType, Repetition};
use parquet::schema::types::{SchemaDescriptor, Type};

/// The columns of a Parquet file, and how many rows it has.
///
/// ```no_run
/// let schema = rowmill::source::parquet::FileSchema::of("trips.parquet")?;
/// for column in &schema.columns {
///     println!("{} {}", column.from, column.column_type);
/// }
/// # Ok::<(), rowmill::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FileSchema {
    /// The columns that can be read, fields of structs one by one.
    pub columns: Vec<FileColumn>,
    /// Those that cannot, and why.
    pub others: Vec<String>,
    /// The rows of the file.
    pub rows: u64,
}

/// A column of a Parquet file.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FileColumn {
    /// Its name, or a pointer such as `/address/city`.
    pub from: String,
    /// What it is in PostgreSQL's terms.
    pub column_type: ColumnType,
    /// Whether every row has a value.
    pub not_null: bool,
}

impl FileSchema {
    /// Reads the schema of the first of these files; without a file, it has no columns.
    ///
    /// # Errors
    /// `Source` if it cannot be opened or is no Parquet; `Unsupported` if it is encrypted.
    pub fn of(files: impl Into<Files>) -> Result<Self> {
        let parts = Parts::open(&files.into().compression(Compression::None))?;
        let mut schema = Self { columns: Vec::new(), others: Vec::new(), rows: 0 };
        let Some(first) = parts.inputs().first() else { return Ok(schema) };
        let footer = Footers::default()
            .read(0, first)
            .locate(|at| at.file = Some(first.name().to_owned()))?;
        schema.rows = footer.rows();
        let described = footer.metadata.file_metadata().schema_descr();
        for field in described.root_schema().get_fields() {
            schema.add(described, &mut vec![field.name()], field);
        }
        Ok(schema)
    }

    fn add<'a>(&mut self, schema: &SchemaDescriptor, path: &mut Vec<&'a str>, node: &'a Type) {
        match Leaf::at(schema, path, node) {
            Ok(leaf) => self.columns.push(FileColumn {
                from: pointer(path),
                column_type: leaf.column_type(),
                not_null: leaf.required,
            }),
            Err(_) if is_struct(node) => {
                for field in node.get_fields() {
                    path.push(field.name());
                    self.add(schema, path, field);
                    path.pop();
                }
            }
            Err(error) => self.others.push(error.message().to_owned()),
        }
    }
}

/// Whether its fields can be taken one by one.
fn is_struct(node: &Type) -> bool {
    let info = node.get_basic_info();
    let is_plain =
        info.logical_type_ref().is_none() && info.converted_type() == ConvertedType::NONE;
    let is_repeated = info.has_repetition() && info.repetition() == Repetition::REPEATED;
    node.is_group() && is_plain && !is_repeated
}

fn pointer(path: &[&str]) -> String {
    match path {
        [name] if !name.starts_with('/') => (*name).to_owned(),
        path => path.iter().fold(String::new(), |pointer, name| {
            pointer + "/" + &name.replace('~', "~0").replace('/', "~1")
        }),
    }
}
