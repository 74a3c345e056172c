//! Users: operations 4, 6 and 7, and the store behind them.
//!
//! A seeded user is computed when asked for; only those who were created or changed are kept.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    HumanFocus, USERNAME,
    fields::{Answer, Fields, Refusal, refuse},
    groups::{Groups, Kind},
};
use crate::seed::{Person, Seed};

/// The id of the seeded person number 0.
const FIRST_ID: u64 = 110_022;
const ADMIN_ID: u64 = 100_001;
/// The books list seeded users one by one up to this many; beyond, only those changed.
const MOST_LISTED: u64 = 2000;
/// How Human Focus writes "none".
pub(super) const NONE: &str = "-";

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct User {
    pub id: u64,
    pub identifier: String,
    pub name: String,
    pub first_name: String,
    pub last_name: String,
    pub email: String,
    pub phone: String,
    pub country_code: String,
    pub super_user: u64,
    pub site: String,
    pub department: String,
    pub groups: Vec<u64>,
    pub job_role: String,
    pub username: String,
    pub archived: bool,
}

impl User {
    fn seeded(person: &Person) -> Self {
        Self {
            id: FIRST_ID + person.number,
            identifier: person.identifier.clone(),
            name: format!("{} {}", person.given, person.family),
            first_name: person.given.to_owned(),
            last_name: person.family.to_owned(),
            email: person.email.clone(),
            phone: NONE.to_owned(),
            country_code: NONE.to_owned(),
            super_user: if person.number % 10 == 6 { 5 } else { 1 },
            site: if person.number % 4 == 2 { "London HQ" } else { NONE }.to_owned(),
            department: if person.number % 5 == 2 { "Operations" } else { NONE }.to_owned(),
            groups: if person.number % 4 == 1 { vec![31] } else { Vec::new() },
            job_role: String::new(),
            username: person.identifier.clone(),
            archived: person.archived,
        }
    }

    fn admin() -> Self {
        Self {
            id: ADMIN_ID,
            identifier: USERNAME.to_owned(),
            name: "API Admin".to_owned(),
            first_name: "API".to_owned(),
            last_name: "Admin".to_owned(),
            email: "api.admin@acme.example".to_owned(),
            phone: NONE.to_owned(),
            country_code: NONE.to_owned(),
            super_user: 7,
            site: NONE.to_owned(),
            department: NONE.to_owned(),
            groups: Vec::new(),
            job_role: String::new(),
            username: USERNAME.to_owned(),
            archived: false,
        }
    }

    /// The label the read side shows instead of the role's number.
    pub(super) fn trainee_type(&self) -> &'static str {
        match self.super_user {
            3 => "Contractor",
            4 => "Champion",
            5 => "Supervisor",
            6 => "Sub-Manager",
            7 => "Manager",
            _ => "Normal",
        }
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct Users {
    #[serde(skip)]
    seed: Seed,
    changed: BTreeMap<u64, User>,
    /// Of those changed, the identifier in small letters.
    #[serde(skip)]
    by_identifier: HashMap<String, u64>,
    next: u64,
}

impl Users {
    pub(super) fn of(seed: &Seed) -> Self {
        let mut users = Self {
            seed: seed.clone(),
            changed: BTreeMap::new(),
            by_identifier: HashMap::new(),
            next: FIRST_ID + seed.people as u64,
        };
        users.keep(User::admin());
        users
    }

    /// Users that were saved, in the world they were saved from.
    pub(super) fn in_world(self, seed: &Seed) -> Self {
        // Not kept one by one: that forgets the seeded identifier of each, which another may bear by now.
        let by_identifier = self.changed.values().map(|user| (user.identifier.to_lowercase(), user.id)).collect();
        Self { seed: seed.clone(), by_identifier, ..self }
    }

    /// The user of that id, archived or not.
    pub(super) fn get(&self, id: u64) -> Option<User> {
        self.changed.get(&id).cloned().or_else(|| self.seeded(id))
    }

    /// The user of that identifier in any capital letters, archived or not.
    pub(super) fn find(&self, identifier: &str) -> Option<User> {
        if let Some(id) = self.by_identifier.get(&identifier.to_lowercase()) {
            return self.get(*id);
        }
        let person = Person::named(&self.seed, identifier)?;
        self.get(FIRST_ID + person.number).filter(|user| user.identifier.to_lowercase() == identifier.to_lowercase())
    }

    /// Every user in the order of the ids, archived ones too.
    pub(super) fn iter(&self) -> impl Iterator<Item = User> + '_ {
        let others = self.changed.keys().copied().filter(|id| self.seeded(*id).is_none());
        let seeded = (0..self.seed.people as u64).map(|number| FIRST_ID + number);
        let (before, after): (Vec<_>, Vec<_>) = others.partition(|id| *id < FIRST_ID);
        before.into_iter().chain(seeded).chain(after).filter_map(|id| self.get(id))
    }

    /// The seeded person behind an id, if there is one.
    pub(super) fn person_number(&self, id: u64) -> Option<u64> {
        id.checked_sub(FIRST_ID).filter(|number| *number < self.seed.people as u64)
    }

    pub(super) fn keep(&mut self, user: User) {
        if let Some(before) = self.get(user.id) {
            self.by_identifier.remove(&before.identifier.to_lowercase());
        }
        self.by_identifier.insert(user.identifier.to_lowercase(), user.id);
        self.changed.insert(user.id, user);
    }

