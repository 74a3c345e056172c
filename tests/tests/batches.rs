//! Delivery in batches: intents of a whole batch before the call, a receipt of each record after it, and what a kill between
//! the two leaves. The system is a definition of the project's own, and a small server that takes several records at once.

use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use towpath_tests::{Ran, Scratch, Towpath, node, until};

const DEFINITION: &str = r#"
version: 1
connector: depot
config: {base_url: {type: text, required: true}}
defaults: {error_message: $.why}
streams:
  stored:
    request: {path: "/items/{{ params.id }}"}
    params: {id: {type: int, required: true}}
    record_selector: {records: "$.items[*]"}
    schema: {id: int, place: int}
operations:
  put:
    kind: create
    request: {path: /items, body: {json: {items: "{{ records }}"}}}
    fields: {id: {type: int, required: true}}
    batch: {size: 50}
    items: {path: "$.items[*]", success: {path: $.ok, equals: true}, error_message: $.why}
    results: {place: {type: int, from: $.place}}
    verify: {stream: stored, with: {id: "{{ record.id }}"}, results: {place: {type: int, from: $.place}}}
  put_blindly:
    kind: create
    request: {path: /items, body: {json: {items: "{{ records }}"}}}
    fields: {id: int}
    batch: {size: 50}
"#;

const PIPELINE: &str = r#"
version: 1
pipeline: stock
connections: {depot: {connector: depot, base_url: "{{ env.DEPOT }}"}}
sources:
  stock: {connector: csv, path: stock.csv, columns: {id: int}}
sinks:
  put: {input: stock, connection: depot, operation: put, key: id, concurrency: 2, MORE}
"#;

/// Takes batches; every tenth record is turned down, and a batch with record 666 as a whole.
struct Depot {
    address: String,
    shelves: Arc<Shelves>,
}

#[derive(Default)]
struct Shelves {
    /// Batches in the order they came.
    taken: Mutex<Vec<Vec<i64>>>,
    /// Batches are taken and not answered, and of their records only every other one is stored.
    mute: AtomicBool,
    /// The status the next batches are answered with, in the place of being stored.
    broken: Mutex<Vec<&'static str>>,
    stored: Mutex<BTreeSet<i64>>,
}

impl Depot {
    fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let shelves: Arc<Shelves> = Arc::default();
        let depot = Self { address, shelves: Arc::clone(&shelves) };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shelves = Arc::clone(&shelves);
                // A connection that breaks is the client's doing.
                std::thread::spawn(move || drop(serve(stream, &shelves)));
            }
        });
        depot
    }

    fn taken(&self) -> Vec<Vec<i64>> {
        self.shelves.taken.lock().expect("no panic").clone()
    }

    fn mute(&self, mute: bool) {
        self.shelves.mute.store(mute, Ordering::SeqCst);
    }

    fn break_next(&self, status: &'static str, times: usize) {
        *self.shelves.broken.lock().expect("no panic") = vec![status; times];
    }
}

/// A request's path and body; none at the end of the connection.
fn request(reader: &mut BufReader<TcpStream>) -> std::io::Result<Option<(String, Vec<u8>)>> {
    let mut first = String::new();
    if reader.read_line(&mut first)? == 0 {
        return Ok(None);
    }
    let path = first.split(' ').nth(1).expect("a path").to_owned();
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        match line.split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.trim().parse().expect("a length");
            }
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some((path, body)))
}

fn serve(mut stream: TcpStream, shelves: &Shelves) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    while let Some((path, body)) = request(&mut reader)? {
        let answered = match path.strip_prefix("/items/") {
            Some(id) => Some(("200 OK", shelves.look(id.parse().expect("an id")))),
            None => shelves.take(&body),
        };
        // Without an answer the client waits.
        let Some((status, answer)) = answered else { continue };
        let (answer, kind) = (answer.to_string(), "content-type: application/json");
        write!(stream, "HTTP/1.1 {status}\r\n{kind}\r\ncontent-length: {}\r\n\r\n{answer}", answer.len())?;
    }
    Ok(())
}

impl Shelves {
    fn look(&self, id: i64) -> Value {
        let is_there = self.stored.lock().expect("no panic").contains(&id);
        json!({"items": if is_there { vec![json!({"id": id, "place": id + 1000})] } else { Vec::new() }})
    }

    fn take(&self, body: &[u8]) -> Option<(&'static str, Value)> {
        let body: Value = serde_json::from_slice(body).expect("JSON");
        let items = body["items"].as_array().expect("items");
        let ids: Vec<i64> = items.iter().map(|item| item["id"].as_i64().expect("an id")).collect();
        let mut stored = self.stored.lock().expect("no panic");
        let mute = self.mute.load(Ordering::SeqCst);
        let broken = self.broken.lock().expect("no panic").pop();
        self.taken.lock().expect("no panic").push(ids.clone());
        if mute {
            stored.extend(ids.iter().filter(|id| *id % 2 == 0));
            return None;
        }
        if let Some(status) = broken {
            return Some((status, json!({"why": "not now"})));
        }
        if ids.contains(&666) {
            return Some(("422 Unprocessable Content", json!({"why": "666 is not stored here"})));
        }
        stored.extend(ids.iter().filter(|id| *id % 10 != 0));
        let outcome = |id: &i64| json!({"ok": id % 10 != 0, "why": format!("{id} is full"), "place": id + 1000});
        Some(("200 OK", json!({"items": ids.iter().map(outcome).collect::<Vec<_>>()})))
    }
}

struct World {
    depot: Depot,
    scratch: Scratch,
}

