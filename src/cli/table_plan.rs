//! From a source that is in a database to its feed.

use super::job_file::{ColumnSpec, JobFile, Origin, TableSpec, TargetSpec};
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::ident::Ident;
use crate::source::table::{TableColumn, TableColumns};

/// The rows of a table or of a query; `target` is the database that is written to.
///
/// # Errors
/// `Url`; `Config` if a column or the query is none.
pub(super) fn open(
    spec: &TableSpec,
    file: &JobFile,
    target: Option<&Engine>,
) -> Result<TableColumns> {
    let columns = file.columns.iter().map(column).collect::<Result<_>>()?;
    let mut source = match &spec.origin {
        Origin::Table(table) => TableColumns::of_table(table.clone(), columns)?,
        Origin::Query(sql) => TableColumns::query(sql, columns)?,
    };
    let several = || {
        let message =
            "[source] url: missing, expected the URL of a database: the target is several shards";
        Error::new(ErrorKind::Config, message)
    };
    source = match (&spec.url, &file.target) {
        (None, TargetSpec::File(_)) => {
            let message =
                "[source] url: missing, expected the URL of a database: the target is a file";
            return Err(Error::new(ErrorKind::Config, message));
        }
        (Some(url), _) if !spec.replicas.is_empty() => {
            let builder = Engine::builder(url).read_only(true);
            let builder = spec.replicas.iter().fold(builder, |builder, url| builder.replica(url));
            let wait = spec.replica_wait;
            source.on(&builder.routing(|options| options.token_wait(wait)).build()?)
        }
        // One database has one pool, whoever asks: together they keep within its limit.
        (Some(url), to) if target.is_none() || *url != to.url()? => {
            source.on(&Engine::builder(url).read_only(true).build()?)
        }
        _ => source.on(target.ok_or_else(several)?),
    };
    source = source.key(spec.key.clone()).partitions(spec.partitions);
    Ok(match spec.consistency {
        Some(consistency) => source.consistency(consistency),
        None => source,
    })
}

fn column(spec: &ColumnSpec) -> Result<TableColumn> {
    let mut column =
        TableColumn::new(spec.name.clone(), spec.column_type.clone()).trim(spec.trim).nul(spec.nul);
    if let Some(from) = &spec.from {
        column = column.from(Ident::new(from.as_str())?);
    }
    if let Some(nulls) = &spec.null {
        column = column.nulls(nulls.clone());
    }
    Ok(if spec.not_null { column.not_null() } else { column })
}
