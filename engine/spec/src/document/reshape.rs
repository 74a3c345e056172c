//! The documents of the steps that look at many rows: windows, pivots, SQL, and joins by nearness.

use super::tree::Tree;
use crate::source_text::{Span, Text};
use std::time::Duration;

/// A column to sort by: `name`, `-name` for descending, or the long form.
#[derive(Debug, Clone)]
pub struct SortKey {
    /// The column.
    pub column: Text,
    /// Largest first.
    pub descending: bool,
    /// Null before everything else; last when false, whatever the direction.
    pub nulls_first: bool,
}

/// `window:`.
#[derive(Debug, Clone)]
pub struct WindowDoc {
    /// The columns whose equal values make a group; one group when empty.
    pub by: Vec<Text>,
    /// The order inside of a group.
    pub order_by: Vec<SortKey>,
    /// Output column and E.
    pub values: Vec<(Text, Text)>,
}

/// What becomes of a row whose code a `pivot` does not list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unlisted {
    /// It becomes a reject.
    #[default]
    Reject,
    /// It is left out of the new columns.
    Ignore,
    /// The run fails.
    Fail,
}

/// `pivot:`.
#[derive(Debug, Clone)]
pub struct PivotDoc {
    /// The column that holds the codes.
    pub on: Text,
    /// New column and the code whose rows fill it.
    pub values: Vec<(Text, Tree)>,
    /// Columns to group by; none gives one row.
    pub by: Vec<Text>,
    /// The aggregate that fills a cell.
    pub take: Text,
    /// What becomes of rows with other codes.
    pub otherwise: Unlisted,
}

/// `unpivot:`.
#[derive(Debug, Clone)]
pub struct UnpivotDoc {
    /// The columns that become rows, by name or glob.
    pub columns: Vec<Text>,
    /// The new column with their names.
    pub name: Text,
    /// The new column with their values.
    pub value: Text,
    /// Leaves rows without a value out.
    pub drop_null: bool,
}

/// `sql:`.
#[derive(Debug, Clone)]
pub struct SqlDoc {
    /// The query.
    pub query: Text,
    /// The nodes it may read beside `input`.
    pub with: Vec<Text>,
}

/// Which row of the other side an as-of join takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// The last one that is not later.
    #[default]
    Backward,
    /// The first one that is not earlier.
    Forward,
    /// The nearer of these two; the earlier one when both are as near.
    Nearest,
}

/// How far apart the two rows of an as-of join may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Tolerance {
    /// For days, times and durations.
    Time(Duration),
    /// For numbers.
    Number(f64),
}

/// `asof:` of a join.
#[derive(Debug, Clone)]
pub struct AsofDoc {
    /// Column of the input, column of the other node.
    pub at: (Text, Text),
    /// Which row is taken.
    pub direction: Direction,
    /// How far away it may be, and where that was written.
    pub tolerance: Option<(Tolerance, Span)>,
}

/// How many rows of each side of a join may have the same key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cardinality {
    /// Each key is there once on both sides.
    OneToOne,
    /// Each key is there once in the other node.
    ManyToOne,
    /// Each key is there once in the input.
    OneToMany,
    /// No side is checked.
    ManyToMany,
}

impl Cardinality {
    /// As it is written.
    pub fn written(self) -> &'static str {
        match self {
            Self::OneToOne => "1:1",
            Self::ManyToOne => "m:1",
            Self::OneToMany => "1:m",
            Self::ManyToMany => "m:m",
        }
    }

    /// Whether the keys of the input are each there once.
    pub fn is_one_here(self) -> bool {
        matches!(self, Self::OneToOne | Self::OneToMany)
    }

    /// Whether the keys of the other node are each there once.
    pub fn is_one_there(self) -> bool {
        matches!(self, Self::OneToOne | Self::ManyToOne)
    }
}
