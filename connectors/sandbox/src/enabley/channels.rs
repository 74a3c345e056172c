//! Channels (streams and courses), the master courses they may be instances of, their events and catalogue items.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Enabley,
    call::{Answer, Call, Good, Problem},
    pages,
    router::list,
    shelf::{Named, Shelf},
    state::written,
    world::is_sub_account,
};

const TYPES: [&str; 2] = ["STREAM", "COURSE"];
/// What can be written; what is read is another list.
const STATUSES: [&str; 2] = ["ACTIVE", "INACTIVE"];

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Channel {
    pub identifier: String,
    pub name: String,
    /// `ACTIVE`, `NONACTIVE`, `DRAFT`, `SCHEDULED`, `STARTED` or `FINISHED`.
    pub availability: String,
    pub schedule: Option<(String, String)>,
    /// `STREAM` or `COURSE`.
    pub kind: String,
    pub sub_account: Option<String>,
    pub categories: Vec<String>,
    pub created: DateTime<Utc>,
    pub duration: u64,
    /// The master course it was made from.
    pub master: Option<String>,
    /// Groups assigned to it.
    pub groups: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Master {
    pub identifier: String,
    pub name: String,
    pub published: bool,
    pub sub_account: Option<String>,
    pub categories: Vec<String>,
    pub created: DateTime<Utc>,
}

impl Named for Channel {
    fn identifier(&self) -> Option<&str> {
        Some(&self.identifier)
    }
}

impl Named for Master {
    fn identifier(&self) -> Option<&str> {
        Some(&self.identifier)
    }
}

impl Channel {
    pub(super) fn new(identifier: &str, name: &str, kind: &str, created: DateTime<Utc>) -> Self {
        Self {
            identifier: identifier.to_owned(),
            name: name.to_owned(),
            availability: "ACTIVE".to_owned(),
            schedule: None,
            kind: kind.to_owned(),
            sub_account: None,
            categories: Vec::new(),
            created,
            duration: 0,
            master: None,
            groups: Vec::new(),
        }
    }

    /// `ChannelInfo`; categories are null unless they are asked for.
    pub(super) fn shown(&self, with_categories: bool) -> Value {
        let schedule = self.schedule.as_ref().map(|(start, end)| json!({"startDate": start, "endDate": end}));
        json!({
            "availability": {"schedule": schedule, "status": self.availability},
            "categories": with_categories.then_some(&self.categories),
            "created": written(self.created),
            "directLink": format!("https://acme.enabley.example/channel/{}", self.identifier),
            "duration": self.duration,
            "identifier": self.identifier,
            "masterChannelId": self.master,
            "masterChannelInstance": self.master.is_some(),
            "name": self.name,
            "subAccountName": self.sub_account,
            "type": self.kind,
        })
    }

    /// Two events a course, none a stream; they bear no id.
    fn events(&self) -> Vec<Value> {
        let count = if self.kind == "COURSE" { 2 } else { 0 };
        let event = |number: i64| {
            let from = self.created + TimeDelta::days(30 * number);
            json!({
                "allDayEvent": number == 2,
                "description": format!("Part {number} of {}", self.name),
                "fromDate": written(from),
                "includeGrade": number == 2,
                "isPublished": true,
                "liveSession": number == 1,
                "location": (number == 1).then_some("London HQ"),
                "name": format!("{} ({number})", self.name),
                "untilDate": written(from + TimeDelta::hours(2)),
            })
        };
        (1..=count).map(event).collect()
    }
}

impl Master {
    pub(super) fn shown(&self) -> Value {
        json!({
            "categories": self.categories,
            "created": written(self.created),
            "identifier": self.identifier,
            "name": self.name,
            "published": self.published,
            "subAccountName": self.sub_account,
        })
    }
}

pub(super) fn known_channel<'a>(channels: &'a Shelf<Channel>, identifier: &str) -> Result<&'a Channel, Problem> {
    channels.get(identifier).ok_or_else(|| Problem::missing("Channel", identifier))
}

fn is_asked(sub_account: Option<&str>, call: &Call<'_>) -> bool {
    call.asked("subAccountName").is_none_or(|name| sub_account == Some(name))
}

pub(super) fn all(system: &Enabley, call: &Call<'_>) -> Answer {
    let since = call.asked("createdSince").map(moment).transpose()?;
    let categories = call.flag("includeCategories")?.unwrap_or(false);
    let state = system.state();
    let asked = state.channels.iter().filter(|channel| is_asked(channel.sub_account.as_deref(), call));
    list(asked.filter(|channel| since.is_none_or(|since| channel.created >= since)).map(|c| c.shown(categories)))
}

/// `YYYY-MM-DDTHH:mm:ss.SSSZ` and no other form.
fn moment(text: &str) -> Result<DateTime<Utc>, Problem> {
    let parsed = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.3fZ");
    match parsed.map(|moment| moment.and_utc()) {
        Ok(moment) if written(moment) == text => Ok(moment),
        _ => Err(Problem::invalid(format!("createdSince must look like 2017-12-13T13:14:28.317Z, not '{text}'"))),
    }
}

