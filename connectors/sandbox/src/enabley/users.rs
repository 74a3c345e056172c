//! Users: made, changed, renamed, removed.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    Enabley,
    call::{Answer, Call, Fields, Good, Problem},
    certificates::Held,
    shelf::{Named, Shelf},
    state::written,
    world::is_sub_account,
};

/// What a user may be.
pub(super) const ROLES: [&str; 9] = [
    "SITE_ADMIN",
    "LEARNER",
    "INSTRUCTOR",
    "EDITOR",
    "PREVIEW",
    "MANAGER",
    "HR_MANAGER",
    "SITE_TRAINING_MANAGER",
    "EVALUATOR",
];

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct User {
    /// The customer's own; users made by hand in Enabley have none.
    pub identifier: Option<String>,
    pub username: String,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub address: Option<String>,
    pub active: bool,
    pub possible_roles: Vec<String>,
    pub custom_attributes: Map<String, Value>,
    pub sub_accounts: Vec<String>,
    pub created: DateTime<Utc>,
    pub modified: DateTime<Utc>,
    pub groups: Vec<String>,
    pub profiles: Vec<String>,
    /// By the identifier of the channel.
    pub channels: BTreeMap<String, Enrolment>,
    pub certificates: Vec<Held>,
    pub entitlements: Vec<Entitlement>,
    pub permissions: Vec<String>,
}

/// A user in a channel.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Enrolment {
    pub learner: bool,
    pub instructor: bool,
    /// The group that brought the user in.
    pub via: Option<String>,
    pub progress: u64,
    pub score: Option<u64>,
    pub completed: Option<DateTime<Utc>>,
}

/// A role of a user over one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entitlement {
    pub entity_identifier: String,
    pub entity_type: String,
    pub user_role: String,
}

impl Named for User {
    fn identifier(&self) -> Option<&str> {
        self.identifier.as_deref()
    }
}

impl User {
    /// A user of whom nothing is known but the identifier.
    pub(super) fn new(identifier: Option<&str>, username: &str, now: DateTime<Utc>) -> Self {
        Self {
            identifier: identifier.map(str::to_owned),
            username: username.to_owned(),
            first_name: None,
            last_name: None,
            email: None,
            phone: None,
            address: None,
            active: true,
            possible_roles: vec!["LEARNER".to_owned()],
            custom_attributes: Map::new(),
            sub_accounts: Vec::new(),
            created: now,
            modified: now,
            groups: Vec::new(),
            profiles: Vec::new(),
            channels: BTreeMap::new(),
            certificates: Vec::new(),
            entitlements: Vec::new(),
            permissions: Vec::new(),
        }
    }

    /// `UserInfo`: never a password.
    pub(super) fn shown(&self) -> Value {
        json!({
            "address": self.address,
            "created": written(self.created),
            "customAttributes": self.custom_attributes,
            "email": self.email,
            "firstName": self.first_name,
            "identifier": self.identifier,
            "isActive": self.active,
            "lastName": self.last_name,
            "modified": written(self.modified),
            "phone": self.phone,
            "possibleRoles": self.possible_roles,
            "userSubAccountNames": self.sub_accounts,
            "username": self.username,
        })
    }

    pub(super) fn books(&self) -> Value {
        let mut shown = self.shown();
        shown["groups"] = json!(self.groups);
        shown["profiles"] = json!(self.profiles);
        shown["channels"] = json!(self.channels);
        shown["entitlements"] = json!(self.entitlements);
        shown["permissions"] = json!(self.permissions);
        shown
    }

