//! Human Focus: the 27 operations of its Client API, with state.
//!
//! What is created is found, updates change, archives hide, ids are issued. Nothing is idempotent that the vendor
//! does not say is: an upload sent twice is in the books twice.

mod dispatch;
mod fields;
mod files;
mod groups;
mod history;
mod lookups;
mod providers;
mod results;
mod state;
mod token;
mod trainings;
mod uploads;
mod users;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::Router;
use serde_json::{Value, json};

use self::state::State;
use crate::{FaultSwitch, HUMAN_FOCUS, Options, RestoreProblem, StandIn, seed::Seed, tokens::Tokens};

const BASE_PATH: &str = "/CBT_API";
const ORGANISATION: &str = "acme";
const ORGAN_ID: u64 = 12345;
const USERNAME: &str = "api.admin";
/// Holds what a form must encode.
const PASSWORD: &str = "sandbox-p@ss+w0rd";

/// What `GetUserID` answers for a person it does not know, or one that is archived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AbsentUser {
    /// Status 404 with a message.
    #[default]
    NotFound,
    /// `{"UserID":0}`
    Zero,
    /// `{"UserID":null}`
    Null,
    /// Status 200 and no body.
    Empty,
}

/// The stand-in.
pub(crate) struct HumanFocus {
    seed: Seed,
    absent_user: AbsentUser,
    page_cap: usize,
    tokens: Tokens,
    faults: FaultSwitch,
    state: Mutex<State>,
}

/// The stand-in as the seed invents it, or as [`StandIn::save`] left it.
pub(crate) fn stand_in(
    options: &Options,
    state: Option<Value>,
    faults: FaultSwitch,
) -> Result<(Arc<dyn StandIn>, Router), RestoreProblem> {
    let state = match state {
        None => State::of(&options.seed),
        Some(saved) => State::restored(&options.seed, saved)?,
    };
    let system = Arc::new(HumanFocus {
        seed: options.seed.clone(),
        absent_user: options.absent_user,
        page_cap: options.page_cap.max(1),
        tokens: Tokens::new(options.token_lifetime.max(Duration::ZERO)),
        faults,
        state: Mutex::new(state),
    });
    let routes = dispatch::routes(Arc::clone(&system));
    Ok((system, routes))
}

impl HumanFocus {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StandIn for HumanFocus {
    fn name(&self) -> &'static str {
        HUMAN_FOCUS
    }

    fn base_path(&self) -> &'static str {
        BASE_PATH
    }

    fn settings(&self) -> Vec<(&'static str, &'static str)> {
        vec![("organisation", ORGANISATION), ("username", USERNAME), ("password", PASSWORD)]
    }

    fn operation(&self, path: &str) -> &'static str {
        dispatch::operation(path)
    }

    fn seed(&self) -> &Seed {
        &self.seed
    }

    fn books(&self) -> Value {
        let mut books = json!({
            "system": HUMAN_FOCUS,
            "organisation": {"OrganisationIdentifier": ORGANISATION, "OrganID": ORGAN_ID},
            "tokens": self.tokens.books(),
        });
        self.state().write_books(&mut books);
        books
    }

    fn save(&self) -> Value {
        self.state().save()
    }

    fn reset(&self) {
        *self.state() = State::of(&self.seed);
        self.tokens.clear();
    }

    fn revoke_tokens(&self) -> bool {
        self.tokens.revoke();
        true
    }
}
