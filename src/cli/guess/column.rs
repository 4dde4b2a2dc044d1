//! From what the values of a column are like to a column of the job.

use super::observed::Observed;
use crate::mapping::column_type::ColumnType;

/// A column of the job.
#[derive(Debug)]
pub(super) struct Guessed {
    pub(super) name: String,
    /// What it is filled from, where that is not called as the column is.
    pub(super) from: Option<From>,
    pub(super) column_type: ColumnType,
    /// The texts that mean NULL, where they are not those of the source.
    pub(super) nulls: Option<Vec<String>>,
    /// Whether every row that was looked at had a value.
    pub(super) has_all: bool,
    /// Whether each of them was another.
    pub(super) is_unique: bool,
    /// What is uncertain.
    pub(super) note: Option<String>,
}

/// What a column is filled from.
#[derive(Debug)]
pub(super) enum From {
    Field(String),
    Position(usize),
}

impl Guessed {
    /// The column that holds what was `observed`; `source_nulls` are NULL anyway.
    pub(super) fn of(
        name: String,
        from: Option<From>,
        observed: &Observed,
        source_nulls: &[String],
    ) -> Self {
        let kind = observed.kind();
        let column_type = kind.map_or(ColumnType::Text, super::kinds::Kind::column_type);
        let texts = observed.null_texts();
        let other = texts.iter().any(|text| !source_nulls.iter().any(|null| null == text));
        let nulls = other.then(|| {
            let mut nulls = source_nulls.to_vec();
            nulls.extend(
                texts
                    .iter()
                    .filter(|text| !source_nulls.iter().any(|it| it == *text))
                    .map(|it| (*it).to_owned()),
            );
            nulls
        });
        let note = note(observed, &column_type, nulls.is_some());
        let (has_all, is_unique) = (observed.has_all(), observed.is_unique());
        Self { name, from, column_type, nulls, has_all, is_unique, note }
    }

    /// How good a key it would be: the lower the better; `None` if it is none.
    pub(super) fn rank_as_key(&self, place: usize) -> Option<usize> {
        let name = self.name.as_str();
        let can_be =
            matches!(self.column_type, ColumnType::Int8 | ColumnType::Uuid | ColumnType::Text);
        if !self.is_unique || !can_be {
            return None;
        }
        let endings = ["_id", "_key", "_code", "_no", "_number"];
        match name {
            "id" => Some(0),
            "uuid" | "guid" | "key" | "code" | "ident" => Some(1),
            _ if endings.iter().any(|ending| name.ends_with(ending)) => Some(2),
            // A text or number that happens to be unique is a key only where keys stand.
            _ if place == 0 => Some(3),
            _ => None,
        }
    }
}

fn note(observed: &Observed, column_type: &ColumnType, has_markers: bool) -> Option<String> {
    if observed.values == 0 {
        return Some("no value was seen".to_owned());
    }
    if has_markers && *column_type != ColumnType::Text {
        return Some("these texts stood among the values".to_owned());
    }
    (observed.only_bits && *column_type == ColumnType::Int8)
        .then(|| "only 0 and 1: boolean would read them, too".to_owned())
}
