//! OneFile: the 49 operations of its API 2.1, with state.
//!
//! Nearly everything is a POST, searches are as well; no match is status 204 without a body. What the vendor documents for
//! users holds for the other kinds of things, too, as far as it can: their fields are not documented.

mod router;
mod searches;
mod users;
mod world;
mod writes;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::Router;
use serde_json::{Value, json};

use crate::{FaultSwitch, ONE_FILE, Options, RestoreProblem, StandIn, seed::Seed, tables::Tables, tokens::Tokens};

const BASE_PATH: &str = "/api/v2.1";
const CUSTOMER_TOKEN: &str = "sandbox-customer-token";
/// A session is good for a day, whatever other systems' tokens are.
const SESSION: Duration = Duration::from_secs(24 * 60 * 60);

/// The stand-in.
pub(crate) struct OneFile {
    seed: Seed,
    page_cap: usize,
    tokens: Tokens,
    faults: FaultSwitch,
    state: Mutex<Tables>,
}

/// The stand-in as the seed invents it, or as [`StandIn::save`] left it.
pub(crate) fn stand_in(
    options: &Options,
    state: Option<Value>,
    faults: FaultSwitch,
) -> Result<(Arc<dyn StandIn>, Router), RestoreProblem> {
    let state = match state {
        None => world::of(&options.seed),
        Some(saved) => serde_json::from_value(saved).map_err(|error| RestoreProblem::Damaged(error.to_string()))?,
    };
    let system = Arc::new(OneFile {
        seed: options.seed.clone(),
        page_cap: options.page_cap.max(1),
        tokens: Tokens::new(options.token_lifetime.min(SESSION)),
        faults,
        state: Mutex::new(state),
    });
    let routes = router::routes(Arc::clone(&system));
    Ok((system, routes))
}

impl OneFile {
    fn state(&self) -> MutexGuard<'_, Tables> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StandIn for OneFile {
    fn name(&self) -> &'static str {
        ONE_FILE
    }

    fn base_path(&self) -> &'static str {
        BASE_PATH
    }

    fn settings(&self) -> Vec<(&'static str, &'static str)> {
        vec![("customer_token", CUSTOMER_TOKEN)]
    }

    fn operation(&self, path: &str) -> &'static str {
        router::operation("", path)
    }

    fn operation_of(&self, method: &str, path: &str) -> &'static str {
        router::operation(method, path)
    }

    fn seed(&self) -> &Seed {
        &self.seed
    }

    fn books(&self) -> Value {
        let mut books = json!({"system": ONE_FILE, "tokens": self.tokens.books()});
        self.state().write_books(&mut books);
        books
    }

    fn save(&self) -> Value {
        serde_json::to_value(&*self.state()).unwrap_or_default()
    }

    fn reset(&self) {
        *self.state() = world::of(&self.seed);
        self.tokens.clear();
    }

    fn revoke_tokens(&self) -> bool {
        self.tokens.revoke();
        true
    }
}
