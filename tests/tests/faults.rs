//! What the network and the systems do wrong: one table of faults, what a run ends with, and what is there after a clean
//! run. Nothing is ever doubled; what is missing is said.

use serde_json::Value;
use std::net::TcpListener;
use towpath_sandbox::{Options, Seed, System};
use towpath_tests::{MAIN_JOB, Ran, World, deliverable, difference, node, until};

/// A fault and what comes of it. Times a request is tried again: once, so that a fault that stays ends soon.
struct Case {
    /// What goes wrong at PeopleFluent.
    lms: &'static str,
    /// What goes wrong at Human Focus.
    hf: &'static str,
    /// The exit code of the run that meets it.
    exit: i32,
    /// What it says on stderr.
    says: &'static [&'static str],
    /// Records whose outcome is unknown.
    unknown: u64,
    /// Whether they are held and never sent again, and not looked up by the next run.
    held: bool,
    /// How many of all completions are missing after a clean run: those held that had no effect.
    missing: usize,
}

impl Case {
    const fn lms(faults: &'static str) -> Self {
        Self { lms: faults, hf: "", exit: 0, says: &[], unknown: 0, held: false, missing: 0 }
    }

    const fn hf(faults: &'static str) -> Self {
        Self { lms: "", hf: faults, exit: 0, says: &[], unknown: 0, held: false, missing: 0 }
    }

    /// Ends with that exit code and says that.
    const fn ends(self, exit: i32, says: &'static [&'static str]) -> Self {
        Self { exit, says, ..self }
    }

    /// One record of unknown outcome, which is held.
    const fn held(self, missing: usize) -> Self {
        Self { exit: 3, unknown: 1, held: true, missing, ..self }
    }

    /// One record of unknown outcome, which the next run looks up.
    const fn looked_up(self) -> Self {
        Self { exit: 3, unknown: 1, ..self }
    }

    fn name(&self) -> String {
        format!("[PeopleFluent {:?}, Human Focus {:?}]", self.lms, self.hf)
    }
}

fn small() -> World {
    World::of(Options { seed: Seed { people: 8, records: 40, ..Seed::default() }, ..Options::default() })
}

/// Meets the fault, then runs without it.
fn meet(case: &Case) -> Result<(), String> {
    let world = small();
    let name = case.name();
    let expected = deliverable(&world.seed);
    world.lms_faults(case.lms);
    world.hf_faults(case.hf);
    let job = if case.held { world.holding_job(1) } else { world.hurried_job(1) };
    let ran = job.run();
    let story = format!("--- stderr\n{}", ran.stderr);
    let struck = [&world.lms, &world.hf].iter().any(|system| faults_met(system) > 0);
    demand(struck, || format!("{name} met no request: a test of nothing\n{story}"))?;
    demand(ran.code == Some(case.exit), || format!("{name} ended with {:?}, not {}\n{story}", ran.code, case.exit))?;
    for words in case.says {
        demand(ran.stderr.contains(words), || format!("{name} does not say {words:?}\n{story}"))?;
    }
    let (_, too_many) = difference(&expected, &world.uploads());
    demand(too_many.is_empty(), || format!("{name} doubled or invented {too_many:#?}\n{story}"))?;
    if case.unknown > 0 {
        let run = world.last_run();
        let unknown = &node(&run, "upload")["unknown"];
        demand(*unknown == case.unknown, || {
            format!("{name}: {unknown} of unknown outcome, not {}\n{story}", case.unknown)
        })?;
    }

    world.lms.faults().clear();
    world.hf.faults().clear();
    let ran = job.run();
    let story = format!("{story}--- stderr of the clean run\n{}", ran.stderr);
    let clean = if case.held { 3 } else { 0 };
    demand(ran.code == Some(clean), || format!("{name}: a clean run ended with {:?}, not {clean}\n{story}", ran.code))?;
    let (missing, too_many) = difference(&expected, &world.uploads());
    demand(too_many.is_empty(), || format!("{name}: a clean run doubled {too_many:#?}\n{story}"))?;
    demand(missing.len() == case.missing, || {
        format!("{name}: {} are missing, not {}: {missing:#?}\n{story}", missing.len(), case.missing)
    })
}

