//! Secrets that were planted are looked for in all that is printed and kept: they must not be there, in no disguise.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use towpath_tests::{MAIN_JOB, Ran, World};

/// What the stand-ins demand.
const KEY: &str = "sandbox-system-key";
const PASSWORD: &str = "sandbox-p@ss+w0rd";
/// Ones that are wrong; the marks in them have to be written otherwise in a URL or a form.
const WRONG_KEY: &str = "planted/k3y+of=marks";
const WRONG_PASSWORD: &str = "planted p@ss&w0rd%of=marks";

/// A secret as it is, as a form or an address writes it, and as the user and password of HTTP.
fn disguises(secret: &str) -> Vec<Vec<u8>> {
    let encode = |space: &str| -> String {
        let of = |byte: u8| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            b' ' => space.to_owned(),
            other => format!("%{other:02X}"),
        };
        secret.bytes().map(of).collect()
    };
    let basic = base64(format!(":{secret}").as_bytes());
    let mut all = vec![secret.to_owned(), encode("+"), encode("%20"), encode("%20").to_lowercase(), basic];
    all.dedup();
    all.into_iter().map(String::into_bytes).collect()
}

fn base64(bytes: &[u8]) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let number = chunk.iter().fold(0u32, |number, byte| number << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let sign = char::from(SIGNS[(number >> (18 - 6 * place)) as usize & 63]);
            out.push(if place > chunk.len() { '=' } else { sign });
        }
    }
    out
}

/// Looks for secrets in what was printed and in every file that was kept, the files given to the run left out.
#[track_caller]
fn search(ran: &Ran, world: &World, secrets: &[&str]) {
    let mut places: Vec<(String, Vec<u8>)> =
        vec![("stdout".into(), ran.stdout.clone().into_bytes()), ("stderr".into(), ran.stderr.clone().into_bytes())];
    for file in world.scratch.files() {
        if file.file_name().is_some_and(|name| name != "secrets.txt" && name != "job.yaml") {
            places.push((file.display().to_string(), std::fs::read(&file).expect("a file")));
        }
    }
    let holds = |text: &[u8], wanted: &[u8]| text.windows(wanted.len()).any(|part| part == wanted);
    for secret in secrets {
        for disguise in disguises(secret) {
            let found: Vec<&str> =
                places.iter().filter(|(_, text)| holds(text, &disguise)).map(|(place, _)| place.as_str()).collect();
            assert!(found.is_empty(), "{} is in {found:?}\n{}", String::from_utf8_lossy(&disguise), ran.stderr);
        }
    }
}

#[test]
fn the_search_finds_what_is_hidden() {
    assert_eq!(base64(b":sandbox"), "OnNhbmRib3g=");
    assert_eq!(base64(b"Ma"), "TWE=");
    let found: Vec<String> =
        disguises("a b+c").into_iter().map(|disguise| String::from_utf8(disguise).expect("text")).collect();
    assert_eq!(found, ["a b+c", "a+b%2Bc", "a%20b%2Bc", "a%20b%2bc", "OmEgYitj"]);
}

#[test]
fn a_good_run_keeps_its_secrets() {
    let world = World::new();
    // Rejects, stages, retries and a login again: all that may talk.
    world.hf_faults("401:nth=4:op=GetUserID, refuse:nth=3:op=UploadExternalTraining, 503:nth=5:op=GetUserID");
    let ran = world.job().line("-vv --keep-stage").run().ended(0);
    assert!(
        world.scratch.files().iter().any(|file| file.extension().is_some_and(|end| end == "parquet")),
        "kept stages"
    );
    assert!(!world.rejects().is_empty(), "rejects");
    search(&ran, &world, &[KEY, PASSWORD]);
    for command in ["runs show last", "rejects list", "runs show last --format json", "rejects list --format json"] {
        let ran = world.towpath(command).run().ended(0);
        search(&ran, &world, &[KEY, PASSWORD]);
    }
}

#[test]
fn secrets_of_a_file_are_kept() {
    let world = World::new();
    let file = world.scratch.write(
        "secrets.txt",
        format!("# of the test\nPEOPLEFLUENT_KEY={KEY}\nexport HUMAN_FOCUS_PASSWORD=\"{PASSWORD}\"\nUNUSED=planted-and-unused\n"),
    );
    let job = world.job().without_env("PEOPLEFLUENT_KEY").without_env("HUMAN_FOCUS_PASSWORD");
    let ran = job.line("-vv --keep-stage --log-format json --secrets").args([file]).run().ended(0);
    search(&ran, &world, &[KEY, PASSWORD, "planted-and-unused"]);
}

