//! `users200510Xml` and `user200510Xml`. The schema is not public; the fields are those of the JSON call `users`, and
//! as clients of the vendor report, `user` and its child `id` stand in the namespace of the root element.

use std::{convert::Infallible, sync::Arc};

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{StatusCode, Uri},
    response::Response,
};
use futures::{StreamExt, stream};

use serde_json::Value;

use super::{
    PeopleFluent,
    held::{Shelf, USERS, text},
    page::Refused,
    query::{Parameters, refused},
    reply,
    selector::Selector,
    xml::element,
};
use crate::{answer, seed::Person};

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
    <u:users xmlns:u=\"http://www.netdimensions.com/xml/users200510\">\n";
const TAIL: &str = "</u:users>\n";
const PEOPLE_AT_ONCE: u64 = 128;
const STATUSES: [&str; 4] = ["active", "suspend", "close", "all"];

pub(super) async fn all(State(system): State<Arc<PeopleFluent>>, uri: Uri) -> Response {
    document(system, &uri).unwrap_or_else(|refused| refused.page())
}

fn document(system: Arc<PeopleFluent>, uri: &Uri) -> Result<Response, Refused> {
    let parameters = Parameters::of(uri)?;
    let status = match parameters.get("status") {
        Some(status) if STATUSES.contains(&status) => status.to_owned(),
        Some(status) => {
            return Err(refused(&format!("Parameter status: unknown value: {status}")));
        }
        None => return Err(refused("Parameter status is required")),
    };
    let (fields, organisation) = (parameters.fields()?, parameters.organisation()?);
    let people = system.seed.people as u64;
    let changed = system.held().copy(USERS);
    let made = changed_users(&changed, &fields, |user| {
        let within = organisation.as_deref().is_none_or(|id| id == "*ROOT*" || text(&user["organization"], "id") == id);
        within && (status == "all" || status == text(user, "status"))
    });
    let users = stream::iter((0..people).step_by(PEOPLE_AT_ONCE as usize)).map(move |first| {
        let mut out = String::new();
        for number in first..(first + PEOPLE_AT_ONCE).min(people) {
            let person = Person::of(&system.seed, number);
            let within = organisation.as_deref().is_none_or(|organisation| person.is_within(organisation));
            if within && (status == "all" || status == person.status) && !changed.contains_key(&person.user_id) {
                user(&mut out, &fields, &person);
            }
        }
        Bytes::from(out)
    });
    let whole = stream::iter([Bytes::from_static(HEAD.as_bytes())])
        .chain(users)
        .chain(stream::iter([made]))
        .chain(stream::iter([Bytes::from_static(TAIL.as_bytes())]))
        .map(Ok::<_, Infallible>);
    Ok(answer::with(StatusCode::OK, "text/xml;charset=UTF-8", Body::from_stream(whole)))
}

pub(super) async fn one(State(system): State<Arc<PeopleFluent>>, uri: Uri) -> Response {
    one_document(&system, &uri).unwrap_or_else(|refused| refused.page())
}

fn one_document(system: &PeopleFluent, uri: &Uri) -> Result<Response, Refused> {
    let parameters = Parameters::of(uri)?;
    let id = parameters.get("userId").ok_or_else(|| refused("Parameter userId is required"))?;
    let fields = parameters.fields()?;
    let absent = || Refused(StatusCode::NOT_FOUND, format!("No such user: {id}"));
    let mut out = String::from(HEAD);
    match system.held().get(USERS, &id.to_lowercase()) {
        Some(Value::Null) => return Err(absent()),
        Some(changed) => changed_user(&mut out, &fields, changed),
        None => user(&mut out, &fields, &Person::named(&system.seed, id).ok_or_else(absent)?),
    }
    out.push_str(TAIL);
    Ok(answer::with(StatusCode::OK, "text/xml;charset=UTF-8", out))
}

/// Accounts that were made or changed, behind those that were not.
fn changed_users(changed: &Shelf, fields: &Selector, wanted: impl Fn(&Value) -> bool) -> Bytes {
    let mut out = String::new();
    changed
        .values()
        .filter(|user| !user.is_null() && wanted(user))
        .for_each(|user| changed_user(&mut out, fields, user));
    Bytes::from(out)
}

fn changed_user(out: &mut String, fields: &Selector, user: &Value) {
    out.push_str("<u:user>");
    for (name, value) in user.as_object().into_iter().flatten() {
        if let (Value::String(value), false) = (value, name.starts_with('_')) {
            element(out, fields, &format!("u:{name}"), value);
        }
    }
    for (name, members) in [("organization", ["id", "description"]), ("directAppraiser", ["id", "family"])] {
        if let Some(fields) = fields.child(name).filter(|_| user[name].is_object()) {
            out.push_str(&format!("<u:{name}>"));
            for member in members.iter().filter(|member| !user[name][**member].is_null()) {
                element(out, fields, &format!("u:{member}"), &reply::plain(&user[name][*member]));
            }
            out.push_str(&format!("</u:{name}>"));
        }
    }
    out.push_str("</u:user>\n");
}

fn user(out: &mut String, fields: &Selector, person: &Person) {
    out.push_str("<u:user>");
    element(out, fields, "u:id", &person.user_id);
    element(out, fields, "u:family", person.family);
    element(out, fields, "u:given", person.given);
    element(out, fields, "u:email", &person.email);
    element(out, fields, "u:status", person.status);
    element(out, fields, "u:employeeNumber", &format!("{:06}", person.number));
    if let Some(fields) = fields.child("organization") {
        out.push_str("<u:organization>");
        element(out, fields, "u:id", person.organisation);
        element(out, fields, "u:description", &person.organisation.to_uppercase());
        out.push_str("</u:organization>");
    }
    if person.number.is_multiple_of(3) {
        element(out, fields, "u:jobTitle", "Fitter & Welder");
    }
    out.push_str("</u:user>\n");
}