fn demand(holds: bool, words: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(words()) }
}

fn faults_met(system: &System) -> u64 {
    let books = system.books();
    let operations = books["requests"]["operations"].as_object().expect("operations").values();
    operations.map(|operation| operation["faults"].as_u64().expect("a count")).sum()
}

/// Meets all of them and tells of all that went wrong.
fn meet_all(cases: &[Case]) {
    let wrong: Vec<String> = cases.iter().filter_map(|case| meet(case).err()).collect();
    assert!(wrong.is_empty(), "{} of {} cases\n\n{}", wrong.len(), cases.len(), wrong.join("\n\n"));
}

#[test]
fn a_read_that_fails_once_is_made_again() {
    meet_all(&[
        Case::lms("503:first=1"),
        Case::lms("500:first=1"),
        Case::lms("cut:first=1"),
        Case::lms("cut-body:first=1:bytes=9000"),
        Case::lms("truncate:first=1"),
        Case::lms("429:first=1:retry_after=0"),
        Case::hf("503:first=1:op=GetUserID"),
        Case::hf("cut:first=1:op=GetUserID"),
        Case::hf("cut-body:first=1:op=GetUserID"),
        Case::hf("truncate:first=1:op=GetUserID"),
        Case::hf("503:first=1:op=GetUploadedTrainings"),
        Case::hf("503:first=1:op=Token"),
        Case::hf("cut:first=1:op=Token"),
    ]);
}

#[test]
fn a_read_that_keeps_failing_ends_the_run_for_a_passing_reason() {
    meet_all(&[
        Case::lms("503").ends(75, &["127.0.0.1:", "503", "tried 2 times"]),
        Case::lms("cut").ends(75, &["127.0.0.1:", "tried 2 times"]),
        Case::lms("cut-body:bytes=9000").ends(75, &["tried 2 times"]),
        Case::lms("empty").ends(75, &["empty body", "tried 2 times"]),
        Case::hf("502:op=GetUserID").ends(75, &["GetUserID", "502", "tried 2 times"]),
        Case::hf("503:op=Token").ends(75, &["503"]),
        Case::hf("429:op=GetUserID").ends(75, &["GetUserID", "429"]),
    ]);
}

#[test]
fn what_is_not_the_answer_is_named_and_shown() {
    meet_all(&[
        Case::lms("html").ends(1, &["trainingHistoryXml", "Please sign in"]),
        Case::lms("malformed").ends(1, &["trainingHistoryXml"]),
        Case::lms("utf8").ends(1, &["trainingHistoryXml", "UTF-8"]),
        Case::lms("bomb").ends(1, &["trainingHistoryXml", "entit"]),
        Case::hf("html:op=GetUserID").ends(1, &["GetUserID", "HTML where JSON was expected", "Please sign in"]),
        Case::hf("empty:op=GetUploadedTrainings").ends(1, &["ListUploadedTrainings"]),
        Case::hf("html:op=Token").ends(1, &["`hf`", "Please sign in", "base_url"]),
        Case::hf("malformed:op=GetUserID").ends(1, &["GetUserID"]),
        Case::hf("utf8:op=GetUploadedTrainings").ends(1, &["ListUploadedTrainings"]),
    ]);
}

#[test]
fn what_only_looks_odd_is_no_failure() {
    meet_all(&[
        Case::lms("content-type:type=text/plain"),
        Case::hf("content-type:type=text/html:op=GetUserID"),
        Case::lms("slow:ms=300"),
        Case::hf("slow:ms=20"),
        // More than go out at once, fewer than the job makes in all.
        Case::hf("expire:uses=40, slow:ms=1"),
        Case::hf("401:nth=3:op=GetUserID"),
        Case::hf("401:nth=3:op=UploadExternalTraining"),
    ]);
}

