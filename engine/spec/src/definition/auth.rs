//! Ways to log in.

use super::request::{BodyDoc, RequestDoc};
use crate::decode::{self, MapReader, Problems};
use crate::document::{Scalar, Tree, Value};
use crate::source_text::{Span, Text};
use std::time::Duration;

/// An auth profile: `auth: {NAME: {type: …}}`.
#[derive(Debug, Clone)]
pub struct AuthDoc {
    /// Its name.
    pub name: Text,
    /// How it works.
    pub kind: AuthKind,
    /// What it is.
    pub doc: Option<Text>,
    /// Where that is said.
    pub source: Option<Text>,
    /// The whole entry.
    pub span: Span,
}

/// How a call is let in. Texts are templates over `config`.
#[derive(Debug, Clone)]
pub enum AuthKind {
    /// Nothing is sent.
    None,
    /// HTTP Basic.
    Basic {
        /// User name.
        username: Text,
        /// Password.
        password: Text,
    },
    /// `Authorization: Bearer …` with a token from the configuration.
    Bearer {
        /// The token.
        token: Text,
    },
    /// Headers with fixed values, e.g. an API key.
    Header {
        /// Header name and value.
        headers: Vec<(Text, Text)>,
    },
    /// Query parameters with fixed values, hidden wherever a URL is shown.
    Query {
        /// Name and value.
        params: Vec<(Text, Text)>,
    },
    /// The first of several profiles whose settings are given.
    Choice {
        /// Their names.
        of: Vec<Text>,
    },
    /// A token that is asked for, kept until it expires and sent with every call: OAuth 2 with a password, a session.
    Token(Box<TokenDoc>),
}

/// How a token is got and used.
#[derive(Debug, Clone)]
pub struct TokenDoc {
    /// The call that gives it.
    pub request: RequestDoc,
    /// Where in the answer it stands.
    pub from: TokenFrom,
    /// How long it lasts.
    pub expires: ExpiryDoc,
    /// The header it is sent in.
    pub header: Text,
    /// What stands before it in the header, e.g. `Bearer`; nothing when empty.
    pub scheme: Text,
    /// Configuration keys to look at when the login is refused.
    pub credentials: Vec<Text>,
    /// How a new token is got without logging in again.
    pub refresh: Option<RefreshDoc>,
}

/// `refresh:` of a session. The answer is read as that of the login is.
#[derive(Debug, Clone)]
pub struct RefreshDoc {
    /// The call; names: `config`, `token` (`token.refresh`).
    pub request: RequestDoc,
    /// JSONPath to the refresh token in the answer of the login, and of a refresh that gives a new one.
    pub token: Text,
    /// How long the refresh token lasts; until it is refused when none.
    pub lifetime: Option<Duration>,
}

/// Where a token stands.
#[derive(Debug, Clone)]
pub enum TokenFrom {
    /// At a JSONPath of the answer.
    Path(Text),
    /// The answer's body is the token; white space and quotes around it are taken off.
    Body,
}

/// How long a token lasts.
#[derive(Debug, Clone, Default)]
pub struct ExpiryDoc {
    /// JSONPath to its lifetime.
    pub path: Option<Text>,
    /// The unit of that number.
    pub unit: ExpiryUnit,
    /// How long it lasts when the answer does not say; until it is refused when none.
    pub lifetime: Option<Duration>,
}

/// The unit of a lifetime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ExpiryUnit {
    /// Seconds.
    #[default]
    Seconds,
    /// Thousandths of a second.
    Milliseconds,
}

/// The names of auth kinds.
#[derive(Clone, Copy)]
enum Word {
    None,
    Basic,
    Bearer,
    Header,
    Query,
    Choice,
    OAuth2Password,
    Session,
}

const WORDS: [(&str, Word); 8] = [
    ("none", Word::None),
    ("basic", Word::Basic),
    ("bearer", Word::Bearer),
    ("header", Word::Header),
    ("query", Word::Query),
    ("choice", Word::Choice),
    ("oauth2-password", Word::OAuth2Password),
    ("session", Word::Session),
];

