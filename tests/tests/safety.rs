//! What a run keeps to itself: its files from other users, secrets of every way to log in from all that is printed and kept,
//! credentials from whoever listens on the way.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use towpath_tests::{MAIN_JOB, Ran, Scratch, World};

/// How files and folders below a folder stand open to others.
#[cfg(unix)]
fn open_to_others(folder: &Path, found: &mut Vec<String>) {
    use std::os::unix::fs::PermissionsExt;
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let mode = path.metadata().expect("there").permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            found.push(format!("{} {mode:o}", path.display()));
        }
        if path.is_dir() {
            open_to_others(&path, found);
        }
    }
}

#[cfg(unix)]
#[test]
fn state_is_closed_to_others_whatever_the_umask_says_and_was_there() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::copy_of(&towpath_tests::repository().join("examples/04-main-job"));
    let state = scratch.at("state");
    // As somebody made them by hand, or a backup brought them back.
    for folder in ["", "stages", "sandbox"] {
        std::fs::create_dir_all(state.join(folder)).expect("a folder");
        std::fs::set_permissions(state.join(folder), std::fs::Permissions::from_mode(0o777)).expect("ours");
    }
    let job = towpath_tests::repository().join(MAIN_JOB);
    let run = || {
        let towpath = scratch.towpath("run --sandbox --keep-stage --state state").args([&job]);
        towpath.through("umask 000").run()
    };
    for _ in 0..2 {
        let ran = run();
        assert!(matches!(ran.code, Some(0 | 3)), "{:?} {}", ran.code, ran.stderr);
        let mut found = Vec::new();
        open_to_others(&state, &mut found);
        assert_eq!(found, Vec::<String>::new());
        let mode = state.metadata().expect("there").permissions().mode() & 0o777;
        assert_eq!(mode, 0o700, "{mode:o}");
    }
    let kept = |end: &str| scratch.files().iter().any(|file| file.to_string_lossy().ends_with(end));
    for end in ["state.db", "manifest.json", ".parquet", ".json"] {
        assert!(kept(end), "no {end} was looked at");
    }
}

#[test]
fn credentials_go_over_plain_http_to_this_machine_alone_unless_that_is_meant() {
    let world = World::new();
    // This machine, and yet no loopback address by its number.
    let open = world.hf.url().replace("127.0.0.1", "0.0.0.0");
    let ran = world.job().env("HUMAN_FOCUS_URL", &open).run().ended(78);
    let ran = ran.says("`base_url` sends the credentials of the connection to 0.0.0.0 over plain http://");
    ran.says("`allow_plain_http: true`");
    assert_eq!(world.hf.books()["requests"]["total"], 0, "nothing was asked");
    let copy =
        world.copy_of_job(&[("connector: human-focus", "connector: human-focus\n    allow_plain_http: true")], "");
    world.towpath("run").args([&copy]).env("HUMAN_FOCUS_URL", &open).run().ended(0);
    assert!(!world.uploads().is_empty());
}

const SYSTEM: &str = r#"
version: 1
connector: many-doors
config:
  base_url: {type: text, required: true}
  user: {type: text}
  password: {type: text, secret: true}
  token: {type: text, secret: true}
  key: {type: text, secret: true}
  param: {type: text, secret: true}
  login: {type: text, secret: true}
auth:
  basic: {type: basic, username: "{{ config.user }}", password: "{{ config.password }}"}
  bearer: {type: bearer, token: "{{ config.token }}"}
  header: {type: header, headers: {X-Api-Key: "{{ config.key }}"}}
  query: {type: query, params: {api_key: "{{ config.param }}"}}
  session:
    type: session
    request: {method: POST, path: /login, body: {form: {secret: "{{ config.login }}"}}}
    token: $.access_token
    scheme: Bearer
streams:
"#;

const WAYS: [&str; 5] = ["basic", "bearer", "header", "query", "session"];

/// The secrets of all ways, those among them that only the server knows, and the one of HTTP Basic as it is sent.
const SECRETS: [&str; 8] = [
    "planted p@ss/word",
    "planted-bearer-token",
    "planted-api-key",
    "planted/query&param",
    "planted-login-secret",
    "planted-session-token",
    "planted-own-header",
    "c29tZW9uZTpwbGFudGVkIHBAc3Mvd29yZA",
];

/// Answers `/good` with a row, and anything else with a status and the request as it came.
fn server(status: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut asked = vec![0; 1 << 16];
            let read = stream.read(&mut asked).unwrap_or(0);
            let asked = String::from_utf8_lossy(&asked[..read]).into_owned();
            let path = asked.split(' ').nth(1).unwrap_or_default();
            let (status, body) = if path.starts_with("/login") {
                ("200 OK", r#"{"access_token": "planted-session-token"}"#.to_owned())
            } else if path.starts_with("/good") {
                // The second one does not fit and becomes a reject.
                ("200 OK", r#"{"items": [{"id": 1, "name": "one"}, {"id": "x", "name": "two"}]}"#.to_owned())
            } else {
                (status, asked)
            };
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            // The client may have gone; the next one is served all the same.
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
        }
    });
    format!("http://{address}")
}

