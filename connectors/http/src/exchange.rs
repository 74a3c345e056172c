//! One call and its answer: limits kept, credentials added, a stale token renewed once.

use crate::auth::{self, Renewed};
use crate::call::Prepared;
use crate::connection::Connection;
use crate::excerpt::with_excerpt;
use crate::received::{self, Broken, PATIENCE};
use crate::retry_after::retry_after;
use crate::transport;
use bytes::Bytes;
use futures::{Stream, StreamExt};
use reqwest::header::{HeaderMap, LOCATION};
use reqwest::{Method, StatusCode};
use std::time::{Duration, SystemTime};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use towpath_connector::{Effect, Error, Result, redact};
use url::Url;

/// Redirects followed on the same host.
const REDIRECTS: usize = 5;

/// An answer whose head has come.
pub(crate) struct Reply {
    what: String,
    response: reqwest::Response,
    url: Url,
    /// The URL for the log, when somebody reads it.
    shown: Option<String>,
    timeout: Duration,
    started: Instant,
    permit: OwnedSemaphorePermit,
}

impl Connection {
    /// Makes a call and gives the head of the answer, whatever its status; only a second 401 is an error here.
    ///
    /// # Errors
    /// No answer, no token, not let in, or sent away to another host.
    pub(crate) async fn exchange(&self, request: &Prepared, chosen: &[usize]) -> Result<Reply> {
        let mut renewed = Vec::new();
        loop {
            let pass = auth::pass(self, chosen, request.headers.clone(), &request.what);
            let pass = pass.await.map_err(|error| error.effect(Effect::None))?;
            let reply = self.follow(request, pass.headers.clone(), &pass.query).await?;
            // Without credentials, as for a login, there is nothing to renew: the answer speaks for itself.
            if reply.status() != StatusCode::UNAUTHORIZED || chosen.is_empty() {
                return Ok(reply);
            }
            // Read and let go first: the login needs a place among the concurrent requests, too.
            let body = reply.head_of_body().await;
            // A 401 says that the call was not acted on, so it is safe to make it again, once; twice when the token of the
            // first time was had for an old one and not by a login.
            if renewed.is_empty() || renewed == [Renewed::Refreshed] {
                let done =
                    auth::renew(self, &pass, !renewed.is_empty()).await.map_err(|error| error.effect(Effect::None))?;
                renewed.push(done);
                if done != Renewed::Nothing {
                    continue;
                }
            }
            return Err(auth::refused(self, chosen, &request.what, &with_excerpt(&body)));
        }
    }

    /// One call with the credentials it was given; redirects of reads are followed on the same host only.
    ///
    /// # Errors
    /// No answer, or sent away to another host.
    pub(crate) async fn follow(
        &self,
        request: &Prepared,
        headers: HeaderMap,
        query: &[(String, String)],
    ) -> Result<Reply> {
        let mut url = request.url.clone();
        // Only a read may be sent on to another address.
        let again = if reads(&request.method) { headers.clone() } else { HeaderMap::new() };
        let mut headers = headers;
        for _ in 0..=REDIRECTS {
            self.may_send(&request.what, &url).map_err(|error| error.effect(Effect::None))?;
            let reply = self.once(request, url.clone(), headers, query).await?;
            let Some(target) = reply.redirect() else { return Ok(reply) };
            let status = reply.status();
            if !may_follow(&request.method, &url, &target) {
                return Err(sent_away(request, status, &target));
            }
            url = target;
            headers = again.clone();
        }
        Err(Error::remote(format!("{}: {} redirects in a circle", request.what, transport::host_port(&url)))
            .help("check `base_url`"))
    }

    async fn once(
        &self,
        request: &Prepared,
        url: Url,
        headers: HeaderMap,
        query: &[(String, String)],
    ) -> Result<Reply> {
        let host = self.host_of(&url);
        let permit = self.limiter().enter(&host).await?;
        let started = Instant::now();
        let shown = tracing::enabled!(tracing::Level::DEBUG).then(|| request.shown(&url));
        let mut built = reqwest::Request::new(request.method.clone(), with_credentials(url.clone(), query));
        *built.headers_mut() = headers;
        let sent = request.body.attach(self.client(), self.timeout(), built).await?.send().await;
        let response = sent.map_err(|error| {
            let error = transport::failure(&error, &url, self.timeout()).at(&request.what);
            tracing::debug!(method = %request.method, url = shown, ms = started.elapsed().as_millis() as u64, %error, "request failed");
            error
        })?;
        let what = request.what.clone();
        let reply = Reply { what, response, url, shown, timeout: self.timeout(), started, permit };
        tracing::debug!(method = %request.method, url = reply.shown, status = reply.status().as_u16(), ms = reply.ms(), "answer");
        if let Some(pause) = reply.pause() {
            tracing::debug!(%host, seconds = pause.as_secs_f64(), "host asks to be left alone");
            self.limiter().hold(&host, pause);
        }
        Ok(reply)
    }
}

