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

use super::{
    PeopleFluent,
    page::Refused,
    query::{Parameters, refused},
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
    let users = stream::iter((0..people).step_by(PEOPLE_AT_ONCE as usize)).map(move |first| {
        let mut out = String::new();
        for number in first..(first + PEOPLE_AT_ONCE).min(people) {
            let person = Person::of(&system.seed, number);
            let within = organisation.as_deref().is_none_or(|organisation| person.is_within(organisation));
            if within && (status == "all" || status == person.status) {
                user(&mut out, &fields, &person);
            }
        }
        Bytes::from(out)
    });
    let whole = stream::iter([Bytes::from_static(HEAD.as_bytes())])
        .chain(users)
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
    let person =
        Person::named(&system.seed, id).ok_or_else(|| Refused(StatusCode::NOT_FOUND, format!("No such user: {id}")))?;
    let mut out = String::from(HEAD);
    user(&mut out, &fields, &person);
    out.push_str(TAIL);
    Ok(answer::with(StatusCode::OK, "text/xml;charset=UTF-8", out))
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
