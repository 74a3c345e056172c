//! Ways to send a record, as they come at the other end.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use axum::response::{IntoResponse, Response};
use serde_json::{Value as Json, json};
use std::path::PathBuf;
use support::server::{Say, Seen, Server, json as answer};
use support::{World, confirmed, defined, refusal};
use towpath_connector::Effect;

/// A definition with one operation.
fn definition(operation: &str) -> String {
    format!(
        "version: 1\nconnector: test\nconfig:\n  base_url: {{type: text, required: true}}\n  key: {{type: text, secret: true}}\n\
         auth:\n  key: {{type: header, headers: {{X-Key: \"{{{{ config.key }}}}\"}}}}\ndefaults: {{auth: key, error_message: [$.error, $.errors, $]}}\n\
         operations:\n  put:\n    kind: create\n{operation}"
    )
}

fn world(operation: &str, server: &Server) -> World {
    World::new(defined(&definition(operation)), json!({"base_url": server.url, "key": "the-secret-key"}))
}

fn fine(_: &Seen) -> Response {
    answer(200, &json!({"id": 1}))
}

/// What arrives when a record is sent.
async fn sent(operation: &str, record: Json) -> Seen {
    let server = Server::start(fine).await;
    confirmed(world(operation, &server).send("put", record).await);
    server.seen().pop().unwrap()
}

#[tokio::test]
async fn json_of_any_shape_with_any_method() {
    let bare =
        "    request: {method: DELETE, path: /x, body: {json: \"{{ record.ids }}\"}}\n    fields: {ids: list<text>}\n";
    let seen = sent(bare, json!({"ids": ["a", "b"]})).await;
    assert_eq!((seen.line.as_str(), seen.body.as_str()), ("DELETE /x", r#"["a","b"]"#));
    assert_eq!(seen.header("content-type"), "application/json");
    let scalar = "    request: {path: /x, body: {json: \"{{ record.n }}\"}}\n    fields: {n: int}\n";
    assert_eq!(sent(scalar, json!({"n": "7"})).await.body, "7");
    let text = "    request: {path: /x, body: {text: \"{{ record.a }}|{{ record.b }}\", content_type: text/x-pair}}\n    fields: {a: text, b: text}\n";
    let seen = sent(text, json!({"a": "1", "b": null})).await;
    assert_eq!((seen.body.as_str(), seen.header("content-type")), ("1|", "text/x-pair"));
    let form = "    request: {path: /x, body: {form: {ids: \"{{ record.ids }}\", none: \"{{ record.none }}\"}}}\n    fields: {ids: list<text>, none: text}\n";
    assert_eq!(sent(form, json!({"ids": ["a b", "c"], "none": null})).await.body, "ids=a+b&ids=c");
}

#[tokio::test]
async fn csv_has_a_line_for_the_record() {
    let named = "    request: {path: /x, body: {csv: {columns: [UserID, Active, Note], quote: always}}}\n    fields: {UserID: text, Active: bool, Note: text}\n";
    let seen = sent(named, json!({"UserID": "007", "Active": true, "Note": null})).await;
    assert_eq!(seen.body, "\"UserID\",\"Active\",\"Note\"\r\n\"007\",\"true\",\"\"\r\n");
    assert_eq!(seen.header("content-type"), "text/plain; charset=utf-8");
    let made = "    request:\n      path: /x\n      body:\n        csv:\n          columns: {User ID: \"{{ record.id | upper }}\", Where: fixed}\n          \
                header: false\n          line_end: lf\n          content_type: text/csv\n    fields: {id: text}\n";
    let seen = sent(made, json!({"id": "a,\"b\""})).await;
    assert_eq!((seen.body.as_str(), seen.header("content-type")), ("\"A,\"\"B\"\"\",fixed\n", "text/csv"));
}

#[tokio::test]
async fn xml_has_elements_attributes_and_lists() {
    let xml = "    request:\n      path: /x\n      body:\n        xml:\n          users:\n            \"@version\": \"{{ 1 + 1 }}\"\n            \
               user:\n              \"@id\": \"{{ record.id }}\"\n              name: \"{{ record.name }}\"\n              group: \"{{ record.groups }}\"\n    \
               fields: {id: text, name: text, groups: list<text>}\n";
    let seen = sent(xml, json!({"id": "7", "name": "A <b> & c", "groups": ["x", "y"]})).await;
    let body = "<users version=\"2\"><user id=\"7\"><name>A &lt;b&gt; &amp; c</name><group>x</group><group>y</group></user></users>";
    assert_eq!(seen.body.split_once('\n').unwrap().1, body);
    assert_eq!(seen.header("content-type"), "application/xml; charset=utf-8");
    let server = Server::start(fine).await;
    let refused = refusal(world(xml, &server).send("put", json!({"id": "7", "name": "bell \u{7}"})).await);
    assert!(refused.contains("U+0007") && server.seen().is_empty(), "{refused}");
}

const UPLOAD: &str = "    request:\n      path: /x\n      body:\n        multipart:\n          title: \"{{ record.title }}\"\n          \
                      doc: {file: {path: \"{{ record.path }}\", url: \"{{ record.url }}\", content: \"{{ record.content }}\"}, file_name: \"{{ record.name }}\", content_type: \"{{ record.kind }}\"}\n    \
                      fields: {title: text, path: text, url: text, content: binary, name: text, kind: text}\n";

#[tokio::test]
async fn files_come_from_paths_urls_and_the_record() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("on disk.png"), b"from the disk").unwrap();
    let server = Server::start(fine).await;
    let mut world = world(UPLOAD, &server);
    world.connect.base = PathBuf::from(folder.path());
    confirmed(world.send("put", json!({"title": "T", "path": "on disk.png"})).await);
    let seen = server.seen().pop().unwrap();
    assert!(seen.header("content-type").starts_with("multipart/form-data; boundary="));
    for part in
        ["name=\"title\"\r\n\r\nT\r\n", "filename=\"on disk.png\"\r\nContent-Type: image/png\r\n", "from the disk"]
    {
        assert!(seen.body.contains(part), "{part}: {}", seen.body);
    }
    let content = data_encoding::BASE64.encode(b"from the record");
    confirmed(world.send("put", json!({"content": content, "name": "a.pdf"})).await);
    let seen = server.seen().pop().unwrap();
    assert!(
        seen.body.contains("filename=\"a.pdf\"\r\nContent-Type: application/pdf\r\n")
            && seen.body.contains("from the record")
    );
    // Without any file the part is left out, as other parts are that are null.
    confirmed(world.send("put", json!({"title": "alone"})).await);
    assert!(!server.seen().pop().unwrap().body.contains("filename"));
    for (record, says) in [
        (json!({"content": "not base64!"}), "content"),
        (json!({"path": "none.pdf"}), "there is no file `none.pdf`"),
        (json!({"path": " "}), "is empty"),
        (json!({"path": "on disk.png", "kind": "picture"}), "`picture` is not a media type"),
        (json!({"url": "file:///etc/passwd"}), "not the http or https URL"),
    ] {
        let before = server.seen().len();
        let refused = refusal(world.send("put", record).await);
        assert!(refused.contains(says) && server.seen().len() == before, "{refused}");
    }
}

