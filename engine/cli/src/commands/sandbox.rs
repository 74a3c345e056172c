//! `towpath sandbox`.

use crate::args::SandboxArgs;
use crate::failure::{Ended, Failure};
use crate::{stand_ins, world};
use std::process::ExitCode;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use towpath_connector::Error;
use towpath_sandbox::{Faults, Options, System};
use towpath_spec::diagnostic::did_you_mean;

/// Starts stand-ins and keeps them until it is stopped.
pub fn sandbox(args: &SandboxArgs) -> Ended {
    let known = towpath_sandbox::names();
    for name in &args.names {
        if !known.contains(&name.as_str()) {
            let help = did_you_mean(name, known.iter().copied()).unwrap_or_default();
            return Err(Failure::usage(format!("there is no stand-in of `{name}`"), help));
        }
    }
    let names: Vec<&str> = match args.names.is_empty() {
        true => known.to_vec(),
        false => args.names.iter().map(String::as_str).collect(),
    };
    let faults = Faults::parse(&args.faults).map_err(|error| Failure::Usage(error.to_string(), None))?;
    let runtime = world::runtime()?;
    runtime.block_on(async {
        let cancel = CancellationToken::new();
        world::stop_on_signals(cancel.clone());
        let mut systems = Vec::new();
        for (at, name) in names.iter().enumerate() {
            let port = args.port.and_then(|first| first.checked_add(u16::try_from(at).ok()?));
            let usual = Options::default();
            let options = Options {
                seed: stand_ins::seed(&args.seed),
                faults: faults.clone(),
                port,
                token_lifetime: args.token_lifetime.map_or(usual.token_lifetime, Duration::from_secs),
                most_a_minute: args.most_a_minute,
                ..usual
            };
            let system = towpath_sandbox::start(name, options).await;
            systems.push(system.map_err(|error| Failure::World(Error::user(error.to_string())))?);
        }
        print_exports(&systems);
        eprintln!("stand-ins are running; stop them with Ctrl-C");
        cancel.cancelled().await;
        for system in systems {
            system.stop().await;
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// Lines a shell can take over: `PEOPLEFLUENT_URL` and so on, as the pipelines here read them.
fn print_exports(systems: &[System]) {
    for system in systems {
        let prefix = system.name().replace('-', "_").to_uppercase();
        for (name, value) in system.settings() {
            println!("export {prefix}_{}='{}'", variable(&name), value.replace('\'', r"'\''"));
        }
    }
}

fn variable(setting: &str) -> String {
    match setting {
        "base_url" => "URL".to_owned(),
        "system_key" => "KEY".to_owned(),
        "username" => "USER".to_owned(),
        other => other.to_uppercase(),
    }
}
