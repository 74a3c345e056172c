//! The mapping compiler: typed Jinja at column speed.
//!
//! A template of a pipeline is parsed by MiniJinja's parser, resolved and type-checked against the columns it may read
//! ([`compile_template`] and its siblings), and then has two meanings that agree for every input: a Polars expression
//! ([`Compiled::lower`]) and a row interpreter of our own ([`Compiled::interpret`]). MiniJinja gives the syntax only;
//! its virtual machine cannot be taught our rules about null, so values are ours.
//!
//! Nothing here does I/O, reads the clock or the environment: the time of a run comes in with [`Constants`].

mod aggregate;
mod cast;
mod check;
mod columns;
mod compiled;
mod evaluate;
mod exact;
mod expr;
mod frame;
pub mod functions;
mod interpret;
pub mod jinja;
mod lower;
mod macros;
mod narrow;
mod ops;
mod parse;
mod reference;
pub mod scalar;
mod scope;
mod slips;
mod sql;
mod temporal;
mod value;
mod window;

pub use aggregate::{Aggregate, compile_aggregate};
pub use cast::{compile_cast, convert};
pub use columns::{from_polars, schema_from_polars, schema_to_polars, to_polars, values_to_series};
pub use compiled::{
    Checked, Compiled, Lowered, Mode, Reason, compile_condition, compile_expression, compile_template, compile_value,
};
pub use evaluate::{Computed, Evaluated, evaluate};
pub use exact::{ExactJson, exact_json};
pub use frame::{BadCell, FrameRow, FrameRows, frame_to_json_rows, row_to_json, rows_to_frame};
pub use macros::Macros;
pub use reference::{FunctionDoc, reference};
pub use scope::{Constants, Row, RunFacts, Scope};
pub use sql::{run_sql, sql_schema};
pub use value::Value;
pub use window::{OrderBy, WindowValue, compile_window, windowed};
