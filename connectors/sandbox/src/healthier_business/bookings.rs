//! Bookings of the services and of the academy. Of their shapes only the names are documented.

use serde_json::{Value, json};

use super::{
    HealthierBusiness,
    references::paged,
    router::{Answer, Call, Good},
    world::NOW,
};
use crate::tables::plain;

pub(super) fn interviews(system: &HealthierBusiness, call: &Call) -> Answer {
    let rows = system.state().all("interview").to_vec();
    paged(system, call, "/interview-bookings", rows)
}

fn bookings(system: &HealthierBusiness, fits: impl Fn(&Value) -> bool) -> Answer {
    let state = system.state();
    let rows: Vec<&Value> = state.all("booking").iter().filter(|booking| fits(booking)).collect();
    Ok(Good::value(200, json!({"bookings": rows})))
}

pub(super) fn past(system: &HealthierBusiness, _: &Call) -> Answer {
    bookings(system, |booking| plain(&booking["date"]).as_str() < &NOW[..10])
}

pub(super) fn upcoming(system: &HealthierBusiness, _: &Call) -> Answer {
    bookings(system, |booking| plain(&booking["date"]).as_str() >= &NOW[..10])
}

pub(super) fn search(system: &HealthierBusiness, call: &Call) -> Answer {
    let asked = |name: &str| call.query.get(name).map(plain).unwrap_or_default();
    let (from, to) = (asked("date_from"), asked("date_to"));
    bookings(system, |booking| {
        let date = plain(&booking["date"]);
        (from.is_empty() || date >= from) && (to.is_empty() || date <= to)
    })
}

pub(super) fn links(system: &HealthierBusiness, call: &Call) -> Answer {
    let state = system.state();
    let wanted = call.query.get("course").map(plain).unwrap_or_default();
    let fits = |link: &&Value| wanted.is_empty() || plain(&link["course"]) == wanted;
    Ok(Good::value(200, json!({"links": state.all("booking_link").iter().filter(fits).collect::<Vec<_>>()})))
}
