//! Healthier Business, as the vendor's pages and a client describe it.

use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, multipart};
use serde_json::{Value, json};
use std::time::Duration;
use towpath_sandbox::{Options, System, start};

use crate::client::{answer, setting};

const THREE: &str = "5f0cafe0-0000-4000-8000-000000000003";

struct Business {
    system: System,
    client: Client,
}

impl Business {
    async fn start(options: Options) -> Self {
        Self { system: start("healthier-business", options).await.unwrap(), client: Client::new() }
    }

    /// A request with the headers of version 1.
    fn v1(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.system.url()));
        request.header("API-Key", setting(&self.system, "api_key")).header("API-Version", "1.0")
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        told(self.v1(Method::GET, path).send().await.unwrap()).await
    }

    async fn form(&self, method: Method, path: &str, form: &[(&str, &str)]) -> (u16, Value) {
        told(self.v1(method, path).form(form).send().await.unwrap()).await
    }

    async fn log_in(&self) -> (u16, Value) {
        let id: u64 = setting(&self.system, "client_id").parse().unwrap();
        let body = json!({"client_id": id, "api_key": setting(&self.system, "api_key")});
        told(self.client.post(format!("{}/v2/auth/token", self.system.url())).json(&body).send().await.unwrap()).await
    }

    async fn token(&self) -> String {
        self.log_in().await.1["access_token"].as_str().unwrap().to_owned()
    }

    async fn v2(&self, method: Method, path: &str, token: &str, body: Option<Value>) -> (u16, Value) {
        let mut request = self.client.request(method, format!("{}/v2{path}", self.system.url())).bearer_auth(token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        told(request.send().await.unwrap()).await
    }
}

async fn told(response: Response) -> (u16, Value) {
    let (status, value) = answer(response).await;
    (status.as_u16(), value)
}

#[tokio::test]
async fn version_1_wants_both_headers() {
    let business = Business::start(Options::default()).await;
    assert_eq!(business.get("/training-list").await.0, 200);
    let address = format!("{}/training-list", business.system.url());
    let key = setting(&business.system, "api_key");
    for headers in [vec![("API-Key", key.as_str())], vec![("API-Key", "x"), ("API-Version", "1.0")], vec![]] {
        let request =
            headers.iter().fold(business.client.get(&address), |request, (name, value)| request.header(*name, *value));
        assert_eq!(request.send().await.unwrap().status(), StatusCode::UNAUTHORIZED, "{headers:?}");
    }
}

#[tokio::test]
async fn a_refresh_gives_another_pair_once() {
    let business = Business::start(Options::default()).await;
    let (status, pair) = business.log_in().await;
    assert_eq!((status, &pair["expires_in"]), (200, &json!(3600)));
    let token = pair["access_token"].as_str().unwrap();
    assert_eq!(business.v2(Method::GET, "/auth/token-info", token, None).await.0, 200);
    assert_eq!(business.v2(Method::GET, "/auth/token-info", "another", None).await.0, 401);

    // The access token dies, the pair lives on.
    assert!(business.system.revoke_tokens());
    assert_eq!(business.v2(Method::GET, "/auth/token-info", token, None).await.0, 401);
    let refresh = json!({"refresh_token": pair["refresh_token"]});
    let (status, second) = business.v2(Method::POST, "/auth/refresh", "", Some(refresh.clone())).await;
    assert_eq!(status, 200, "{second}");
    assert_ne!(second["refresh_token"], pair["refresh_token"]);
    let token = second["access_token"].as_str().unwrap();
    assert_eq!(business.v2(Method::GET, "/templates", token, None).await.0, 200);
    assert_eq!(business.v2(Method::POST, "/auth/refresh", "", Some(refresh)).await.0, 401, "used before");
    assert_eq!(business.v2(Method::POST, "/auth/revoke", token, None).await.0, 200);
    assert_eq!(business.v2(Method::GET, "/templates", token, None).await.0, 401);
}

