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

#[derive(SqlEnum)]
#[sql_enum(text, int)]
enum TwoStorages {
    One,
}

#[derive(SqlEnum)]
#[sql_enum(text, name = "mood")]
enum NamedText {
    One,
}

#[derive(SqlEnum)]
#[sql_enum(int)]
enum LabelledNumber {
    #[sql_enum(label = "one")]
    One,
}

#[derive(SqlEnum)]
#[sql_enum(int)]
#[repr(u64)]
enum TooWide {
    One,
}

fn main() {}
