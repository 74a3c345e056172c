//! Documents and connector descriptors in, an immutable, typed [`Plan`] or diagnostics out.
//!
//! Everything that can be known before a run is found out here: names, cycles, settings, the columns and types at every
//! step, every template. Building a plan is pure: no network, clock, environment or credentials; a connector's
//! `describe_source` may read the head of a local file, nothing else does I/O. It knows no concrete connector.

mod build;
mod connections;
mod context;
mod files;
mod graph;
mod incremental;
mod join;
mod params;
mod plan;
mod plan_steps;
mod record;
mod reshape;
mod settings;
mod sink;
mod source;
mod step_shape;
mod steps;

pub use build::{Documents, build};
pub use context::Outside;
pub use plan::{
    Check, Column, Connection, Incremental, JoinPlan, Limits, LookupPlan, Node, NodeKind, OnUnknown, Output, Param,
    Plan, Port, RecordTemplate, SinkNode, SourceNode, Step, StepPlan, Taken, TransformNode, rejects_schema,
};
pub use plan_steps::{AsofPlan, PivotPlan, SqlPlan, UnpivotPlan, WindowPlan};
pub use settings::{SettingTemplate, ValueTemplate};
