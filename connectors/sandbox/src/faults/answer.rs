//! How a fault changes the answer to one request.

use std::time::{Duration, SystemTime};

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use chrono::{DateTime, Utc};

use super::{
    Fault, RetryAfter, When,
    damage::{Damage, damaged},
};
use crate::answer;

/// What the gate has to do with the connection or with the answer.
pub(crate) enum Act {
    /// Answer this.
    Answer(Response),
    /// Close the connection, answer nothing.
    Cut,
}

impl Fault {
    /// What comes instead of doing the work, when the fault precedes it.
    pub(crate) fn before(&self) -> Option<Act> {
        match self {
            Self::Status { code, when: When::Before, retry_after } => Some(Act::Answer(status(*code, *retry_after))),
            Self::Cut { when: When::Before } => Some(Act::Cut),
            Self::Html { when: When::Before } => Some(Act::Answer(html())),
            Self::Empty { when: When::Before } => Some(Act::Answer(answer::with(StatusCode::OK, "text/plain", ""))),
            Self::Redirect { to } => Some(Act::Answer(redirect(to))),
            Self::EntityBomb => Some(Act::Answer(answer::with(StatusCode::OK, "text/xml;charset=UTF-8", bomb()))),
            Self::Refuse { message } => Some(Act::Answer(answer::json(
                StatusCode::OK,
                &serde_json::json!({"Status": false, "ErrorMessage": message}),
            ))),
            _ => None,
        }
    }

    /// What becomes of the answer once the work is done.
    pub(crate) fn after(&self, response: Response) -> Act {
        Act::Answer(match self {
            Self::Status { code, when: When::After, retry_after } => status(*code, *retry_after),
            Self::Cut { when: When::After } => return Act::Cut,
            Self::Html { when: When::After } => html(),
            Self::Empty { when: When::After } => answer::with(StatusCode::OK, "text/plain", ""),
            Self::CutBody { bytes } => damaged(response, *bytes, Damage::Cut),
            Self::Truncate { bytes } => damaged(response, *bytes, Damage::End),
            Self::Malformed { bytes } => damaged(response, *bytes, Damage::BreakSyntax),
            Self::InvalidUtf8 { bytes } => damaged(response, *bytes, Damage::BreakUtf8),
            Self::ContentType { value } => retyped(response, value),
            _ => response,
        })
    }
}

fn status(code: u16, retry_after: Option<RetryAfter>) -> Response {
    let code = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let text = format!("{} {}", code.as_u16(), code.canonical_reason().unwrap_or("Error"));
    let page =
        format!("<html><head><title>{text}</title></head><body><center><h1>{text}</h1></center></body></html>\r\n");
    let mut response = answer::with(code, "text/html", page);
    let value = retry_after.and_then(|retry_after| match retry_after {
        RetryAfter::Seconds(seconds) => Some(HeaderValue::from(seconds)),
        RetryAfter::Date(seconds) => {
            let at = DateTime::<Utc>::from(SystemTime::now() + Duration::from_secs(seconds));
            HeaderValue::from_str(&at.format("%a, %d %b %Y %H:%M:%S GMT").to_string()).ok()
        }
    });
    if let Some(value) = value {
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
    response
}

fn html() -> Response {
    let page = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head>\
                <body><h1>Please sign in</h1><form method=\"post\"></form></body></html>\n";
    answer::with(StatusCode::OK, "text/html; charset=utf-8", page)
}

fn redirect(to: &str) -> Response {
    let mut response = answer::with(StatusCode::TEMPORARY_REDIRECT, "text/plain", "");
    if let Ok(to) = HeaderValue::from_str(to) {
        response.headers_mut().insert(header::LOCATION, to);
    }
    response
}

/// Ten levels of ten: expanded it would be ten gigabytes of text.
fn bomb() -> String {
    let mut text = String::from("<?xml version=\"1.0\"?>\n<!DOCTYPE trainingHistory [\n <!ENTITY a0 \"lol\">\n");
    for level in 1..=10 {
        let inner = format!("&a{};", level - 1).repeat(10);
        text.push_str(&format!(" <!ENTITY a{level} \"{inner}\">\n"));
    }
    text.push_str(
        "]>\n<trainingHistory><trainingRecord id=\"TR0\"><userId>&a10;</userId></trainingRecord></trainingHistory>\n",
    );
    text
}

fn retyped(mut response: Response<Body>, value: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(header::CONTENT_TYPE, value);
    }
    response
}
