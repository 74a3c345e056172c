//! User groups, site locations and departments: operations 10 and 19 to 27.
//!
//! All three are groups to the vendor; their answers come under `UserGroupData` whatever the kind.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    HumanFocus,
    fields::{Answer, Fields, Refusal, refuse},
    users::{self, NONE},
};

/// Renaming answers with an id this much greater than the one sent, as in the vendor's example.
const RENAME_SHIFT: u64 = 4197;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    UserGroup,
    Site,
    Department,
}

impl Kind {
    fn label(self) -> &'static str {
        match self {
            Self::UserGroup => "User Group",
            Self::Site => "Site Location",
            Self::Department => "Department",
        }
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct Groups {
    names: BTreeMap<u64, String>,
    next: u64,
}

impl Groups {
    pub(super) fn of(kind: Kind) -> Self {
        let (seeded, next): (&[(u64, &str)], u64) = match kind {
            Kind::UserGroup => (&[(30, NONE), (31, "Manual Work"), (32, "Warehouse & Logistics")], 5432),
            Kind::Site => (&[(27, NONE), (28, "London HQ")], 29),
            Kind::Department => (&[(40_656, NONE), (40_657, "Operations")], 40_658),
        };
        Self { names: seeded.iter().map(|(id, name)| (*id, (*name).to_owned())).collect(), next }
    }

    pub(super) fn name(&self, id: u64) -> Option<&str> {
        self.names.get(&id).map(String::as_str)
    }

    pub(super) fn names(&self, ids: &[u64]) -> Vec<&str> {
        ids.iter().filter_map(|id| self.name(*id)).collect()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &str)> {
        self.names.iter().map(|(id, name)| (*id, name.as_str()))
    }

    pub(super) fn books(&self) -> Value {
        self.iter().map(|(id, name)| json!({"GroupID": id, "GroupName": name})).collect()
    }

    fn is_taken(&self, name: &str) -> bool {
        self.names.values().any(|known| known == name)
    }
}

/// Operations 19, 22, 25.
pub(super) fn create(system: &HumanFocus, fields: &Fields<'_>, kind: Kind) -> Answer {
    fields.organisation("OrganID")?;
    let name = fields.text("GroupName")?;
    fields.text("UserID")?;
    let mut state = system.state();
    let groups = state.groups(kind);
    if groups.is_taken(name) {
        return refuse(format!("{} {name} already exists.", kind.label()));
    }
    let id = groups.next;
    groups.next += 1;
    groups.names.insert(id, name.to_owned());
    Ok(group_data(id, kind, "Created"))
}

/// Operations 20, 23, 26.
pub(super) fn rename(system: &HumanFocus, fields: &Fields<'_>, kind: Kind) -> Answer {
    fields.organisation("OrganID")?;
    let name = fields.text("GroupName")?;
    let id = fields.number("GroupID")?;
    fields.text("UserID")?;
    let mut state = system.state();
    let Some(known) = state.groups(kind).names.get_mut(&id) else {
        return refuse(format!("GroupID {id} was not found."));
    };
    let before = std::mem::replace(known, name.to_owned());
    // Users hold the names of their site and department.
    let users: Vec<_> = state.users.iter().collect();
    for mut user in users {
        let place = match kind {
            Kind::Site => &mut user.site,
            Kind::Department => &mut user.department,
            Kind::UserGroup => break,
        };
        if *place == before {
            *place = name.to_owned();
            state.users.keep(user);
        }
    }
    let told = if kind == Kind::UserGroup { id + RENAME_SHIFT } else { id };
    Ok(group_data(told, kind, "Updated"))
}

fn group_data(id: u64, kind: Kind, done: &str) -> Value {
    let message = format!("{} {done} Successfully.", kind.label());
    json!({"UserGroupData": {"GroupID": id, "ResponseMessage": message}, "Status": true})
}

/// Operation 10: many groups, one user; the groups' ids in one text.
pub(super) fn assign_to_user(system: &HumanFocus, fields: &Fields<'_>) -> Answer {
    let id = fields.number("UserId")?;
    let ids = fields.ids("CompetencyGroupIds")?;
    let assign = fields.boolean("IsAssign")?;
    let mut state = system.state();
    let Some(mut user) = state.users.get(id) else {
        return refuse(format!("UserId {id} was not found."));
    };
    let groups = state.groups(Kind::UserGroup);
    for id in ids {
        known_group(groups, id)?;
        user.groups.retain(|held| *held != id);
        if assign {
            user.groups.push(id);
        }
    }
    let held: Vec<Value> =
        user.groups.iter().map(|id| json!({"CompetencyGroupID": id, "CompetencyGroup": groups.name(*id)})).collect();
    state.users.keep(user);
    let done = if assign { "assigned to" } else { "removed from" };
    Ok(json!({
        "Status": true,
        "ErrorMessage": format!("User group(s) are successfully {done} the selected user."),
        "AssignedCompetencyGroupList": held,
    }))
}

/// Operation 21: many users, one group, whose id is a number here and a text in operation 10.
pub(super) fn assign_users(system: &HumanFocus, fields: &Fields<'_>) -> Answer {
    let ids = fields.ids("UserIds")?;
    let group = fields.number("CompetencyGroupIds")?;
    let mut state = system.state();
    known_group(state.groups(Kind::UserGroup), group)?;
    for mut user in users::known(&state.users, &ids)? {
        if !user.groups.contains(&group) {
            user.groups.push(group);
            state.users.keep(user);
        }
    }
    Ok(json!({"UserGroupData": "User(s) assigned to user group successfully", "Status": true}))
}

/// Operations 24 and 27.
pub(super) fn place_users(system: &HumanFocus, fields: &Fields<'_>, kind: Kind) -> Answer {
    fields.organisation("OrganID")?;
    let ids = fields.ids("UserIds")?;
    let group = fields.number("GroupId")?;
    let name = fields.text("GroupName")?;
    let mut state = system.state();
    known_group(state.groups(kind), group)?;
    if state.groups(kind).name(group) != Some(name) {
        return refuse(format!("GroupName {name} is not the name of GroupId {group}."));
    }
    for mut user in users::known(&state.users, &ids)? {
        *(if kind == Kind::Site { &mut user.site } else { &mut user.department }) = name.to_owned();
        state.users.keep(user);
    }
    let done = format!("User(s) assigned to {} successfully", kind.label().to_lowercase());
    Ok(json!({"UserGroupData": done, "Status": true}))
}

fn known_group(groups: &Groups, id: u64) -> Result<(), Refusal> {
    match groups.name(id) {
        Some(_) => Ok(()),
        None => refuse(format!("Group {id} was not found.")),
    }
}
