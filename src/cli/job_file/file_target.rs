//! `[target]` of a job that writes files.

use super::columns::ColumnSpec;
use super::section::{Field, Section};
use super::source::one_byte;
use super::target::MODES;
use crate::error::Result;
use crate::sink::file::CsvFile;
use crate::sink::file::NdjsonFile;
use crate::sink::file::csv::CsvOptions;
use crate::sink::file::target::{FileFormat, FileTarget};
use crate::sink::mode::Mode;

const KINDS: [(&str, Kind); 4] = [
    ("table", Kind::Table),
    ("csv", Kind::File(FormatName::Csv)),
    ("ndjson", Kind::File(FormatName::Ndjson)),
    ("parquet", Kind::File(FormatName::Parquet)),
];

#[derive(Clone, Copy)]
enum Kind {
    Table,
    File(FormatName),
}

/// The form of a file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum FormatName {
    Csv,
    Ndjson,
    Parquet,
}

/// The form of the file, or nothing if it is a table.
pub(super) fn kind(field: &Field<'_>) -> Result<Option<FormatName>> {
    match field.word(&KINDS)? {
        Kind::Table => Ok(None),
        Kind::File(FormatName::Parquet) if cfg!(not(feature = "parquet")) => {
            Err(field.needs_feature("parquet"))
        }
        Kind::File(format) => Ok(Some(format)),
    }
}

const COMMON_KEYS: [&str; 5] = ["kind", "path", "mode", "replace", "allow_empty_source"];
const PARQUET_KEYS: [&str; 2] = ["compression", "row_group_rows"];
const CSV_KEYS: [&str; 5] = ["delimiter", "quote", "header", "null", "neutralise_formulas"];

/// Reads the section; `url` is the one of the command line, which a file has none of.
pub(super) fn read(
    section: &Section<'_>,
    format: FormatName,
    columns: &[ColumnSpec],
    url: Option<&str>,
) -> Result<FileTarget> {
    if url.is_some() {
        return Err(section.error("kind", "the target is a file, so --target must not be given"));
    }
    let mut known = COMMON_KEYS.to_vec();
    match format {
        FormatName::Csv => known.extend(CSV_KEYS),
        FormatName::Parquet => known.extend(PARQUET_KEYS),
        FormatName::Ndjson => {}
    }
    section.allow_only(&known)?;
    let expected = "the path of a file, or of a folder with a slash at its end";
    let path = section.required("path", expected)?.filled_text(expected)?;
    let file = match format {
        FormatName::Csv => {
            let options = csv(section)?;
            FileTarget::new(CsvFile::create(path).path(), FileFormat::Csv(options))
        }
        FormatName::Ndjson => NdjsonFile::create(path),
        FormatName::Parquet => parquet(section, &path)?,
    };
    Ok(file
        .replace(replaces(section)?)
        .allow_empty_source(flag(section, "allow_empty_source", false)?)
        .columns(columns.iter().map(ColumnSpec::column).collect()))
}

/// Whether an older output goes: `replace = true`, or the mode of that name.
fn replaces(section: &Section<'_>) -> Result<bool> {
    let replace = section.optional("replace").map(|field| field.flag()).transpose()?;
    let Some(field) = section.optional("mode") else { return Ok(replace.unwrap_or(false)) };
    let expected = "expected \"append\" (a new file) or \"replace\"";
    let by_mode = match field.word(&MODES)? {
        Mode::Append => false,
        Mode::Replace => true,
        mode => {
            let what =
                format!("a file has no rows to compare with for mode \"{mode}\", {expected}");
            return Err(field.error(&what));
        }
    };
    match replace {
        Some(replace) if replace != by_mode => {
            Err(field.error("it says another thing than replace, leave one of them out"))
        }
        _ => Ok(by_mode),
    }
}

