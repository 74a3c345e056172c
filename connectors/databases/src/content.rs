//! What a load is known by when another run brings it again: its rows, in whatever order they come.

use rusqlite::types::Value as Stored;
use xxhash_rust::xxh3::xxh3_128;

/// The content of a load: the sum of a hash of each row, so that order does not count and a row that is there twice does.
#[derive(Debug, Clone, Default)]
pub(crate) struct Content {
    sum: u128,
    row: Vec<u8>,
}

impl Content {
    /// Content of rows of these columns.
    pub(crate) fn of<'n>(columns: impl Iterator<Item = &'n str>) -> Self {
        let mut content = Self::default();
        columns.for_each(|name| content.text(3, name.as_bytes()));
        content.end_row();
        content
    }

    /// The next cell of a row.
    pub(crate) fn cell(&mut self, cell: &Stored) {
        match cell {
            Stored::Null => self.row.push(0),
            Stored::Integer(number) => self.number(1, number.to_le_bytes()),
            Stored::Real(number) => self.number(2, number.to_le_bytes()),
            Stored::Text(text) => self.text(3, text.as_bytes()),
            Stored::Blob(bytes) => self.text(4, bytes),
        }
    }

    /// The row is whole.
    pub(crate) fn end_row(&mut self) {
        self.sum = self.sum.wrapping_add(xxh3_128(&self.row));
        self.row.clear();
    }

    /// What it comes to.
    pub(crate) fn digest(&self) -> String {
        format!("{:032x}", self.sum)
    }

    fn number(&mut self, kind: u8, bytes: [u8; 8]) {
        self.row.push(kind);
        self.row.extend_from_slice(&bytes);
    }

    /// With its length, so that no other cells could give the same bytes.
    fn text(&mut self, kind: u8, bytes: &[u8]) {
        self.number(kind, (bytes.len() as u64).to_le_bytes());
        self.row.extend_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(rows: &[&[&str]]) -> String {
        let mut content = Content::of(["a", "b"].into_iter());
        for row in rows {
            row.iter().for_each(|cell| content.cell(&Stored::Text((*cell).to_owned())));
            content.end_row();
        }
        content.digest()
    }

    #[test]
    fn order_does_not_count_and_everything_else_does() {
        let rows = digest(&[&["1", "x"], &["2", "y"]]);
        assert_eq!(rows, digest(&[&["2", "y"], &["1", "x"]]));
        for other in [
            digest(&[&["1", "x"]]),
            digest(&[&["1", "x"], &["2", "y"], &["2", "y"]]),
            digest(&[&["1", "y"], &["2", "x"]]),
            digest(&[&["1x", ""], &["2", "y"]]),
        ] {
            assert_ne!(rows, other);
        }
        assert_ne!(Content::of(["a"].into_iter()).digest(), Content::of(["b"].into_iter()).digest());
    }
}
