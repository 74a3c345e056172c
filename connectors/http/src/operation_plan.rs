//! Operations made ready to run.

use crate::call::Call;
use crate::echo::EchoPlan;
use crate::json_path::JsonPath;
use crate::plan::Given;
use crate::policy::Policy;
use crate::template::Slot;
use std::time::Duration;
use towpath_connector::OperationInfo;
use towpath_spec::Type;
use towpath_spec::definition::{AnswerFormat, Many};

/// An operation.
#[derive(Clone)]
pub(crate) struct OperationPlan {
    pub(crate) info: OperationInfo,
    pub(crate) fields: Vec<Given>,
    pub(crate) how: How,
    pub(crate) results: Vec<ResultPlan>,
    pub(crate) verify: Option<VerifyPlan>,
}

/// How it is carried out.
#[derive(Clone)]
pub(crate) enum How {
    Call(Box<CallPlan>),
    Upsert(Box<UpsertPlan>),
}

/// An operation that is one call.
#[derive(Clone)]
pub(crate) struct CallPlan {
    pub(crate) call: Call,
    pub(crate) auth: Vec<usize>,
    pub(crate) policy: Policy,
    pub(crate) format: AnswerFormat,
    pub(crate) several: Several,
    pub(crate) find_again: Option<FindPlan>,
}

/// How an answer tells what became of each record of a call.
#[derive(Clone)]
pub(crate) enum Several {
    /// There is one record in a call.
    No,
    /// It holds for all of them.
    Together,
    /// Each has an item in it.
    Items(ItemsPlan),
    /// Each comes back as a line of CSV.
    Echo(EchoPlan),
}

/// Where the items are, and what they mean.
#[derive(Clone)]
pub(crate) struct ItemsPlan {
    pub(crate) path: JsonPath,
    /// The field of a record and the path in an item that are equal; by position when none.
    pub(crate) by: Option<(String, JsonPath)>,
    pub(crate) policy: Policy,
}

/// A field of an answer.
#[derive(Clone)]
pub(crate) struct ResultPlan {
    pub(crate) name: String,
    pub(crate) ty: Type,
    pub(crate) from: ResultFrom,
}

/// Where a result comes from.
#[derive(Debug, Clone)]
pub(crate) enum ResultFrom {
    /// The HTTP status.
    Status,
    /// The words of a warning beside a good answer.
    Warning,
    /// The answer; of an upsert what its steps found and answered.
    Answer(JsonPath),
    /// The record that was found again, as `$.found`.
    Found(JsonPath),
}

/// How a record is looked up.
#[derive(Clone)]
pub(crate) struct FindPlan {
    pub(crate) stream: String,
    pub(crate) with: Vec<(String, Slot)>,
    pub(crate) matching: Vec<Match>,
    pub(crate) many: Many,
}

/// A column that must have a value.
#[derive(Clone)]
pub(crate) struct Match {
    pub(crate) column: String,
    pub(crate) value: Slot,
    /// How far apart two times may be; none for what is no time.
    pub(crate) tolerance: Option<Duration>,
}

/// A search and the operations that follow it.
#[derive(Clone)]
pub(crate) struct UpsertPlan {
    pub(crate) find: Option<FindPlan>,
    pub(crate) create: StepPlan,
    pub(crate) update: Option<StepPlan>,
    pub(crate) exists: Vec<u16>,
    pub(crate) find_again: bool,
}

/// An operation as a step of another.
#[derive(Clone)]
pub(crate) struct StepPlan {
    pub(crate) operation: String,
    pub(crate) with: Vec<(String, Slot)>,
}

/// How to find out whether a record was written.
#[derive(Clone)]
pub(crate) struct VerifyPlan {
    pub(crate) find: FindPlan,
    pub(crate) results: Vec<ResultPlan>,
}

impl OperationPlan {
    /// Its call, when it is one.
    pub(crate) fn call_mut(&mut self) -> Option<&mut Call> {
        match &mut self.how {
            How::Call(plan) => Some(&mut plan.call),
            How::Upsert(_) => None,
        }
    }
}
