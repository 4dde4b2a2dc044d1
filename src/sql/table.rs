//! Creating a table from columns.

use super::dialect::Dialect;
use crate::ident::TableName;
use crate::mapping::column::Column;

/// `CREATE TABLE` with a primary key over the columns of `columns` that `key` numbers; columns of
/// the key are not null.
pub fn create_table(
    dialect: Dialect,
    table: &TableName,
    columns: &[Column],
    key: &[usize],
) -> String {
    let mut parts: Vec<String> = Vec::with_capacity(columns.len() + 1);
    for (index, column) in columns.iter().enumerate() {
        let null = if column.nullable && !key.contains(&index) { "" } else { " NOT NULL" };
        parts.push(format!("{} {}{null}", column.name, dialect.type_name(&column.column_type)));
    }
    if !key.is_empty() {
        let names: Vec<_> = key.iter().map(|&index| columns[index].name.to_string()).collect();
        parts.push(format!("PRIMARY KEY ({})", names.join(", ")));
    }
    format!("CREATE TABLE {table} ({})", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ident::Ident;
    use crate::mapping::column_type::ColumnType;

    #[test]
    fn a_key_is_not_null_and_primary() {
        let columns = [
            Column::new(Ident::new("id").unwrap(), ColumnType::Int8),
            Column::new(Ident::new("Name").unwrap(), ColumnType::Varchar(Some(20))),
        ];
        let table = TableName::parse("etl.t").unwrap();
        assert_eq!(
            create_table(Dialect::PostgreSql, &table, &columns, &[0]),
            r#"CREATE TABLE "etl"."t" ("id" bigint NOT NULL, "Name" varchar(20), PRIMARY KEY ("id"))"#
        );
        assert_eq!(
            create_table(Dialect::Sqlite, &TableName::parse("t").unwrap(), &columns, &[]),
            r#"CREATE TABLE "t" ("id" INTEGER, "Name" TEXT)"#
        );
    }
}
