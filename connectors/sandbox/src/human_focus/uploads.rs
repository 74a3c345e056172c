//! Operation 18, the record of an external training. It has no id and no key: sent twice, it is there twice.

use chrono::{DateTime, Datelike, Months, Utc};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Value, json};

use super::{
    HumanFocus,
    fields::{Answer, Fields, Refusal, refuse},
    state::State,
};

/// An upload as it is saved, its fields in order: there may be many, so their names are not repeated.
type Row = (u64, u64, DateTime<Utc>, Option<DateTime<Utc>>, i64, Option<String>);

#[derive(Deserialize)]
#[serde(from = "Row")]
pub(super) struct Upload {
    pub user: u64,
    pub training: u64,
    pub completed: DateTime<Utc>,
    pub expiry: Option<DateTime<Utc>>,
    pub validity: i64,
    pub certificate: Option<String>,
}

impl From<Row> for Upload {
    fn from((user, training, completed, expiry, validity, certificate): Row) -> Self {
        Self { user, training, completed, expiry, validity, certificate }
    }
}

impl Serialize for Upload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { user, training, completed, expiry, validity, certificate } = self;
        (user, training, completed, expiry, validity, certificate).serialize(serializer)
    }
}

impl Upload {
    pub(super) fn books(&self, state: &State) -> Value {
        let training = state.training(self.training);
        let provider = training.map_or(0, |training| training.provider);
        json!({
            "UserID": self.user,
            "PersonIdentifier": state.users.get(self.user).map(|user| user.identifier),
            "TrainingID": self.training,
            "TrainingTitle": training.map(|training| training.title.as_str()),
            "ProviderID": provider,
            "ProviderName": state.provider_name(provider),
            "CompletionDate": self.completed.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
            "ValidityDuration": self.validity,
            "CertImageURL": self.certificate,
        })
    }
}

pub(super) fn add(system: &HumanFocus, fields: &Fields<'_>) -> Answer {
    let mut state = system.state();
    match checked(&state, fields) {
        Ok(upload) => {
            let place = state.uploads.len();
            state.uploads_of.entry(upload.user).or_default().push(place);
            state.uploads.push(upload);
            Ok(json!({"Status": true, "Result": "Training Uploaded Successfully"}))
        }
        Err(refusal) => {
            state.refused_uploads += 1;
            Err(refusal)
        }
    }
}

fn checked(state: &State, fields: &Fields<'_>) -> Result<Upload, Refusal> {
    fields.organisation("OrganID")?;
    let user = fields.number("UserID")?;
    match state.users.get(user) {
        None => return refuse(format!("UserID {user} was not found.")),
        Some(found) if found.archived => return refuse(format!("UserID {user} is archived.")),
        Some(_) => {}
    }
    let training = known_training(state, fields)?;
    let completed = moment(fields.text("CompletionDate")?, "CompletionDate")?;
    agrees(fields, "CompletionDateMonth", &format!("{:02}", completed.month()))?;
    agrees(fields, "CompletionDateYear", &format!("{:04}", completed.year()))?;
    let validity = fields.signed("ValidityDuration")?.unwrap_or(-1);
    // The unit is not documented; months are likely.
    let by_validity = u32::try_from(validity).ok().filter(|months| *months > 0);
    let expiry = match fields.optional_text("ExpiryDate")? {
        Some(text) => Some(moment(text, "ExpiryDate")?),
        None => by_validity.and_then(|months| completed.checked_add_months(Months::new(months))),
    };
    let certificate = fields.optional_text("CertImageURL")?.map(str::to_owned);
    Ok(Upload { user, training, completed, expiry, validity, certificate })
}

/// Ids and names are both sent, and have to mean the same.
fn known_training(state: &State, fields: &Fields<'_>) -> Result<u64, Refusal> {
    let provider = fields.number("ProviderID")?;
    let id = fields.number("TrainingID")?;
    let (provider_name, title) = (fields.text("ProviderName")?, fields.text("TrainingTitle")?);
    match state.providers.get(&provider) {
        None => return refuse(format!("ProviderID {provider} was not found.")),
        Some(name) if name != provider_name => {
            return refuse(format!("ProviderName {provider_name:?} is not the name of ProviderID {provider}."));
        }
        Some(_) => {}
    }
    match state.training(id) {
        None => refuse(format!("TrainingID {id} was not found.")),
        Some(training) if training.provider != provider => {
            refuse(format!("TrainingID {id} does not belong to ProviderID {provider}."))
        }
        Some(training) if training.title != title => {
            refuse(format!("TrainingTitle {title:?} is not the title of TrainingID {id}."))
        }
        Some(_) => Ok(id),
    }
}

/// `2026-04-16T00:00:00.000Z`: a time in UTC, with its `Z`.
fn moment(text: &str, name: &str) -> Result<DateTime<Utc>, Refusal> {
    match DateTime::parse_from_rfc3339(text) {
        Ok(moment) if text.ends_with('Z') => Ok(moment.to_utc()),
        _ => refuse(format!("{name} {text:?} is not of the form 2026-04-16T00:00:00.000Z.")),
    }
}

fn agrees(fields: &Fields<'_>, name: &str, expected: &str) -> Result<(), Refusal> {
    match fields.optional_text(name)? {
        Some(text) if text != expected => {
            refuse(format!("{name} {text:?} does not agree with CompletionDate, which says {expected:?}."))
        }
        _ => Ok(()),
    }
}
