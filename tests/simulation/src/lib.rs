//! Runs in a time of their own: a seed decides what comes first, what goes wrong, and who dies when.
//!
//! The engine is the real one, with its journal and stages on disk; only time and the other system are made up, and one
//! thread does everything. So what happens at once in a run happens in an order here, another one for each seed, and the
//! same one each time: a failure is repeated by its seed. The proof over real processes and HTTP (`tests/tests/proof.rs`)
//! tries fewer orders and cannot repeat them; it has the machine, the network and the loss of power, which are not here.
//!
//! Deaths are at boundaries and at the events of the other system, which a release has nothing of: all of this is for
//! builds for development.

#![cfg(debug_assertions)]

mod connector;
mod life;
mod schedule;
mod system;
mod trial;

pub use connector::{Behaviour, OPERATIONS};
pub use trial::{Honesty, Trial, trial, trial_of};
