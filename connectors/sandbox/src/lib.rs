//! Stateful stand-ins of remote systems, on loopback.
//!
//! `towpath sandbox`, `towpath run --sandbox` and the test suite all use these, so that a pipeline that runs against
//! the sandbox has passed real HTTP, real authentication, real paging, and the odd types the vendors' documents show.
//! They answer from an invented world (see [`Seed`]); they never call out, never listen beyond 127.0.0.1, and keep
//! nothing once stopped: whoever wants to meet the same system again takes what it holds ([`System::save`]) and hands
//! it to the next start ([`Options::restore`]).
//!
//! | system | simulated | after |
//! |---|---|---|
//! | `peoplefluent` | `trainingHistoryXml`, `completedTrainingRecordsXml`, `users200510Xml`, `user200510Xml`: system authentication (HTTP Basic, user name ignored), windows by `lastUpdatedStart`/`End`, `userId`, `organizationId` with descendants, `moduleIds`, `includeOlder`, `fields`; namespaces, CDATA, entities, unknown elements, nested programmes, missing optional elements, every status; a session cookie that makes any request sending it back fail; error pages as HTML | the vendor's Legacy API documentation for functions and parameters; `records.xsd` of the vendor's public client library for the shape, as `trainingHistory200510.xsd` is not public: namespace URIs are invented |
//! | `human-focus` | all 27 operations of the Client API with state: token with expiry and revocation, users, groups, sites, departments, trainings, providers, uploads, files, results; `Status` in the body, numbers that are texts elsewhere, null markers, page numbers from 0 here and 1 there, rename answers with another id; creating twice makes two | the vendor's Client API documentation; where it names neither method nor path (21 of the 27 functions) the defaults of the `human-focus` connector |
//!
//! Not documented by either vendor, and chosen here: bodies of errors, the page cap of 100, which fields are required
//! beyond those the vendor calls so. A field's JSON type is demanded as the vendor's examples show it, so that a
//! number rendered as text is noticed. `GetUserID` for a stranger is a switch ([`AbsentUser`]).
//!
//! What goes wrong on purpose is described in [`faults`]; the surface for other processes in `/sandbox/…`:
//! `GET books`, `GET requests`, `GET|PUT faults`, `POST reset`, `POST revoke-tokens`, `POST records`.
//!
//! ```no_run
//! # async fn example() -> Result<(), towpath_sandbox::Error> {
//! let system = towpath_sandbox::start("human-focus", towpath_sandbox::Options::default()).await?;
//! for (setting, value) in system.settings() {
//!     println!("{setting}: {value}");
//! }
//! system.faults().set_text("429:first=3:retry_after=1").expect("rules");
//! system.stop().await;
//! # Ok(())
//! # }
//! ```

mod admin;
mod answer;
mod books;
pub mod faults;
mod gate;
mod human_focus;
mod people_fluent;
mod saved;
mod seed;
mod server;
mod system;

pub use faults::{FaultError, FaultSwitch, Faults};
pub use human_focus::AbsentUser;
pub use saved::RestoreProblem;
pub use seed::{Completion, Seed};
pub(crate) use system::StandIn;
pub use system::{Error, Options, System, start};

pub(crate) const PEOPLE_FLUENT: &str = "peoplefluent";
pub(crate) const HUMAN_FOCUS: &str = "human-focus";

/// The systems there are stand-ins for; the names are those of their connectors.
pub fn names() -> &'static [&'static str] {
    &[PEOPLE_FLUENT, HUMAN_FOCUS]
}
