//! Which method and path is which operation. One table: it answers, and it names requests for the book and the faults.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::Response,
};
use serde_json::Value;
use url::form_urlencoded;

use super::{
    Enabley,
    call::{Answer, Call, Good, Problem},
    certificates, channels, groups, members, performance, profiles, roles, token, user_list, users,
};
use crate::{answer, gate::MOST_BODY_BYTES, route, tokens::bearer};

type Operation = fn(&Enabley, &Call<'_>) -> Answer;

/// Method, path with its variable parts as `*`, name, and what answers. The first row that fits counts, so fixed parts
/// stand before variable ones.
const ROUTES: [(&str, &str, &str, Operation); 47] = [
    ("POST", "/api/v1/token", "token", token::issue),
    ("GET", "/api/v1/catalog/catalogItem", "getCatalogItem", channels::catalogue_item),
    ("GET", "/api/v1/certificates", "getCertificates", certificates::all),
    ("PUT", "/api/v1/certificates/compliance", "updateCompliance", certificates::require),
    ("GET", "/api/v1/certificates/users/*", "getUserCertificates", certificates::of_user),
    ("GET", "/api/v2/certificates", "getCertificatesV2", certificates::paged),
    ("GET", "/api/v2/certificates/*", "getCertificate", certificates::one),
    ("GET", "/api/v1/channels", "getChannels", channels::all),
    ("PUT", "/api/v1/channels", "putChannel", channels::put),
    ("GET", "/api/v1/channels/*/courses/events", "getEvents", channels::events),
    ("POST", "/api/v1/channels/*/groups/*", "assignGroupToChannel", members::assign_group),
    ("DELETE", "/api/v1/channels/*/groups/*", "removeGroupFromChannel", members::remove_group),
    ("DELETE", "/api/v1/channels/*/users/*", "removeUserFromChannel", members::remove_user),
    ("GET", "/api/v1/channels/*", "getChannel", channels::one),
    ("GET", "/api/v2/channels/channels/masters", "getMasters", channels::masters),
    ("GET", "/api/v2/channels/channels/*/members/count", "countMembers", members::count),
    ("PUT", "/api/v2/channels/master/instance", "putInstance", channels::put_instance),
    ("POST", "/api/v2/channels/*/users/*", "assignUserToChannel", members::assign_user),
    ("GET", "/api/v3/channels", "getChannelsV3", channels::paged),
    ("GET", "/api/v3/channels/masters", "getMastersV3", channels::masters_paged),
    ("POST", "/api/v4/channels/forceComplete/channel/*/user/*", "forceComplete", members::force_complete),
    ("PUT", "/api/v1/groups", "putGroup", groups::put),
    ("GET", "/api/v1/groups/hierarchy", "getHierarchy", groups::hierarchy),
    ("GET", "/api/v1/groups/list", "getGroups", groups::all),
    ("POST", "/api/v1/groups/*/users/*", "assignUserToGroup", groups::assign_user),
    ("DELETE", "/api/v1/groups/*/users/*", "removeUserFromGroup", groups::remove_user),
    ("GET", "/api/v1/groups/*", "getGroup", groups::one),
    ("DELETE", "/api/v1/groups/*", "deleteGroup", groups::delete),
    ("GET", "/api/v1/users/*/groups", "getUserGroups", groups::of_user),
    ("GET", "/api/v1/performance", "getPerformance", performance::all),
    ("GET", "/api/v2/performance", "getPerformanceV2", performance::paged),
    ("POST", "/api/v2/getUserProfiles", "getUserProfiles", profiles::named),
    ("PUT", "/api/v2/userProfiles", "putUserProfile", profiles::put),
    ("POST", "/api/v2/userProfiles/users/*", "getProfilesOfUser", profiles::of_user),
    ("PUT", "/api/v2/userProfiles/*/users/*", "assignProfile", profiles::assign),
    ("DELETE", "/api/v2/userProfiles/*/users/*", "removeProfile", profiles::remove),
    ("GET", "/api/v2/users", "getUsersV2", user_list::sliced),
    ("PUT", "/api/v2/users", "putUser", users::put),
    ("POST", "/api/v2/users/entitlements", "addEntitlement", roles::add_entitlement),
    ("DELETE", "/api/v2/users/entitlements", "removeEntitlement", roles::remove_entitlement),
    ("PUT", "/api/v2/users/identityManagement", "changeIdentity", users::change_identity),
    ("GET", "/api/v2/users/*", "getUser", user_list::one),
    ("PUT", "/api/v2/users/*", "setUserStatus", users::set_status),
    ("DELETE", "/api/v2/users/*", "deleteUser", users::delete),
    ("DELETE", "/api/v2/users/*/subAccountName/*", "removeFromSubAccount", users::leave_sub_account),
    ("PUT", "/api/v2/users/*/permissions", "setPermissions", roles::set_permissions),
    ("GET", "/api/v3/users", "getUsersV3", user_list::paged),
];

/// Where the links of certificates lead; no operation, and no token is asked for.
const PDF: &str = "/certificates/*/*";

pub(super) fn routes(system: Arc<Enabley>) -> Router {
    Router::new().fallback(answered).layer(DefaultBodyLimit::max(MOST_BODY_BYTES)).with_state(system)
}

/// The name of the operation; with no method the first one at that path.
pub(super) fn operation(method: &str, path: &str) -> &'static str {
    if matches(PDF, path).is_some() {
        return "certificatePdf";
    }
    let fits =
        |row: &&(&str, &str, &str, Operation)| (method.is_empty() || row.0 == method) && matches(row.1, path).is_some();
    ROUTES.iter().find(fits).map_or("unknown", |row| row.2)
}

