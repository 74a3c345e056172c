//! The HTTP client, and what its failures mean.
//!
//! It keeps no cookies (a vendor's session cookie pins the user) and follows no redirect by itself: [`crate::exchange`]
//! decides, so that credentials never travel to another host.

use reqwest::Client;
use std::error::Error as _;
use std::time::Duration;
use towpath_connector::{Effect, Error, Fault, Result, Retry, redact};
use url::Url;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(20);

/// A client for one connection of a pipeline. `timeout` is the time without a byte after which an answer is given up.
///
/// # Errors
/// When the TLS library cannot be set up.
pub(crate) fn client(timeout: Duration, base: Option<&Url>) -> Result<Client> {
    let mut builder = Client::builder()
        .user_agent(concat!("towpath/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
        .connect_timeout(CONNECT.min(timeout))
        .read_timeout(timeout);
    if base.is_some_and(crate::plain::is_loopback) {
        // A proxy of the environment cannot reach this machine's own loopback.
        builder = builder.no_proxy();
    }
    builder.build().map_err(|error| Error::machine(format!("cannot set up HTTPS: {}", chain(&error))))
}

/// `host:port` of a URL.
pub(crate) fn host_port(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port_or_known_default().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// What a failed exchange means: nothing, or not all, of an answer came.
pub(crate) fn failure(error: &reqwest::Error, url: &Url, timeout: Duration) -> Error {
    let host = host_port(url);
    if error.is_builder() {
        return Error::user(format!("cannot make a request to {host}: {}", chain(error)))
            .help("check `base_url` and the headers of the connection");
    }
    if error.is_connect() {
        return connect_failure(error, &host, CONNECT.min(timeout));
    }
    let seconds = timeout.as_secs_f64();
    let message = if error.is_timeout() {
        format!("no answer from {host} within {seconds} s")
    } else {
        format!("the connection to {host} was cut before the answer was complete ({})", chain(error))
    };
    let failed = Error::passing(message).effect(Effect::Unknown);
    if error.is_timeout() {
        failed.help("the setting `timeout` of the connection is the time in seconds without a byte coming back")
    } else {
        failed
    }
}

/// Nothing was sent: there was no connection to send it on.
fn connect_failure(error: &reqwest::Error, host: &str, patience: Duration) -> Error {
    let text = chain(error);
    let lower = text.to_lowercase();
    if error.is_dns() {
        return Error::passing(format!("no address is known for {host}: the name cannot be resolved"))
            .help("check the host in `base_url`, and this machine's DNS");
    }
    if error.is_timeout() {
        return Error::passing(format!("no connection to {host} within {} s", patience.as_secs_f64()))
            .help("check the host in `base_url`, and whether a firewall lets this machine through");
    }
    if lower.contains("refused") {
        return Error::passing(format!("{host} refused the connection"))
            .help("check host and port in `base_url`, and whether the system is up");
    }
    if lower.contains("certificate") {
        return Error::new(Fault::Remote, format!("the TLS certificate of {host} is not valid: {text}"))
            .help("certificates are always verified; check the host in `base_url`, or have the certificate mended");
    }
    if lower.contains("tls")
        || lower.contains("handshake")
        || lower.contains("invalid content type")
        || lower.contains("corrupt message")
    {
        return Error::new(Fault::Remote, format!("no TLS connection to {host}: {text}"))
            .help("does the server speak `http://` rather than `https://` on that port? check `base_url`")
            .retry(Retry::No);
    }
    Error::passing(format!("cannot connect to {host}: {text}")).help("check `base_url`, and whether the system is up")
}

/// The innermost causes of an error, which say what happened; the outer ones repeat the URL.
fn chain(error: &reqwest::Error) -> String {
    let mut causes = Vec::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        causes.push(error.to_string());
        cause = error.source();
    }
    let text = match causes.len() {
        0 => error.to_string(),
        n => causes.swap_remove(n - 1),
    };
    redact(&text)
}
