//! A connection: one configuration, one HTTP client, one limiter, one login, for all that read and write through it.

use crate::auth::{self, Credential};
use crate::call::{Surroundings, base_url, header_value};
use crate::connection_settings;
use crate::limiter::Limiter;
use crate::overrides::Overrides;
use crate::plain;
use crate::plan::{Api, StreamPlan};
use crate::template::Names;
use crate::transport;
use reqwest::Client;
use reqwest::header::{HeaderMap, HeaderName};
use serde_json::{Map, Value as Json};
use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use towpath_connector::{Connect, Error, Result, Secret, Setting};
use url::Url;

/// Settings that say who logs in.
const LOGIN_NAMES: [&str; 3] = ["username", "user_name", "user"];

/// A connection.
pub(crate) struct Connection {
    name: String,
    client: Client,
    timeout: Duration,
    base: Url,
    host: String,
    config: Json,
    headers: HeaderMap,
    limiter: Limiter,
    credentials: Vec<Credential>,
    folder: PathBuf,
    api: Arc<Api>,
    overrides: Overrides,
    /// Whether what it sends must not be read on the way.
    guarded: bool,
}

impl Connection {
    /// Makes a connection of its settings. Nothing is sent.
    ///
    /// # Errors
    /// Settings that are missing or make no sense.
    pub(crate) fn open(api: &Arc<Api>, connect: &Connect) -> Result<Self> {
        let at = |error: Error| error.at(format!("connection `{}`", connect.name));
        let settings = &connect.settings;
        let config = config(api, connect)?;
        let base = config.get("base_url").and_then(Json::as_str).unwrap_or_default();
        let base = base_url(base).map_err(at)?;
        let wrong = |problem| at(connection_settings::as_error(problem));
        let timeout = connection_settings::timeout(settings).map_err(wrong)?;
        let timeout = timeout.or(api.timeout).unwrap_or(connect.timeout);
        let pace = connection_settings::rate(settings).map_err(wrong)?.or(api.pace);
        let concurrency = connection_settings::concurrency(settings).map_err(wrong)?.unwrap_or(api.concurrency);
        let is_given =
            |name: &str| settings.get(name).is_some() || config.get(name).is_some_and(|value| !value.is_null());
        let guarded = settings.bool(plain::ALLOW) != Some(true) && plain::has_credentials(api, is_given);
        let names = Names::config(&config);
        let mut headers = HeaderMap::new();
        for (name, template) in &api.headers {
            if let Some(value) = template.text(&names).map_err(at)? {
                headers.insert(name.clone(), header_value(name, &value).map_err(at)?);
            }
        }
        own_headers(settings.get("headers"), &mut headers).map_err(at)?;
        let folder = settings.text("files").map_or_else(|| connect.base.clone(), |files| connect.base.join(files));
        let overrides = Overrides::read(settings.get("overrides"), api).map_err(at)?;
        let given = auth::Makings {
            config: &config,
            base: &base,
            headers: &headers,
            overrides: &overrides,
            connection: &connect.name,
        };
        let credentials = auth::credentials(api, &given).map_err(at)?;
        Ok(Self {
            client: transport::client(timeout, Some(&base)).map_err(at)?,
            name: connect.name.clone(),
            timeout,
            limiter: Limiter::new(pace, concurrency),
            overrides,
            host: transport::host_port(&base),
            base,
            config,
            headers,
            credentials,
            folder,
            guarded,
            api: Arc::clone(api),
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// What system this is, and whose data of it: its addresses, those that are not given but known, too, and what else is
    /// required and no secret. Who logs in does not count: another account of the same organisation writes to the same place.
    pub(crate) fn identity(&self) -> String {
        let says = |setting: &&Setting| (setting.required || setting.name.ends_with("url")) && !setting.secret;
        let required = self.api.descriptor.settings.iter().filter(says);
        let told = required.filter(|setting| !LOGIN_NAMES.contains(&setting.name.as_str()));
        let values = told.filter_map(|setting| self.config.get(&setting.name)).filter(|value| !value.is_null());
        let texts = values.map(|value| match value.as_str() {
            Some(text) => text.trim_end_matches('/').to_owned(),
            None => value.to_string(),
        });
        texts.collect::<Vec<_>>().join(" ")
    }

    /// `host:port` of the base URL.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// `host:port` of a URL, nearly always that of the base.
    pub(crate) fn host_of(&self, url: &Url) -> Cow<'_, str> {
        let base = &self.base;
        let same = url.host_str() == base.host_str() && url.port_or_known_default() == base.port_or_known_default();
        if same { Cow::from(self.host()) } else { transport::host_port(url).into() }
    }

    /// Whether nothing may be sent to an address.
    ///
    /// # Errors
    /// The credentials could be read on the way there.
    pub(crate) fn may_send(&self, what: &str, url: &Url) -> Result<()> {
        if self.guarded && plain::is_open(url) { Err(plain::refused(what, url)) } else { Ok(()) }
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    pub(crate) fn limiter(&self) -> &Limiter {
        &self.limiter
    }

    pub(crate) fn config(&self) -> &Json {
        &self.config
    }

    pub(crate) fn api(&self) -> &Api {
        &self.api
    }

    pub(crate) fn overrides(&self) -> &Overrides {
        &self.overrides
    }

    pub(crate) fn credential(&self, at: usize) -> &Credential {
        match &self.credentials[at] {
            Credential::Of(chosen) => &self.credentials[*chosen],
            own => own,
        }
    }

    pub(crate) fn surroundings(&self) -> Surroundings<'_> {
        Surroundings { base: &self.base, headers: &self.headers, folder: &self.folder }
    }

    /// A stream as this connection has it.
    pub(crate) fn stream(&self, name: &str) -> Result<Arc<StreamPlan>> {
        let stream = self
            .api
            .stream(name)
            .ok_or_else(|| Error::user(format!("connector `{}` has no stream `{name}`", self.api.descriptor.name)))?;
        self.overrides.stream(stream)
    }
}

/// The configuration: what was given, and defaults for the rest.
fn config(api: &Api, connect: &Connect) -> Result<Json> {
    let mut config = Map::new();
    for setting in &api.descriptor.settings {
        let given = connect.settings.get(&setting.name).or(setting.default.as_ref());
        match given {
            Some(value) => {
                if let (true, Json::String(text)) = (setting.secret, value) {
                    // Whoever put it there may not have known that it is one.
                    drop(Secret::new(text.clone()));
                }
                config.insert(setting.name.clone(), value.clone());
            }
            None if setting.required => {
                return Err(Error::user(format!("connection `{}` needs `{}`", connect.name, setting.name))
                    .help(setting.doc.clone()));
            }
            None => drop(config.insert(setting.name.clone(), Json::Null)),
        }
    }
    Ok(Json::Object(config))
}

/// The setting `headers`: sent with every call.
fn own_headers(given: Option<&Json>, headers: &mut HeaderMap) -> Result<()> {
    let Some(given) = given else { return Ok(()) };
    let given = given.as_object().ok_or_else(|| Error::user("`headers`: expected a mapping of names to values"))?;
    for (name, value) in given {
        let key: HeaderName =
            name.parse().map_err(|_| Error::user(format!("`headers`: `{name}` is not the name of a header")))?;
        let value = crate::template::plain_text(value).unwrap_or_default();
        headers.insert(key.clone(), auth::sensitive(&key, &value)?);
    }
    Ok(())
}
