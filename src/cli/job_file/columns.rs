//! `[columns]`: the columns of the target, their types, and what becomes of the source's fields.

use super::section::{Field, Section, did_you_mean};
use super::source::SourceSpec;
use crate::error::Result;
use crate::ident::Ident;
use crate::mapping::column::Column;
use crate::mapping::column_type::ColumnType;
use crate::mapping::nul::NulPolicy;
use crate::nearest::nearest;
use toml::de::DeValue;

const TYPE_NAMES: [&str; 23] = [
    "boolean",
    "smallint",
    "integer",
    "bigint",
    "real",
    "double precision",
    "numeric",
    "text",
    "varchar",
    "char",
    "bytea",
    "date",
    "time",
    "timestamp",
    "timestamptz",
    "interval",
    "uuid",
    "json",
    "jsonb",
    "inet",
    "cidr",
    "macaddr",
    "hstore",
];

/// A column of the target and the field it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ColumnSpec {
    /// Its name in the target.
    pub name: Ident,
    /// Its type.
    pub column_type: ColumnType,
    /// The field it takes, by its name in the header; in a file without a header by its number,
    /// counted from 1. Default: the field of the column's name; without a header the field at the
    /// column's own place in `[columns]`. Of JSON objects a key, or a pointer such as
    /// `/address/city`; of Parquet a column, or such a pointer into a struct.
    pub from: Option<String>,
    /// Whether blanks around a field are removed. Default: false.
    pub trim: bool,
    /// What becomes of the character NUL in its texts. Default: the record is rejected.
    pub nul: NulPolicy,
    /// Texts that mean NULL in this column. Default: those of the source.
    pub null: Option<Vec<String>>,
    /// Whether a NULL is refused. Default: false.
    pub not_null: bool,
    /// The line of the job file, from 1.
    pub line: usize,
}

impl ColumnSpec {
    /// The column of the target.
    pub fn column(&self) -> Column {
        let column = Column::new(self.name.clone(), self.column_type.clone());
        if self.not_null { column.not_null() } else { column }
    }
}

/// Reads the section; `source` decides how its fields are named.
pub(super) fn read(section: &Section<'_>, source: &SourceSpec) -> Result<Vec<ColumnSpec>> {
    let fields = section.fields();
    if fields.is_empty() {
        return Err(section.error("", "no column, expected at least one: name = \"type\""));
    }
    fields.iter().map(|field| column(field, source)).collect()
}

fn column(field: &Field<'_>, source: &SourceSpec) -> Result<ColumnSpec> {
    let name = Ident::new(field.key).map_err(|error| field.error(error.message()))?;
    let mut column = ColumnSpec {
        name,
        column_type: ColumnType::Text,
        from: None,
        trim: false,
        nul: NulPolicy::Reject,
        null: None,
        not_null: false,
        line: field.line(),
    };
    match field.value {
        DeValue::String(text) => column.column_type = column_type(field, text)?,
        DeValue::Table(_) => options(field, source, &mut column)?,
        _ => return Err(field.wrong_type("a type such as \"bigint\", or a table of options")),
    }
    Ok(column)
}

fn options(field: &Field<'_>, source: &SourceSpec, column: &mut ColumnSpec) -> Result<()> {
    let section = field.section(field.inner_prefix())?;
    section.allow_only(&["type", "from", "trim", "nul", "null", "not_null"])?;
    let flag = |key: &str| section.optional(key).map_or(Ok(false), |field| field.flag());
    let expected = "a type such as \"bigint\"";
    let type_field = section.required("type", expected)?;
    column.column_type = column_type(&type_field, type_field.plain_text(expected)?)?;
    if let Some(from) = section.optional("from") {
        column.from = Some(read_from(&from, source)?);
    }
    column.trim = flag("trim")?;
    column.not_null = flag("not_null")?;
    if let Some(nul) = section.optional("nul") {
        let expected = "\"reject\", \"strip\" or \"replace\"";
        let policy = NulPolicy::of_name(nul.plain_text(expected)?);
        column.nul = policy.ok_or_else(|| nul.error(&format!("expected {expected}")))?;
    }
    if let Some(null) = section.optional("null") {
        let texts = null.plain_texts("a list of texts, for example [\"NA\"]")?;
        column.null = Some(texts.into_iter().map(str::to_owned).collect());
    }
    Ok(())
}

fn read_from(field: &Field<'_>, source: &SourceSpec) -> Result<String> {
    let expected = match source {
        SourceSpec::Csv(csv) if !csv.header => return read_position(field),
        SourceSpec::Csv(_) => "the name of a field in the header of the file",
        SourceSpec::Table(_) => "the name of a column of the source",
        SourceSpec::Parquet(_) => "a column, or a pointer such as \"/address/city\"",
        SourceSpec::Ndjson(_) => "a key, or a JSON pointer such as \"/address/city\"",
    };
    match field.plain_text(expected)? {
        "" => Err(field.error(&format!("expected {expected}, found an empty text"))),
        name => Ok(name.to_owned()),
    }
}

fn read_position(field: &Field<'_>) -> Result<String> {
    if field.value.as_str().is_some() {
        let expected = "the number of a field, from 1, because header = false";
        return Err(field.wrong_type(expected));
    }
    field.count(1, u64::from(u16::MAX)).map(|number| number.to_string())
}

fn column_type(field: &Field<'_>, text: &str) -> Result<ColumnType> {
    ColumnType::parse(text).map_err(|error| {
        let advice = match nearest(text, TYPE_NAMES) {
            Some(meant) => did_you_mean(meant),
            None => error.hint().map(|hint| format!(", {hint}")).unwrap_or_default(),
        };
        field.error(&format!("{}{advice}", error.message()))
    })
}
