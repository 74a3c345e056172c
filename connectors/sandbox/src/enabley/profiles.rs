//! User profiles. Two of their reads are POSTs: one with a bare list of texts, one without a body.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Enabley,
    call::{Answer, Call, Good, Problem},
    members::{join, leave},
    router::list,
    shelf::Named,
    state::{State, written},
    users::{known, known_mut},
};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Profile {
    pub identifier: String,
    pub name: String,
    pub created: DateTime<Utc>,
    pub modified: DateTime<Utc>,
}

impl Named for Profile {
    fn identifier(&self) -> Option<&str> {
        Some(&self.identifier)
    }
}

impl Profile {
    pub(super) fn shown(&self) -> Value {
        json!({
            "created": written(self.created),
            "identifier": self.identifier,
            "modified": written(self.modified),
            "name": self.name,
        })
    }
}

fn check_known(state: &State, identifier: &str) -> Result<(), Problem> {
    match state.profiles.has(identifier) {
        true => Ok(()),
        false => Err(Problem::missing("User profile", identifier)),
    }
}

/// Those of the list that there are, in its order.
pub(super) fn named(system: &Enabley, call: &Call<'_>) -> Answer {
    let (identifiers, state) = (call.texts()?, system.state());
    list(identifiers.iter().filter_map(|identifier| state.profiles.get(identifier)).map(Profile::shown))
}

pub(super) fn put(system: &Enabley, call: &Call<'_>) -> Answer {
    let fields = call.fields()?;
    let (identifier, name, now) = (fields.text("identifier")?, fields.text("name")?.to_owned(), Utc::now());
    let mut state = system.state();
    if let Some(profile) = state.profiles.get_mut(identifier) {
        (profile.name, profile.modified) = (name, now);
        return Ok(Good::Done);
    }
    state.profiles.add(Profile { identifier: identifier.to_owned(), name, created: now, modified: now });
    Ok(Good::Created)
}

pub(super) fn of_user(system: &Enabley, call: &Call<'_>) -> Answer {
    let state = system.state();
    let user = known(&state.users, &call.path[0])?;
    list(user.profiles.iter().filter_map(|identifier| state.profiles.get(identifier)).map(Profile::shown))
}

/// `replace=true` takes all other profiles from the user.
pub(super) fn assign(system: &Enabley, call: &Call<'_>) -> Answer {
    let (profile, replace) = (call.path[0].as_str(), call.flag("replace")?.unwrap_or(false));
    let mut state = system.state();
    check_known(&state, profile)?;
    let user = known_mut(&mut state.users, &call.path[1])?;
    join(&mut user.profiles, profile, replace);
    Ok(Good::Done)
}

pub(super) fn remove(system: &Enabley, call: &Call<'_>) -> Answer {
    let (profile, mut state) = (call.path[0].as_str(), system.state());
    check_known(&state, profile)?;
    let user = known_mut(&mut state.users, &call.path[1])?;
    leave(&mut user.profiles, profile, "Profile of the user")
}
