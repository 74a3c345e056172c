//! Bodies of calls.

use crate::call::Unready;
use crate::csv_text::{self, CsvStyle};
use crate::template::{Names, Slot, Template, plain_text};
use crate::upload::{FileTemplate, Upload};
use crate::xml_body::xml_document;
use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::multipart::{Form, Part};
use reqwest::{Client, Request, RequestBuilder};
use serde_json::Value as Json;
use std::borrow::Cow;
use std::path::Path;
use std::time::Duration;
use towpath_connector::{Error, Result};

/// The media type of a text nobody says more of.
const PLAIN: &str = "text/plain; charset=utf-8";

/// A body with templates.
#[derive(Debug, Clone)]
pub(crate) enum BodyTemplate {
    None,
    /// The record, but for fields that go elsewhere.
    Record {
        without: Vec<String>,
    },
    Json(Slot),
    Form(Vec<(String, Slot)>),
    Multipart(Vec<(String, PartTemplate)>),
    Text {
        text: Template,
        content_type: Option<Template>,
    },
    Csv(Box<CsvTemplate>),
    Xml {
        tree: Slot,
        content_type: Option<Template>,
    },
}

/// A body in CSV with templates.
#[derive(Debug, Clone)]
pub(crate) struct CsvTemplate {
    /// Headers, and what stands below them; the record's field of that name when none.
    pub(crate) columns: Vec<(String, Option<Slot>)>,
    pub(crate) header: bool,
    pub(crate) style: CsvStyle,
    pub(crate) content_type: Option<Template>,
}

/// A part of a multipart body with templates.
#[derive(Debug, Clone)]
pub(crate) enum PartTemplate {
    Text(Slot),
    File(Box<FileTemplate>),
}

/// A body ready to be sent, as often as need be.
#[derive(Debug, Clone)]
pub(crate) enum Payload {
    None,
    Bytes { content_type: Cow<'static, str>, bytes: Bytes },
    Multipart(Vec<(String, PartPayload)>),
}

/// A part ready to be sent.
#[derive(Debug, Clone)]
pub(crate) enum PartPayload {
    Text(String),
    File(Box<Upload>),
}

impl BodyTemplate {
    /// Fills the templates in; files must be in `folder`.
    pub(crate) fn fill(&self, names: &Names<'_>, folder: &Path) -> std::result::Result<Payload, Unready> {
        Ok(match self {
            Self::None => Payload::None,
            Self::Record { without } if without.is_empty() => json(names.record)?,
            Self::Record { without } => {
                let mut record = names.record.clone();
                if let Json::Object(fields) = &mut record {
                    fields.retain(|name, _| !without.contains(name));
                }
                json(&record)?
            }
            Self::Json(slot) => json(&slot.value(names)?)?,
            Self::Form(fields) => {
                let mut form = url::form_urlencoded::Serializer::new(String::new());
                for (name, slot) in fields {
                    match slot.value(names)? {
                        Json::Array(items) => items.iter().filter_map(plain_text).for_each(|text| {
                            form.append_pair(name, &text);
                        }),
                        value => plain_text(&value).iter().for_each(|text| {
                            form.append_pair(name, text);
                        }),
                    }
                }
                bytes("application/x-www-form-urlencoded".into(), form.finish().into_bytes())
            }
            Self::Multipart(parts) => {
                let mut filled = Vec::new();
                for (name, part) in parts {
                    filled.extend(part.fill(names, folder)?.map(|part| (name.clone(), part)));
                }
                Payload::Multipart(filled)
            }
            Self::Text { text, content_type } => {
                let text = text.text(names)?.unwrap_or_default();
                bytes(media_type(content_type.as_ref(), PLAIN, names)?, text.into_bytes())
            }
            Self::Csv(csv) => csv.fill(names)?,
            Self::Xml { tree, content_type } => {
                let text = xml_document(&tree.value(names)?).map_err(Unready::Value)?;
                let kind = media_type(content_type.as_ref(), "application/xml; charset=utf-8", names)?;
                bytes(kind, text.into_bytes())
            }
        })
    }