#[test]
fn an_upload_that_was_surely_not_done_is_sent_again() {
    meet_all(&[
        Case::hf("429:first=3:op=UploadExternalTraining:retry_after=0"),
        Case::hf("429:op=UploadExternalTraining").ends(75, &["UploadExternalTraining", "429"]),
        // Turned down: a reject, which is tried in the next run.
        Case::hf("400:nth=5:op=UploadExternalTraining"),
        Case::hf("refuse:nth=5:op=UploadExternalTraining"),
    ]);
}

#[test]
fn an_upload_of_unknown_outcome_is_looked_up_by_the_next_run() {
    meet_all(&[
        Case::hf("cut:nth=5:op=UploadExternalTraining").looked_up(),
        Case::hf("cut:nth=5:when=after:op=UploadExternalTraining").looked_up(),
        Case::hf("503:nth=5:op=UploadExternalTraining").looked_up(),
        Case::hf("503:nth=5:when=after:op=UploadExternalTraining").looked_up(),
        Case::hf("500:nth=5:op=UploadExternalTraining").looked_up(),
        Case::hf("cut-body:nth=5:op=UploadExternalTraining").looked_up(),
        Case::hf("truncate:nth=5:op=UploadExternalTraining").looked_up(),
        Case::hf("malformed:nth=5:op=UploadExternalTraining").looked_up(),
        Case::hf("html:nth=5:op=UploadExternalTraining").looked_up(),
        Case::hf("html:nth=5:when=after:op=UploadExternalTraining").looked_up(),
        Case::hf("empty:nth=5:when=after:op=UploadExternalTraining").looked_up(),
    ]);
}

#[test]
fn an_upload_of_unknown_outcome_is_held_and_never_sent_again_where_that_is_asked_for() {
    meet_all(&[
        Case::hf("cut:nth=5:op=UploadExternalTraining").held(1),
        Case::hf("cut:nth=5:when=after:op=UploadExternalTraining").held(0),
        Case::hf("503:nth=5:op=UploadExternalTraining").held(1),
        Case::hf("503:nth=5:when=after:op=UploadExternalTraining").held(0),
        Case::hf("500:nth=5:op=UploadExternalTraining").held(1),
        Case::hf("cut-body:nth=5:op=UploadExternalTraining").held(0),
        Case::hf("truncate:nth=5:op=UploadExternalTraining").held(0),
        Case::hf("malformed:nth=5:op=UploadExternalTraining").held(0),
        Case::hf("html:nth=5:op=UploadExternalTraining").held(1),
        Case::hf("html:nth=5:when=after:op=UploadExternalTraining").held(0),
        Case::hf("empty:nth=5:when=after:op=UploadExternalTraining").held(0),
    ]);
}

#[test]
fn a_training_whose_making_is_in_doubt_is_found_again() {
    let world = small();
    // Trainings are made many at a time: the whole call is in doubt.
    world.hf_faults("cut:nth=1:when=after:op=AddExternalTrainingDetails");
    let job = world.hurried_job(1);
    job.run().ended(3);
    let unknown = node(&world.last_run(), "create_training")["unknown"].as_u64().expect("a number");
    assert!(unknown > 1, "{unknown}");
    let (missing, too_many) = difference(&deliverable(&world.seed), &world.uploads());
    assert!(!missing.is_empty() && too_many.is_empty(), "its completions wait");

    world.hf.faults().clear();
    job.run().ended(0);
    assert_eq!(difference(&deliverable(&world.seed), &world.uploads()), (vec![], vec![]));
    let trainings = world.hf.books()["trainings"].as_array().expect("trainings").clone();
    let titles: Vec<&Value> = trainings.iter().filter(|made| made["ProviderName"] == "PeopleFluent").collect();
    let mut names: Vec<String> = titles.iter().map(|made| made["TrainingCourse"].to_string()).collect();
    names.sort();
    let all = names.len();
    names.dedup();
    assert_eq!(names.len(), all, "none is made twice");
}

