//! How far learners are in their channels. Users without an identifier of the customer's are left out.

use serde_json::{Value, json};

use super::{
    Enabley,
    call::{Answer, Call, Problem},
    channels::known_channel,
    pages,
    router::list,
    state::{State, written},
    users::known,
};

/// Rows of one user, of one channel, of both, or of all.
fn rows<'a>(state: &'a State, user: Option<&'a str>, channel: Option<&'a str>) -> impl Iterator<Item = Value> + 'a {
    let users = state.users.iter().filter_map(move |one| {
        let identifier = one.identifier.as_deref()?;
        user.is_none_or(|wanted| wanted == identifier).then_some((identifier, one))
    });
    users.flat_map(move |(identifier, user)| {
        let learns = user.channels.iter().filter(|(_, enrolment)| enrolment.learner);
        learns.filter(move |(id, _)| channel.is_none_or(|wanted| wanted == id.as_str())).filter_map(
            move |(id, enrolment)| {
                Some(json!({
                    "channelName": state.channels.get(id)?.name,
                    "completionDate": enrolment.completed.map(written),
                    "externalChannelId": id,
                    "externalUserId": identifier,
                    "progress": enrolment.progress,
                    "score": enrolment.score,
                }))
            },
        )
    })
}

/// The two that are asked for, as far as they are, are there.
fn check(state: &State, user: Option<&str>, channel: Option<&str>) -> Result<(), Problem> {
    user.map_or(Ok(()), |user| known(&state.users, user).map(drop))?;
    channel.map_or(Ok(()), |channel| known_channel(&state.channels, channel).map(drop))
}

pub(super) fn all(system: &Enabley, call: &Call<'_>) -> Answer {
    let (user, channel) = (call.asked("externalUserId"), call.asked("externalChannelId"));
    let state = system.state();
    check(&state, user, channel)?;
    list(rows(&state, user, channel))
}

/// By user, channel, or both: one of them has to be named.
pub(super) fn paged(system: &Enabley, call: &Call<'_>) -> Answer {
    let (user, channel) = (call.asked("userIdentifier"), call.asked("channelIdentifier"));
    if user.or(channel).is_none() {
        return Err(Problem::invalid("userIdentifier or channelIdentifier is required"));
    }
    let state = system.state();
    check(&state, user, channel)?;
    pages::page(system, "performance", call, rows(&state, user, channel))
}
