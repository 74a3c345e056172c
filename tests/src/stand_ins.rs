//! Both stand-ins of the main job, inside the test, and the binary pointed at them.

use crate::systems::{pointed_at, runtime};
use crate::{Delivery, Ran, Scratch, Towpath, repository, uploads};
use serde_json::Value;
use std::path::PathBuf;
use tokio::runtime::Runtime;
use towpath_sandbox::{Options, Seed, System};

/// The pipeline that is tested as it ships.
pub const MAIN_JOB: &str = "pipelines/peoplefluent-to-human-focus.yaml";

/// The connection `hf` of a pipeline, as the stand-in wants it.
pub const HUMAN_FOCUS: &str = r#"connections:
  hf:
    connector: human-focus
    base_url: "{{ env.HUMAN_FOCUS_URL }}"
    organisation: "{{ env.HUMAN_FOCUS_ORGANISATION }}"
    username: "{{ env.HUMAN_FOCUS_USER }}"
    password: "{{ secret.HUMAN_FOCUS_PASSWORD }}"
"#;

/// PeopleFluent, Human Focus, and a folder for state. All of it is gone after the test.
pub struct World {
    /// PeopleFluent.
    pub lms: System,
    /// Human Focus.
    pub hf: System,
    /// The folder; state is kept in `state`.
    pub scratch: Scratch,
    /// What both are filled with.
    pub seed: Seed,
    runtime: Runtime,
}

impl World {
    /// The small world of the default seed.
    pub fn new() -> Self {
        Self::of(Options::default())
    }

    /// Both stand-ins started alike.
    pub fn of(options: Options) -> Self {
        Self::with(options.clone(), options)
    }

    /// Both stand-ins, each started in its own way; the seeds must be equal.
    pub fn with(lms: Options, hf: Options) -> Self {
        assert_eq!(lms.seed, hf.seed, "both know the same people");
        let runtime = runtime();
        let seed = lms.seed.clone();
        let start = |name: &'static str, options| runtime.block_on(towpath_sandbox::start(name, options));
        let lms = start("peoplefluent", lms).expect("PeopleFluent starts");
        let hf = start("human-focus", hf).expect("Human Focus starts");
        Self { lms, hf, scratch: Scratch::new(), seed, runtime }
    }

    /// A command that knows where the stand-ins are, and the state folder; run at the root of the repository.
    pub fn towpath(&self, line: &str) -> Towpath {
        let state = ["--state".into(), self.scratch.at("state").into_os_string()];
        let towpath = Towpath::in_folder(&repository()).line(line).args(state);
        pointed_at(pointed_at(towpath, &self.lms), &self.hf)
    }

    /// The main job as it ships.
    pub fn job(&self) -> Towpath {
        self.towpath(&format!("run {MAIN_JOB}"))
    }

    /// Runs the main job as it ships.
    pub fn run(&self) -> Ran {
        self.job().run()
    }

    /// A copy of the main job with parts replaced and lines added; each part must be there.
    pub fn copy_of_job(&self, replace: &[(&str, &str)], add: &str) -> PathBuf {
        let mut text = std::fs::read_to_string(repository().join(MAIN_JOB)).expect("the main job");
        for (old, new) in replace {
            assert!(text.contains(old), "the main job does not hold {old:?}");
            text = text.replace(old, new);
        }
        self.scratch.write("job.yaml", format!("{text}\n{add}\n"))
    }

    /// The main job in a hurry: a request that fails for a passing reason is tried `retries` times again.
    pub fn hurried_job(&self, retries: u32) -> Towpath {
        let copy = self.copy_of_job(&[], &format!("limits: {{retries: {retries}}}"));
        self.towpath("run").args([copy])
    }

    /// The same, with uploads of unknown outcome held rather than looked up.
    pub fn holding_job(&self, retries: u32) -> Towpath {
        let upload = "operation: UploadExternalTraining\n";
        let hold = format!("{upload}    on_unknown: hold\n");
        let copy = self.copy_of_job(&[(upload, &hold)], &format!("limits: {{retries: {retries}}}"));
        self.towpath("run").args([copy])
    }

    /// What Human Focus holds.
    pub fn uploads(&self) -> Vec<Delivery> {
        uploads(&self.hf.books())
    }

    /// How many requests of an operation a stand-in answered or cut.
    pub fn requests(system: &System, operation: &str) -> u64 {
        system.books()["requests"]["operations"][operation]["count"].as_u64().unwrap_or(0)
    }

    /// The record of the latest run.
    #[track_caller]
    pub fn last_run(&self) -> Value {
        self.towpath("runs show last --format json").run().ended(0).json_lines().remove(0)
    }

    /// The rejects of the latest run.
    #[track_caller]
    pub fn rejects(&self) -> Vec<Value> {
        self.towpath("rejects list last --all --limit 1000000 --format json").run().ended(0).json_lines()
    }

    /// Sets what goes wrong at Human Focus.
    #[track_caller]
    pub fn hf_faults(&self, rules: &str) {
        self.hf.faults().set_text(rules).expect("rules");
    }

    /// Sets what goes wrong at PeopleFluent.
    #[track_caller]
    pub fn lms_faults(&self, rules: &str) {
        self.lms.faults().set_text(rules).expect("rules");
    }

    /// Whatever else has to run beside the stand-ins.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

/// A node of a run's record.
#[track_caller]
pub fn node<'a>(run: &'a Value, name: &str) -> &'a Value {
    let nodes = run["nodes"].as_array().expect("a run has nodes");
    nodes.iter().find(|node| node["node"] == name).unwrap_or_else(|| panic!("no node {name} in {run}"))
}