#[tokio::test]
async fn a_file_at_a_url_is_asked_for_without_credentials() {
    let files = Server::start(|seen| match seen.line.as_str() {
        "GET /certificates/7.pdf" => Say(200, "application/pdf; x=y", "from the web".to_owned()).into_response(),
        "GET /moved" => (axum::http::StatusCode::FOUND, [("location", "/certificates/7.pdf")]).into_response(),
        "GET /busy" => Say(503, "text/plain", "later".to_owned()).into_response(),
        "GET /huge" => Say(200, "text/plain", "x".repeat((64 << 20) + 1)).into_response(),
        _ => Say(404, "text/plain", "no such file".to_owned()).into_response(),
    })
    .await;
    let server = Server::start(fine).await;
    let world = world(UPLOAD, &server);
    for path in ["/certificates/7.pdf", "/moved"] {
        confirmed(world.send("put", json!({"url": format!("{}{path}", files.url)})).await);
        let seen = server.seen().pop().unwrap();
        assert!(
            seen.body.contains("Content-Type: application/pdf\r\n") && seen.body.contains("from the web"),
            "{}",
            seen.body
        );
    }
    assert!(server.seen()[0].body.contains("filename=\"7.pdf\""));
    assert_eq!(server.seen()[0].header("x-key"), "the-secret-key");
    assert!(files.seen().iter().all(|seen| seen.header("x-key").is_empty()));
    let before = server.seen().len();
    let refused = refusal(world.send("put", json!({"url": format!("{}/gone", files.url)})).await);
    assert!(refused.contains("404") && refused.contains("no such file"), "{refused}");
    let refused = refusal(world.send("put", json!({"url": format!("{}/huge", files.url)})).await);
    assert!(refused.contains("larger than 64 MiB"), "{refused}");
    let error = world.send("put", json!({"url": format!("{}/busy", files.url)})).await.err().unwrap();
    assert!(error.is_passing() && error.effect == Effect::None, "{error:?}");
    assert_eq!(server.seen().len(), before, "nothing is sent without its file");
}

