//! Files to upload: from a folder of this machine, from a URL, or from the record itself.
//!
//! Data never reaches a file outside the connection's folder, and a URL in data is asked for without credentials.

use crate::call::Unready;
use crate::excerpt::excerpt;
use crate::received::{self, Broken};
use crate::stream::content_type;
use crate::template::{Names, Template};
use crate::transport;
use bytes::Bytes;
use reqwest::header::{HeaderMap, LOCATION};
use reqwest::multipart::Part;
use reqwest::{Client, Response};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::Instant;
use towpath_connector::{Error, Result, redact};
use url::Url;

/// The largest file that is taken from a URL, in bytes.
const LIMIT: usize = 64 << 20;

/// Redirects followed on the way to a file.
const REDIRECTS: usize = 5;

/// A file to upload, with templates.
#[derive(Debug, Clone)]
pub(crate) struct FileTemplate {
    /// The first one that is not null counts.
    pub(crate) from: Vec<FromTemplate>,
    pub(crate) file_name: Option<Template>,
    pub(crate) content_type: Option<Template>,
}

/// Where a file comes from, with templates.
#[derive(Debug, Clone)]
pub(crate) enum FromTemplate {
    Path(Template),
    Url(Template),
    Content(Template),
}

impl FromTemplate {
    pub(crate) fn template(&self) -> &Template {
        match self {
            Self::Path(template) | Self::Url(template) | Self::Content(template) => template,
        }
    }
}

/// A file that is known, and not there yet if it is at a URL.
#[derive(Debug, Clone)]
pub(crate) struct Upload {
    content: Content,
    /// As the definition says, or as its place tells.
    file_name: String,
    content_type: Option<String>,
}

#[derive(Debug, Clone)]
enum Content {
    Path(PathBuf),
    Url(Url),
    Bytes(Bytes),
}

impl FileTemplate {
    /// Fills the templates in; `None` when there is no file.
    pub(crate) fn fill(&self, names: &Names<'_>, folder: &Path) -> std::result::Result<Option<Upload>, Unready> {
        let given = |template: &Option<Template>| -> Result<Option<String>> {
            template.as_ref().map_or(Ok(None), |template| template.text(names))
        };
        let (file_name, content_type) = (given(&self.file_name)?, given(&self.content_type)?);
        if let Some(kind) = content_type.as_ref().filter(|kind| !is_media_type(kind)) {
            return Err(Unready::Value(format!("`{kind}` is not a media type")));
        }
        for from in &self.from {
            let Some(written) = from.template().text(names)? else { continue };
            if written.trim().is_empty() {
                return Err(Unready::Value("what says where the file to upload is is empty".to_owned()));
            }
            let (content, own) = match from {
                FromTemplate::Path(_) => {
                    let path = inside(folder, &written)?;
                    let own = path.file_name().map(|name| name.to_string_lossy().into_owned());
                    (Content::Path(path), own)
                }
                FromTemplate::Url(_) => {
                    let url = web_url(&written)?;
                    let own = url.path_segments().and_then(Iterator::last).filter(|name| !name.is_empty());
                    let own =
                        own.map(|name| percent_encoding::percent_decode_str(name).decode_utf8_lossy().into_owned());
                    (Content::Url(url), own)
                }
                FromTemplate::Content(_) => {
                    let bytes = data_encoding::BASE64
                        .decode(written.trim().as_bytes())
                        .map_err(|_| Unready::Value("the content of the file to upload is not base64".to_owned()))?;
                    (Content::Bytes(bytes.into()), None)
                }
            };
            let file_name = file_name.or(own).unwrap_or_else(|| "file".to_owned());
            return Ok(Some(Upload { content, file_name, content_type }));
        }
        Ok(None)
    }
}

impl Upload {
    /// Gets a file that is at a URL, so that what is wrong with it is known before the call is made.
    ///
    /// # Errors
    /// `Value`: there is no such file, or it is too large. Else: it could not be had now.
    pub(crate) async fn load(&mut self, client: &Client, timeout: Duration) -> std::result::Result<(), Unready> {
        if let Content::Url(url) = &self.content {
            let (bytes, kind) = download(client, url.clone(), timeout).await?;
            self.content = Content::Bytes(bytes);
            // What the server says counts less than what the definition says, and more than the name.
            self.content_type = self.content_type.take().or(kind.filter(|kind| is_media_type(kind)));
        }
        Ok(())
    }

