//! Operation 17: a certificate's file. Where bucket and directory are sent is not documented; both the query and
//! parts of the form are taken.

use std::{collections::HashMap, sync::Arc};

use axum::{
    extract::{Multipart, Query, State, multipart::MultipartRejection},
    http::StatusCode,
    response::Response,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    HumanFocus, ORGAN_ID,
    dispatch::{answered, message},
    fields::{Answer, refuse},
};

const BUCKET: &str = "ftp-hfcbtbyb-cert";

#[derive(Serialize, Deserialize)]
pub(super) struct File {
    name: String,
    content_type: Option<String>,
    bytes: usize,
    url: String,
}

impl File {
    pub(super) fn books(&self) -> Value {
        json!({"imgName": self.name, "contentType": self.content_type, "bytes": self.bytes, "imgPath": self.url})
    }
}

pub(super) async fn upload(
    State(system): State<Arc<HumanFocus>>,
    Query(mut target): Query<HashMap<String, String>>,
    form: Result<Multipart, MultipartRejection>,
) -> Response {
    let Ok(mut form) = form else {
        return message(StatusCode::UNSUPPORTED_MEDIA_TYPE, "The request entity is not multipart/form-data.");
    };
    let mut files = Vec::new();
    loop {
        let part = match form.next_part().await {
            Ok(Some(part)) => part,
            Ok(None) => break,
            Err(error) => {
                return message(StatusCode::BAD_REQUEST, &format!("The form cannot be read: {error}"));
            }
        };
        match part {
            Part::File { name, content_type, bytes } => files.push((name, content_type, bytes)),
            Part::Text { name, text } => drop(target.insert(name, text)),
        }
    }
    answered(kept(&system, &target, files))
}

enum Part {
    File { name: String, content_type: Option<String>, bytes: usize },
    Text { name: String, text: String },
}

trait Parts {
    async fn next_part(&mut self) -> Result<Option<Part>, axum::extract::multipart::MultipartError>;
}

impl Parts for Multipart {
    async fn next_part(&mut self) -> Result<Option<Part>, axum::extract::multipart::MultipartError> {
        let Some(field) = self.next_field().await? else {
            return Ok(None);
        };
        let name = field.name().unwrap_or_default().to_owned();
        let Some(file_name) = field.file_name().map(str::to_owned) else {
            return Ok(Some(Part::Text { name, text: field.text().await? }));
        };
        let content_type = field.content_type().map(str::to_owned);
        let bytes = field.bytes().await?.len();
        Ok(Some(Part::File { name: file_name, content_type, bytes }))
    }
}

fn kept(system: &HumanFocus, target: &HashMap<String, String>, files: Vec<(String, Option<String>, usize)>) -> Answer {
    let directory = format!("CBTbyB_Cert/CertImage{ORGAN_ID}");
    for (name, expected) in [("bucket", BUCKET), ("directory", directory.as_str())] {
        match target.get(name).map(String::as_str) {
            Some(given) if given == expected => {}
            Some(given) => return refuse(format!("{name} {given:?} is not {expected:?}.")),
            None => return refuse(format!("{name} is required.")),
        }
    }
    if files.is_empty() {
        return refuse("The form holds no file.");
    }
    let mut state = system.state();
    let attachments: Vec<Value> = files
        .into_iter()
        .map(|(name, content_type, bytes)| {
            let number = state.files.len() + 1;
            let stored = format!("O2U{:07}{name}", 1_306_000 + number);
            let url = format!(
                "https://d31bsqfluwtpi8.cloudfront.net/{directory}/{stored}?Expires=1900000000&Signature=sandbox{number}"
            );
            state.files.push(File { name: stored.clone(), content_type, bytes, url: url.clone() });
            json!({"imgName": stored, "imgPath": url, "fileType": "Photo", "CloudFrontSrc": ""})
        })
        .collect();
    Ok(json!({"lstAttachments": attachments, "Status": true}))
}