#[tokio::test]
async fn an_access_token_ends() {
    let business = Business::start(Options { token_lifetime: Duration::ZERO, ..Options::default() }).await;
    let token = business.token().await;
    assert_eq!(business.v2(Method::GET, "/templates", &token, None).await.0, 401);
}

#[tokio::test]
async fn version_2_takes_so_many_requests_a_minute_when_that_is_wanted() {
    let business = Business::start(Options { most_a_minute: Some(3), ..Options::default() }).await;
    let token = business.token().await;
    for expected in [200, 200, 429] {
        assert_eq!(business.v2(Method::GET, "/templates", &token, None).await.0, expected);
    }
    let address = format!("{}/v2/templates", business.system.url());
    let refused = business.client.get(address).bearer_auth(&token).send().await.unwrap();
    let seconds: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    // Version 1 has no limit.
    assert_eq!(business.get("/training-list").await.0, 200);
}

#[tokio::test]
async fn candidates_come_in_wrappers_of_texts_by_pages() {
    let business = Business::start(Options::default()).await;
    let mut sizes = Vec::new();
    for page in 1..=4 {
        let (status, rows) = business.get(&format!("/candidates?page={page}")).await;
        sizes.push((status, rows.as_array().unwrap().len()));
    }
    assert_eq!(sizes, [(200, 10), (200, 10), (200, 2), (200, 0)]);
    let (_, one) = business.get(&format!("/candidates/{THREE}")).await;
    let candidate = one[0]["candidate"].as_object().unwrap();
    assert_eq!((one.as_array().unwrap().len(), candidate.len()), (1, 31));
    assert!(candidate.values().all(Value::is_string), "{candidate:?}");
    assert_eq!((&candidate["candidate_id"], &candidate["email"]), (&json!("00010003"), &json!("person3@acme.example")));
    assert_eq!(business.get("/candidates/nobody").await.0, 404);
}

#[tokio::test]
async fn who_is_there_already_is_told_and_not_changed() {
    let business = Business::start(Options::default()).await;
    let eve =
        [("first_name", "Eve"), ("last_name", "Quay"), ("email", "eve@acme.example"), ("send_activation_mail", "0")];
    let (status, made) = business.form(Method::POST, "/candidates", &eve).await;
    assert_eq!(status, 201);
    let reference = made["response"]["candidate_ref"].as_str().unwrap();
    let (status, there) = business
        .form(Method::POST, "/candidates", &[("first_name", "X"), ("last_name", "Y"), ("email", "EVE@acme.example")])
        .await;
    assert_eq!((status, &there[0]["response"]), (202, &made["response"]));
    let (_, kept) = business.get(&format!("/candidates/{reference}")).await;
    assert_eq!(kept[0]["candidate"]["first_name"], "Eve");
}

#[tokio::test]
async fn statuses_say_what_became_of_a_change() {
    let business = Business::start(Options::default()).await;
    let path = format!("/candidates/{THREE}");
    let patch = |path: String, name: &'static str, value: &'static str| {
        let business = &business;
        async move { business.form(Method::PATCH, &path, &[(name, value)]).await }
    };
    assert_eq!(patch(path.clone(), "job_role", "Porter").await.0, 200);
    assert_eq!(patch(path.clone(), "job_role", "Porter").await, (304, Value::Null));
    let (status, refused) = patch(path.clone(), "archived", "yes").await;
    assert_eq!((status, &refused["errors"]["archived"][0]), (403, &json!("is 0 or 1")));
    assert_eq!(patch(path.clone(), "jobrole", "Porter").await.0, 400);
    assert_eq!(patch("/candidates/nobody".to_owned(), "job_role", "Porter").await.0, 404);

    let listed = async || business.get("/candidates?per_page=100").await.1.to_string().contains(THREE);
    assert!(listed().await);
    assert_eq!(patch(path.clone(), "archived", "1").await.0, 200);
    assert!(!listed().await);
    assert_eq!(business.get(&path).await.1[0]["candidate"]["archived"], "1");
}