/// A URL with query parameters that let the call in, in the place of any it has of these names.
fn with_credentials(mut url: Url, query: &[(String, String)]) -> Url {
    if query.is_empty() {
        return url;
    }
    let is_one = |name: &str| query.iter().any(|(one, _)| one == name);
    // What a vendor wrote stays as it was written, unless it has to go.
    if url.query_pairs().any(|(name, _)| is_one(&name)) {
        let own: Vec<(String, String)> = url.query_pairs().into_owned().filter(|(name, _)| !is_one(name)).collect();
        url.query_pairs_mut().clear().extend_pairs(own);
    }
    url.query_pairs_mut().extend_pairs(query);
    url
}

fn reads(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// A redirect is followed for reads that stay where the credentials belong; `http` to `https` of one host is fine.
fn may_follow(method: &Method, from: &Url, to: &Url) -> bool {
    let upgrade = from.scheme() == "http" && to.scheme() == "https" && from.port().is_none() && to.port().is_none();
    reads(method) && from.host() == to.host() && (upgrade || from.origin() == to.origin())
}

fn sent_away(request: &Prepared, status: StatusCode, target: &Url) -> Error {
    let target = format!("{}://{}{}", target.scheme(), transport::host_port(target), target.path());
    Error::user(redact(&format!(
        "{} was answered with {status}, a redirect to {target}, which is not followed",
        request.what
    )))
    .help("credentials are sent to the host of `base_url` alone and writes are not redirected; if the address is right, set `base_url` to it")
}

impl Reply {
    pub(crate) fn status(&self) -> StatusCode {
        self.response.status()
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// How long the host asks not to be asked again.
    pub(crate) fn pause(&self) -> Option<Duration> {
        matches!(self.status().as_u16(), 429 | 503).then(|| retry_after(self.headers(), SystemTime::now())).flatten()
    }

    fn ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn redirect(&self) -> Option<Url> {
        if !matches!(self.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
            return None;
        }
        let location = self.headers().get(LOCATION)?.to_str().ok()?;
        self.url.join(location).ok()
    }

    /// The whole body, up to a limit.
    ///
    /// # Errors
    /// The connection was cut, or the body is larger than that.
    pub(crate) async fn bytes(mut self, limit: usize) -> Result<Bytes> {
        let end = self.end();
        let body = match received::whole(&mut self.response, limit, end).await {
            Ok(body) => body,
            Err(Broken::Cut(error)) => return Err(self.cut(&error)),
            Err(Broken::Late) => return Err(self.late()),
            Err(Broken::TooLarge) => {
                let (what, host) = (&self.what, transport::host_port(&self.url));
                return Err(Error::data(format!("{what}: the answer of {host} is larger than {} MiB", limit >> 20))
                    .help("ask for smaller pages: `page_size` in the connection's `overrides`")
                    .effect(Effect::Unknown));
            }
        };
        tracing::debug!(
            url = self.shown,
            status = self.status().as_u16(),
            ms = self.ms(),
            bytes = body.len(),
            "body read"
        );
        Ok(body)
    }

    /// The body: all of it, up to a limit in bytes, when the status is good, else what there is of it.
    ///
    /// # Errors
    /// A good one that breaks off or is larger.
    pub(crate) async fn body(self, limit: usize) -> Result<Bytes> {
        if self.status().is_success() { self.bytes(limit).await } else { Ok(self.head_of_body().await) }
    }

    /// What there is of a body, for an error message; a cut one is as good as any.
    pub(crate) async fn head_of_body(mut self) -> Bytes {
        let end = self.end();
        received::head(&mut self.response, end).await
    }

    /// When the body has to be complete.
    fn end(&self) -> Instant {
        self.started + received::patience(self.timeout)
    }

    /// The body as it comes. The place among the concurrent requests is given back: the reader may be slow.
    pub(crate) fn stream(self) -> impl Stream<Item = std::result::Result<Bytes, Error>> + Send + 'static {
        let Self { response, url, timeout, permit, .. } = self;
        drop(permit);
        response.bytes_stream().map(move |piece| piece.map_err(|error| transport::failure(&error, &url, timeout)))
    }

    fn late(&self) -> Error {
        let whole = received::patience(self.timeout);
        let host = transport::host_port(&self.url);
        let message = format!("{}: the answer of {host} was not complete within {} s", self.what, whole.as_secs_f64());
        Error::passing(message)
            .help(format!("ask for smaller pages, or raise the setting `timeout` of the connection; a body has {PATIENCE} times as long"))
            .effect(Effect::Unknown)
    }

    fn cut(&self, error: &reqwest::Error) -> Error {
        transport::failure(error, &self.url, self.timeout).at(&self.what)
    }
}