#[test]
fn a_broken_secrets_file_is_not_shown() {
    let world = World::new();
    let file = world.scratch.write("secrets.txt", "planted-line-without-a-name\n");
    let ran = world.job().line("--secrets").args([file]).run().ended(2).says("secrets.txt:1");
    search(&ran, &world, &["planted-line-without-a-name"]);
}

#[test]
fn wrong_secrets_are_kept_as_well() {
    let world = World::new();
    let ran = world.job().env("HUMAN_FOCUS_PASSWORD", WRONG_PASSWORD).line("-vv --keep-stage").run().ended(1);
    search(&ran, &world, &[KEY, WRONG_PASSWORD]);
    let ran = world.job().env("PEOPLEFLUENT_KEY", WRONG_KEY).line("-vv --keep-stage").run().ended(1);
    search(&ran, &world, &[PASSWORD, WRONG_KEY]);
    let ran = world.towpath(&format!("check {MAIN_JOB} -vv")).env("HUMAN_FOCUS_PASSWORD", WRONG_PASSWORD).run();
    search(&ran, &world, &[KEY, WRONG_PASSWORD]);
}

#[test]
fn an_error_page_does_not_bring_secrets_back() {
    let world = World::new();
    world.lms_faults("html");
    world.hf_faults("html:op=GetUserID");
    let ran = world.hurried_job(0).line("-vv").run().ended(1);
    search(&ran, &world, &[KEY, PASSWORD]);
}

/// A server that answers everything with the request it was sent, as frameworks do when they are asked to be helpful.
/// It lives as long as the test's process.
fn echo(status: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut request = Vec::new();
            let mut piece = [0; 4096];
            while !is_whole(&request) {
                match stream.read(&mut piece) {
                    Ok(read @ 1..) => request.extend_from_slice(&piece[..read]),
                    _ => break,
                }
            }
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                request.len()
            );
            // The client may have gone; the next one is served all the same.
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&request));
        }
    });
    format!("http://{address}")
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    body.len() >= length.and_then(|length| length.trim().parse().ok()).unwrap_or(0)
}

#[test]
fn a_server_that_echoes_secrets_does_not_get_them_printed() {
    for status in ["400 Bad Request", "401 Unauthorized", "500 Internal Server Error", "200 OK"] {
        let world = World::new();
        let ran = world.hurried_job(0).env("HUMAN_FOCUS_URL", echo(status)).line("-vv --keep-stage");
        let ran = ran.env("HUMAN_FOCUS_PASSWORD", WRONG_PASSWORD).run();
        assert!(matches!(ran.code, Some(1 | 75)), "{status}: {:?} {}", ran.code, ran.stderr);
        search(&ran, &world, &[KEY, WRONG_PASSWORD]);
        let ran = world.hurried_job(0).env("PEOPLEFLUENT_URL", echo(status)).line("-vv --keep-stage");
        let ran = ran.env("PEOPLEFLUENT_KEY", WRONG_KEY).run();
        assert!(matches!(ran.code, Some(1 | 75)), "{status}: {:?} {}", ran.code, ran.stderr);
        search(&ran, &world, &[PASSWORD, WRONG_KEY]);
    }
}

#[test]
fn a_password_in_an_address_is_not_printed() {
    let world = World::new();
    let url = world.lms.url().replace("http://", "http://someone:planted-in-the-address@");
    world.lms_faults("503");
    let ran = world.hurried_job(0).env("PEOPLEFLUENT_URL", url).line("-vv").run();
    assert_ne!(ran.code, Some(0));
    search(&ran, &world, &["planted-in-the-address"]);
}

#[test]
fn a_secret_written_into_the_pipeline_is_refused_or_kept() {
    let world = World::new();
    let copy = world.copy_of_job(&[("\"{{ secret.HUMAN_FOCUS_PASSWORD }}\"", "planted-in-the-file")], "");
    let ran = world.towpath("run").args([Path::new(&copy)]).line("-vv").run();
    assert_ne!(ran.code, Some(0));
    search(&ran, &world, &["planted-in-the-file"]);
}