#[test]
fn a_provider_whose_making_is_in_doubt_is_not_made_twice() {
    let world = small();
    world.hf_faults("cut:nth=1:when=after:op=AddExternalTrainingProvider");
    let job = world.hurried_job(1);
    job.run().ended(3).says("unknown outcome");
    world.hf.faults().clear();
    job.run().ended(3).says("unknown outcome");
    let providers = world.hf.books()["providers"].as_array().expect("providers").clone();
    assert_eq!(providers.iter().filter(|provider| provider["ProviderName"] == "PeopleFluent").count(), 1);
    assert!(world.uploads().is_empty());
}

/// The times at which an operation was asked for, in milliseconds.
fn times(system: &System, operation: &str) -> Vec<u64> {
    let books = system.books();
    let latest = books["requests"]["latest"].as_array().expect("a log").iter();
    latest
        .filter(|entry| entry["operation"] == operation)
        .map(|entry| entry["at_ms"].as_u64().expect("a time"))
        .collect()
}

#[track_caller]
fn waits_at_least(faults: &str, millis: u64) {
    let world = small();
    world.lms_faults(faults);
    world.hurried_job(1).run().ended(0);
    let times = times(&world.lms, "trainingHistoryXml");
    assert_eq!(times.len(), 2, "{times:?}");
    assert!(times[1] - times[0] >= millis, "{times:?}: sooner than {millis} ms");
    assert_eq!(difference(&deliverable(&world.seed), &world.uploads()), (vec![], vec![]));
}

#[test]
fn retry_after_in_seconds_is_waited_for() {
    waits_at_least("429:first=1:retry_after=2", 2_000);
}

#[test]
fn retry_after_as_a_date_is_waited_for() {
    // A date has no fractions of seconds: of three seconds at least two are left.
    waits_at_least("503:first=1:retry_after=date+3", 2_000);
}

#[test]
fn revoked_tokens_are_got_anew() {
    let world = small();
    world.hf_faults("slow:ms=60:op=UploadExternalTraining");
    // One at a time, so that tokens are revoked in the middle.
    let copy = world.copy_of_job(
        &[("operation: UploadExternalTraining\n", "operation: UploadExternalTraining\n    concurrency: 1\n")],
        "",
    );
    let running = world.towpath("run").args([copy]).start();
    until("some uploads", || world.uploads().len() > 3);
    assert!(world.hf.revoke_tokens());
    running.wait().ended(0);
    assert_eq!(difference(&deliverable(&world.seed), &world.uploads()), (vec![], vec![]));
    assert!(World::requests(&world.hf, "Token") >= 2, "logged in again");
}

#[test]
fn an_answer_that_does_not_come_ends_for_a_passing_reason() {
    let world = small();
    world.lms_faults("slow:ms=20000");
    let limited = ("connector: peoplefluent\n", "connector: peoplefluent\n    timeout: 1\n");
    let copy = world.copy_of_job(&[limited], "limits: {retries: 0}");
    let ran = world.towpath("run").args([copy]).run().ended(75);
    assert!(ran.took.as_secs() < 15, "the time limit counts, not the answer: {:?}", ran.took);
    ran.says("trainingHistoryXml");
}

#[test]
fn the_time_limit_of_the_command_line_holds_for_every_connection() {
    let world = small();
    world.lms_faults("slow:ms=6000");
    let ran = world.hurried_job(0).line("--timeout 1").run().ended(75);
    ran.says("trainingHistoryXml");
}

#[test]
fn what_failed_for_one_reader_is_not_asked_again_for_the_next() {
    // Three sinks wait for the history.
    let world = small();
    world.lms_faults("503");
    world.hurried_job(1).run().ended(75);
    assert_eq!(World::requests(&world.lms, "trainingHistoryXml"), 2, "one try and one more");
}

