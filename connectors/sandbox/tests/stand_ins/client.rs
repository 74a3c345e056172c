//! A client as plain as can be: it adds credentials and reads answers, nothing more.

use quick_xml::{Reader, events::Event};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use towpath_sandbox::{Options, System, start};

pub const PEOPLE_FLUENT: &str = "peoplefluent";
pub const HUMAN_FOCUS: &str = "human-focus";
pub const HISTORY: &str = "trainingHistoryXml";

pub fn setting(system: &System, name: &str) -> String {
    let settings = system.settings();
    settings.into_iter().find(|(key, _)| key == name).unwrap_or_else(|| panic!("no setting {name}")).1
}

pub async fn people_fluent(options: Options) -> System {
    start(PEOPLE_FLUENT, options).await.unwrap()
}

/// A GET with the system key.
pub fn read(system: &System, function: &str, query: &[(&str, &str)]) -> RequestBuilder {
    Client::new()
        .get(format!("{}/api/{function}", system.url()))
        .query(query)
        .basic_auth("anybody", Some(setting(system, "system_key")))
}

pub async fn document(system: &System, function: &str, query: &[(&str, &str)]) -> String {
    let response = read(system, function, query).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    response.text().await.unwrap()
}

/// One `trainingRecord` as a reader blind to namespaces sees it.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Record {
    pub id: String,
    pub parent: Option<String>,
    pub fields: Vec<(String, String)>,
}

impl Record {
    /// The text at a path below the record, as it stands there.
    pub fn get(&self, path: &str) -> Option<&str> {
        self.fields.iter().find(|(name, _)| name == path).map(|(_, text)| text.as_str())
    }
}

/// Reads a history in full; panics on XML that is not well-formed.
pub fn records(xml: &str) -> Vec<Record> {
    let mut reader = Reader::from_str(xml);
    let (mut open, mut done, mut path, mut text) = (Vec::<Record>::new(), Vec::new(), Vec::new(), String::new());
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => {
                text.clear();
                let name = start.local_name().into_inner().to_owned();
                if name == "trainingRecord" {
                    let id = start.try_get_attribute("id").unwrap().unwrap();
                    let parent = open.last().map(|record| record.id.clone());
                    let id = id.value.to_string();
                    open.push(Record { id, parent, fields: Vec::new() });
                    path.clear();
                } else if !open.is_empty() {
                    path.push(name);
                }
            }
            Event::Text(part) => text.push_str(&part.xml10_content()),
            Event::CData(part) => text.push_str(&part.xml10_content()),
            Event::GeneralRef(entity) => match entity.resolve_char_ref().unwrap() {
                Some(c) => text.push(c),
                None => {
                    let name = entity.into_inner();
                    let known = quick_xml::escape::resolve_predefined_entity(&name);
                    text.push_str(known.unwrap_or_else(|| panic!("entity {name}")));
                }
            },
            Event::End(end) if end.local_name().into_inner() == "trainingRecord" => {
                done.push(open.pop().unwrap());
            }
            Event::End(_) => {
                if let Some(record) = open.last_mut() {
                    record.fields.push((path.join("/"), std::mem::take(&mut text)));
                    path.pop();
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    assert!(open.is_empty(), "the document ends within a record");
    done
}

/// A Human Focus with a token.
pub struct HumanFocus {
    pub system: System,
    pub client: Client,
    pub token: String,
}

impl HumanFocus {
    pub async fn start(options: Options) -> Self {
        let system = start(HUMAN_FOCUS, options).await.unwrap();
        let client = Client::new();
        let token = log_in(&system, &client).await;
        Self { system, client, token }
    }

    pub fn address(&self, rest: &str) -> String {
        format!("{}/api/cbt/{rest}", self.system.url())
    }

    pub async fn get(&self, rest: &str) -> (StatusCode, Value) {
        answer(self.client.get(self.address(rest)).bearer_auth(&self.token).send().await.unwrap()).await
    }

    pub fn posting(&self, operation: &str, body: &Value) -> RequestBuilder {
        self.client.post(self.address(operation)).bearer_auth(&self.token).json(body)
    }

    pub async fn post(&self, operation: &str, body: Value) -> Value {
        let (status, value) = answer(self.posting(operation, &body).send().await.unwrap()).await;
        assert_eq!(status, StatusCode::OK, "{operation}: {value}");
        value
    }

    /// The reason of a refusal, which comes with status 200.
    pub async fn refusal(&self, operation: &str, body: Value) -> String {
        let value = self.post(operation, body).await;
        assert_eq!(value["Status"], false, "{operation}: {value}");
        value["ErrorMessage"].as_str().unwrap().to_owned()
    }

    pub async fn user_id(&self, identifier: &str) -> Option<u64> {
        let mut address = reqwest::Url::parse(&self.address("GetUserID")).unwrap();
        address.path_segments_mut().unwrap().extend(["acme", identifier]);
        let response = self.client.get(address).bearer_auth(&self.token).send().await.unwrap();
        let (status, value) = answer(response).await;
        (status == StatusCode::OK).then(|| value["UserID"].as_u64()).flatten()
    }

    /// A provider and a training of it, created by the way a pipeline has to go.
    pub async fn training(&self, provider: &str, title: &str) -> (u64, u64) {
        let made = self
            .post("AddExternalTrainingProvider", json!({"PrvName": provider, "CreatedBy": 1, "OrganId": 12345}))
            .await;
        let provider = made["Result"]["ProviderId"].as_u64().unwrap();
        let details = json!({"trainingDetailsList": [
            {"ExtTrainTitle": title, "ExtTrainDuration": 2, "ExtTrainPrvID": provider, "CreatedBy": 1},
        ]});
        assert_eq!(self.post("AddExternalTrainingDetails", details).await, json!({"Status": true, "Result": ""}));
        let search = json!({"OrganID": 12345, "PageSize": 100, "PageIndex": 1, "SearchText": title});
        let found = self.post("GetUploadedTrainings", search).await;
        let rows = found["UploadedTrainings"]["UploadedTraining"].as_array().unwrap();
        let row = rows.iter().find(|row| row["TrainingCourse"] == title && row["ProviderId"] == provider);
        (provider, row.unwrap()["TrainingId"].as_u64().unwrap())
    }
}

pub async fn log_in(system: &System, client: &Client) -> String {
    let form = [
        ("grant_type", "password".to_owned()),
        ("username", setting(system, "username")),
        ("password", setting(system, "password")),
    ];
    let response = client.post(format!("{}/Token", system.url())).form(&form).send().await.unwrap();
    let (status, value) = answer(response).await;
    assert_eq!(status, StatusCode::OK, "{value}");
    assert_eq!(value["token_type"], "bearer");
    assert!(value["expires_in"].is_u64());
    value["access_token"].as_str().unwrap().to_owned()
}

/// Status and body; null for a body that is no JSON.
pub async fn answer(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    let body = response.bytes().await.unwrap();
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}
