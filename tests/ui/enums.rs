//! Enums that are more than labels.
use rowmill::SqlEnum;

#[derive(SqlEnum)]
enum WithFields {
    Plain,
    Number(i64),
}

#[derive(SqlEnum)]
#[sql_enum(rename_all = "Snake")]
enum UnknownCase {
    One,
}

#[derive(SqlEnum)]
#[sql_enum(rename_all = "lowercase")]
enum SameLabel {
    One,
    #[sql_enum(label = "one")]
    Two,
}

fn main() {}
