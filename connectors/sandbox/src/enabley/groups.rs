//! Groups in a hierarchy, and who is in them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Enabley,
    call::{Answer, Call, Good, Problem, word},
    members::{join, leave},
    router::list,
    shelf::{Named, Shelf},
    state::written,
    users::{known, known_mut},
    world::{HIERARCHY, is_sub_account},
};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Group {
    pub identifier: String,
    pub name: String,
    pub parent: Option<String>,
    pub sub_account: Option<String>,
    /// A level of the hierarchy.
    pub level: Option<String>,
    pub created: DateTime<Utc>,
    pub modified: DateTime<Utc>,
}

impl Named for Group {
    fn identifier(&self) -> Option<&str> {
        Some(&self.identifier)
    }
}

impl Group {
    pub(super) fn shown(&self) -> Value {
        json!({
            "created": written(self.created),
            "identifier": self.identifier,
            "modified": written(self.modified),
            "name": self.name,
            "parentIdentifier": self.parent,
            "subAccountName": self.sub_account,
            "type": self.level,
        })
    }

    fn is_asked(&self, call: &Call<'_>) -> bool {
        call.asked("subAccountName").is_none_or(|name| self.sub_account.as_deref() == Some(name))
    }
}

fn known_group<'a>(groups: &'a Shelf<Group>, identifier: &str) -> Result<&'a Group, Problem> {
    groups.get(identifier).ok_or_else(|| Problem::missing("Group", identifier))
}

/// A group and all below it.
pub(super) fn with_descendants(groups: &Shelf<Group>, identifier: &str) -> Vec<String> {
    let mut found = vec![identifier.to_owned()];
    let mut at = 0;
    while at < found.len() {
        let below = groups.iter().filter(|group| group.parent.as_deref() == Some(&found[at]));
        let below: Vec<String> = below.map(|group| group.identifier.clone()).collect();
        found.extend(below);
        at += 1;
    }
    found
}

/// `PUT /api/v1/groups`: 201 or 200. The parent has to be there first.
pub(super) fn put(system: &Enabley, call: &Call<'_>) -> Answer {
    let fields = call.fields()?;
    let identifier = fields.text("identifier")?;
    let (name, parent) = (fields.optional_text("name")?, fields.optional_text("parentIdentifier")?);
    let level = fields.optional_word("type", &HIERARCHY)?;
    let sub_account = fields.optional_text("subAccountName")?;
    let mut state = system.state();
    if let Some(parent) = parent {
        known_group(&state.groups, parent)?;
        if with_descendants(&state.groups, identifier).iter().any(|below| below == parent) {
            return Err(Problem::invalid(format!("Group '{parent}' cannot be above '{identifier}', it is below it")));
        }
    }
    if let Some(unknown) = sub_account.filter(|name| !is_sub_account(name)) {
        return Err(Problem::missing("Sub-account", unknown));
    }
    let now = Utc::now();
    let owned = |text: Option<&str>| text.map(str::to_owned);
    if let Some(group) = state.groups.get_mut(identifier) {
        group.name = owned(name).unwrap_or_else(|| group.name.clone());
        group.parent = owned(parent).or_else(|| group.parent.take());
        group.level = owned(level).or_else(|| group.level.take());
        group.sub_account = owned(sub_account).or_else(|| group.sub_account.take());
        group.modified = now;
        return Ok(Good::Done);
    }
    let name = name.ok_or_else(|| Problem::invalid("name is required"))?;
    state.groups.add(Group {
        identifier: identifier.to_owned(),
        name: name.to_owned(),
        parent: owned(parent),
        sub_account: owned(sub_account),
        level: owned(level),
        created: now,
        modified: now,
    });
    Ok(Good::Created)
}

/// Plain texts, not objects.
pub(super) fn hierarchy(_: &Enabley, _: &Call<'_>) -> Answer {
    Ok(Good::Value(json!(HIERARCHY)))
}

pub(super) fn all(system: &Enabley, call: &Call<'_>) -> Answer {
    list(system.state().groups.iter().filter(|group| group.is_asked(call)).map(Group::shown))
}

pub(super) fn one(system: &Enabley, call: &Call<'_>) -> Answer {
    let state = system.state();
    match known_group(&state.groups, &call.path[0])? {
        group if group.is_asked(call) => Ok(Good::Value(group.shown())),
        _ => Err(Problem::missing("Group", &call.path[0])),
    }
}

pub(super) fn of_user(system: &Enabley, call: &Call<'_>) -> Answer {
    let state = system.state();
    let user = known(&state.users, &call.path[0])?;
    let groups = user.groups.iter().filter_map(|identifier| state.groups.get(identifier));
    list(groups.filter(|group| group.is_asked(call)).map(Group::shown))
}

/// A group others are below cannot be deleted.
pub(super) fn delete(system: &Enabley, call: &Call<'_>) -> Answer {
    let identifier = call.path[0].as_str();
    let mut state = system.state();
    known_group(&state.groups, identifier)?;
    if with_descendants(&state.groups, identifier).len() > 1 {
        return Err(Problem::invalid(format!("Group '{identifier}' has groups below it")));
    }
    state.groups.remove(identifier);
    for user in state.users.iter_mut() {
        user.groups.retain(|group| group != identifier);
    }
    for channel in state.channels.iter_mut() {
        channel.groups.retain(|group| group != identifier);
    }
    Ok(Good::Done)
}

/// `replace=true` takes the user out of all other groups.
pub(super) fn assign_user(system: &Enabley, call: &Call<'_>) -> Answer {
    let (group, replace) = (call.path[0].as_str(), call.flag("replace")?.unwrap_or(false));
    let mut state = system.state();
    known_group(&state.groups, group)?;
    let user = known_mut(&mut state.users, &call.path[1])?;
    join(&mut user.groups, group, replace);
    Ok(Good::Done)
}

pub(super) fn remove_user(system: &Enabley, call: &Call<'_>) -> Answer {
    let (group, mut state) = (call.path[0].as_str(), system.state());
    known_group(&state.groups, group)?;
    let user = known_mut(&mut state.users, &call.path[1])?;
    leave(&mut user.groups, group, "Group of the user")
}

/// What a member is in a channel a group is assigned to; the vendor knows learners alone.
pub(super) fn member_role(call: &Call<'_>) -> Result<(), Problem> {
    call.asked("userRole").map_or(Ok(()), |role| word("userRole", role, &["LEARNER"]).map(drop))
}
