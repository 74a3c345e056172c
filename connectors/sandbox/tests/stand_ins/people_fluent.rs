//! PeopleFluent: who may call, for whom, in which format; what loads say of each row; what is held and found again.

use reqwest::{
    Client, Method, RequestBuilder, StatusCode, header,
    multipart::{Form, Part},
};
use serde_json::{Value, json};
use towpath_sandbox::{Options, System};

use crate::client::{answer, document, people_fluent, setting};

const ANN: &str = "amara.okafor1";
const BEN: &str = "zoë.dangelo2";
const PASSWORD: &str = "sandbox-user-password";
const TOKEN: &str = "sandbox-access-token";

struct Lms {
    system: System,
    client: Client,
}

impl Lms {
    async fn start() -> Self {
        Self { system: people_fluent(Options::default()).await, client: Client::new() }
    }

    fn asking(&self, method: Method, function: &str) -> RequestBuilder {
        self.client.request(method, format!("{}/api/{function}", self.system.url()))
    }

    fn administrator(&self, request: RequestBuilder) -> RequestBuilder {
        request.basic_auth(setting(&self.system, "lms_user"), Some(setting(&self.system, "lms_password")))
    }

    async fn get(&self, function: &str, query: &[(&str, &str)]) -> (StatusCode, Value) {
        let request = self.asking(Method::GET, function).query(&[("format", "json")]).query(query);
        answer(self.administrator(request).send().await.unwrap()).await
    }

    async fn text(&self, function: &str, query: &[(&str, &str)]) -> String {
        let request = self.administrator(self.asking(Method::GET, function).query(query));
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{function}");
        response.text().await.unwrap()
    }

    async fn post(&self, function: &str, form: &[(&str, &str)]) -> (StatusCode, String) {
        let request = self.administrator(self.asking(Method::POST, function).form(form));
        let response = request.send().await.unwrap();
        (response.status(), response.text().await.unwrap())
    }

    async fn load(&self, handler: &str, kind: &str, body: &str) -> (StatusCode, String) {
        let request = self.client.post(format!("{}/contentHandler/{handler}", self.system.url()));
        let request = request.basic_auth("x", Some(setting(&self.system, "system_key")));
        let response = request.header(header::CONTENT_TYPE, kind).body(body.to_owned()).send().await.unwrap();
        (response.status(), response.text().await.unwrap())
    }
}

#[tokio::test]
async fn each_function_wants_its_own_credentials() {
    let lms = Lms::start().await;
    let key = setting(&lms.system, "system_key");
    let me = || lms.asking(Method::GET, "me").query(&[("format", "json")]);
    for (request, status) in [
        (me(), StatusCode::UNAUTHORIZED),
        (me().basic_auth("x", Some(&key)), StatusCode::UNAUTHORIZED),
        (me().basic_auth(ANN, Some("wrong")), StatusCode::UNAUTHORIZED),
        (me().bearer_auth("wrong"), StatusCode::UNAUTHORIZED),
        (me().bearer_auth(TOKEN), StatusCode::OK),
        (me().basic_auth("AMARA.okafor1", Some(PASSWORD)), StatusCode::OK),
        // Suspended.
        (me().basic_auth("dai.o'brien17@acme.example", Some(PASSWORD)), StatusCode::UNAUTHORIZED),
        (lms.administrator(lms.asking(Method::GET, "trainingHistoryXml")), StatusCode::UNAUTHORIZED),
        (lms.asking(Method::GET, "publicNews").query(&[("format", "atom")]), StatusCode::OK),
        (lms.asking(Method::GET, "module").query(&[("id", "mod-1")]), StatusCode::OK),
        (lms.asking(Method::GET, "module").query(&[("id", "mod-1")]).bearer_auth("wrong"), StatusCode::UNAUTHORIZED),
        (lms.client.post(format!("{}/contentHandler/usersCsv", lms.system.url())), StatusCode::UNAUTHORIZED),
    ] {
        let shown = format!("{request:?}");
        assert_eq!(request.send().await.unwrap().status(), status, "{shown}");
    }
}