#[tokio::test]
async fn fields_are_written_as_the_vendor_wants_them() {
    let operation = "    request: {path: /x, body: record}\n    fields:\n      \
        id: {type: text, max_length: 4, case: upper}\n      \
        born: {type: date, format: \"%d/%m/%Y\"}\n      \
        at: {type: datetime, format: \"%Y-%m-%d %H:%M:%S\", zone: Europe/London}\n      \
        mail: {type: bool, words: {\"true\": \"1\", \"false\": \"0\"}}\n      \
        groups: {type: list<text>, join: \",\"}\n";
    let record =
        json!({"id": "ab1", "born": "2001-02-03", "at": "2026-07-01T10:00:00Z", "mail": false, "groups": ["a", "b"]});
    let body: Json = serde_json::from_str(&sent(operation, record).await.body).unwrap();
    let expected =
        json!({"id": "AB1", "born": "03/02/2001", "at": "2026-07-01 11:00:00", "mail": "0", "groups": "a,b"});
    assert_eq!(body, expected);
    let server = Server::start(fine).await;
    let refused = refusal(world(operation, &server).send("put", json!({"id": "abcde"})).await);
    assert!(refused.contains("`id`: it has 5 characters") && server.seen().is_empty(), "{refused}");
}

#[tokio::test]
async fn a_field_of_the_path_is_left_out_of_the_body_and_a_field_that_is_not_given_too() {
    let operation = "    request: {method: PATCH, path: \"/x/{{ record.id }}\", body: {without: id}}\n    \
        fields: {id: {type: int, required: true}, name: text, place: text, born: date}\n";
    let sent = sent(operation, json!({"id": 7, "name": "Ada", "place": null})).await;
    let body: Json = serde_json::from_str(&sent.body).unwrap();
    assert_eq!((sent.line.as_str(), body), ("PATCH /x/7", json!({"name": "Ada", "place": null})));
}

#[tokio::test]
async fn answers_in_xml_text_and_csv_are_understood() {
    let answers = |status: u16, kind: &'static str, text: &'static str| {
        move |_: &Seen| Say(status, kind, text.to_owned()).into_response()
    };
    let ask = async |operation: &str, status, kind, text| {
        let server = Server::start(answers(status, kind, text)).await;
        world(operation, &server).send("put", json!({"id": "1"})).await
    };
    let xml = "    request: {path: /x, body: record}\n    fields: {id: text}\n    response: {format: xml}\n    \
               success: {path: $.result.status, equals: ok}\n    error_message: [$.result.message]\n    \
               results: {id: {type: int, from: \"$.result.user['@id']\"}, http: {type: int, from: status}}\n";
    let good = "<?xml version=\"1.0\"?><r:result xmlns:r=\"u\"><status>OK</status><user id=\"12\"/></r:result>";
    assert_eq!(confirmed(ask(xml, 201, "text/xml", good).await), json!({"id": 12, "http": 201}));
    let bad = "<result><status>no</status><message>no such <![CDATA[<user>]]></message></result>";
    assert_eq!(refusal(ask(xml, 200, "text/xml", bad).await), "no such <user>");
    // The vendor's words are found whatever the status.
    assert_eq!(refusal(ask(xml, 422, "text/xml", bad).await), "no such <user>");
    let page = ask(xml, 200, "text/html", "<html><body>Sign in</body></html>").await.err().unwrap();
    assert!(page.message.contains("HTML where XML was expected") && page.effect == Effect::Unknown, "{page:?}");

    let text = "    request: {path: /x, body: record}\n    fields: {id: text}\n    response: {format: text}\n    success: {path: $, equals: [ok, done]}\n";
    assert_eq!(confirmed(ask(text, 200, "text/plain", " OK\r\n").await), json!({}));
    assert_eq!(refusal(ask(text, 200, "text/plain", "payment-required").await), "payment-required");
    assert_eq!(refusal(ask(text, 400, "text/plain", "the words").await), "the words");

    let csv = "    request: {path: /x, body: record}\n    fields: {id: text}\n    response: {format: csv}\n    success: {last_line_contains: No Error Occurred}\n";
    assert_eq!(confirmed(ask(csv, 200, "text/csv", "a,b\n1,2\n\"No Error Occurred\"\n\n").await), json!({}));
    let refused = refusal(ask(csv, 200, "text/csv", "a,b\n1,wrong\n").await);
    assert!(refused.contains("1,wrong"), "{refused}");
    let empty = ask(csv, 200, "text/csv", " \n").await.err().unwrap();
    assert_eq!(empty.effect, Effect::Unknown);

    let none = "    request: {path: /x, body: record}\n    fields: {id: text}\n    response: {format: none}\n    results: {http: {type: int, from: status}}\n    \
                error_handler: {response_filters: [{http_codes: 304, action: ignore}]}\n";
    assert_eq!(confirmed(ask(none, 200, "text/html", "<html>whatever").await), json!({"http": 200}));
    assert_eq!(confirmed(ask(none, 304, "text/plain", "").await), json!({"http": 304}));
}
