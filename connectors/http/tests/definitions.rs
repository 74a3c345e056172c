//! The definitions that come with Towpath are without fault and complete.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::path::Path;
use towpath_connector::OperationKind;
use towpath_spec::{Field, Files, Type};

/// The vendor's functions in the order of its documentation, less the login.
const HUMAN_FOCUS: [&str; 26] = [
    "GetOrganID",
    "GetUserGroups",
    "AddUser",
    "GetUserID",
    "EditUser",
    "ArchiveOrRestoreUser",
    "GetUserDetails",
    "ListUsers",
    "AssignUserGroupsToUser",
    "GetCompletedTrainingResults",
    "GetUserTrainingHistory",
    "GetAllTrainings",
    "CreateExternalTrainingProvider",
    "AddExternalTrainingDetails",
    "ListUploadedTrainings",
    "UploadCertificateFile",
    "UploadExternalTraining",
    "CreateUserGroup",
    "UpdateUserGroup",
    "AssignUsersToUserGroup",
    "CreateSiteLocation",
    "UpdateSiteLocation",
    "AssignUsersToSiteLocation",
    "CreateDepartment",
    "UpdateDepartment",
    "AssignUsersToDepartment",
];

#[test]
fn no_definition_has_a_diagnostic() {
    for (path, text) in towpath_http::BUILTIN {
        let mut files = Files::new();
        if let Err(problems) = towpath_http::from_definition(&mut files, Path::new(path), text) {
            let lines: Vec<String> = problems
                .iter()
                .map(|problem| format!("{}: {} ({:?})", files.position(problem.span), problem.message, problem.help))
                .collect();
            panic!("{}", lines.join("\n"));
        }
    }
    assert_eq!(towpath_http::builtin().len(), towpath_http::BUILTIN.len());
}

#[test]
fn every_fact_has_a_source_and_a_meaning() {
    for connector in towpath_http::builtin() {
        let page = connector.descriptor();
        assert!(!page.doc.is_empty());
        for stream in &page.streams {
            assert!(!stream.source.is_empty() && !stream.doc.is_empty(), "{}", stream.name);
            assert!(!stream.schema.fields.is_empty(), "{}", stream.name);
            assert!(stream.params.iter().all(|param| !param.doc.is_empty()), "{}", stream.name);
        }
        for operation in &page.operations {
            assert!(!operation.source.is_empty() && !operation.doc.is_empty(), "{}", operation.name);
            assert!(operation.fields.iter().all(|field| !field.doc.is_empty()), "{}", operation.name);
        }
        assert!(page.settings.iter().all(|setting| !setting.doc.is_empty()));
    }
}

#[test]
fn human_focus_has_all_27_functions() {
    let connector = support::builtin("human-focus");
    let page = connector.descriptor();
    for name in HUMAN_FOCUS {
        assert!(page.stream(name).is_some() || page.operation(name).is_some(), "{name} is missing");
    }
    // `Token` is the login, which is a call as well; one operation is made of others.
    assert!(page.operation("SaveUser").unwrap().request.contains("AddUser or EditUser"));
    assert_eq!(page.streams.len() + page.operations.len(), HUMAN_FOCUS.len() + 1);
    assert!(
        page.logins.iter().any(|(name, doc)| name == "Token" && doc.starts_with("POST /Token")),
        "{:?}",
        page.logins
    );
    assert_eq!(page.operation("UploadCertificateFile").unwrap().kind, OperationKind::File);
    assert_eq!(page.stream("GetUserID").unwrap().schema.get("UserID"), Some(&Field::new("UserID", Type::Int)));
    let upload = page.operation("UploadExternalTraining").unwrap();
    assert_eq!(upload.request, "POST /api/cbt/UploadExternalTraining");
    assert!(upload.fields.iter().any(|field| field.name == "UserID" && field.required));
    assert!(!upload.idempotent);
}

#[test]
fn peoplefluent_has_its_bulk_reads_first_and_secrets_are_marked() {
    let connector = support::builtin("peoplefluent");
    let page = connector.descriptor();
    let names: Vec<&str> = page.streams.iter().map(|stream| stream.name.as_str()).collect();
    assert_eq!(names[..4], ["trainingHistoryXml", "completedTrainingRecordsXml", "users200510Xml", "user200510Xml"]);
    let history = page.stream("trainingHistoryXml").unwrap();
    assert_eq!(history.schema.get("end_date").unwrap().ty, Type::utc());
    assert!(history.cursor.is_some());
    for secret in ["system_key", "lms_password", "access_token"] {
        // None is required: a connection has those that its calls need.
        assert!(page.settings.iter().any(|setting| setting.name == secret && setting.secret && !setting.required));
    }
    assert!(page.writes && page.reads);
}