    fn seeded(&self, id: u64) -> Option<User> {
        let person = Person::of(&self.seed, self.person_number(id)?);
        person.in_human_focus.then(|| User::seeded(&person))
    }

    pub(super) fn books(&self, groups: &Groups) -> Value {
        let few = self.seed.people as u64 <= MOST_LISTED;
        let user = |user: User| {
            json!({
                "UserID": user.id,
                "PersonIdentifier": user.identifier,
                "TraineeName": user.name,
                "Email": user.email,
                "SuperUser": user.super_user,
                "SiteLocation": user.site,
                "Department": user.department,
                "UserGroups": groups.names(&user.groups),
                "Archived": user.archived,
            })
        };
        match few {
            true => self.iter().map(user).collect(),
            false => self.changed.values().cloned().map(user).collect(),
        }
    }
}

/// Operation 4.
pub(super) fn add(system: &HumanFocus, fields: &Fields<'_>) -> Answer {
    fields.organisation("OrganID")?;
    let identifier = fields.text("PersonIdentifier")?;
    let name = fields.text("TraineeName")?;
    let super_user = role(fields)?;
    let mut state = system.state();
    let groups = chosen_groups(fields, state.groups(Kind::UserGroup))?;
    if state.users.find(identifier).is_some() {
        return refuse(format!("PersonIdentifier {identifier} already exists."));
    }
    let text = |name: &str, otherwise: &str| -> Result<String, Refusal> {
        Ok(fields.optional_text(name)?.unwrap_or(otherwise).to_owned())
    };
    let (given, family) = name.split_once(' ').unwrap_or((name, ""));
    let user = User {
        id: state.users.next,
        identifier: identifier.to_owned(),
        name: name.to_owned(),
        first_name: text("FirstName", given)?,
        last_name: text("LastName", family)?,
        email: text("Email", "")?,
        phone: text("PhoneNumber", NONE)?,
        country_code: text("CountryCode", NONE)?,
        super_user,
        site: text("SiteLocation", NONE)?,
        department: text("Department", NONE)?,
        groups,
        job_role: text("JobRole", "")?,
        username: text("Username", identifier)?,
        archived: false,
    };
    state.users.next += 1;
    state.users.keep(user);
    Ok(json!({"Status": true, "Result": identifier}))
}

/// Operation 6: fields that are absent, null or empty stay as they are.
pub(super) fn edit(system: &HumanFocus, fields: &Fields<'_>) -> Answer {
    fields.organisation("OrganID")?;
    let id = fields.number("UserID")?;
    let mut state = system.state();
    let Some(mut user) = state.users.get(id) else {
        return refuse(format!("UserID {id} was not found."));
    };
    if let Some(identifier) = fields.optional_text("PersonIdentifier")? {
        if state.users.find(identifier).is_some_and(|other| other.id != id) {
            return refuse(format!("PersonIdentifier {identifier} already exists."));
        }
        user.identifier = identifier.to_owned();
    }
    for (name, place) in [
        ("TraineeName", &mut user.name),
        ("Email", &mut user.email),
        ("PhoneNumber", &mut user.phone),
        ("CountryCode", &mut user.country_code),
        ("SiteLocation", &mut user.site),
        ("Department", &mut user.department),
        ("Username", &mut user.username),
    ] {
        if let Some(text) = fields.optional_text(name)? {
            *place = text.to_owned();
        }
    }
    if fields.has("SuperUser") {
        user.super_user = role(fields)?;
    }
    if fields.has("UserGroup") {
        user.groups = chosen_groups(fields, state.groups(Kind::UserGroup))?;
    }
    let identifier = user.identifier.clone();
    state.users.keep(user);
    Ok(json!({"Status": true, "PersonIdentifier": identifier}))
}

/// Operation 7: `ErrorMessage` is filled on success.
pub(super) fn archive(system: &HumanFocus, fields: &Fields<'_>) -> Answer {
    let archive = fields.boolean("IsArchive")?;
    let ids = fields.ids("UserIds")?;
    let mut state = system.state();
    let users = known(&state.users, &ids)?;
    for mut user in users {
        user.archived = archive;
        state.users.keep(user);
    }
    let done = if archive { "Person archived successfully" } else { "Person restored successfully" };
    Ok(json!({"Status": true, "ErrorMessage": done}))
}

/// The users of these ids, or a refusal that names the first one missing: all or none.
pub(super) fn known(users: &Users, ids: &[u64]) -> Result<Vec<User>, Refusal> {
    ids.iter().map(|id| users.get(*id).ok_or_else(|| Refusal(format!("UserID {id} was not found.")))).collect()
}

/// 2 is not in the vendor's list of roles.
fn role(fields: &Fields<'_>) -> Result<u64, Refusal> {
    match fields.number("SuperUser")? {
        role @ (1 | 3..=7) => Ok(role),
        other => refuse(format!("SuperUser {other} is not a role.")),
    }
}

fn chosen_groups(fields: &Fields<'_>, groups: &Groups) -> Result<Vec<u64>, Refusal> {
    if !fields.has("UserGroup") {
        return Ok(Vec::new());
    }
    fields
        .list("UserGroup")?
        .iter()
        .map(|group| match group["id"].as_u64() {
            Some(id) if groups.name(id).is_some() => Ok(id),
            _ => refuse(format!("UserGroup {group} was not found.")),
        })
        .collect()
}
