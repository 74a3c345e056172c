//! Results of training of the whole organisation (operation 11): what the seed invented for the vendor's own courses,
//! and every upload.

use chrono::{DateTime, Months, NaiveDateTime, Utc};
use serde_json::json;

use super::{
    HumanFocus, ORGAN_ID,
    fields::{Answer, Fields, Refusal, refuse},
    groups::Kind,
    lookups::group_names,
    state::State,
    trainings::own,
    users::{NONE, User},
};
use crate::seed::Seed;

pub(super) const VENDOR: &str = "Human Focus ";

/// One result of one user, from either origin.
pub(super) struct Outcome<'a> {
    pub training_id: String,
    pub external_id: u64,
    pub title: String,
    pub provider_id: u64,
    pub provider: &'a str,
    pub passed: bool,
    pub completed: DateTime<Utc>,
    pub expiry: Option<DateTime<Utc>>,
    pub validity: i64,
    pub certificate: Option<&'a str>,
}

pub(super) fn outcomes<'a>(seed: &Seed, state: &'a State, user: &User) -> Vec<Outcome<'a>> {
    let number = state.users.person_number(user.id);
    let invented = number.into_iter().flat_map(|number| (0..number % 3).map(move |turn| (number, turn)));
    let mut outcomes: Vec<_> = invented
        .filter(|_| seed.trainings > 0)
        .map(|(number, turn)| {
            let roll = seed.roll(9, number * 3 + turn);
            let (training_id, title) = own((number * 7 + turn) % seed.trainings as u64);
            let completed =
                DateTime::from_timestamp(1_609_459_200 + (roll % 150_000_000) as i64, 0).unwrap_or_default();
            Outcome {
                training_id,
                external_id: 0,
                title,
                provider_id: 0,
                provider: VENDOR,
                passed: !roll.is_multiple_of(5),
                completed,
                expiry: completed.checked_add_months(Months::new(36)),
                validity: 36,
                certificate: None,
            }
        })
        .collect();
    for place in state.uploads_of.get(&user.id).into_iter().flatten() {
        let upload = &state.uploads[*place];
        let Some(training) = state.training(upload.training) else {
            continue;
        };
        outcomes.push(Outcome {
            training_id: upload.training.to_string(),
            external_id: upload.training,
            title: training.title.clone(),
            provider_id: training.provider,
            provider: state.provider_name(training.provider),
            passed: true,
            completed: upload.completed,
            expiry: upload.expiry,
            validity: upload.validity,
            certificate: upload.certificate.as_deref(),
        });
    }
    outcomes
}

/// What operation 11 is asked to leave out; an empty text asks nothing.
struct Filter<'a> {
    archived: bool,
    from: Option<NaiveDateTime>,
    to: Option<NaiveDateTime>,
    texts: [(&'static str, Option<&'a str>); 8],
}

impl<'a> Filter<'a> {
    fn of(fields: &Fields<'a>) -> Result<Self, Refusal> {
        let archived = match fields.text("UserStatus")? {
            "Act" => false,
            "Arc" => true,
            other => return refuse(format!("UserStatus {other:?} is not known.")),
        };
        let mut texts = [
            ("UserID", None),
            ("UserName", None),
            ("TrainingID", None),
            ("SiteLocation", None),
            ("Department", None),
            ("UserGroup", None),
            ("Status", None),
            ("JobRole", None),
        ];
        for (name, value) in &mut texts {
            *value = fields.optional_text(name)?;
        }
        Ok(Self { archived, from: moment(fields, "FromDate")?, to: moment(fields, "ToDate")?, texts })
    }

    /// Whether every text asked for is the one found under that name.
    fn admits(&self, found: &[(&str, &str)]) -> bool {
        found.iter().all(|(name, text)| {
            self.texts.iter().all(|(asked, wanted)| asked != name || wanted.is_none_or(|wanted| wanted == *text))
        })
    }

    fn admits_date(&self, completed: NaiveDateTime) -> bool {
        self.from.is_none_or(|from| completed >= from) && self.to.is_none_or(|to| completed <= to)
    }
}

fn moment(fields: &Fields<'_>, name: &str) -> Result<Option<NaiveDateTime>, Refusal> {
    let Some(text) = fields.optional_text(name)? else {
        return Ok(None);
    };
    match NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S") {
        Ok(moment) => Ok(Some(moment)),
        Err(_) => refuse(format!("{name} {text:?} is not of the form 2024-02-04 01:00:00.")),
    }
}

/// Operation 11. The organisation's number is a text here.
pub(super) fn of_organisation(system: &HumanFocus, fields: &Fields<'_>) -> Answer {
    let organisation = fields.text("OrganID")?;
    if organisation != ORGAN_ID.to_string() {
        return refuse(format!("OrganID {organisation} is not an organisation of this account."));
    }
    let filter = Filter::of(fields)?;
    let state = system.state();
    let groups = &state.groups[Kind::UserGroup as usize];
    let mut rows = Vec::new();
    for user in state.users.iter().filter(|user| user.archived == filter.archived) {
        let (id, group) = (user.id.to_string(), group_names(&user, groups));
        let wanted = filter.admits(&[
            ("UserID", &id),
            ("UserName", &user.username),
            ("SiteLocation", &user.site),
            ("Department", &user.department),
            ("UserGroup", &group),
            ("JobRole", &user.job_role),
        ]);
        for outcome in outcomes(&system.seed, &state, &user).iter().filter(|_| wanted) {
            let status = if outcome.passed { "Passed" } else { "Failed" };
            if filter.admits(&[("TrainingID", &outcome.training_id), ("Status", status)])
                && filter.admits_date(outcome.completed.naive_utc())
            {
                rows.push(json!({
                    "Person_Identifier": user.identifier,
                    "Person_Name": user.name,
                    "Site_Location": user.site,
                    "Department": user.department,
                    "User_Group": group,
                    "Training_Provider": outcome.provider,
                    "Training_Title": outcome.title,
                    "Status": status,
                    "ExpiryDate": day_first(outcome.expiry),
                    "ResultDate": day_first(Some(outcome.completed)),
                    "ContentID": outcome.training_id,
                }));
            }
        }
    }
    Ok(json!({"Status": true, "Result": rows}))
}

fn day_first(moment: Option<DateTime<Utc>>) -> String {
    moment.map_or_else(|| NONE.to_owned(), |moment| moment.format("%d-%m-%Y %H:%M").to_string())
}