#[tokio::test]
async fn only_who_may_switch_users_calls_for_others() {
    let lms = Lms::start().await;
    let query = [("format", "json"), ("onBehalfOf", BEN)];
    let (status, user) = lms.get("me", &query[1..]).await;
    assert_eq!((status, &user["id"]), (StatusCode::OK, &json!(BEN)));
    let own = |user| lms.asking(Method::GET, "me").query(&query).basic_auth(user, Some(PASSWORD));
    assert_eq!(own(ANN).send().await.unwrap().status(), StatusCode::FORBIDDEN);
    assert_eq!(own(BEN).send().await.unwrap().status(), StatusCode::OK, "oneself is nobody else");
    assert_eq!(lms.get("me", &[("onBehalfOf", "nobody")]).await.0, StatusCode::FORBIDDEN);
    let (status, _) = lms.get("me", &[("onBehalfOf", BEN), ("assignmentId", "zoë.dangelo2/main")]).await;
    assert_eq!(status, StatusCode::OK);
    let (status, _) = lms.get("me", &[("onBehalfOf", BEN), ("assignmentId", "amara.okafor1/main")]).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    // Others see but themselves, and what is theirs.
    let users = lms.asking(Method::GET, "users").query(&query[..1]).basic_auth(ANN, Some(PASSWORD));
    let (_, users) = answer(users.send().await.unwrap()).await;
    assert_eq!(users["users"].as_array().unwrap().len(), 1);
    let foreign = lms.asking(Method::GET, "record").query(&[("id", "TR000000000"), ("format", "json")]);
    assert_eq!(foreign.basic_auth(ANN, Some(PASSWORD)).send().await.unwrap().status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_cookie_that_is_sent_back_is_refused_and_counted() {
    let lms = Lms::start().await;
    let request = || lms.administrator(lms.asking(Method::GET, "me").query(&[("format", "json")]));
    let response = request().send().await.unwrap();
    let cookie = response.headers()[header::SET_COOKIE].clone();
    assert!(cookie.to_str().unwrap().starts_with("JSESSIONID="));
    let again = request().header(header::COOKIE, cookie).send().await.unwrap();
    assert_eq!(again.status(), StatusCode::CONFLICT);
    assert_eq!(lms.system.books()["cookies_returned"], 1);
}

#[tokio::test]
async fn parameters_are_checked_as_the_vendor_documents_them() {
    let lms = Lms::start().await;
    for (function, query, named) in [
        ("articles", vec![("publishedAfter", "2026-01-01")], "publishedAfter"),
        ("articles", vec![("max", "many")], "max"),
        ("articles", vec![("pagesize", "3")], "pagesize"),
        ("taskApproval", vec![("status", "open")], "status"),
        ("record", vec![], "id"),
        ("organization", vec![("id", "*ROOT*"), ("recursive", "yes")], "recursive"),
        ("jobProfiles", vec![("groupBy", "letter")], "groupBy"),
    ] {
        let request = lms.asking(Method::GET, function).query(&[("format", "json")]).query(&query);
        let response = lms.administrator(request).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{function} {query:?}");
        assert!(response.text().await.unwrap().contains(named), "{function} {query:?}");
    }
    let without = lms.administrator(lms.asking(Method::GET, "mailbox")).send().await.unwrap();
    assert_eq!(without.status(), StatusCode::BAD_REQUEST, "format is always to be sent");
    let posted = lms.administrator(lms.asking(Method::POST, "mailbox")).send().await.unwrap();
    assert_eq!(posted.status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn json_and_xml_show_the_same() {
    let lms = Lms::start().await;
    let (_, record) = lms.get("record", &[("id", "TR000000000")]).await;
    assert_eq!((&record["id"], &record["learningModule"]["id"]), (&json!("TR000000000"), &json!("mod-0")));
    assert!(record.as_object().unwrap().keys().all(|name| !name.starts_with(['_', '@'])), "{record}");
    let xml = lms.text("record", &[("id", "TR000000000"), ("format", "xml")]).await;
    assert!(xml.contains("<trainingRecord id=\"TR000000000\"><userId>hana.müller0</userId>"), "{xml}");
    assert!(!xml.contains("<_"), "{xml}");
    let catalogues = lms.get("jobProfiles", &[("groupBy", "catalog")]).await.1;
    assert_eq!(catalogues["catalogs"][0]["jobProfile"].as_array().unwrap().len(), 2);
    let capped = lms.get("people", &[("max", "3")]).await.1;
    assert_eq!(capped["people"].as_array().unwrap().len(), 3);
    let rss = lms.text("latestForumPosts", &[("format", "rss"), ("max", "2")]).await;
    assert_eq!(rss.matches("<item>").count(), 2);
}

#[tokio::test]
async fn a_load_repeats_its_rows_with_what_is_wrong_with_each() {
    let lms = Lms::start().await;
    let body = "Action,RecordID,UserId,Title,Status\r\n\
        A,R-1,AMARA.OKAFOR1,\"Ropes, \"\"big\"\" ones\",4\r\nA,R-2,nobody,Knots,0\r\nA,sixteen-letters-,amara.okafor1,X,0\r\n";
    let (status, said) = lms.load("externalTrainingCsv", "text/plain; charset=utf-8", body).await;
    assert_eq!(status, StatusCode::OK);
    let lines: Vec<&str> = said.split("\r\n").collect();
    assert_eq!(
        lines,
        [
            "Please go to the last Column to view the error",
            r#""Action","RecordID","UserId","Title","Status","Error""#,
            r#""A","R-1","AMARA.OKAFOR1","Ropes, ""big"" ones","4","""#,
            r#""A","R-2","nobody","Knots","0","UserId nobody does not exist""#,
            r#""A","sixteen-letters-","amara.okafor1","X","0","RecordID must not be longer than 15 characters""#,
            "",
        ]
    );
    let (_, kept) = lms.get("externalTrainingRecord", &[("id", "R-1"), ("onBehalfOf", ANN)]).await;
    assert_eq!((&kept["status"], &kept["userId"]), (&json!("completed"), &json!(ANN)), "the good row was loaded");

    let (_, said) = lms.load("externalTrainingCsv", "text/csv", "Action,RecordID\nD,R-1\n").await;
    assert!(said.ends_with("\"D\",\"R-1\",\"\"\r\nNo Error Occurred\r\n"), "{said}");
    let (_, said) =
        lms.load("usersCsv", "text/plain", "Action,UserID,Direct Appraiser\nU,amara.okafor1,nobody\n").await;
    assert!(said.contains("\"WARNING. Direct Appraiser nobody") && said.ends_with("No Error Occurred\r\n"), "{said}");
    for (kind, body) in
        [("application/json", "{}"), ("text/plain", "Action,Nonsense\nA,1\n"), ("text/plain", "Action,\"x")]
    {
        let (status, _) = lms.load("usersCsv", kind, body).await;
        assert!(status.is_client_error(), "{kind} {body}");
    }
}

#[tokio::test]
async fn dates_of_a_load_are_read_in_the_vendors_formats_alone() {
    let lms = Lms::start().await;
    for (written, read) in [
        ("28-02-2026 23:59", "2026-02-28T23:59:00.000Z"),
        ("28-feb-2026 23:59", "2026-02-28T23:59:00.000Z"),
        ("28-02-26", "2026-02-28T00:00:00.000Z"),
        ("28-Feb-26 08:05", "2026-02-28T08:05:00.000Z"),
    ] {
        let body = format!("USERID,LEARNINGID,STARTDATE,STUDENTSTATUS\n{ANN},mod-30,{written},Active\n");
        let (_, said) = lms.load("trainingHistoryCsv", "text/plain", &body).await;
        assert!(said.ends_with("No Error Occurred\r\n"), "{written}: {said}");
        let xml = lms.text("enrollments", &[("onBehalfOf", ANN)]).await;
        assert!(xml.contains(&format!("<startDate>{read}</startDate>")), "{written}: {xml}");
    }
    for written in ["2026-02-28", "28/02/2026", "31-02-2026", "28-02-2026T10:00", "soon"] {
        let body = format!("USERID,LEARNINGID,STARTDATE\n{ANN},mod-30,{written}\n");
        let (_, said) = lms.load("trainingHistoryCsv", "text/plain", &body).await;
        assert!(said.contains(&format!("STARTDATE {written} is not a date")), "{said}");
    }
    let body = format!("USERID,LEARNINGID,STARTDATE,STUDENTSTATUS\n{ANN},mod-30,NONE,Active\n");
    lms.load("trainingHistoryCsv", "text/plain", &body).await;
    assert!(lms.text("enrollments", &[("onBehalfOf", ANN)]).await.matches("<startDate>").count() == 0);
}

#[tokio::test]
async fn groups_are_in_the_books() {
    let lms = Lms::start().await;
    lms.post("userGroupCreator", &[("group-name", "Night"), ("shared", "true"), ("format", "json")]).await;
    lms.post("userGroupAdder", &[("group-name", "Night"), ("user-id", "AMARA.okafor1")]).await;
    lms.post("supervisedGroupsAdder", &[("group-name", "Night"), ("user-id", BEN)]).await;
    let held = lms.system.books()["held"].take();
    assert_eq!(held["groups"]["Night"]["members"], json!([ANN]));
    assert_eq!(
        (&held["groups"]["Night"]["shared"], &held["supervised_groups"][BEN]),
        (&json!(true), &json!(["Night"]))
    );
    lms.post("userGroupRemover", &[("group-name", "Night"), ("user-id", ANN)]).await;
    lms.post("supervisedGroupsRemover", &[("group-name", "Night"), ("user-id", BEN)]).await;
    let held = lms.system.books()["held"].take();
    assert_eq!((&held["groups"]["Night"]["members"], &held["supervised_groups"][BEN]), (&json!([]), &json!([])));
    lms.post("userGroupDeleter", &[("group-name", "Night"), ("format", "json")]).await;
    assert_eq!(lms.system.books()["held"]["groups"], json!({}));
}

#[tokio::test]
async fn files_come_and_go() {
    let lms = Lms::start().await;
    let awards = lms.text("certificationsAwarded", &[("onBehalfOf", ANN)]).await;
    let award = awards.split("<awardId>").nth(1).and_then(|rest| rest.split('<').next()).unwrap();
    let request = lms.asking(Method::GET, "certificate").query(&[("awardId", award), ("onBehalfOf", ANN)]);
    let response = lms.administrator(request).send().await.unwrap();
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/pdf");
    assert!(response.headers()[header::CONTENT_DISPOSITION].to_str().unwrap().contains(award));
    assert!(response.bytes().await.unwrap().starts_with(b"%PDF-"));
    let foreign = lms.asking(Method::GET, "certificate").query(&[("awardId", award), ("onBehalfOf", BEN)]);
    assert_eq!(lms.administrator(foreign).send().await.unwrap().status(), StatusCode::BAD_REQUEST);

    for (bytes, status) in [(b"PK\x05\x06".to_vec(), StatusCode::OK), (b"no zip".to_vec(), StatusCode::BAD_REQUEST)] {
        let package = Part::bytes(bytes).file_name("talk.zip");
        let form = Form::new().part("package", package).text("versioning", "overwrite").text("format", "json");
        let request = lms.administrator(lms.asking(Method::POST, "contentPackageImporter").multipart(form));
        assert_eq!(request.send().await.unwrap().status(), status);
    }
    assert!(lms.text("module", &[("id", "talk")]).await.contains("<title>talk</title>"));
}

#[tokio::test]
async fn what_was_changed_is_there_after_a_stop_and_gone_after_a_reset() {
    let lms = Lms::start().await;
    let fresh = lms.system.save();
    assert_eq!(fresh["state"], json!({"records_added": 0}), "what nobody changed is not kept");
    let (status, said) = lms.post("enrollUser", &[("learning-id", "mod-30"), ("onBehalfOf", ANN)]).await;
    assert!(status.is_success() && said.contains("<enrollment id="), "{said}");
    lms.load("usersCsv", "text/plain", "Action,UserID,FamilyName,GivenName,Password\nA,Ada,Lovelace,Ada,lovely\n")
        .await;
    lms.post("messageUpdater", &[("id", "MSG001-1"), ("format", "json"), ("onBehalfOf", ANN)]).await;
    let (saved, held) = (lms.system.save(), lms.system.books()["held"].take());
    assert!(!saved.to_string().contains("lovely"), "passwords are not kept as they are");
    lms.system.stop().await;

    let saved = serde_json::from_str(&saved.to_string()).unwrap();
    let system = people_fluent(Options { restore: Some(saved), ..Options::default() }).await;
    assert_eq!(system.books()["held"], held);
    let lms = Lms { system, client: Client::new() };
    assert!(lms.text("enrollments", &[("onBehalfOf", ANN)]).await.contains("mod-30"));
    let own = lms.asking(Method::GET, "me").query(&[("format", "json")]).basic_auth("ada", Some("lovely"));
    assert_eq!(own.send().await.unwrap().status(), StatusCode::OK);
    let history = document(&lms.system, "trainingHistoryXml", &[("userId", ANN), ("moduleIds", "mod-30")]).await;
    assert_eq!(history.matches("<trainingRecord ").count(), 1, "{history}");
    lms.client.post(format!("{}/sandbox/reset", lms.system.origin())).send().await.unwrap();
    assert_eq!(lms.system.save(), fresh);
}
