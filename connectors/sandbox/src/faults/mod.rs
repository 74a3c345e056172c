//! Faults on purpose: what a remote system or the network does wrong, switched on by rules.
//!
//! # The text form
//!
//! Rules are separated by commas, the parts of a rule by colons; the first part says what goes wrong, the others
//! are `key=value`. `%2C`, `%3A`, `%25` stand for a comma, a colon, a percent sign within a value.
//!
//! ```text
//! 503:every=7, 429:first=3:retry_after=1, cut:when=after:op=UploadExternalTraining:nth=5, slow:ms=20
//! ```
//!
//! | what | it does | its own keys |
//! |---|---|---|
//! | `400` … `599` | answers that status | `when=before` (default: nothing was done) or `after` (it was); `retry_after=SECONDS`, or `retry_after=date+SECONDS` for an HTTP date |
//! | `cut` | closes the connection without a byte of answer | `when=before` or `after` |
//! | `cut-body` | does the work, closes the connection in the middle of the answer | `bytes=N`: after so many |
//! | `truncate` | does the work; the document ends in the middle though HTTP ends properly | `bytes=N` |
//! | `malformed` | does the work; breaks the syntax of the JSON or XML | `bytes=N`: from there on |
//! | `utf8` | does the work; the answer holds bytes that are not UTF-8 | `bytes=N` |
//! | `html` | an HTML page with status 200 | `when` |
//! | `empty` | status 200 and no body | `when` |
//! | `redirect` | status 307 to another address | `to=URL` |
//! | `bomb` | a document of nested entities instead of the answer (PeopleFluent only) | |
//! | `content-type` | the right answer under a wrong content type | `type=text/plain` |
//! | `slow` | answers late; joins with any other rule | `ms=N` |
//! | `hold` | does and answers nothing until the rules are changed; joins with any other rule | |
//! | `refuse` | `{"Status":false,"ErrorMessage":…}`, nothing done (Human Focus only) | `message=TEXT` |
//! | `expire` | every token dies after so many uses (takes no selection) | `uses=N` |
//!
//! Which requests a rule means: `op=NAME` (the operation), `path=PART`, `method=NAME`, `body=PART` (the request's
//! body contains it). Which of those it strikes, counted per rule from 1: `skip=N` passes over the first N, then
//! `first=N` strikes only N of the rest, `every=N` each N-th, `nth=N` the N-th alone. A rule with none of these strikes
//! always. The first rule that strikes acts, with every `slow` and `hold` added.

mod answer;
mod damage;
mod parse;
mod switch;

use std::{fmt, time::Duration};

pub(crate) use answer::Act;
pub use switch::FaultSwitch;
pub(crate) use switch::{Asked, Struck};

/// A set of rules; see the [module](self) for their text form. The default has none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Faults {
    /// Tried in this order.
    pub rules: Vec<Rule>,
    /// Tokens die after so many uses.
    pub token_uses: Option<u64>,
}

/// One thing that goes wrong, and for which requests.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// What goes wrong.
    pub fault: Fault,
    /// Which requests are meant and struck.
    pub selection: Selection,
}

/// Whether the work was done before it went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum When {
    /// Nothing was done.
    #[default]
    Before,
    /// All was done; only the answer is lost or wrong.
    After,
}

/// When to try again, as the answer says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// `Retry-After: 3`
    Seconds(u64),
    /// `Retry-After: Fri, 31 Dec 1999 23:59:59 GMT`, so many seconds from the answer.
    Date(u64),
}

/// What goes wrong. `bytes` is the place in the body, the middle when absent.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)] // the table of the module says it
pub enum Fault {
    Status { code: u16, when: When, retry_after: Option<RetryAfter> },
    Cut { when: When },
    CutBody { bytes: Option<usize> },
    Truncate { bytes: Option<usize> },
    Malformed { bytes: Option<usize> },
    InvalidUtf8 { bytes: Option<usize> },
    Html { when: When },
    Empty { when: When },
    Redirect { to: String },
    EntityBomb,
    ContentType { value: String },
    Slow { delay: Duration },
    Hold,
    Refuse { message: String },
}

impl Fault {
    /// The word the text form and the request log use.
    pub fn word(&self) -> String {
        match self {
            Self::Status { code, .. } => return code.to_string(),
            Self::Cut { .. } => "cut",
            Self::CutBody { .. } => "cut-body",
            Self::Truncate { .. } => "truncate",
            Self::Malformed { .. } => "malformed",
            Self::InvalidUtf8 { .. } => "utf8",
            Self::Html { .. } => "html",
            Self::Empty { .. } => "empty",
            Self::Redirect { .. } => "redirect",
            Self::EntityBomb => "bomb",
            Self::ContentType { .. } => "content-type",
            Self::Slow { .. } => "slow",
            Self::Hold => "hold",
            Self::Refuse { .. } => "refuse",
        }
        .to_owned()
    }
}

/// Which requests a rule means, and which of those it strikes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// The operation's name, in any capital letters.
    pub operation: Option<String>,
    /// A part of the path.
    pub path: Option<String>,
    /// The HTTP method.
    pub method: Option<String>,
    /// A part of the request's body.
    pub body: Option<String>,
    /// So many of the requests meant are passed over first.
    pub skip: u64,
    /// Only so many of the rest are struck.
    pub first: Option<u64>,
    /// Each so-manieth is struck.
    pub every: Option<u64>,
    /// That one alone is struck.
    pub nth: Option<u64>,
}

impl Selection {
    /// Whether the `count`-th request meant (from 1) is struck.
    pub fn strikes(&self, count: u64) -> bool {
        let Some(count) = count.checked_sub(self.skip).filter(|count| *count > 0) else {
            return false;
        };
        self.first.is_none_or(|first| count <= first)
            && self.every.is_none_or(|every| count.is_multiple_of(every))
            && self.nth.is_none_or(|nth| count == nth)
    }
}

/// Why a text is not a set of rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultError {
    pub(crate) rule: String,
    pub(crate) problem: String,
}

impl fmt::Display for FaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fault rule `{}`: {}", self.rule, self.problem)
    }
}

impl std::error::Error for FaultError {}

impl Faults {
    /// No faults at all.
    pub fn none() -> Self {
        Self::default()
    }

    /// Reads the text form; an empty text gives no faults.
    ///
    /// # Errors
    /// Names the first rule that is not understood and what would be.
    pub fn parse(text: &str) -> Result<Self, FaultError> {
        parse::parse(text)
    }

    /// Whether the stand-in of that name can do all of this.
    pub(crate) fn check_for(&self, system: &str) -> Result<(), FaultError> {
        let refused = |rule: String| FaultError { rule, problem: format!("{system} cannot do that") };
        let human_focus = system == crate::HUMAN_FOCUS;
        let has_tokens = system != crate::PEOPLE_FLUENT;
        for rule in &self.rules {
            let possible = match rule.fault {
                Fault::Refuse { .. } => human_focus,
                Fault::EntityBomb => system == crate::PEOPLE_FLUENT,
                _ => true,
            };
            if !possible {
                return Err(refused(rule.fault.word()));
            }
        }
        match self.token_uses {
            Some(_) if !has_tokens => Err(refused("expire".to_owned())),
            _ => Ok(()),
        }
    }
}
