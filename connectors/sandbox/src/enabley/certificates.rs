//! Certificates of the account, and what each user has of them.

use axum::{http::StatusCode, response::Response};
use chrono::{DateTime, Days, Months, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Enabley,
    call::{Answer, Call, Good, Problem},
    pages,
    router::list,
    shelf::{Named, Shelf},
    state::written,
    users::{User, known},
    world::{self, BEGIN},
};
use crate::{answer, seed::Seed};

/// How many certificates the account has; the last two are not active.
const COUNT: u64 = 14;
const STATES: [&str; 7] =
    ["CERTIFIED", "ABOUT_TO_EXPIRE", "IN_PROGRESS", "EXPIRED", "AWAITS_LEARNER_CONFIRMATION", "INIT", "REVOKED"];

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Certificate {
    pub identifier: String,
    pub name: String,
    pub status: String,
    pub courses: Vec<String>,
    /// How long it is valid: a number of `MONTH`s, `YEAR`s or `DAY`s; for ever when none.
    pub expiration: Option<(u32, String)>,
    pub created: DateTime<Utc>,
}

/// A certificate of one user, gained or on the way.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Held {
    pub certificate: String,
    pub state: String,
    pub required: bool,
    pub certified: Option<DateTime<Utc>>,
    pub expires: Option<DateTime<Utc>>,
    /// The path of the document.
    pub pdf: Option<String>,
}

impl Named for Certificate {
    fn identifier(&self) -> Option<&str> {
        Some(&self.identifier)
    }
}

impl Certificate {
    pub(super) fn shown(&self) -> Value {
        let expiration =
            self.expiration.as_ref().map(|(duration, period)| json!({"duration": duration, "period": period}));
        json!({
            "courseIds": self.courses,
            "created": written(self.created),
            "expiration": expiration,
            "externalCertificateId": self.identifier,
            "name": self.name,
            "status": self.status,
        })
    }

    fn expires(&self, certified: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let (duration, period) = self.expiration.as_ref()?;
        match period.as_str() {
            "DAY" => certified.checked_add_days(Days::new(u64::from(*duration))),
            "MONTH" => certified.checked_add_months(Months::new(*duration)),
            _ => certified.checked_add_months(Months::new(duration * 12)),
        }
    }
}

pub(super) fn seeded(seed: &Seed) -> Shelf<Certificate> {
    let certificate = |number: u64| Certificate {
        identifier: format!("CERT-{number:03}"),
        name: seed.title(number - 1),
        status: match number {
            13 => "INACTIVE",
            14 => "ARCHIVED",
            _ => "ACTIVE",
        }
        .to_owned(),
        courses: vec![world::channel_id(number), world::channel_id(number % COUNT + 1)],
        expiration: match number % 4 {
            0 => None,
            1 => Some((24, "MONTH".to_owned())),
            2 => Some((3, "YEAR".to_owned())),
            _ => Some((90, "DAY".to_owned())),
        },
        created: BEGIN + TimeDelta::days(number as i64),
    };
    (1..=COUNT).map(certificate).collect()
}

/// The certificates of the person of that number: none to two, their states in turn.
pub(super) fn of_person(seed: &Seed, number: u64) -> Vec<Held> {
    let certificates = seeded(seed);
    let held = |turn: u64| {
        let certificate = certificates.get(&format!("CERT-{:03}", (number + turn * 5) % 12 + 1))?;
        let state = STATES[((number / 3 + turn * 3) % STATES.len() as u64) as usize];
        let has = matches!(state, "CERTIFIED" | "ABOUT_TO_EXPIRE" | "EXPIRED" | "REVOKED");
        let days = (seed.roll(22, number * 2 + turn) % 300) as i64;
        let certified = has.then(|| BEGIN + TimeDelta::days(400 + days) + TimeDelta::milliseconds(317));
        Some(Held {
            certificate: certificate.identifier.clone(),
            state: state.to_owned(),
            required: turn == 0,
            certified,
            expires: certified.and_then(|certified| certificate.expires(certified)),
            pdf: has.then(|| format!("/certificates/{}/{number}.pdf", certificate.identifier)),
        })
    };
    (0..number % 3).filter_map(held).collect()
}

pub(super) fn all(system: &Enabley, _: &Call<'_>) -> Answer {
    list(system.state().certificates.iter().map(Certificate::shown))
}

pub(super) fn paged(system: &Enabley, call: &Call<'_>) -> Answer {
    pages::page(system, "certificates", call, system.state().certificates.iter().map(Certificate::shown))
}

pub(super) fn one(system: &Enabley, call: &Call<'_>) -> Answer {
    let state = system.state();
    match state.certificates.get(&call.path[0]) {
        Some(certificate) => Ok(Good::Value(certificate.shown())),
        None => Err(Problem::missing("Certificate", &call.path[0])),
    }
}

/// The rows say nothing of the user.
pub(super) fn of_user(system: &Enabley, call: &Call<'_>) -> Answer {
    let state = system.state();
    let user: &User = known(&state.users, &call.path[0])?;
    list(user.certificates.iter().map(|held| {
        json!({
            "certificationDate": held.certified.map(written),
            "expirationDate": held.expires.map(written),
            "externalCertificateId": held.certificate,
            "isRequired": held.required,
            "name": state.certificates.get(&held.certificate).map(|certificate| certificate.name.as_str()),
            "pdfUrl": held.pdf.as_ref().map(|path| format!("{}{path}", system.origin)),
            "state": held.state,
        })
    }))
}

/// 404: no such user or certificate; 409: the user has nothing of that certificate.
pub(super) fn require(system: &Enabley, call: &Call<'_>) -> Answer {
    let fields = call.fields()?;
    let (certificate, user) = (fields.text("certificateIdentifier")?, fields.text("userIdentifier")?);
    let required = fields.optional_bool("isRequired")?.ok_or_else(|| Problem::invalid("isRequired is required"))?;
    let unknown = |what: String| Problem::new(StatusCode::NOT_FOUND, "item_not_exists", what);
    let mut state = system.state();
    if !state.certificates.has(certificate) {
        return Err(unknown(format!("Certificate '{certificate}' does not exist")));
    }
    let found = state.users.get_mut(user).ok_or_else(|| unknown(format!("User '{user}' does not exist")))?;
    let held = found.certificates.iter_mut().find(|held| held.certificate == certificate);
    let held = held.ok_or_else(|| {
        let description = format!("User '{user}' has no connection with certificate '{certificate}'");
        Problem::new(StatusCode::CONFLICT, "item_not_exists", description)
    })?;
    held.required = required;
    Ok(Good::Done)
}

/// What `pdfUrl` leads to: a document of one page.
pub(super) fn pdf(system: &Enabley, parts: &[String]) -> Response {
    let path = format!("/certificates/{}", parts.join("/"));
    let state = system.state();
    let exists = state.users.iter().flat_map(|user| &user.certificates).any(|held| held.pdf.as_ref() == Some(&path));
    match exists {
        true => answer::with(StatusCode::OK, "application/pdf", format!("%PDF-1.4\n% {}\n%%EOF\n", parts.join(" "))),
        false => answer::with(StatusCode::NOT_FOUND, "text/plain", "no such document"),
    }
}
