//! Where a server is and who we are there: `postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=…`.
//!
//! The address may hold a password. It is shown as host, port and database only, whether printed or debugged.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{Client, Config, NoTls};

use super::{Failure, Loss, Result, ServerFailure, tls};

/// A connection that is not set up by then is not to be had.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// What was sent and not acknowledged for so long is lost: well under the time after which a heartbeat counts as stopped.
const SILENT_FOR: Duration = Duration::from_secs(20);

/// A PostgreSQL server that keeps the state. Shown without its password.
#[derive(Clone)]
pub struct Server {
    config: Config,
    /// A file of certificates that are trusted beside the system's.
    roots: Option<PathBuf>,
    shown: String,
}

impl Server {
    /// Whether a place written as text is a server's address.
    pub fn is_address(text: &str) -> bool {
        text.starts_with("postgres://") || text.starts_with("postgresql://")
    }

    /// Reads an address. Without `sslmode`, TLS is required unless the host is this machine; a certificate is always checked;
    /// `sslrootcert` names a file of certificates that are trusted as well.
    ///
    /// # Errors
    /// A sentence that says what is wrong, without the address.
    pub fn parse(address: &str) -> std::result::Result<Self, String> {
        // Neither parser's own words are told: they may repeat what they could not read.
        let unreadable = || "the address of the PostgreSQL server cannot be read".to_owned();
        let mut url = url::Url::parse(address).map_err(|_| unreadable())?;
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let named = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        let (mode, roots) = (named("sslmode"), named("sslrootcert").map(PathBuf::from));
        let others: Vec<&(String, String)> =
            pairs.iter().filter(|(key, _)| key != "sslmode" && key != "sslrootcert").collect();
        url.set_query(None);
        if !others.is_empty() {
            url.query_pairs_mut().extend_pairs(others);
        }
        let mut config: Config = url.as_str().parse().map_err(|_| unreadable())?;
        if config.get_hosts().is_empty() {
            return Err("the address of the PostgreSQL server names no host".into());
        }
        let here = config.get_hosts().iter().all(is_this_machine);
        config.ssl_mode(match mode.as_deref() {
            None if here => SslMode::Disable,
            Some("disable") if here => SslMode::Disable,
            Some("disable") => {
                return Err(
                    "`sslmode=disable` is for a server on this machine: elsewhere the state would be readable on \
                            its way"
                        .into(),
                );
            }
            Some("prefer") if here => SslMode::Prefer,
            None | Some("prefer" | "require" | "verify-ca" | "verify-full") => SslMode::Require,
            Some(other) => {
                return Err(format!(
                    "`sslmode={other}` is not known; write `disable`, `prefer`, `require` or `verify-full`"
                ));
            }
        });
        config.application_name("towpath").keepalives_idle(SILENT_FOR).tcp_user_timeout(SILENT_FOR);
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_WITHIN);
        }
        let shown = shown(&config);
        Ok(Self { config, roots, shown })
    }

    /// The password, for whoever hides secrets.
    pub fn password(&self) -> Option<String> {
        self.config.get_password().map(|password| String::from_utf8_lossy(password).into_owned())
    }

    /// Opens a session; the future serves it until its end.
    pub(super) async fn connect(&self) -> Result<(Client, impl Future<Output = ()> + Send + 'static)> {
        if self.config.get_ssl_mode() == SslMode::Disable {
            let (client, connection) = self.config.connect(NoTls).await?;
            return Ok((client, Box::pin(served(connection)) as Served));
        }
        let refused = |detail| Failure::from(ServerFailure::new(Loss::Other, detail));
        let connector = tls::Connector::new(self.roots.as_deref()).map_err(refused)?;
        let (client, connection) = self.config.connect(connector).await?;
        Ok((client, Box::pin(served(connection)) as Served))
    }
}

type Served = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

/// What ends a connection is told by the call that meets it.
async fn served(connection: impl Future<Output = std::result::Result<(), tokio_postgres::Error>>) {
    let _ = connection.await;
}

fn is_this_machine(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            let name = name.trim_start_matches('[').trim_end_matches(']');
            name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

fn shown(config: &Config) -> String {
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(name)) => name.clone(),
        #[cfg(unix)]
        Some(Host::Unix(path)) => path.display().to_string(),
        None => String::new(),
    };
    let port = config.get_ports().first().copied().unwrap_or(5432);
    // As the server takes it: without a database, the one named like the user.
    let database = config.get_dbname().or(config.get_user()).unwrap_or_default();
    format!("{host}:{port}/{database}")
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Server").field(&self.shown).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_password() {
        let server = Server::parse("postgres://jobs:s3cr%3At@db.example:5433/app?sslmode=require").expect("readable");
        assert_eq!(server.to_string(), "db.example:5433/app");
        assert_eq!(format!("{server:?}"), "Server(\"db.example:5433/app\")");
        assert_eq!(server.password().as_deref(), Some("s3cr:t"));
    }

    #[test]
    fn tls_is_for_all_but_this_machine() {
        let mode = |text: &str| Server::parse(text).map(|server| server.config.get_ssl_mode());
        for here in ["localhost", "127.0.0.1", "[::1]", "%2Frun%2Fpostgresql"] {
            assert_eq!(mode(&format!("postgres://u@{here}/d")), Ok(SslMode::Disable), "{here}");
            assert_eq!(mode(&format!("postgres://u@{here}/d?sslmode=prefer")), Ok(SslMode::Prefer), "{here}");
        }
        for text in ["", "?sslmode=prefer", "?sslmode=require", "?sslmode=verify-full&application_name=x"] {
            assert_eq!(mode(&format!("postgresql://u@db.example/d{text}")), Ok(SslMode::Require), "{text}");
        }
        let refused = mode("postgres://u:hidden@db.example/d?sslmode=disable").expect_err("readable on its way");
        assert!(refused.contains("sslmode=disable") && !refused.contains("hidden"), "{refused}");
    }

    #[test]
    fn what_cannot_be_read_is_not_repeated() {
        for text in ["postgres://u:hidden@:x/d", "postgres://u:hidden@h:99999/d", "postgres://u:hidden@h/d?hidden=1"] {
            let refused = Server::parse(text).expect_err(text);
            assert!(!refused.contains("hidden"), "{refused}");
        }
    }
}
