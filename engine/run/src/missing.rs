//! What keeps a run from beginning: parameters without a value, and what it needs from outside and is not there.

use crate::connect::{not_set, place};
use crate::runner::World;
use towpath_connector::{Error, Result};
use towpath_plan::{NodeKind, Plan, SettingTemplate};

/// Whether a plan can be carried out as it is.
///
/// # Errors
/// What is missing, and how to give it.
pub(crate) fn nothing_blocked(plan: &Plan) -> Result<()> {
    let Some(blocked) = plan.blocked.first() else { return Ok(()) };
    let error = Error::user(blocked.message.clone());
    Err(match &blocked.help {
        Some(help) => error.help(help.clone()),
        None => error,
    })
}

/// A variable or secret without a value.
struct Missing {
    /// `env` or `secret`.
    root: String,
    name: String,
    /// The setting that needs it.
    place: String,
}

/// Whether a plan can be carried out as it is, and all variables and secrets it reads have values.
///
/// # Errors
/// Names all that have none, and the settings that need them.
pub(crate) fn nothing_missing(plan: &Plan, world: &World) -> Result<()> {
    nothing_blocked(plan)?;
    let mut missing: Vec<Missing> = Vec::new();
    for connection in &plan.connections {
        let stand_in = world.overrides.get(&connection.name);
        let given =
            |name: &str| stand_in.is_some_and(|stand_in| stand_in.settings.iter().any(|(known, _)| known == name));
        for template in connection.settings.iter().filter(|template| !given(&template.name)) {
            look(template, &place(connection, template), world, &mut missing);
        }
    }
    for node in &plan.nodes {
        let settings = match &node.kind {
            NodeKind::Source(source) => &source.settings,
            NodeKind::Sink(sink) => &sink.settings,
            NodeKind::Transform(_) => continue,
        };
        for template in settings {
            look(template, &format!("`{}` of `{}`", template.name, node.name), world, &mut missing);
        }
    }
    match missing.as_slice() {
        [] => Ok(()),
        [one] => Err(not_set(&one.root, &one.name, &one.place)),
        [first, ..] => {
            let line = |missing: &Missing| {
                let what = if missing.root == "env" { "environment variable" } else { "secret" };
                format!("{what} {} (for {})", missing.name, missing.place)
            };
            let lines: Vec<String> = missing.iter().map(line).collect();
            let message = format!("{} values are not set: {}", missing.len(), lines.join(", "));
            let help = not_set(&first.root, &first.name, &first.place).help.unwrap_or_default();
            Err(Error::user(message).help(help))
        }
    }
}

fn look(template: &SettingTemplate, place: &str, world: &World, missing: &mut Vec<Missing>) {
    for root in template.value.templates().iter().flat_map(|template| template.roots()) {
        let (Some(name), false) = (&root.field, root.optional) else { continue };
        let Some(value) = world.outside(&root.name, name) else { continue };
        let known = missing.iter().any(|known| known.name == *name && known.root == root.name);
        if value.is_none() && !known {
            missing.push(Missing { root: root.name.clone(), name: name.clone(), place: place.to_owned() });
        }
    }
}