/// A project with a pipeline for each way to log in, and one of all of them.
fn project(path: &str) -> Scratch {
    let scratch = Scratch::new();
    let mut system = SYSTEM.to_owned();
    for way in WAYS {
        system += &format!(
            "  {way}: {{request: {{path: {path}}}, auth: {way}, record_selector: {{records: '$.items[*]'}}, schema: {{id: int, name: text}}}}\n"
        );
    }
    scratch.write("connectors/many-doors.yaml", system);
    scratch.write(
        "towpath.yaml",
        "version: 1\nproject: safety\nconnections:\n  doors:\n    connector: many-doors\n    base_url: \"{{ env.URL }}\"\n    \
         user: someone\n    password: \"{{ secret.PASSWORD }}\"\n    token: \"{{ secret.TOKEN }}\"\n    key: \"{{ secret.KEY }}\"\n    \
         param: \"{{ secret.PARAM }}\"\n    login: \"{{ secret.LOGIN }}\"\n    headers: {X-Own: \"{{ secret.OWN }}\"}\n",
    );
    for way in WAYS {
        scratch.write(
            &format!("{way}.yaml"),
            format!(
                "version: 1\npipeline: {way}\nlimits: {{retries: 0}}\nsources:\n  rows: {{connection: doors, stream: {way}}}\ntransforms:\n  \
                 checked: {{input: rows, steps: [{{check: [{{name: small, expect: id < 1, else: reject}}]}}]}}\nsinks:\n  \
                 out: {{input: checked, connector: csv, path: {way}.csv}}\n"
            ),
        );
    }
    scratch
}

fn with_secrets(scratch: &Scratch, line: &str, url: &str) -> Ran {
    let names = ["PASSWORD", "TOKEN", "KEY", "PARAM", "LOGIN"];
    let towpath = scratch.towpath(line).env("URL", url).env("OWN", SECRETS[6]).env("RUST_BACKTRACE", "1");
    names.iter().zip(SECRETS).fold(towpath, |towpath, (name, secret)| towpath.env(name, secret)).run()
}

#[track_caller]
fn search(ran: &Ran, scratch: &Scratch, line: &str) {
    let mut places = vec![
        ("stdout".to_owned(), ran.stdout.clone().into_bytes()),
        ("stderr".to_owned(), ran.stderr.clone().into_bytes()),
    ];
    for file in scratch.files() {
        places.push((file.display().to_string(), std::fs::read(&file).expect("a file")));
    }
    for secret in SECRETS {
        let written: String = url_form(secret);
        for form in [secret, written.as_str(), written.replace("%20", "+").as_str()] {
            let holds = |text: &[u8]| text.windows(form.len()).any(|part| part == form.as_bytes());
            let found: Vec<&String> = places.iter().filter(|(_, text)| holds(text)).map(|(place, _)| place).collect();
            assert!(found.is_empty(), "`{line}`: {form} is in {found:?}\n{}\n{}", ran.stdout, ran.stderr);
        }
    }
}

fn url_form(secret: &str) -> String {
    let of = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    secret.bytes().map(of).collect()
}

#[test]
fn no_way_to_log_in_leaves_a_trace() {
    let url = server("200 OK");
    let scratch = project("/good");
    for way in WAYS {
        for line in [
            format!("run {way}.yaml -vvv --keep-stage"),
            format!("run {way}.yaml -vvv --keep-stage --log-format json"),
            format!("preview {way}.yaml rows -vvv"),
            format!("preview {way}.yaml rows --format json"),
            format!("check {way}.yaml -vvv"),
            "runs show last --format json".to_owned(),
            "runs list".to_owned(),
            "rejects list --format json".to_owned(),
        ] {
            let ran = with_secrets(&scratch, &line, &url);
            assert!(matches!(ran.code, Some(0 | 3)), "`{line}`: {:?}\n{}\n{}", ran.code, ran.stdout, ran.stderr);
            search(&ran, &scratch, &line);
        }
    }
    let kept = |end: &str| scratch.files().iter().any(|file| file.to_string_lossy().ends_with(end));
    assert!(kept("state.db") && kept(".parquet") && kept("session.csv"), "state, stages and output were looked at");
}

#[test]
fn a_server_that_echoes_finds_no_way_to_log_in_printed() {
    for status in ["400 Bad Request", "401 Unauthorized", "500 Internal Server Error", "200 OK"] {
        let url = server(status);
        let scratch = project("/echo");
        for way in WAYS {
            for line in [format!("run {way}.yaml -vvv --keep-stage"), format!("run {way}.yaml --log-format json")] {
                let ran = with_secrets(&scratch, &line, &url);
                assert!(matches!(ran.code, Some(1 | 75)), "`{line}` {status}: {:?}\n{}", ran.code, ran.stderr);
                search(&ran, &scratch, &line);
            }
        }
    }
}