async fn answered(
    State(system): State<Arc<Enabley>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let (&Method::GET, Some(parts)) = (&method, matches(PDF, uri.path())) {
        return certificates::pdf(&system, &parts);
    }
    match handled(&system, &method, &uri, &headers, &body) {
        Ok(Good::Value(value)) => answer::json(StatusCode::OK, &value),
        Ok(Good::Done) => empty(StatusCode::OK),
        Ok(Good::Created) => empty(StatusCode::CREATED),
        Err(problem) => answer::json(problem.status, &problem.body()),
    }
}

fn handled(system: &Enabley, method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Answer {
    let path = uri.path();
    let is_token = path == ROUTES[0].1;
    if !is_token && !system.tokens.admits(bearer(headers), system.faults.token_uses()) {
        return Err(Problem::new(StatusCode::UNAUTHORIZED, "access_denied", "Invalid JWT token"));
    }
    let mut known = false;
    for (its_method, pattern, _, operation) in &ROUTES {
        let Some(parts) = matches(pattern, path) else { continue };
        known = true;
        if method.as_str() == *its_method {
            let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
            let content_type =
                headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
            return operation(system, &Call { path: parts, query, content_type, body });
        }
    }
    Err(match known {
        true => Problem::new(StatusCode::METHOD_NOT_ALLOWED, "invalid_request", "Request method is not supported"),
        false => Problem::new(StatusCode::NOT_FOUND, "not_found", format!("No operation at {path}")),
    })
}

fn empty(status: StatusCode) -> Response {
    answer::with(status, "application/json", "")
}

/// The variable parts of a path that fits, decoded.
fn matches(pattern: &str, path: &str) -> Option<Vec<String>> {
    route::parts(pattern, path, false)
}

/// A list as the answer of a read without pages.
pub(super) fn list(rows: impl Iterator<Item = Value>) -> Answer {
    Ok(Good::Value(rows.collect()))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_operation_has_its_name_and_is_reached() {
        let names: HashSet<_> = ROUTES.iter().map(|row| row.2).collect();
        assert_eq!(names.len(), ROUTES.len());
        for (method, pattern, name, _) in &ROUTES {
            let path = pattern.replace('*', "x%2Fy");
            assert_eq!(operation(method, &path), *name, "{method} {pattern}");
        }
        assert_eq!(operation("PATCH", "/api/v2/users/7"), "unknown");
        assert_eq!(operation("GET", "/api/v2/users/"), "unknown");
    }
}
