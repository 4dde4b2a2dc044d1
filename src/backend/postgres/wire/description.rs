//! The types in a description of parameters or of a result, as it passes.

/// Where the reader of one description is. It is given the body in pieces of any size.
#[derive(Debug, Default)]
pub(crate) struct Description {
    /// Whether it is of columns, which have a name and more than a type.
    is_of_columns: bool,
    is_in_name: bool,
    /// How many bytes are still to be passed over.
    passing: usize,
}

/// One type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    /// Where in the piece its number stands.
    pub(crate) position: usize,
    pub(crate) oid: u32,
    /// How many bytes its values have, where the server says so.
    pub(crate) size: Option<i16>,
}

/// How many fields there are.
const COUNT: usize = 2;
const PARAMETER: usize = 4;
/// Behind the name: table, number in it, type, size, modifier, format.
const COLUMN: usize = 18;
const TYPE_IN_COLUMN: usize = 6;

impl Description {
    /// The reader of a message of this type: `t` describes parameters, `T` columns.
    pub(crate) fn begin(kind: u8) -> Self {
        let is_of_columns = kind == b'T';
        Self { is_of_columns, is_in_name: is_of_columns, passing: COUNT }
    }

    pub(crate) fn is_of_columns(&self) -> bool {
        self.is_of_columns
    }

    /// Reads on. `each` gets the fields in their order, `None` for one that came in two pieces.
    pub(crate) fn feed(&mut self, piece: &[u8], each: &mut impl FnMut(Option<Field>)) {
        let mut at = 0;
        loop {
            let passed = self.passing.min(piece.len() - at);
            (at, self.passing) = (at + passed, self.passing - passed);
            if at == piece.len() {
                return;
            }
            if self.is_in_name {
                let Some(end) = piece[at..].iter().position(|byte| *byte == 0) else { return };
                (at, self.is_in_name) = (at + end + 1, false);
            }
            each(self.field(piece, at));
            self.passing = if self.is_of_columns { COLUMN } else { PARAMETER };
            self.is_in_name = self.is_of_columns;
        }
    }

    /// The field whose part of fixed length begins at `at`.
    fn field(&self, piece: &[u8], at: usize) -> Option<Field> {
        if !self.is_of_columns {
            let oid = u32::from_be_bytes(*piece.get(at..)?.first_chunk()?);
            return Some(Field { position: at, oid, size: None });
        }
        let fixed = piece.get(at..at + COLUMN)?;
        let oid = u32::from_be_bytes(*fixed[TYPE_IN_COLUMN..].first_chunk()?);
        let size = i16::from_be_bytes(*fixed[TYPE_IN_COLUMN + PARAMETER..].first_chunk()?);
        Some(Field { position: at + TYPE_IN_COLUMN, oid, size: Some(size) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(fields: &[(&str, u32, i16)]) -> Vec<u8> {
        let mut body = (fields.len() as u16).to_be_bytes().to_vec();
        for (name, oid, size) in fields {
            body.extend_from_slice(name.as_bytes());
            body.extend_from_slice(&[0, 0, 0, 9, 9, 0, 1]);
            body.extend_from_slice(&oid.to_be_bytes());
            body.extend_from_slice(&size.to_be_bytes());
            body.extend_from_slice(&[255, 255, 255, 255, 0, 1]);
        }
        body
    }

    fn read(kind: u8, pieces: &mut dyn Iterator<Item = &[u8]>) -> Vec<Option<(u32, Option<i16>)>> {
        let (mut reader, mut found) = (Description::begin(kind), Vec::new());
        for piece in pieces {
            reader.feed(piece, &mut |field| {
                found.push(field.map(|field| {
                    let number = &piece[field.position..field.position + 4];
                    assert_eq!(number, field.oid.to_be_bytes());
                    (field.oid, field.size)
                }));
            });
        }
        found
    }

    #[test]
    fn parameters_and_columns_are_found_with_their_types() {
        let body = [&2_u16.to_be_bytes()[..], &23_u32.to_be_bytes(), &70_000_u32.to_be_bytes()];
        let found = read(b't', &mut std::iter::once(&*body.concat()));
        assert_eq!(found, [Some((23, None)), Some((70_000, None))]);
        let body = columns(&[("id", 23, 4), ("", 70_000, -1)]);
        let found = read(b'T', &mut std::iter::once(&*body));
        assert_eq!(found, [Some((23, Some(4))), Some((70_000, Some(-1)))]);
        assert_eq!(read(b'T', &mut std::iter::once(&[0, 0][..])), []);
    }

    #[test]
    fn each_field_is_counted_also_where_it_comes_in_pieces() {
        let body = columns(&[("id", 23, 4), ("mood", 70_000, 4), ("", 70_001, -1)]);
        for size in 1..=body.len() {
            let found = read(b'T', &mut body.chunks(size));
            assert_eq!(found.len(), 3, "{size}");
            for (found, oid) in found.iter().zip([23, 70_000, 70_001]) {
                assert!(found.is_none_or(|(found, _)| found == oid), "{size}");
            }
        }
    }
}