    /// Every template in it.
    pub(crate) fn templates<'a>(&'a self, found: &mut Vec<&'a Template>) {
        match self {
            Self::None | Self::Record { .. } => {}
            Self::Json(slot) => slot.templates(found),
            Self::Form(fields) => fields.iter().for_each(|(_, slot)| slot.templates(found)),
            Self::Multipart(parts) => parts.iter().for_each(|(_, part)| match part {
                PartTemplate::Text(slot) => slot.templates(found),
                PartTemplate::File(file) => {
                    found.extend(file.from.iter().map(|from| from.template()));
                    found.extend(file.file_name.iter().chain(&file.content_type));
                }
            }),
            Self::Text { text, content_type } => found.extend(content_type.iter().chain([text])),
            Self::Csv(csv) => {
                csv.columns.iter().filter_map(|(_, slot)| slot.as_ref()).for_each(|slot| slot.templates(found));
                found.extend(&csv.content_type);
            }
            Self::Xml { tree, content_type } => {
                tree.templates(found);
                found.extend(content_type);
            }
        }
    }
}

fn bytes(content_type: Cow<'static, str>, bytes: Vec<u8>) -> Payload {
    Payload::Bytes { content_type, bytes: bytes.into() }
}

fn json(value: &Json) -> Result<Payload> {
    let text = serde_json::to_vec(value).map_err(|error| Error::bug(format!("a body as JSON: {error}")))?;
    Ok(bytes("application/json".into(), text))
}

fn media_type(
    template: Option<&Template>,
    default: &'static str,
    names: &Names<'_>,
) -> std::result::Result<Cow<'static, str>, Unready> {
    let Some(given) = template.map_or(Ok(None), |template| template.text(names))? else {
        return Ok(Cow::Borrowed(default));
    };
    if HeaderValue::from_str(&given).is_err() {
        return Err(Unready::Value(format!("`{given}` is not a media type")));
    }
    Ok(Cow::Owned(given))
}

impl CsvTemplate {
    /// One line for each record of the call.
    fn fill(&self, names: &Names<'_>) -> std::result::Result<Payload, Unready> {
        let mut lines = Vec::new();
        if self.header {
            lines.push(self.columns.iter().map(|(header, _)| header.clone()).collect());
        }
        for record in names.records() {
            let names = Names { record, ..*names };
            let line = self.columns.iter().map(|(header, slot)| {
                let value = match slot {
                    Some(slot) => slot.value(&names)?,
                    None => record.get(header).cloned().unwrap_or_default(),
                };
                Ok(plain_text(&value).unwrap_or_default())
            });
            lines.push(line.collect::<Result<Vec<String>>>()?);
        }
        let text = csv_text::write(self.style, &lines).map_err(Error::bug)?;
        Ok(bytes(media_type(self.content_type.as_ref(), PLAIN, names)?, text))
    }
}

impl PartTemplate {
    fn fill(&self, names: &Names<'_>, folder: &Path) -> std::result::Result<Option<PartPayload>, Unready> {
        Ok(match self {
            Self::Text(slot) => plain_text(&slot.value(names)?).map(PartPayload::Text),
            Self::File(file) => file.fill(names, folder)?.map(|upload| PartPayload::File(Box::new(upload))),
        })
    }
}

impl Payload {
    /// Gets the files that are elsewhere.
    ///
    /// # Errors
    /// `Value`: there is no such file. Else: it could not be had now.
    pub(crate) async fn load(&mut self, client: &Client, timeout: Duration) -> std::result::Result<(), Unready> {
        if let Self::Multipart(parts) = self {
            for (_, part) in parts {
                if let PartPayload::File(upload) = part {
                    upload.load(client, timeout).await?;
                }
            }
        }
        Ok(())
    }

    /// Puts the body into a request; files are streamed from the disk. What the request's headers say it is stands, but for
    /// a multipart body, which nobody else can name.
    ///
    /// # Errors
    /// A file cannot be opened.
    pub(crate) async fn attach(
        &self,
        client: &Client,
        timeout: Duration,
        mut request: Request,
    ) -> Result<RequestBuilder> {
        let built = |request| RequestBuilder::from_parts(client.clone(), request);
        Ok(match self {
            Self::None => built(request),
            Self::Bytes { content_type, bytes } => {
                let kind = HeaderValue::from_str(content_type)
                    .map_err(|_| Error::user(format!("`{content_type}` is not a media type")))?;
                request.headers_mut().entry(CONTENT_TYPE).or_insert(kind);
                *request.body_mut() = Some(bytes.clone().into());
                built(request)
            }
            Self::Multipart(parts) => {
                let mut form = Form::new();
                for (name, part) in parts {
                    let part = match part {
                        PartPayload::Text(text) => Part::text(text.clone()),
                        PartPayload::File(upload) => upload.part(client, timeout).await?,
                    };
                    form = form.part(name.clone(), part);
                }
                request.headers_mut().remove(CONTENT_TYPE);
                built(request).multipart(form)
            }
        })
    }
}
