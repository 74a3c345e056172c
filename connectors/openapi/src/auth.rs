//! Ways to log in.

use crate::Work;
use crate::names::word;
use crate::write::{Page, scalar, template};
use serde_json::Value as Json;

/// The profiles that were written, and which holds where nothing is said.
#[derive(Default)]
pub(crate) struct Logins {
    pub(crate) known: Vec<String>,
    pub(crate) default: Vec<String>,
}

impl Logins {
    /// The profiles of a call, when they are not the default ones.
    pub(crate) fn of(&self, call: &Json) -> Option<Vec<String>> {
        let security = call.get("security")?;
        let chosen = self.chosen(security);
        (chosen != self.default).then_some(chosen)
    }

    /// The first alternative all of whose schemes are known.
    fn chosen(&self, security: &Json) -> Vec<String> {
        let alternatives = security.as_array().into_iter().flatten();
        let names = alternatives.map(|one| one.as_object().into_iter().flatten().map(|(name, _)| word(name)).collect());
        let mut all: Vec<Vec<String>> = names.collect();
        all.retain(|one| one.iter().all(|name| self.known.contains(name)));
        all.into_iter().next().unwrap_or_default()
    }
}

/// A profile while it is written: its lines, and the settings it needs.
struct Profile {
    lines: Vec<String>,
    settings: Vec<(String, bool, String)>,
}

impl Work<'_> {
    /// Writes the settings credentials need and the profiles that use them.
    pub(crate) fn auth(&mut self, page: &mut Page) -> Logins {
        let root = self.document.root;
        let schemes = match self.document.is_swagger {
            true => &root["securityDefinitions"],
            false => &root["components"]["securitySchemes"],
        };
        let mut logins = Logins::default();
        let mut profiles = Vec::new();
        for (name, scheme) in schemes.as_object().into_iter().flatten() {
            let scheme = self.document.resolve(scheme);
            match profile(&word(name), scheme) {
                Ok(profile) => {
                    logins.known.push(word(name));
                    profiles.push((word(name), profile, scheme["description"].as_str().map(crate::document::one_line)));
                }
                Err(why) => self.left_out.push(format!("login `{name}`: {why}")),
            }
        }
        let mut written: Vec<&str> = Vec::new();
        for (setting, is_secret, doc) in profiles.iter().flat_map(|(_, profile, _)| &profile.settings) {
            if written.contains(&setting.as_str()) {
                continue;
            }
            written.push(setting);
            let secret = if *is_secret { "secret: true, " } else { "" };
            page.line(&format!("{setting}: {{type: text, {secret}doc: {}}}", scalar(doc)));
        }
        page.top();
        logins.default = match root.get("security") {
            Some(security) => logins.chosen(security),
            // Where a document does not say, the only login there is will be the one.
            None if logins.known.len() == 1 => {
                self.guessed.push("the login of all calls: the document does not say which it is".to_owned());
                logins.known.clone()
            }
            None => Vec::new(),
        };
        if profiles.is_empty() {
            return logins;
        }
        page.line("");
        page.open("auth");
        for (name, profile, doc) in &profiles {
            page.open(name);
            profile.lines.iter().for_each(|line| page.line(line));
            if let Some(doc) = doc {
                page.pair("doc", doc);
            }
            page.close();
        }
        page.close();
        logins
    }
}

fn config(name: &str) -> String {
    scalar(&template("config", name))
}

fn profile(name: &str, scheme: &Json) -> Result<Profile, String> {
    let setting = |name: &str, secret: bool, doc: &str| (name.to_owned(), secret, doc.to_owned());
    let is = |key: &str, wanted: &str| scheme[key].as_str().is_some_and(|found| found.eq_ignore_ascii_case(wanted));
    if is("type", "basic") || (is("type", "http") && is("scheme", "basic")) {
        return Ok(Profile {
            lines: vec![
                "type: basic".to_owned(),
                format!("username: {}", config("username")),
                format!("password: {}", config("password")),
            ],
            settings: vec![setting("username", false, "user name"), setting("password", true, "password")],
        });
    }
    if is("type", "http") && is("scheme", "bearer") {
        return Ok(Profile {
            lines: vec!["type: bearer".to_owned(), format!("token: {}", config("access_token"))],
            settings: vec![setting("access_token", true, "token that is sent with every call")],
        });
    }
    if is("type", "apiKey") {
        let key = scheme["name"].as_str().unwrap_or_default();
        let doc = format!("value of `{key}`, sent with every call");
        let line = format!("{}: {}", scalar(key), config(name));
        return match scheme["in"].as_str() {
            Some("header") => Ok(Profile {
                lines: vec!["type: header".to_owned(), format!("headers: {{{line}}}")],
                settings: vec![setting(name, true, &doc)],
            }),
            Some("query") => Ok(Profile {
                lines: vec!["type: query".to_owned(), format!("params: {{{line}}}")],
                settings: vec![setting(name, true, &doc)],
            }),
            _ => Err("keys in cookies are not supported: no cookie is ever sent".to_owned()),
        };
    }
    if is("type", "oauth2") {
        return oauth2(scheme);
    }
    Err(format!("type `{}` is not supported", scheme["type"].as_str().unwrap_or("?")))
}

/// The flows that need no browser.
fn oauth2(scheme: &Json) -> Result<Profile, String> {
    let flow = |name: &str, old: &str| {
        let new = &scheme["flows"][name]["tokenUrl"];
        let url = if scheme["flow"] == old { &scheme["tokenUrl"] } else { new };
        url.as_str().map(str::to_owned)
    };
    let place = |url: &str| match url.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.split_once('/')?)))
    {
        Some((scheme, (host, path))) => {
            vec![format!("base: {}", scalar(&format!("{scheme}://{host}"))), format!("path: /{path}")]
        }
        None => vec![format!("path: {}", scalar(url))],
    };
    let setting = |name: &str, secret: bool, doc: &str| (name.to_owned(), secret, doc.to_owned());
    if let Some(url) = flow("password", "password") {
        let mut lines = vec!["type: oauth2-password".to_owned()];
        lines.extend(place(&url));
        lines.push(format!("username: {}", config("username")));
        lines.push(format!("password: {}", config("password")));
        let settings = vec![setting("username", false, "user name"), setting("password", true, "password")];
        return Ok(Profile { lines, settings });
    }
    if let Some(url) = flow("clientCredentials", "application") {
        let mut lines = vec!["type: session".to_owned(), "request:".to_owned(), "  method: POST".to_owned()];
        lines.extend(place(&url).into_iter().map(|line| format!("  {line}")));
        lines.push(format!(
            "  body: {{form: {{grant_type: client_credentials, client_id: {}, client_secret: {}}}}}",
            config("client_id"),
            config("client_secret")
        ));
        lines.push("token: $.access_token".to_owned());
        lines.push("scheme: Bearer".to_owned());
        lines.push("expires: {from: $.expires_in, unit: seconds}".to_owned());
        let settings = vec![
            setting("client_id", false, "id of the client"),
            setting("client_secret", true, "secret of the client"),
        ];
        return Ok(Profile { lines, settings });
    }
    Err("OAuth 2 flows that need a browser are not supported".to_owned())
}
