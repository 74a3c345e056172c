//! Users, found by filters.

use super::{
    Enabley,
    call::{Answer, Call, Good, Problem},
    pages,
    router::list,
    users::{User, known},
};

/// Most users `GET /api/v2/users` gives at once.
const MOST: usize = 200;

/// Texts in small letters that parts of a user have to contain.
struct Filter<'a> {
    identifier: Option<&'a str>,
    sub_account: Option<&'a str>,
    email: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    username: Option<String>,
}

impl<'a> Filter<'a> {
    fn of(call: &'a Call<'_>) -> Self {
        let part = |name: &str| call.asked(name).map(str::to_lowercase);
        Self {
            identifier: call.asked("identifier"),
            sub_account: call.asked("subAccountName"),
            email: part("emailSubstring"),
            first_name: part("firstNameSubstring"),
            last_name: part("lastNameSubstring"),
            username: part("usernameSubstring"),
        }
    }

    fn admits(&self, user: &User) -> bool {
        let holds = |text: Option<&str>, part: &Option<String>| {
            part.as_ref().is_none_or(|part| text.unwrap_or_default().to_lowercase().contains(part))
        };
        self.identifier.is_none_or(|wanted| user.identifier.as_deref() == Some(wanted))
            && self.sub_account.is_none_or(|wanted| is_in(user, wanted))
            && holds(user.email.as_deref(), &self.email)
            && holds(user.first_name.as_deref(), &self.first_name)
            && holds(user.last_name.as_deref(), &self.last_name)
            && holds(Some(&user.username), &self.username)
    }
}

fn is_in(user: &User, sub_account: &str) -> bool {
    user.sub_accounts.iter().any(|name| name == sub_account)
}

/// `GET /api/v2/users`: `start` counts from 0, `limit` is 200 at most.
pub(super) fn sliced(system: &Enabley, call: &Call<'_>) -> Answer {
    let (start, limit) = (call.number("start")?.unwrap_or(0), call.number("limit")?.unwrap_or(MOST));
    if !(1..=MOST).contains(&limit) {
        return Err(Problem::invalid(format!("limit must be between 1 and {MOST}, not {limit}")));
    }
    let (state, filter) = (system.state(), Filter::of(call));
    list(state.users.iter().filter(|user| filter.admits(user)).skip(start).take(limit).map(User::shown))
}

pub(super) fn paged(system: &Enabley, call: &Call<'_>) -> Answer {
    let (state, filter) = (system.state(), Filter::of(call));
    pages::page(system, "users", call, state.users.iter().filter(|user| filter.admits(user)).map(User::shown))
}

pub(super) fn one(system: &Enabley, call: &Call<'_>) -> Answer {
    let state = system.state();
    let user = known(&state.users, &call.path[0])?;
    match call.asked("subAccountName") {
        Some(name) if !is_in(user, name) => Err(Problem::missing("User", &call.path[0])),
        _ => Ok(Good::Value(user.shown())),
    }
}
