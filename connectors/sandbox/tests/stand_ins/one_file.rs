//! OneFile, as the vendor's guides and its clients describe it.

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;
use towpath_sandbox::{Faults, Options, System, start};

use crate::client::setting;

struct OneFile {
    system: System,
    client: Client,
    session: String,
}

async fn ask_session(system: &System, customer_token: &str) -> (u16, String) {
    let request = Client::new().post(format!("{}/Authentication", system.url()));
    let response = request.header("X-CustomerToken", customer_token).send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

impl OneFile {
    async fn start(options: Options) -> Self {
        let system = start("onefile", options).await.unwrap();
        let (status, body) = ask_session(&system, &setting(&system, "customer_token")).await;
        assert_eq!(status, 200, "{body}");
        let session = body.trim().trim_matches('"').to_owned();
        Self { system, client: Client::new(), session }
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let request = self.client.request(method, format!("{}{path}", self.system.url()));
        let mut request = request.header("X-TokenID", &self.session);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let (status, text) = (response.status().as_u16(), response.text().await.unwrap());
        let value = if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() };
        (status, value)
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.ask(Method::GET, path, None).await
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.ask(Method::POST, path, Some(body)).await
    }

    /// The words of a refusal.
    async fn refusal(&self, path: &str, body: Value) -> String {
        let (status, answer) = self.post(path, body).await;
        assert_eq!(status, 400, "{path}: {answer}");
        answer["message"].as_str().unwrap().to_owned()
    }

    /// The numbers of the learners with that MISID.
    async fn learners(&self, misid: &str) -> Vec<u64> {
        let search = json!({"OrganisationID": 1001, "Role": 1, "MISID": misid});
        match self.post("/User/Search", search).await {
            (204, Value::Null) => Vec::new(),
            (200, Value::Array(found)) => found.iter().map(|user| user["ID"].as_u64().unwrap()).collect(),
            other => panic!("{other:?}"),
        }
    }
}

fn learner(misid: &str) -> Value {
    json!({"OrganisationID": 1001, "FirstName": "Eve", "LastName": "Quay", "Email": "eve@acme.example", "Role": 1,
           "MISID": misid, "DefaultAssessorID": 10, "ClassroomID": 201, "PlacementID": 301})
}

#[tokio::test]
async fn a_session_is_the_body_and_every_call_needs_it() {
    let mut onefile = OneFile::start(Options::default()).await;
    assert_eq!(ask_session(&onefile.system, "another").await.0, 401);
    assert_eq!(onefile.get("/Customer").await, (200, json!({"ID": 77, "Name": "Acme Learning"})));
    // Clients write paths in several ways.
    assert_eq!(onefile.get("/customer").await.0, 200);
    let bare = onefile.client.get(format!("{}/Customer", onefile.system.url())).send().await.unwrap();
    assert_eq!(bare.status(), StatusCode::UNAUTHORIZED);
    assert!(onefile.system.revoke_tokens());
    assert_eq!(onefile.get("/Customer").await.0, 401);
    let (_, body) = ask_session(&onefile.system, &setting(&onefile.system, "customer_token")).await;
    onefile.session = body.trim().trim_matches('"').to_owned();
    assert_eq!(onefile.get("/Customer").await.0, 200);
}

#[tokio::test]
async fn a_session_ends() {
    let dead = OneFile::start(Options { token_lifetime: Duration::ZERO, ..Options::default() }).await;
    assert_eq!(dead.get("/Customer").await.0, 401);
    let short = OneFile::start(Options { faults: Faults::parse("expire:uses=2").unwrap(), ..Options::default() }).await;
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(short.get("/Customer").await.0);
    }
    assert_eq!(statuses, [200, 200, 401]);
}

