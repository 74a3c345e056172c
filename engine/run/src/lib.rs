//! Carries out a plan: extracts, stages, transforms, delivers, and accounts for every row.
//!
//! One scheduler drives everything: connectors say whether an error may pass, [`RetryPolicy`] says when to try again.
//! Transforms are one streaming Polars plan from scans to sinks; what Polars cannot scan is staged first as Parquet
//! segments, unless it can be poured from file to file. Nothing here prints, exits or reads the environment: it emits [`Event`]s and returns an [`Outcome`].

mod accounts;
mod asof;
mod batches;
mod check;
mod clock;
mod connect;
mod deliver;
mod desk;
mod error;
mod event;
mod extract;
mod file_sink;
mod flow;
mod intake;
mod keys;
mod lookup;
mod memory;
mod merging;
mod missing;
mod pace;
mod partition;
mod payload;
mod planned;
mod planning;
mod pour;
mod preview;
mod promise;
mod records;
mod rejects;
mod replay;
mod resuming;
mod retry;
mod row_steps;
mod run;
mod runner;
mod scan;
mod scope;
mod sending;
mod sending_batches;
mod sql_step;
mod stage;
mod table_sink;
mod table_steps;
mod unsent;
mod verifying;
mod wide;

pub use accounts::{Counts, NodeReport};
pub use check::check;
pub use clock::{Clock, MachineClock};
pub use error::{NodeError, RunError};
pub use event::{Event, Observer, Quiet};
pub use planned::{Planned, PlannedNode, PlannedSink, RejectSample, Request, SinkPlan, Update};
pub use planning::plan_run;
pub use preview::{Preview, preview};
pub use promise::{Promise, packed};
pub use replay::{LeftOut, Replay};
pub use retry::RetryPolicy;
pub use run::{Outcome, Status, run};
pub use runner::{Mode, Options, StandIn, Values, World};
pub use scope::environment;
