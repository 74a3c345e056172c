//! Error pages as a Tomcat server writes them: HTML, whatever was asked for.

use axum::{
    http::{StatusCode, Uri},
    response::Response,
};

use super::xml;
use crate::answer;

/// A request that is answered with an error page.
pub(super) struct Refused(pub StatusCode, pub String);

impl Refused {
    pub(super) fn page(&self) -> Response {
        error(self.0, &self.1)
    }
}

pub(super) fn error(status: StatusCode, message: &str) -> Response {
    let title = format!("HTTP Status {} – {}", status.as_u16(), status.canonical_reason().unwrap_or("Error"));
    let mut said = String::new();
    xml::escape(&mut said, message);
    let page = format!(
        "<!doctype html><html lang=\"en\"><head><title>{title}</title><style type=\"text/css\">\
         body {{font-family:Tahoma,Arial,sans-serif;}}</style></head><body><h1>{title}</h1><hr class=\"line\" />\
         <p><b>Type</b> Status Report</p><p><b>Message</b> {said}</p><hr class=\"line\" />\
         <h3>Apache Tomcat</h3></body></html>"
    );
    answer::with(status, "text/html;charset=utf-8", page)
}

pub(super) async fn unknown_path(uri: Uri) -> Response {
    error(StatusCode::NOT_FOUND, &format!("The requested resource [{}] is not available", uri.path()))
}

pub(super) async fn wrong_method() -> Response {
    error(StatusCode::METHOD_NOT_ALLOWED, "The method is not supported by this URL")
}
