//! The plans of the steps that look at many rows.

use crate::plan::Port;
use towpath_mapping::{Aggregate, OrderBy, Value, WindowValue};
use towpath_spec::Type;
use towpath_spec::document::{Direction, Tolerance, Unlisted};

/// Columns over the rows of a group, every row kept.
#[derive(Debug, Clone)]
pub struct WindowPlan {
    /// The columns to group by.
    pub by: Vec<String>,
    /// The order inside of a group.
    pub order_by: Vec<OrderBy>,
    /// Columns added or overwritten.
    pub values: Vec<(String, WindowValue)>,
}

/// Codes that become columns.
#[derive(Debug, Clone)]
pub struct PivotPlan {
    /// The column with the codes.
    pub on: String,
    /// New column and its code, of the type of `on`.
    pub cells: Vec<(String, Value)>,
    /// The columns to group by.
    pub by: Vec<String>,
    /// What fills a cell.
    pub take: Aggregate,
    /// What becomes of rows with other codes.
    pub otherwise: Unlisted,
}

/// Columns that become rows.
#[derive(Debug, Clone)]
pub struct UnpivotPlan {
    /// The columns.
    pub columns: Vec<String>,
    /// The new column with their names.
    pub name: String,
    /// The new column with their values.
    pub value: String,
    /// The type of the values.
    pub ty: Type,
    /// Leaves rows without a value out.
    pub drop_null: bool,
}

/// A query.
#[derive(Debug, Clone)]
pub struct SqlPlan {
    /// The query.
    pub query: String,
    /// The nodes it reads beside `input`, by the names of its tables.
    pub with: Vec<(String, Port)>,
}

/// What is near in an as-of join.
#[derive(Debug, Clone)]
pub struct AsofPlan {
    /// Column here, column there, of one type.
    pub at: (String, String),
    /// Which row is taken.
    pub direction: Direction,
    /// How far away it may be.
    pub tolerance: Option<Tolerance>,
}
