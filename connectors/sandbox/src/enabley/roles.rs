//! What users may do beyond their roles: entitlements over one thing, and permissions of instructors.

use super::{
    Enabley,
    call::{Answer, Call, Good, Problem},
    state::State,
    users::{Entitlement, known_mut},
    world::is_sub_account,
};

const OVER: [&str; 3] = ["COURSE", "GROUP", "WORKSPACE"];
const AS: [&str; 3] = ["MANAGER", "EDITOR", "INSTRUCTOR"];
const PERMISSIONS: [&str; 2] = ["INSTRUCTOR_CREATE_COURSE_INSTANCE", "INSTRUCTOR_CREATE_COURSE"];

/// The user's identifier and the entitlement a body holds.
fn entitlement(call: &Call<'_>) -> Result<(String, Entitlement), Problem> {
    let fields = call.fields()?;
    let needed = |name: &str| Problem::invalid(format!("{name} is required"));
    let entitlement = Entitlement {
        entity_identifier: fields.text("entityIdentifier")?.to_owned(),
        entity_type: fields.optional_word("entityType", &OVER)?.ok_or_else(|| needed("entityType"))?.to_owned(),
        user_role: fields.optional_word("userRole", &AS)?.ok_or_else(|| needed("userRole"))?.to_owned(),
    };
    Ok((fields.text("userIdentifier")?.to_owned(), entitlement))
}

fn exists(state: &State, entitlement: &Entitlement) -> bool {
    let identifier = &entitlement.entity_identifier;
    match entitlement.entity_type.as_str() {
        "COURSE" => state.channels.has(identifier),
        "GROUP" => state.groups.has(identifier),
        // What identifies a workspace is not documented: the sub-account's name.
        _ => is_sub_account(identifier),
    }
}

pub(super) fn add_entitlement(system: &Enabley, call: &Call<'_>) -> Answer {
    let (user, entitlement) = entitlement(call)?;
    let mut state = system.state();
    if !exists(&state, &entitlement) {
        return Err(Problem::missing(&entitlement.entity_type, &entitlement.entity_identifier));
    }
    let user = known_mut(&mut state.users, &user)?;
    if !user.entitlements.contains(&entitlement) {
        user.entitlements.push(entitlement);
    }
    Ok(Good::Done)
}

/// A DELETE with a body.
pub(super) fn remove_entitlement(system: &Enabley, call: &Call<'_>) -> Answer {
    let (user, entitlement) = entitlement(call)?;
    let mut state = system.state();
    let user = known_mut(&mut state.users, &user)?;
    if !user.entitlements.contains(&entitlement) {
        return Err(Problem::missing("Entitlement over", &entitlement.entity_identifier));
    }
    user.entitlements.retain(|known| *known != entitlement);
    Ok(Good::Done)
}

/// The list replaces all the user had; only instructors may have any.
pub(super) fn set_permissions(system: &Enabley, call: &Call<'_>) -> Answer {
    let fields = call.fields()?;
    let permissions = fields.optional_words("permissions", &PERMISSIONS)?;
    let permissions = permissions.ok_or_else(|| Problem::invalid("permissions is required"))?;
    let mut state = system.state();
    let user = known_mut(&mut state.users, &call.path[0])?;
    if !user.possible_roles.iter().any(|role| role == "INSTRUCTOR") {
        return Err(Problem::invalid(format!("User '{}' is not an INSTRUCTOR", call.path[0])));
    }
    user.permissions = permissions;
    Ok(Good::Done)
}