#[test]
fn a_sink_that_failed_is_not_carried_out_again_for_those_who_read_its_results() {
    let world = small();
    world.hf_faults("403:op=AddExternalTrainingProvider");
    world.hurried_job(0).run().ended(1).says("403");
    assert_eq!(World::requests(&world.hf, "AddExternalTrainingProvider"), 1);
}

#[test]
fn a_wrong_password_is_named_and_not_tried_for_ever() {
    let world = small();
    let ran = world.job().env("HUMAN_FOCUS_PASSWORD", "not-the-password").run().ended(1);
    let ran = ran.says("`hf`");
    assert!(!ran.stderr.contains("not-the-password"), "{}", ran.stderr);
    let asked = World::requests(&world.hf, "Token");
    assert!((1..=3).contains(&asked), "{asked} log-ins with a wrong password may lock the account");
    assert!(world.uploads().is_empty());
}

#[test]
fn a_wrong_system_key_is_named_and_not_tried_for_ever() {
    let world = small();
    world.job().env("PEOPLEFLUENT_KEY", "not-the-key").run().ended(1).says("`lms`");
    let asked = world.lms.books()["refused_logins"].as_u64().expect("a count");
    assert!((1..=2).contains(&asked), "{asked}");
}

#[test]
fn check_names_a_wrong_password_and_writes_nothing() {
    let world = small();
    world.towpath(&format!("check {MAIN_JOB}")).run().ended(0);
    let ran = world.towpath(&format!("check {MAIN_JOB}")).env("HUMAN_FOCUS_PASSWORD", "wrong-one").run();
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(format!("{}{}", ran.stdout, ran.stderr).contains("hf"), "{}", ran.stderr);
    assert!(world.uploads().is_empty());
}

/// A port nobody listens on.
fn closed_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

#[test]
fn a_host_that_is_down_is_a_passing_reason_with_its_address() {
    let world = small();
    let port = closed_port();
    let down = |variable: &str, url: String| -> Ran { world.hurried_job(1).env(variable, url).run().ended(75) };
    down("PEOPLEFLUENT_URL", format!("http://127.0.0.1:{port}/ekp")).says(&format!("127.0.0.1:{port}"));
    down("HUMAN_FOCUS_URL", format!("http://127.0.0.1:{port}/CBT_API")).says(&format!("127.0.0.1:{port}"));
}

#[test]
fn an_address_that_is_none_is_told_with_its_connection() {
    let world = small();
    for url in ["lms.example.com/ekp", "ftp://127.0.0.1/ekp", "http://"] {
        let ran = world.hurried_job(0).env("PEOPLEFLUENT_URL", url).run().ended(78);
        ran.says("`base_url`").says(url).says("env.PEOPLEFLUENT_URL");
    }
}

#[test]
fn tls_that_fails_is_named() {
    let world = small();
    let url = world.lms.url().replace("http://", "https://");
    let ran = world.hurried_job(1).env("PEOPLEFLUENT_URL", url).run();
    assert!(matches!(ran.code, Some(1 | 75)), "{:?} {}", ran.code, ran.stderr);
    ran.says("TLS").says("127.0.0.1:");
}

#[test]
fn a_redirect_elsewhere_is_not_followed_with_credentials() {
    let world = small();
    let elsewhere = small();
    let to = format!("{}/api/trainingHistoryXml", elsewhere.lms.url());
    world.lms_faults(&format!("redirect:to={}", to.replace(':', "%3A")));
    let ran = world.hurried_job(0).run();
    assert_ne!(ran.code, Some(0), "{}", ran.stderr);
    // The stand-in elsewhere has the same key: had it been sent along, the history would have been given.
    let answered = &elsewhere.lms.books()["requests"]["operations"]["trainingHistoryXml"]["by_status"]["200"];
    assert!(answered.is_null(), "{answered} requests came with the key");
}