pub(super) fn paged(system: &Enabley, call: &Call<'_>) -> Answer {
    let categories = call.flag("includeCategories")?.unwrap_or(false);
    let state = system.state();
    let asked = state.channels.iter().filter(|channel| is_asked(channel.sub_account.as_deref(), call));
    pages::page(system, "channels", call, asked.map(|channel| channel.shown(categories)))
}

pub(super) fn one(system: &Enabley, call: &Call<'_>) -> Answer {
    let categories = call.flag("includeCategories")?.unwrap_or(false);
    let state = system.state();
    Ok(Good::Value(known_channel(&state.channels, &call.path[0])?.shown(categories)))
}

pub(super) fn events(system: &Enabley, call: &Call<'_>) -> Answer {
    let state = system.state();
    list(known_channel(&state.channels, &call.path[0])?.events().into_iter())
}

pub(super) fn catalogue_item(system: &Enabley, call: &Call<'_>) -> Answer {
    let identifier =
        call.asked("externalChannelId").ok_or_else(|| Problem::invalid("externalChannelId is required"))?;
    let state = system.state();
    let channel = known_channel(&state.channels, identifier)?;
    if !is_asked(channel.sub_account.as_deref(), call) {
        return Err(Problem::missing("Channel", identifier));
    }
    let item = format!("item-{identifier}");
    Ok(Good::Value(json!({"catalogItemId": item, "link": format!("https://acme.enabley.example/catalog/{item}")})))
}

fn asked_masters<'a>(masters: &'a Shelf<Master>, call: &'a Call<'_>) -> Result<impl Iterator<Item = Value>, Problem> {
    let published = call.flag("onlyPublished")?.unwrap_or(false);
    let asked = masters.iter().filter(move |master| !published || master.published);
    Ok(asked.filter(|master| is_asked(master.sub_account.as_deref(), call)).map(Master::shown))
}

pub(super) fn masters(system: &Enabley, call: &Call<'_>) -> Answer {
    list(asked_masters(&system.state().masters, call)?)
}

pub(super) fn masters_paged(system: &Enabley, call: &Call<'_>) -> Answer {
    pages::page(system, "masters", call, asked_masters(&system.state().masters, call)?)
}

/// `PUT /api/v1/channels`: 201 or 200.
pub(super) fn put(system: &Enabley, call: &Call<'_>) -> Answer {
    let fields = call.fields()?;
    let identifier = fields.text("identifier")?;
    let (name, sub_account) = (fields.optional_text("name")?, fields.optional_text("subAccountName")?);
    let (kind, status) = (fields.optional_word("type", &TYPES)?, fields.optional_word("status", &STATUSES)?);
    check_sub_account(sub_account)?;
    let mut state = system.state();
    let made = !state.channels.has(identifier);
    if made {
        let name = name.ok_or_else(|| Problem::invalid("name is required"))?;
        state.channels.add(Channel::new(identifier, name, "COURSE", Utc::now()));
    }
    let Some(channel) = state.channels.get_mut(identifier) else { return Ok(Good::Done) };
    if let Some(name) = name {
        name.clone_into(&mut channel.name);
    }
    if let Some(kind) = kind {
        kind.clone_into(&mut channel.kind);
    }
    if let Some(status) = status {
        channel.availability = if status == "ACTIVE" { "ACTIVE" } else { "NONACTIVE" }.to_owned();
    }
    if let Some(name) = sub_account {
        channel.sub_account = Some(name.to_owned());
    }
    Ok(if made { Good::Created } else { Good::Done })
}

fn check_sub_account(name: Option<&str>) -> Result<(), Problem> {
    match name {
        Some(unknown) if !is_sub_account(unknown) => Err(Problem::missing("Sub-account", unknown)),
        _ => Ok(()),
    }
}

/// `PUT /api/v2/channels/master/instance`: always 200; the same instance again changes its name.
pub(super) fn put_instance(system: &Enabley, call: &Call<'_>) -> Answer {
    let fields = call.fields()?;
    let (identifier, master) = (fields.text("identifier")?, fields.text("masterCourseIdentifier")?);
    let (name, sub_account) = (fields.optional_text("name")?, fields.optional_text("subAccountName")?);
    check_sub_account(sub_account)?;
    let mut state = system.state();
    let found = state.masters.get(master).cloned().ok_or_else(|| Problem::missing("Master course", master))?;
    if let Some(channel) = state.channels.get_mut(identifier) {
        if channel.master.as_deref() != Some(master) {
            return Err(Problem::exists(format!("Channel '{identifier}' is no instance of '{master}'")));
        }
        channel.name = name.unwrap_or(&channel.name).to_owned();
        return Ok(Good::Done);
    }
    state.channels.add(Channel {
        sub_account: sub_account.map(str::to_owned).or(found.sub_account),
        categories: found.categories,
        master: Some(found.identifier),
        ..Channel::new(identifier, name.unwrap_or(&found.name), "COURSE", Utc::now())
    });
    Ok(Good::Done)
}