#[tokio::test]
async fn searches_have_their_page_in_the_path_and_no_match_is_204() {
    let onefile = OneFile::start(Options::default()).await;
    let learners = json!({"OrganisationID": 1001, "Role": 1});
    let mut sizes = Vec::new();
    for page in 1..=4 {
        let (status, rows) = onefile.post(&format!("/User/Search/{page}/3"), learners.clone()).await;
        sizes.push((status, rows.as_array().map_or(0, Vec::len)));
    }
    assert_eq!(sizes, [(200, 3), (200, 3), (200, 2), (204, 0)]);
    let (_, summaries) = onefile.post("/User/Search", learners.clone()).await;
    let (_, page) = onefile.post("/User/Search/1/100", learners.clone()).await;
    assert_eq!((summaries.as_array().unwrap().len(), page.as_array().unwrap().len()), (8, 8));
    assert_eq!((&summaries[0]["Email"], &page[0]["Email"]), (&Value::Null, &json!("person0@acme.example")));
    assert_eq!(onefile.refusal("/User/Search/0/3", learners.clone()).await, "Page and size are numbers from 1 up");
    assert_eq!(onefile.refusal("/User/Search", json!({"Role": 1})).await, "OrganisationID is required");
    assert_eq!(onefile.post("/User/Search", json!({"OrganisationID": 1002})).await, (204, Value::Null));

    let capped = OneFile::start(Options { page_cap: 2, ..Options::default() }).await;
    assert_eq!(capped.post("/User/Search/1/100", learners).await.1.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn learners_are_the_candidates_of_healthier_business() {
    let onefile = OneFile::start(Options::default()).await;
    let business = start("healthier-business", Options::default()).await.unwrap();
    let (_, learners) = onefile.post("/User/Search/1/100", json!({"OrganisationID": 1001, "Role": 1})).await;
    let books = business.books();
    let candidates = books["candidate"].as_array().unwrap();
    for learner in learners.as_array().unwrap() {
        let candidate = candidates.iter().find(|candidate| candidate["candidate_ref"] == learner["MISID"]).unwrap();
        assert_eq!(
            (&candidate["email"], &candidate["last_name"]),
            (&learner["Email"], &learner["LastName"]),
            "{learner}"
        );
    }
}

#[tokio::test]
async fn a_creation_tells_no_id_and_demands_what_the_role_needs() {
    let onefile = OneFile::start(Options::default()).await;
    let without = |name: &str, mut user: Value| {
        user.as_object_mut().unwrap().remove(name);
        user
    };
    for name in ["OrganisationID", "FirstName", "LastName", "Email", "DefaultAssessorID", "ClassroomID", "PlacementID"]
    {
        let words = onefile.refusal("/User", without(name, learner("m-1"))).await;
        assert_eq!(words, format!("{name} is required for role 1"));
    }
    // An employer needs a placement, an assessor does not.
    let plain = without("ClassroomID", without("DefaultAssessorID", without("PlacementID", learner("m-2"))));
    let role = |number: u64| {
        let mut user = plain.clone();
        user["Role"] = json!(number);
        user
    };
    assert_eq!(onefile.refusal("/User", role(40)).await, "PlacementID is required for role 40");
    assert_eq!(onefile.refusal("/User", role(2)).await, "Role '2' is not one of 1, 4, 5, 10, 40, 45");
    assert_eq!(onefile.post("/User", role(5)).await.0, 200);
    let mut nowhere = learner("m-1");
    nowhere["PlacementID"] = json!(9);
    assert_eq!(onefile.refusal("/User", nowhere).await, "PlacementID 9 does not exist");
    assert!(onefile.learners("m-1").await.is_empty());

    let (status, answer) = onefile.post("/User", learner("m-1")).await;
    assert_eq!((status, &answer["ID"], &answer["Name"]), (200, &json!(1001), &json!("Acme Academy")));
    let [id] = onefile.learners("m-1").await[..] else { panic!("not found") };
    assert!(id != 1001);
    // Nothing says that a MISID is there once only.
    assert_eq!(onefile.post("/User", learner("m-1")).await.0, 200);
    assert_eq!(onefile.learners("m-1").await.len(), 2);
}

#[tokio::test]
async fn an_update_changes_what_is_sent_in_json_or_in_a_form() {
    let onefile = OneFile::start(Options::default()).await;
    assert_eq!(onefile.post("/User/2003", json!({"MISID": "NewMISID"})).await.0, 200);
    let form = onefile.client.post(format!("{}/User/2003", onefile.system.url())).header("X-TokenID", &onefile.session);
    assert_eq!(form.form(&[("FirstName", "Hannah")]).send().await.unwrap().status(), StatusCode::OK);
    let (_, user) = onefile.get("/User/2003").await;
    assert_eq!(
        (&user["MISID"], &user["FirstName"], &user["LastName"]),
        (&json!("NewMISID"), &json!("Hannah"), &json!("Nowak"))
    );
    assert_eq!(onefile.refusal("/User/2003", json!({"ClassroomID": 9})).await, "ClassroomID 9 does not exist");
    assert_eq!(onefile.post("/User/9", json!({"MISID": "x"})).await.0, 404);
}

#[tokio::test]
async fn who_is_archived_is_not_found_until_brought_back() {
    let onefile = OneFile::start(Options::default()).await;
    let misid = "5f0cafe0-0000-4000-8000-000000000003";
    assert_eq!(onefile.learners(misid).await, [2003]);
    assert_eq!(onefile.post("/User/2003/Archive", json!({"OrganisationID": 1001})).await.0, 200);
    assert!(onefile.learners(misid).await.is_empty());
    assert_eq!(onefile.post("/User/2003/Unarchive", json!({"role": 1, "organisationID": 1001})).await.0, 200);
    assert_eq!(onefile.learners(misid).await, [2003]);
    assert_eq!(onefile.ask(Method::DELETE, "/User/2003", None).await.0, 200);
    assert_eq!(onefile.get("/User/2003").await.0, 404);
    assert_eq!(onefile.ask(Method::DELETE, "/User/2003", None).await.0, 404);
}

#[tokio::test]
async fn assignments_answer_with_a_bare_number() {
    let onefile = OneFile::start(Options::default()).await;
    let (status, aim) = onefile.ask(Method::POST, "/Standard/503/Assign/2003", None).await;
    assert_eq!(status, 200);
    let (_, found) = onefile.get(&format!("/LearningAim/{}", aim.as_u64().unwrap())).await;
    assert_eq!((&found["StandardID"], &found["UserID"]), (&json!(503), &json!(2003)));
    let (_, summary) = onefile.ask(Method::POST, "/Unit/5031/Assign/2003/503", None).await;
    let (_, summaries) = onefile.get("/User/2003/UnitSummary").await;
    assert_eq!(summaries.as_array().unwrap().last().unwrap()["ID"], summary);
    assert_eq!(onefile.ask(Method::POST, "/Standard/503/Assign/9", None).await.0, 404);

    // A template has two standards of two units each.
    assert_eq!(onefile.ask(Method::POST, "/FrameworkTemplate/601/Assign/2000/true", None).await, (200, Value::Null));
    let (_, aims) = onefile.post("/LearningAim/Search", json!({"UserID": 2000})).await;
    let (_, units) = onefile.get("/User/2000/UnitSummary").await;
    assert_eq!((aims.as_array().unwrap().len(), units.as_array().unwrap().len()), (1 + 2, 1 + 4));
    assert_eq!(onefile.ask(Method::POST, "/FrameworkTemplate/601/Assign/2000/maybe", None).await.0, 400);
}

#[tokio::test]
async fn levels_of_assignment_need_what_they_are_about() {
    let onefile = OneFile::start(Options::default()).await;
    let level = |level: u64| json!({"LearnerID": 2003, "Level": level});
    assert_eq!(onefile.post("/User/11/Assign", level(1)).await.0, 200);
    assert_eq!(onefile.refusal("/User/11/Assign", level(2)).await, "UnitID is required for level 2");
    assert_eq!(onefile.refusal("/User/11/Assign", level(3)).await, "StandardID is required for level 3");
    assert_eq!(onefile.refusal("/User/11/Assign", level(4)).await, "Level '4' is not one of 1, 2, 3");
    assert_eq!(onefile.system.books()["Assignment"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_saved_is_gone_on_from_and_no_number_is_given_twice() {
    let before = OneFile::start(Options::default()).await;
    before.post("/User", learner("m-1")).await;
    let saved = before.system.save();
    assert!(!saved.to_string().contains(&before.session), "a session is no state");
    let after = OneFile::start(Options { restore: Some(saved), ..Options::default() }).await;
    let first = before.learners("m-1").await;
    assert_eq!(after.learners("m-1").await, first);
    after.post("/User", learner("m-2")).await;
    assert!(after.learners("m-2").await[0] > first[0]);
}
