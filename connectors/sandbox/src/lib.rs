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
//! | `peoplefluent` | all 80 functions of the Legacy API and the content handlers `usersCsv` and `imsEnterprise`, with state: accounts, enrolments, records, requests and their status words, groups, messages, news in RSS and Atom, certificates, packages, reports; system authentication (HTTP Basic, user name ignored) for bulk reads and content handlers, user authentication (Basic or bearer) with `onBehalfOf` and `assignmentId` for the rest, `format` json or xml, parameters checked; CSV loads that repeat their rows with what is wrong with each; bulk reads with windows by `lastUpdatedStart`/`End`, `userId`, `organizationId` with descendants, `moduleIds`, `includeOlder`, `fields`; namespaces, CDATA, entities, unknown elements, nested programmes, missing optional elements, every status; a session cookie that makes any request sending it back fail; error pages as HTML | the vendor's Legacy API documentation for functions and parameters; `records.xsd`, `module.xsd`, `learningPath.xsd`, `competenciesAwarded.xsd` of the vendor's public client library and public clients for shapes; all other answers, `courses.xsd` and namespace URIs are invented |
//! | `human-focus` | all 27 operations of the Client API with state: token with expiry and revocation, users, groups, sites, departments, trainings, providers, uploads, files, results; `Status` in the body, numbers that are texts elsewhere, null markers, page numbers from 0 here and 1 there, rename answers with another id; creating twice makes two | the vendor's Client API documentation; where it names neither method nor path (21 of the 27 functions) the defaults of the `human-focus` connector |
//! | `enabley` | all 47 operations of API 1.0.0 with state: the credentials of the token in the query and its life in milliseconds, PUTs that make (201) or change (200), pages by key with 404 for a wrong one, `start`/`limit` up to 200, lists of plain texts, reads by POST, DELETE with a body, repeated `roles`, `replace=true`, groups below their parents, users without an identifier, certificates with documents | the vendor's API documentation; the same people under their PeopleFluent user ids |
//! | `onefile` | all 49 operations of API 2.1 with state: a session as text in the body, good for a day, sent in `X-TokenID`; searches by POST with page and size in the path, 204 for no match; a creation of a user that tells no id and demands what the role needs; bare numbers as answers; paths in any capitals | the vendor's guides for users, searches and assignments; public clients for the rest, whose fields are not documented |
//! | `healthier-business` | versions 1 and 2 of the portal, the services and the academy, 45 operations with state: headers for the one, a pair of tokens with refresh for the other; lists of one wrapper, texts for everything; 202 there already or not ready, 204 no data, 304 nothing changed, 403 not valid; certificates, references and documents as PDF | the vendor's developer pages; many paths of version 1 are assumed, as in the connector |
//!
//! Not documented by any vendor, and chosen here: bodies of errors, the page cap of 100, which fields are required
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
mod canned;
mod enabley;
pub mod faults;
mod gate;
mod healthier_business;
mod human_focus;
mod one_file;
mod people_fluent;
mod route;
mod saved;
mod seed;
mod server;
mod system;
mod tables;
mod tokens;

pub use canned::{Canned, CannedServer};
pub use faults::{FaultError, FaultSwitch, Faults};
pub use human_focus::AbsentUser;
pub use saved::RestoreProblem;
pub use seed::{Completion, Seed};
pub(crate) use system::StandIn;
pub use system::{Error, Options, System, start};

pub(crate) const PEOPLE_FLUENT: &str = "peoplefluent";
pub(crate) const HUMAN_FOCUS: &str = "human-focus";
pub(crate) const ENABLEY: &str = "enabley";
pub(crate) const ONE_FILE: &str = "onefile";
pub(crate) const HEALTHIER_BUSINESS: &str = "healthier-business";

/// The systems there are stand-ins for; the names are those of their connectors.
pub fn names() -> &'static [&'static str] {
    &[PEOPLE_FLUENT, HUMAN_FOCUS, ONE_FILE, ENABLEY, HEALTHIER_BUSINESS]
}