impl AuthDoc {
    pub(super) fn read(tree: &Tree, problems: &mut Problems) -> Option<Self> {
        let mut reader = MapReader::of(tree, "an auth profile", problems)?;
        let word = reader.required("type", decode::choice(&WORDS));
        let doc = reader.optional_text("doc");
        let source = reader.optional_text("source");
        let Some(word) = word else {
            // Which further keys are right depends on the type.
            reader.rest();
            reader.finish();
            return None;
        };
        let kind = match word {
            Word::None => AuthKind::None,
            Word::Basic => AuthKind::Basic {
                username: reader.required_text("username").unwrap_or_default(),
                password: reader.required_text("password").unwrap_or_default(),
            },
            Word::Bearer => AuthKind::Bearer { token: reader.required_text("token").unwrap_or_default() },
            Word::Header => {
                AuthKind::Header { headers: reader.required("headers", decode::map(decode::text)).unwrap_or_default() }
            }
            Word::Query => {
                AuthKind::Query { params: reader.required("params", decode::map(decode::text)).unwrap_or_default() }
            }
            Word::Choice => {
                AuthKind::Choice { of: reader.required("of", decode::list(decode::text)).unwrap_or_default() }
            }
            Word::OAuth2Password => AuthKind::Token(Box::new(password_grant(&mut reader, tree))),
            Word::Session => AuthKind::Token(Box::new(session(&mut reader, tree))),
        };
        reader.finish();
        Some(Self { name: Text::default(), kind, doc, source, span: tree.span })
    }
}

/// OAuth 2's password grant: a form in, a token and `expires_in` out.
fn password_grant(reader: &mut MapReader<'_, '_>, tree: &Tree) -> TokenDoc {
    let at = |value: &str| Text::new(value, tree.span);
    let text = |value: Text| Tree { span: value.span, value: Value::Scalar(Scalar::Text(value)) };
    let username = reader.required_text("username").unwrap_or_default();
    let password = reader.required_text("password").unwrap_or_default();
    let mut form = vec![
        (at("grant_type"), text(at("password"))),
        (at("username"), text(username)),
        (at("password"), text(password)),
    ];
    form.extend(reader.map("form", decode::any));
    let request = RequestDoc {
        method: at("POST"),
        path: reader.required_text("path").unwrap_or_default(),
        base: reader.optional_text("base"),
        query: Vec::new(),
        headers: reader.map("headers", decode::text),
        body: BodyDoc::Form(form),
        span: tree.span,
    };
    let from = reader.optional_text("token").unwrap_or_else(|| at("$.access_token"));
    let mut expires = reader.optional("expires", ExpiryDoc::read).unwrap_or_default();
    expires.path.get_or_insert_with(|| at("$.expires_in"));
    TokenDoc {
        request,
        from: TokenFrom::Path(from),
        expires,
        header: at("Authorization"),
        scheme: at("Bearer"),
        credentials: reader.list("credentials", decode::text),
        refresh: None,
    }
}

/// Any other call that gives a token.
fn session(reader: &mut MapReader<'_, '_>, tree: &Tree) -> TokenDoc {
    let at = |value: &str| Text::new(value, tree.span);
    let empty = || RequestDoc {
        method: at("POST"),
        path: Text::default(),
        base: None,
        query: Vec::new(),
        headers: Vec::new(),
        body: BodyDoc::None,
        span: tree.span,
    };
    let from = reader.required("token", decode::text);
    TokenDoc {
        request: reader.required("request", RequestDoc::read_post).unwrap_or_else(empty),
        from: match from {
            Some(text) if text.value == "body" => TokenFrom::Body,
            other => TokenFrom::Path(other.unwrap_or_else(|| at("$"))),
        },
        expires: reader.optional("expires", ExpiryDoc::read).unwrap_or_default(),
        header: reader.optional_text("header").unwrap_or_else(|| at("Authorization")),
        scheme: reader.optional_text("scheme").unwrap_or_default(),
        credentials: reader.list("credentials", decode::text),
        refresh: reader.optional("refresh", RefreshDoc::read),
    }
}

impl RefreshDoc {
    fn read(tree: &Tree, problems: &mut Problems) -> Option<Self> {
        let mut reader = MapReader::of(tree, "`refresh`", problems)?;
        let request = reader.required("request", RequestDoc::read_post);
        let token = reader.required_text("token");
        let lifetime = reader.duration("lifetime");
        reader.finish();
        Some(Self { request: request?, token: token?, lifetime })
    }
}

impl ExpiryDoc {
    fn read(tree: &Tree, problems: &mut Problems) -> Option<Self> {
        let mut reader = MapReader::of(tree, "`expires`", problems)?;
        let units = [("seconds", ExpiryUnit::Seconds), ("milliseconds", ExpiryUnit::Milliseconds)];
        let expiry = Self {
            path: reader.optional_text("from"),
            unit: reader.optional("unit", decode::choice(&units)).unwrap_or_default(),
            lifetime: reader.duration("lifetime"),
        };
        reader.finish();
        Some(expiry)
    }
}