impl World {
    fn new(ids: impl IntoIterator<Item = i64>) -> Self {
        let scratch = Scratch::new();
        scratch.write("towpath.yaml", "version: 1\nproject: depot\n");
        scratch.write("connectors/depot.yaml", DEFINITION);
        let lines: Vec<String> = ids.into_iter().map(|id| format!("{id}\n")).collect();
        scratch.write("stock.csv", format!("id\n{}", lines.concat()));
        Self { depot: Depot::open(), scratch }
    }

    fn job(&self, more: &str) -> Towpath {
        self.scratch.write("stock.yaml", PIPELINE.replace("MORE", more));
        self.scratch.towpath("run stock.yaml").env("DEPOT", self.depot.address.clone())
    }

    fn run(&self, more: &str) -> Ran {
        self.job(more).run()
    }

    /// Kills a run when a batch is under way in each of its two places.
    fn kill_in_the_middle(&self) {
        self.depot.mute(true);
        let running = self.job("on_error: reject").start();
        until("both places are taken", || self.depot.taken().len() == 2);
        running.signal("KILL");
        assert_eq!(running.wait().code, None, "a kill gives no exit code");
        self.depot.mute(false);
    }

    /// Delivered, skipped, rejected, of unknown outcome, and calls.
    #[track_caller]
    fn counts(&self) -> [u64; 5] {
        let run = self.scratch.last_run();
        ["rows_out", "skipped", "rejected", "unknown", "calls"]
            .map(|name| node(&run, "put")[name].as_u64().expect(name))
    }
}

#[test]
fn each_record_of_a_batch_has_its_own_end_and_is_sent_once() {
    let world = World::new(1..=120);
    world.run("on_error: reject").ended(0);
    assert_eq!(world.depot.taken().iter().map(Vec::len).collect::<Vec<_>>().len(), 3);
    assert_eq!(world.counts(), [108, 0, 12, 0, 3]);
    let reasons: Vec<String> =
        world.scratch.rejects().iter().map(|reject| reject["reason"].as_str().expect("words").to_owned()).collect();
    assert!(reasons.contains(&"30 is full".to_owned()), "{reasons:?}");
    // What was delivered is not sent again; what was turned down is.
    world.run("on_error: reject").ended(0);
    assert_eq!(world.counts(), [0, 108, 12, 0, 1]);
    assert_eq!(world.depot.taken()[3].len(), 12);
}

#[test]
fn a_sink_may_send_fewer_at_once_and_not_more() {
    let world = World::new(1..=9);
    world.run("batch: 4").ended(0);
    let mut sizes: Vec<usize> = world.depot.taken().iter().map(Vec::len).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [1, 4, 4]);
    world.run("batch: 51").ended(78).says("`batch` is 51").says("50 at the most");
    world.run("batch: many").ended(78).says("whole number from 1 to 50");
}

#[test]
fn a_batch_that_is_turned_down_is_halved_and_only_the_bad_record_is_a_reject() {
    let world = World::new((1..=9).chain([666]).chain(11..=19));
    world.run("on_error: reject").ended(0);
    assert_eq!(world.counts()[..4], [18, 0, 1, 0]);
    assert_eq!(world.scratch.rejects()[0]["reason"], "666 is not stored here");
}

#[test]
fn a_kill_between_intents_and_receipts_holds_the_batches_under_way_and_doubles_nothing() {
    let world = World::new(1..=300);
    world.kill_in_the_middle();
    let arrived: Vec<i64> = world.depot.taken().concat();
    assert_eq!(arrived.len(), 100);

    world.run("on_unknown: hold").ended(3).says("unknown outcome");
    let [delivered, skipped, rejected, unknown, _] = world.counts();
    assert_eq!((delivered, skipped, rejected, unknown), (180, 0, 20, 100));
    let mut all: Vec<i64> = world.depot.taken().concat();
    all.sort_unstable();
    assert_eq!(all, (1..=300).collect::<Vec<_>>(), "each was sent once");
    // However often.
    world.run("on_unknown: hold").ended(3);
    assert_eq!(world.counts()[..4], [0, 180, 20, 100]);
}

#[test]
fn what_is_in_doubt_is_looked_up_where_that_is_asked_for_and_sent_when_it_is_not_there() {
    let world = World::new(1..=120);
    world.kill_in_the_middle();
    world.run("on_unknown: verify").ended(0);
    // Of the hundred in doubt the even ones are there, those that would be turned down now among them.
    let taken = world.depot.taken();
    let again: BTreeSet<i64> = taken[2..].concat().into_iter().collect();
    assert_eq!(again, (1..=120).filter(|id| *id > 100 || id % 2 != 0).collect());
    assert_eq!(world.counts()[..4], [68, 50, 2, 0]);
    // What was found is on record: nothing is in doubt any more.
    world.run("on_error: reject").ended(0);
    assert_eq!(world.counts()[..4], [0, 118, 2, 0]);
    let blind = PIPELINE.replace("operation: put", "operation: put_blindly").replace("MORE", "on_unknown: verify");
    world.scratch.write("blind.yaml", blind);
    world.scratch.run("validate blind.yaml").ended(78).says("does not say how to verify");
}

#[test]
fn a_busy_system_is_asked_again_and_nothing_is_in_doubt() {
    let world = World::new(1..=9);
    world.depot.break_next("429 Too Many Requests", 2);
    world.run("on_error: reject").ended(0);
    assert_eq!(world.counts(), [9, 0, 0, 0, 3]);
    assert!(world.depot.taken().iter().all(|batch| batch.len() == 9));
}

#[test]
fn an_outage_puts_three_batches_in_doubt_and_not_the_rest() {
    let world = World::new(1..=1000);
    world.depot.break_next("500 Internal Server Error", 1000);
    world.run("on_error: reject").ended(75).says("several batches in a row had no clear answer");
    // What was under way beside the third one had left already.
    assert!((3..=4).contains(&world.depot.taken().len()), "{}", world.depot.taken().len());
}
