//! Credentials go over `https://`; over `http://` they can be read on the way.
//!
//! Refused before anything is sent, unless the host is this machine or the connection says that it is meant. Looked at
//! twice: where the settings are checked, as far as they are known, and before each call, whatever its address is made of.

use crate::plan::{Api, AuthPlan, AuthWay};
use towpath_connector::{Error, Problem, redact};
use url::Url;

/// The setting that allows it.
pub(crate) const ALLOW: &str = "allow_plain_http";

/// Whether who listens on the way to an address would see what is sent there.
pub(crate) fn is_open(url: &Url) -> bool {
    url.scheme() == "http" && !is_loopback(url)
}

/// Whether an address is this machine's own: 127.0.0.0/8, `::1`, `localhost` and names below it.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// Whether a connection has anything to be let in with; `given` says which settings it has.
pub(crate) fn has_credentials(api: &Api, given: impl Fn(&str) -> bool) -> bool {
    let complete = |auth: &AuthPlan| auth.needs.iter().all(|name| given(name));
    let lets_in = |auth: &AuthPlan| match &auth.way {
        // The alternatives of a choice are profiles themselves.
        AuthWay::None | AuthWay::Choice { .. } => false,
        _ => complete(auth),
    };
    let secret = api.descriptor.settings.iter().any(|setting| setting.secret && given(&setting.name));
    secret || given("headers") || api.auth.iter().any(lets_in)
}

/// What is said when the settings are checked.
pub(crate) fn problem(url: &Url) -> Problem {
    Problem::with("base_url", format!("`base_url` sends the credentials of the connection {}", over(url))).help(help())
}

/// What is said when a call would be made.
pub(crate) fn refused(what: &str, url: &Url) -> Error {
    Error::user(redact(&format!("{what} would send the credentials of the connection {}", over(url)))).help(help())
}

fn over(url: &Url) -> String {
    format!("to {} over plain http://, where anybody on the way can read them", url.host_str().unwrap_or_default())
}

fn help() -> String {
    format!("write the address with `https://`; in a network you trust, set `{ALLOW}: true` at the connection")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_not_on_the_way() {
        for (url, open) in [
            ("http://127.0.0.1:8080", false),
            ("http://127.200.3.4/a", false),
            ("http://[::1]:8080", false),
            ("http://localhost", false),
            ("http://LOCALHOST:1", false),
            ("http://hf.localhost", false),
            ("http://2130706433/", false),
            ("https://api.example", false),
            ("http://api.example", true),
            ("http://localhost.example", true),
            ("http://127.0.0.1.example", true),
            ("http://128.0.0.1", true),
            ("http://10.0.0.1", true),
            ("http://[::ffff:10.0.0.1]", true),
            ("http://0.0.0.0", true),
        ] {
            assert_eq!(is_open(&Url::parse(url).unwrap()), open, "{url}");
        }
    }
}