    /// Fields that are absent, null or empty stay as they are.
    fn change(&mut self, fields: &Fields) -> Result<(), Problem> {
        for (name, place) in [
            ("address", &mut self.address),
            ("email", &mut self.email),
            ("firstName", &mut self.first_name),
            ("lastName", &mut self.last_name),
            ("phone", &mut self.phone),
        ] {
            if let Some(text) = fields.optional_text(name)? {
                *place = Some(text.to_owned());
            }
        }
        // Taken, checked for its type, and never kept.
        fields.optional_text("password")?;
        if let Some(username) = fields.optional_text("username")? {
            username.clone_into(&mut self.username);
        }
        if let Some(active) = fields.optional_bool("isActive")? {
            self.active = active;
        }
        if let Some(roles) = fields.optional_words("possibleRoles", &ROLES)? {
            self.possible_roles = roles;
        }
        if let Some(attributes) = fields.optional_object("customAttributes")? {
            self.custom_attributes.clone_from(attributes);
        }
        if let Some(name) = fields.optional_text("subAccountName")? {
            if !is_sub_account(name) {
                return Err(Problem::missing("Sub-account", name));
            }
            if !self.sub_accounts.iter().any(|known| known == name) {
                self.sub_accounts.push(name.to_owned());
            }
        }
        Ok(())
    }
}

/// The user of that identifier.
pub(super) fn known<'a>(users: &'a Shelf<User>, identifier: &str) -> Result<&'a User, Problem> {
    users.get(identifier).ok_or_else(|| Problem::missing("User", identifier))
}

/// The user of that identifier, to be changed.
pub(super) fn known_mut<'a>(users: &'a mut Shelf<User>, identifier: &str) -> Result<&'a mut User, Problem> {
    users.get_mut(identifier).ok_or_else(|| Problem::missing("User", identifier))
}

/// `PUT /api/v2/users`: 201 for a new user, 200 for a changed one.
pub(super) fn put(system: &Enabley, call: &Call<'_>) -> Answer {
    let fields = call.fields()?;
    let identifier = fields.text("identifier")?;
    let username = fields.optional_text("username")?;
    let mut state = system.state();
    let taken =
        |user: &User| user.identifier.as_deref() != Some(identifier) && Some(user.username.as_str()) == username;
    if let Some(other) = state.users.iter().find(|user| taken(user)) {
        return Err(Problem::exists(format!("The username '{}' is taken", other.username)));
    }
    let now = Utc::now();
    if let Some(user) = state.users.get_mut(identifier) {
        // What does not fit must change nothing, so a copy is changed first.
        let mut changed = user.clone();
        changed.change(&fields)?;
        changed.modified = now;
        *user = changed;
        return Ok(Good::Done);
    }
    let mut user = User::new(Some(identifier), username.unwrap_or(identifier), now);
    user.change(&fields)?;
    state.users.add(user);
    Ok(Good::Created)
}

/// `PUT /api/v2/users/{identifier}?isActive=…`: the other use of PUT, without a body.
pub(super) fn set_status(system: &Enabley, call: &Call<'_>) -> Answer {
    let active = call.flag("isActive")?.unwrap_or(true);
    let mut state = system.state();
    let user = known_mut(&mut state.users, &call.path[0])?;
    user.active = active;
    user.modified = Utc::now();
    Ok(Good::Done)
}

pub(super) fn change_identity(system: &Enabley, call: &Call<'_>) -> Answer {
    let fields = call.fields()?;
    let (from, to) = (fields.text("currentUserIdentifier")?, fields.text("newUserIdentifier")?);
    let mut state = system.state();
    known(&state.users, from)?;
    if state.users.has(to) {
        return Err(Problem::exists(format!("User '{to}' exists")));
    }
    state.users.rename(from, to, |user| {
        user.identifier = Some(to.to_owned());
        user.modified = Utc::now();
    });
    Ok(Good::Done)
}

pub(super) fn delete(system: &Enabley, call: &Call<'_>) -> Answer {
    match system.state().users.remove(&call.path[0]) {
        Some(_) => Ok(Good::Done),
        None => Err(Problem::missing("User", &call.path[0])),
    }
}

pub(super) fn leave_sub_account(system: &Enabley, call: &Call<'_>) -> Answer {
    let name = &call.path[1];
    let mut state = system.state();
    let user = known_mut(&mut state.users, &call.path[0])?;
    if !user.sub_accounts.contains(name) {
        return Err(Problem::missing("Sub-account", name));
    }
    user.sub_accounts.retain(|known| known != name);
    user.modified = Utc::now();
    Ok(Good::Done)
}
