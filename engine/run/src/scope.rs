//! Under which name runs remember what they did: the pipeline, its environment, and whether stand-ins took the place of systems.
//!
//! What is done to stand-ins says nothing about the systems they stand for: neither cursors nor journal are shared with those.

use crate::runner::World;
use towpath_plan::Plan;
use towpath_state::Scope;

/// The word between the environment and the world of the stand-ins.
pub(crate) const STAND_INS: &str = "sandbox";

/// The scope of a run.
pub(crate) fn scope(plan: &Plan, world: &World) -> Scope {
    let stand_in = world.overrides.values().next().map(|stand_in| stand_in.identity.as_str()).unwrap_or_default();
    Scope::new(&plan.pipeline, format!("{} {stand_in}", plan.environment).trim())
}

/// The environment of a scope as `--env` takes it, and whether its runs were against stand-ins.
pub fn environment(scope: &Scope) -> (&str, bool) {
    let whole = scope.environment.as_str();
    let is_word = |at: &usize| whole[..*at].is_empty() || whole[..*at].ends_with(' ');
    let found = whole.match_indices(STAND_INS).map(|(at, _)| at).find(is_word);
    match found {
        Some(at) => (whole[..at].trim_end(), true),
        None => (whole, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_is_known_beside_stand_ins() {
        let of = |environment: &str| {
            let scope = Scope::new("p", environment);
            let (name, of_stand_ins) = super::environment(&scope);
            (name.to_owned(), of_stand_ins)
        };
        assert_eq!(of(""), (String::new(), false));
        assert_eq!(of("prod"), ("prod".to_owned(), false));
        assert_eq!(of("sandbox 24-people-120-records"), (String::new(), true));
        assert_eq!(of("prod sandbox 24-people-120-records"), ("prod".to_owned(), true));
        assert_eq!(of("mysandbox"), ("mysandbox".to_owned(), false));
    }
}
