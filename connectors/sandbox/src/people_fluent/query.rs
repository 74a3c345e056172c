//! The query of the history reads: which records are meant.

use axum::{
    extract::Query,
    http::{StatusCode, Uri},
};
use chrono::NaiveDateTime;

use serde_json::Value;

use super::{PeopleFluent, held::text, page::Refused, selector::Selector};
use crate::seed::{Person, Record, Role, Seed, is_known_organisation};

/// The parameters as sent, percent-decoded.
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub(super) fn of(uri: &Uri) -> Result<Self, Refused> {
        Query::try_from_uri(uri).map(|Query(pairs)| Self(pairs)).map_err(|_| refused("The query cannot be decoded."))
    }

    /// The value of a parameter; one without text counts as absent.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    pub(super) fn fields(&self) -> Result<Selector, Refused> {
        Selector::parse(self.get("fields").unwrap_or_default())
            .ok_or_else(|| refused("Parameter fields: expected a selector such as field1(child1,child2),field2"))
    }

    /// An organisation that exists; one that does not is an HTTP error, as clients of the vendor report.
    pub(super) fn organisation(&self) -> Result<Option<String>, Refused> {
        match self.get("organizationId") {
            Some(id) if !is_known_organisation(id) => {
                Err(Refused(StatusCode::NOT_FOUND, format!("No such organization: {id}")))
            }
            id => Ok(id.map(str::to_owned)),
        }
    }

    fn boolean(&self, name: &str) -> Result<bool, Refused> {
        match self.get(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(other) => Err(refused(&format!("Parameter {name}: not a boolean: {other}"))),
        }
    }

    /// A minute in UTC, `yyyy-MM-dd'T'HH:mm'Z'` and nothing else, as milliseconds since 1970.
    fn minute(&self, name: &str) -> Result<Option<i64>, Refused> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        // The length keeps out what chrono would forgive: numbers of fewer digits.
        let read = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%MZ").ok().filter(|_| text.len() == 17);
        match read {
            Some(minute) => Ok(Some(minute.and_utc().timestamp_millis())),
            None => Err(refused(&format!("Parameter {name}: unparseable date: \"{text}\""))),
        }
    }
}

pub(super) fn refused(message: &str) -> Refused {
    Refused(StatusCode::BAD_REQUEST, message.to_owned())
}

/// Which records of the history are asked for, and what of each.
pub(super) struct Wanted {
    pub user: User,
    /// As it was asked for, in lower case.
    pub user_id: Option<String>,
    pub fields: Selector,
    organisation: Option<String>,
    from_ms: Option<i64>,
    to_ms: Option<i64>,
    modules: Option<Vec<String>>,
    include_older: bool,
    completed_only: bool,
}

pub(super) enum User {
    Any,
    /// The number of the person.
    One(u64),
    Nobody,
}

impl Wanted {
    pub(super) fn of(uri: &Uri, seed: &Seed, completed_only: bool) -> Result<Self, Refused> {
        let parameters = Parameters::of(uri)?;
        let user = match parameters.get("userId") {
            None => User::Any,
            Some(id) => Person::named(seed, id).map_or(User::Nobody, |person| User::One(person.number)),
        };
        let modules = parameters.get("moduleIds").map(|ids| ids.split(',').map(|id| id.trim().to_owned()).collect());
        Ok(Self {
            user,
            user_id: parameters.get("userId").map(str::to_lowercase),
            fields: parameters.fields()?,
            organisation: parameters.organisation()?,
            from_ms: parameters.minute("lastUpdatedStart")?,
            to_ms: parameters.minute("lastUpdatedEnd")?,
            modules,
            include_older: parameters.boolean("includeOlder")?,
            completed_only,
        })
    }

    pub(super) fn wants_person(&self, person: &Person) -> bool {
        self.organisation.as_deref().is_none_or(|organisation| person.is_within(organisation))
    }

    /// Both ends of the window belong to it.
    pub(super) fn wants(&self, record: &Record) -> bool {
        (self.include_older || record.role != Role::Older)
            && (!self.completed_only || record.is_completed())
            && self.from_ms.is_none_or(|from| record.updated >= from)
            && self.to_ms.is_none_or(|to| record.updated <= to)
            && self.modules.as_ref().is_none_or(|ids| ids.contains(&record.module_id()))
    }

    /// The same of a record that was made or changed.
    pub(super) fn wants_thing(&self, record: &Value, system: &PeopleFluent) -> bool {
        let updated = record["_updated"].as_i64().unwrap_or_default();
        let person = Person::named(&system.seed, text(record, "userId"));
        (!self.completed_only || text(record, "overallStatus") == "completed")
            && self.from_ms.is_none_or(|from| updated >= from)
            && self.to_ms.is_none_or(|to| updated <= to)
            && self.modules.as_ref().is_none_or(|ids| ids.iter().any(|id| id == text(&record["learningModule"], "id")))
            && self.organisation.as_deref().is_none_or(|id| person.is_none_or(|person| person.is_within(id)))
    }
}