    /// The part it is sent as; a file of this machine is streamed from the disk.
    ///
    /// # Errors
    /// The file cannot be had.
    pub(crate) async fn part(&self, client: &Client, timeout: Duration) -> Result<Part> {
        let mut upload = self.clone();
        upload.load(client, timeout).await.map_err(|unready| unready.into_error("a file to upload"))?;
        let part = match &upload.content {
            Content::Path(path) => {
                let opened = async {
                    let file = tokio::fs::File::open(path).await?;
                    let length = file.metadata().await?.len();
                    Ok::<_, std::io::Error>((file, length))
                };
                let (file, length) = opened.await.map_err(|error| Error::from(error).at(path.display()))?;
                let body = reqwest::Body::wrap_stream(tokio_util::io::ReaderStream::new(file));
                Part::stream_with_length(body, length)
            }
            Content::Bytes(bytes) => Part::stream_with_length(bytes.clone(), bytes.len() as u64),
            Content::Url(_) => return Err(Error::bug("a file at a URL was not asked for")),
        };
        let kind = upload.content_type.as_deref().unwrap_or_else(|| media_type(&upload.file_name));
        part.file_name(upload.file_name.clone())
            .mime_str(kind)
            .map_err(|_| Error::user(format!("`{kind}` is not a media type")))
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

fn web_url(written: &str) -> std::result::Result<Url, Unready> {
    let url = Url::parse(written.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    url.ok_or_else(|| Unready::Value(redact(&format!("`{written}` is not the http or https URL of a file"))))
}

/// A file and its media type.
async fn download(
    client: &Client,
    mut url: Url,
    timeout: Duration,
) -> std::result::Result<(Bytes, Option<String>), Unready> {
    for _ in 0..=REDIRECTS {
        let sent = client.get(url.clone()).send().await;
        let mut response = sent.map_err(|error| transport::failure(&error, &url, timeout).at("the file to upload"))?;
        let status = response.status();
        if status.is_success() {
            let kind = content_type(response.headers());
            let kind = kind.split(';').next().map(str::trim).filter(|kind| !kind.is_empty()).map(str::to_owned);
            return Ok((content(response, &url, timeout).await?, kind));
        }
        if let Some(next) = redirect(&url, status.as_u16(), response.headers()) {
            url = web_url(next.as_str())?;
            continue;
        }
        let host = transport::host_port(&url);
        if matches!(status.as_u16(), 408 | 425 | 429 | 500..=599) {
            return Err(Error::passing(format!("the file to upload: {host} answered {status}")).into());
        }
        let end = Instant::now() + received::patience(timeout);
        let words = excerpt(&received::head(&mut response, end).await);
        return Err(Unready::Value(format!("there is no file to upload: {host} answered {status} {words}")));
    }
    Err(Unready::Value(format!("there is no file to upload: {} redirects in a circle", transport::host_port(&url))))
}

fn redirect(from: &Url, status: u16, headers: &HeaderMap) -> Option<Url> {
    let moved = matches!(status, 301 | 302 | 303 | 307 | 308);
    let location = headers.get(LOCATION).filter(|_| moved)?.to_str().ok()?;
    from.join(location).ok()
}

async fn content(mut response: Response, url: &Url, timeout: Duration) -> std::result::Result<Bytes, Unready> {
    let (host, patience) = (transport::host_port(url), received::patience(timeout));
    received::whole(&mut response, LIMIT, Instant::now() + patience).await.map_err(|broken| match broken {
        Broken::Cut(error) => transport::failure(&error, url, timeout).at("the file to upload").into(),
        Broken::TooLarge => {
            Unready::Value(format!("the file to upload from {host} is larger than {} MiB", LIMIT >> 20))
        }
        Broken::Late => {
            let whole = patience.as_secs_f64();
            Error::passing(format!("the file to upload from {host} was not complete within {whole} s")).into()
        }
    })
}

fn is_media_type(kind: &str) -> bool {
    Part::text("").mime_str(kind).is_ok()
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
        Some("zip") => "application/zip",
        _ => "application/octet-stream",
    }
}