#[cfg(feature = "parquet")]
fn parquet(section: &Section<'_>, path: &str) -> Result<FileTarget> {
    use crate::sink::file::parquet::{ParquetCompression, ParquetFile, ParquetOptions};
    let mut options = ParquetOptions::default();
    if let Some(field) = section.optional("compression") {
        options.compression = field.word(&ParquetCompression::NAMES)?;
    }
    if let Some(field) = section.optional("row_group_rows") {
        options.row_group_rows = field.count(1, u64::from(u32::MAX))?;
    }
    Ok(ParquetFile::create(path).parquet(|all| *all = options))
}

#[cfg(not(feature = "parquet"))]
fn parquet(section: &Section<'_>, _: &str) -> Result<FileTarget> {
    Err(section.error("kind", "\"parquet\" is not built in"))
}

fn csv(section: &Section<'_>) -> Result<CsvOptions> {
    let byte = |key: &str, default: u8| {
        section.optional(key).map_or(Ok(default), |field| one_byte(&field))
    };
    let mut options = CsvOptions::default();
    options.delimiter = byte("delimiter", options.delimiter)?;
    options.quote = byte("quote", options.quote)?;
    if options.delimiter == options.quote {
        return Err(section.error("delimiter", "expected another character than the quote"));
    }
    options.header = flag(section, "header", options.header)?;
    options.neutralise_formulas = flag(section, "neutralise_formulas", false)?;
    if let Some(null) = section.optional("null") {
        options.null = null.text("a text, for example \"NULL\"")?;
    }
    options.check().map_err(|error| section.error("null", error.message()))?;
    Ok(options)
}

fn flag(section: &Section<'_>, key: &str, default: bool) -> Result<bool> {
    section.optional(key).map_or(Ok(default), |field| field.flag())
}

#[cfg(test)]
mod tests {
    use crate::cli::job_file::{JobFile, Overrides, TargetSpec};
    use crate::error::Result;
    use std::path::Path;

    fn job(target: &str) -> Result<JobFile> {
        let text = format!(
            "name = \"a\"\nsource = {{ kind = \"csv\", path = \"in.csv\" }}\n\
             [columns]\nid = \"bigint\"\n[params]\nnight = \"1\"\n[target]\n{target}"
        );
        JobFile::parse("j", &text, &Overrides::default(), &|_| None)
    }

    fn refusal(target: &str) -> String {
        job(target).unwrap_err().to_string()
    }

    #[test]
    fn a_file_has_a_kind_and_a_path() {
        let job = job("kind = \"csv\"\npath = \"out/${night}/x.csv\"\nreplace = true\n").unwrap();
        assert_eq!(job.target.url().unwrap(), "sqlite:out/1/.rowmill/ledger.db");
        let TargetSpec::File(file) = &job.target else { panic!("{:?}", job.target) };
        assert_eq!((file.path(), file.mode_name()), (Path::new("out/1/x.csv"), "replace"));
    }

    #[test]
    fn modes_that_compare_with_rows_are_refused() {
        let line = "kind = \"ndjson\"\npath = \"x\"\nmode = ";
        assert!(job(&format!("{line}\"append\"\n")).is_ok());
        let message = refusal(&format!("{line}\"mirror\"\n"));
        assert!(
            message.starts_with("j:10: [target] mode: a file has no rows to compare"),
            "{message}"
        );
        let message = refusal(&format!("{line}\"append\"\nreplace = true\n"));
        assert!(message.contains("another thing than replace"), "{message}");
    }

    #[test]
    fn keys_of_another_kind_are_refused() {
        let message = refusal("kind = \"ndjson\"\npath = \"x\"\ndelimiter = \";\"\n");
        assert!(message.contains("delimiter: unknown key"), "{message}");
        let message = refusal("kind = \"csv\"\npath = \"x\"\ndelimiter = \"\\\"\"\n");
        assert!(message.contains("another character than the quote"), "{message}");
        let message = refusal("kind = \"parquet\"\npath = \"x\"\nheader = true\n");
        let expected = if cfg!(feature = "parquet") { "unknown key" } else { "with the feature" };
        assert!(message.contains(expected), "{message}");
    }
}
