//! Bodies of calls.

use crate::call::Unready;
use crate::template::{Names, Slot, Template, plain_text};
use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::multipart::{Form, Part};
use reqwest::{Client, Request, RequestBuilder};
use serde_json::Value as Json;
use std::path::{Path, PathBuf};
use towpath_connector::{Error, Result};

/// A body with templates.
#[derive(Debug, Clone)]
pub(crate) enum BodyTemplate {
    None,
    Record,
    Json(Slot),
    Form(Vec<(String, Slot)>),
    Multipart(Vec<(String, PartTemplate)>),
}

/// A part of a multipart body with templates.
#[derive(Debug, Clone)]
pub(crate) enum PartTemplate {
    Text(Slot),
    File(Box<FileTemplate>),
}

/// A file to upload, with templates.
#[derive(Debug, Clone)]
pub(crate) struct FileTemplate {
    pub(crate) path: Template,
    pub(crate) file_name: Option<Template>,
    pub(crate) content_type: Option<Template>,
}

/// A body ready to be sent, as often as need be.
#[derive(Debug, Clone)]
pub(crate) enum Payload {
    None,
    Bytes { content_type: &'static str, bytes: Bytes },
    Multipart(Vec<(String, PartPayload)>),
}

/// A part ready to be sent.
#[derive(Debug, Clone)]
pub(crate) enum PartPayload {
    Text(String),
    File { path: PathBuf, file_name: String, content_type: String },
}

impl BodyTemplate {
    /// Fills the templates in; files must be in `folder`.
    pub(crate) fn fill(&self, names: &Names<'_>, folder: &Path) -> std::result::Result<Payload, Unready> {
        Ok(match self {
            Self::None => Payload::None,
            Self::Record => json(names.record)?,
            Self::Json(slot) => json(&slot.value(names)?)?,
            Self::Form(fields) => {
                let mut form = url::form_urlencoded::Serializer::new(String::new());
                for (name, slot) in fields {
                    if let Some(text) = plain_text(&slot.value(names)?) {
                        form.append_pair(name, &text);
                    }
                }
                Payload::Bytes {
                    content_type: "application/x-www-form-urlencoded",
                    bytes: form.finish().into_bytes().into(),
                }
            }
            Self::Multipart(parts) => {
                let mut filled = Vec::new();
                for (name, part) in parts {
                    filled.extend(part.fill(names, folder)?.map(|part| (name.clone(), part)));
                }
                Payload::Multipart(filled)
            }
        })
    }
}

fn json(value: &Json) -> Result<Payload> {
    let bytes = serde_json::to_vec(value).map_err(|error| Error::bug(format!("a body as JSON: {error}")))?;
    Ok(Payload::Bytes { content_type: "application/json", bytes: bytes.into() })
}

impl PartTemplate {
    fn fill(&self, names: &Names<'_>, folder: &Path) -> std::result::Result<Option<PartPayload>, Unready> {
        Ok(match self {
            Self::Text(slot) => plain_text(&slot.value(names)?).map(PartPayload::Text),
            Self::File(file) => {
                let Some(written) = file.path.text(names)?.filter(|path| !path.trim().is_empty()) else {
                    return Err(Unready::Value("there is no path of a file to upload".to_owned()));
                };
                let path = inside(folder, &written)?;
                let own = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                let given = |template: &Option<Template>| -> Result<Option<String>> {
                    template.as_ref().map_or(Ok(None), |template| template.text(names))
                };
                let file_name = given(&file.file_name)?.unwrap_or(own);
                let content_type = given(&file.content_type)?.unwrap_or_else(|| media_type(&file_name).to_owned());
                Some(PartPayload::File { path, file_name, content_type })
            }
        })
    }
}

/// A file of a folder; data must not be able to send any file of this machine away.
fn inside(folder: &Path, written: &str) -> std::result::Result<PathBuf, Unready> {
    let found = |path: &Path| path.canonicalize().map_err(|error| (error.kind(), error));
    let folder = found(folder).map_err(|(_, error)| Error::from(error).at(folder.display()))?;
    let path = match found(&folder.join(written)) {
        Ok(path) => path,
        Err((std::io::ErrorKind::NotFound, _)) => {
            return Err(Unready::Value(format!("there is no file `{written}` in `{}`", folder.display())));
        }
        Err((_, error)) => return Err(Error::from(error).at(written).into()),
    };
    if !path.starts_with(&folder) || !path.is_file() {
        return Err(Unready::Value(format!("`{written}` is not a file inside `{}`", folder.display())));
    }
    Ok(path)
}

/// The media type of a file by its name.
fn media_type(name: &str) -> &'static str {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    match extension.as_deref() {
        Some("pdf") => "application/pdf",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("gif") => "image/gif",
        Some("webp") => "image/webp",
        Some("csv") => "text/csv",
        Some("txt") => "text/plain",
        Some("json") => "application/json",
        Some("xml") => "application/xml",
        _ => "application/octet-stream",
    }
}

impl Payload {
    /// Puts the body into a request; files are streamed from the disk. What the request's headers say it is stands, but for
    /// a multipart body, which nobody else can name.
    ///
    /// # Errors
    /// A file cannot be opened.
    pub(crate) async fn attach(&self, client: &Client, mut request: Request) -> Result<RequestBuilder> {
        let built = |request| RequestBuilder::from_parts(client.clone(), request);
        Ok(match self {
            Self::None => built(request),
            Self::Bytes { content_type, bytes } => {
                let headers = request.headers_mut();
                headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static(content_type));
                *request.body_mut() = Some(bytes.clone().into());
                built(request)
            }
            Self::Multipart(parts) => {
                let mut form = Form::new();
                for (name, part) in parts {
                    form = form.part(name.clone(), part.open().await?);
                }
                request.headers_mut().remove(CONTENT_TYPE);
                built(request).multipart(form)
            }
        })
    }
}

impl PartPayload {
    async fn open(&self) -> Result<Part> {
        match self {
            Self::Text(text) => Ok(Part::text(text.clone())),
            Self::File { path, file_name, content_type } => {
                let opened = async {
                    let file = tokio::fs::File::open(path).await?;
                    let length = file.metadata().await?.len();
                    Ok::<_, std::io::Error>((file, length))
                };
                let (file, length) = opened.await.map_err(|error| Error::from(error).at(path.display()))?;
                let body = reqwest::Body::wrap_stream(tokio_util::io::ReaderStream::new(file));
                Part::stream_with_length(body, length)
                    .file_name(file_name.clone())
                    .mime_str(content_type)
                    .map_err(|_| Error::user(format!("`{content_type}` is not a media type")))
            }
        }
    }
}
