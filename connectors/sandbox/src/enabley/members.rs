//! Who is in a channel: users one by one, groups with all that are in them, and what a learner has done there.

use chrono::Utc;
use serde_json::json;

use super::{
    Enabley,
    call::{Answer, Call, Good, Problem, word},
    channels::known_channel,
    groups::{member_role, with_descendants},
    users::{Enrolment, known, known_mut},
};

/// `roles=LEARNER&roles=INSTRUCTOR`; a learner when nothing is said.
pub(super) fn assign_user(system: &Enabley, call: &Call<'_>) -> Answer {
    let roles = call.all_asked("roles").map(|role| word("roles", role, &["LEARNER", "INSTRUCTOR"]));
    let roles = roles.collect::<Result<Vec<_>, _>>()?;
    let mut state = system.state();
    known_channel(&state.channels, &call.path[0])?;
    let user = known_mut(&mut state.users, &call.path[1])?;
    let enrolment = user.channels.entry(call.path[0].clone()).or_default();
    enrolment.learner |= roles.is_empty() || roles.contains(&"LEARNER");
    enrolment.instructor |= roles.contains(&"INSTRUCTOR");
    enrolment.via = None;
    Ok(Good::Done)
}

pub(super) fn remove_user(system: &Enabley, call: &Call<'_>) -> Answer {
    let mut state = system.state();
    known_channel(&state.channels, &call.path[0])?;
    let user = known_mut(&mut state.users, &call.path[1])?;
    match user.channels.remove(&call.path[0]) {
        Some(_) => Ok(Good::Done),
        None => Err(Problem::missing("Channel of the user", &call.path[0])),
    }
}

/// All users of the group become learners, with `recursive=true` those of the groups below it, too.
pub(super) fn assign_group(system: &Enabley, call: &Call<'_>) -> Answer {
    member_role(call)?;
    let recursive = call.flag("recursive")?.unwrap_or(false);
    let (channel, group) = (&call.path[0], &call.path[1]);
    let mut state = system.state();
    known_channel(&state.channels, channel)?;
    if !state.groups.has(group) {
        return Err(Problem::missing("Group", group));
    }
    let groups = if recursive { with_descendants(&state.groups, group) } else { vec![group.clone()] };
    for user in state.users.iter_mut().filter(|user| user.groups.iter().any(|one| groups.contains(one))) {
        let new = || Enrolment { via: Some(group.clone()), ..Enrolment::default() };
        user.channels.entry(channel.clone()).or_insert_with(new).learner = true;
    }
    if let Some(channel) = state.channels.get_mut(channel)
        && !channel.groups.contains(group)
    {
        channel.groups.push(group.clone());
    }
    Ok(Good::Done)
}

/// Those the group brought in leave with it.
pub(super) fn remove_group(system: &Enabley, call: &Call<'_>) -> Answer {
    let (channel, group) = (&call.path[0], &call.path[1]);
    let mut state = system.state();
    if !known_channel(&state.channels, channel)?.groups.contains(group) {
        return Err(Problem::missing("Group of the channel", group));
    }
    if let Some(channel) = state.channels.get_mut(channel) {
        channel.groups.retain(|known| known != group);
    }
    for user in state.users.iter_mut() {
        user.channels.retain(|known, enrolment| known != channel || enrolment.via.as_ref() != Some(group));
    }
    Ok(Good::Done)
}

pub(super) fn count(system: &Enabley, call: &Call<'_>) -> Answer {
    let state = system.state();
    known_channel(&state.channels, &call.path[0])?;
    let is_learner = |enrolment: &&Enrolment| enrolment.learner;
    let learners = state.users.iter().filter(|user| user.channels.get(&call.path[0]).filter(is_learner).is_some());
    Ok(Good::Value(json!({"learners": learners.count()})))
}

/// All that is not optional counts as done.
pub(super) fn force_complete(system: &Enabley, call: &Call<'_>) -> Answer {
    let mut state = system.state();
    known_channel(&state.channels, &call.path[0])?;
    known(&state.users, &call.path[1])?;
    let user = known_mut(&mut state.users, &call.path[1])?;
    let enrolment = user.channels.get_mut(&call.path[0]).filter(|enrolment| enrolment.learner);
    let enrolment = enrolment.ok_or_else(|| Problem::missing("Learner of the channel", &call.path[1]))?;
    enrolment.progress = 100;
    enrolment.completed.get_or_insert_with(Utc::now);
    Ok(Good::Done)
}

/// Puts a user into a group, or gives a profile; alone, it takes the place of all others.
pub(super) fn join(list: &mut Vec<String>, one: &str, alone: bool) {
    list.retain(|known| !alone && known != one);
    list.push(one.to_owned());
}

/// The way back; `what` names what a user has to have for that.
pub(super) fn leave(list: &mut Vec<String>, one: &str, what: &str) -> Answer {
    if !list.iter().any(|known| known == one) {
        return Err(Problem::missing(what, one));
    }
    list.retain(|known| known != one);
    Ok(Good::Done)
}