#[tokio::test]
async fn no_history_is_204_and_certificates_are_pdf() {
    let business = Business::start(Options::default()).await;
    let five = "/training-results/5f0cafe0-0000-4000-8000-000000000005";
    assert_eq!(business.get(five).await, (204, Value::Null));
    assert_eq!(business.get(&format!("{five}/certificate/all")).await, (204, Value::Null));
    assert_eq!(business.get("/training-results/nobody").await.0, 404);
    let three = format!("/training-results/{THREE}");
    let courses = |rows: Value| -> Vec<String> {
        rows[0]["courses"].as_array().unwrap().iter().map(|row| row["course_id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(courses(business.get(&three).await.1), ["0304", "0101"]);
    assert_eq!(courses(business.get(&format!("{three}/unassigned")).await.1), ["0102"]);
    assert_eq!(courses(business.get(&format!("{three}/0102")).await.1), ["0102"]);

    for (path, name) in [("certificate", format!("{THREE}.pdf")), ("certificate/0101", format!("{THREE}-0101.pdf"))] {
        let response = business.v1(Method::GET, &format!("{three}/{path}")).send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "application/pdf");
        assert!(response.headers()["content-disposition"].to_str().unwrap().contains(&name));
        assert!(response.bytes().await.unwrap().starts_with(b"%PDF-"));
    }
    // Assigned, and not completed.
    assert_eq!(business.get(&format!("{three}/certificate/0304")).await.0, 204);
}

#[tokio::test]
async fn a_submission_is_finished_some_time_after_it_was_made_final() {
    let business = Business::start(Options::default()).await;
    let made = business.form(Method::POST, "/submissions", &[("form", "long")]).await;
    assert_eq!(made.0, 201);
    let path = format!("/submissions/{}", made.1["submission_ref"].as_str().unwrap());
    let part = multipart::Part::bytes(b"%PDF-".to_vec()).file_name("scan.pdf");
    let form = multipart::Form::new().text("note", "front").part("document", part);
    let (status, told) = told(business.v1(Method::PATCH, &path).multipart(form).send().await.unwrap()).await;
    assert_eq!((status, &told["documents"]), (200, &json!(["scan.pdf"])));
    assert_eq!(business.form(Method::PATCH, &path, &[("note", "none")]).await.0, 400);
    assert_eq!(business.get(&format!("{path}/result")).await, (202, Value::Null));
    assert_eq!(business.form(Method::POST, &path, &[]).await.0, 200);
    assert_eq!(business.get(&format!("{path}/result")).await.0, 202);
    let (status, result) = business.get(&format!("{path}/result")).await;
    assert_eq!((status, &result["result"]["clearance_level"]), (200, &json!("2")));
    let document = business.v1(Method::GET, &format!("{path}/document")).send().await.unwrap();
    assert_eq!(document.headers()["content-type"], "application/pdf");
    assert_eq!(business.get("/submissions/S9/result").await.0, 404);
}

/// Follows `links.next` to the end; the sizes of the pages.
async fn pages(business: &Business, first: String, token: &str) -> Vec<usize> {
    let (mut sizes, mut next) = (Vec::new(), Some(first));
    while let Some(url) = next {
        let (status, page) = told(business.client.get(&url).bearer_auth(token).send().await.unwrap()).await;
        assert_eq!(status, 200, "{url}: {page}");
        sizes.push(page["data"].as_array().unwrap().len());
        assert_eq!(page["meta"]["current_page"], sizes.len());
        next = page["links"]["next"].as_str().map(str::to_owned);
    }
    sizes
}

#[tokio::test]
async fn lists_of_version_2_are_followed_to_their_end() {
    let business = Business::start(Options::default()).await;
    let (token, url) = (business.token().await, business.system.url());
    assert_eq!(pages(&business, format!("{url}/v2/reference-requests?per_page=4"), &token).await, [4, 2]);
    assert_eq!(pages(&business, format!("{url}/interview-bookings?per_page=2"), &token).await, [2, 1]);
}

#[tokio::test]
async fn reference_requests_have_their_referees() {
    let business = Business::start(Options::default()).await;
    let token = business.token().await;
    let ask = async |method: Method, path: &str, body: Option<Value>| business.v2(method, path, &token, body).await;
    let (status, refused) = ask(
        Method::POST,
        "/reference-requests",
        Some(json!({"candidate_id": 10001, "collection_mode": "client_adds"})),
    )
    .await;
    assert_eq!((status, refused["errors"]["referees"].is_array()), (422, true), "{refused}");
    let referee = |name: &str| json!({"referee_name": name, "referee_email": format!("{name}@former.example")});
    let body = json!({"candidate_id": 10001, "collection_mode": "client_adds", "referees": [referee("al")]});
    let (status, made) = ask(Method::POST, "/reference-requests", Some(body)).await;
    assert_eq!((status, &made["data"]["status"]), (201, &json!("pending")));
    let path = format!("/reference-requests/{}", made["data"]["id"]);
    assert_eq!(ask(Method::POST, &format!("{path}/referees"), Some(referee("bo"))).await.0, 201);
    assert_eq!(ask(Method::POST, &format!("{path}/reminders"), None).await.1["sent"], 2);
    let (_, found) = ask(Method::GET, &path, None).await;
    let of = |at: usize| &found["data"]["references"][at];
    assert_eq!(
        (&of(0)["referee_name"], &of(1)["referee_name"], &of(1)["reminder_count"]),
        (&json!("al"), &json!("bo"), &json!(1))
    );
    let by_uuid = format!("/reference-requests/{}", made["data"]["uuid"].as_str().unwrap());
    assert_eq!(ask(Method::GET, &by_uuid, None).await.1, found);
    assert_eq!(ask(Method::POST, &format!("{path}/cancel"), None).await.0, 200);
    assert_eq!(ask(Method::POST, &format!("{path}/cancel"), None).await.0, 409);
}

#[tokio::test]
async fn the_secret_of_a_webhook_is_shown_once() {
    let business = Business::start(Options::default()).await;
    let token = business.token().await;
    let body = json!({"url": "https://hooks.acme.example", "events": ["reference.submitted"]});
    let (status, made) = business.v2(Method::POST, "/webhooks", &token, Some(body)).await;
    assert_eq!((status, &made["data"]["timeout_seconds"], &made["data"]["max_retries"]), (201, &json!(30), &json!(3)));
    let (_, listed) = business.v2(Method::GET, "/webhooks", &token, None).await;
    assert!(!listed.to_string().contains(made["secret"].as_str().unwrap()));
    assert!(!business.system.books().to_string().contains(made["secret"].as_str().unwrap()));
    let path = format!("/webhooks/{}", made["data"]["id"]);
    assert_eq!(business.v2(Method::DELETE, &path, &token, None).await.0, 204);
    assert_eq!(business.v2(Method::DELETE, &path, &token, None).await.0, 404);
}

#[tokio::test]
async fn what_is_saved_is_gone_on_from() {
    let before = Business::start(Options::default()).await;
    let eve = [("first_name", "Eve"), ("last_name", "Quay"), ("email", "eve@acme.example")];
    let (_, made) = before.form(Method::POST, "/candidates", &eve).await;
    let saved = before.system.save();
    let after = Business::start(Options { restore: Some(saved), ..Options::default() }).await;
    let (status, there) = after.form(Method::POST, "/candidates", &eve).await;
    assert_eq!((status, &there[0]["response"]), (202, &made["response"]));
    let fay = [("first_name", "Fay"), ("last_name", "Sluice"), ("email", "fay@acme.example")];
    let (_, another) = after.form(Method::POST, "/candidates", &fay).await;
    assert_ne!(another["response"]["candidate_ref"], made["response"]["candidate_ref"]);
}
