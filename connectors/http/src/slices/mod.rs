//! Several calls for one stream: once for each record of another one, for each of some values, for each window of time.
//!
//! A slice is one such call with its pages. Some are read at the same time, each by a task of its own and a page ahead at
//! most, and they come out in the order in which they were found: the parent's order, then that of time. Every page is a
//! place to go on from, and a task that fails waits until it is asked again, so that a passing error of one slice loses
//! nothing of the others and has nothing come twice.
//!
//! Nothing is ever held as a whole: not the parent, which is read page by page, and not the answers.

mod extract;
mod feed;
mod given;
mod parents;
mod plan;
mod seen;
mod taken;
mod windows;
mod worker;

pub(crate) use extract::SliceExtract;
pub(crate) use given::Ask;
pub(crate) use plan::{Over, RouterPlan, Take};
