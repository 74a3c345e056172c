//! Enabley (Time To Know): the 47 operations of its API 1.0.0, with state.
//!
//! Identifiers are the customer's own, so a PUT makes or changes (201 or 200). What is not there is refused with status
//! 400 and `item_not_exists`, as the vendor documents that word and, but for two places, no 404.

mod call;
mod certificates;
mod channels;
mod groups;
mod members;
mod pages;
mod performance;
mod profiles;
mod roles;
mod router;
mod shelf;
mod state;
mod token;
mod user_list;
mod users;
mod world;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use serde_json::{Value, json};

use self::state::State;
use crate::{ENABLEY, FaultSwitch, Options, RestoreProblem, StandIn, seed::Seed, tokens::Tokens};

const CLIENT_KEY: &str = "sandbox-client";
/// Holds what a query must encode.
const SECRET: &str = "sandbox-s&cret+key";
/// The vendor chooses the size of pages and does not say which; few, so that a small world has several.
const MOST_PER_PAGE: usize = 10;

/// The stand-in.
pub(crate) struct Enabley {
    seed: Seed,
    /// Where it is reached, for the links to certificates.
    origin: String,
    page_size: usize,
    tokens: Tokens,
    faults: FaultSwitch,
    state: Mutex<State>,
}

/// The stand-in as the seed invents it, or as [`StandIn::save`] left it.
pub(crate) fn stand_in(
    options: &Options,
    state: Option<Value>,
    faults: FaultSwitch,
    port: u16,
) -> Result<(Arc<dyn StandIn>, Router), RestoreProblem> {
    let state = match state {
        None => State::of(&options.seed),
        Some(saved) => State::restored(saved)?,
    };
    let system = Arc::new(Enabley {
        seed: options.seed.clone(),
        origin: format!("http://127.0.0.1:{port}"),
        page_size: options.page_cap.clamp(1, MOST_PER_PAGE),
        tokens: Tokens::new(options.token_lifetime),
        faults,
        state: Mutex::new(state),
    });
    let routes = router::routes(Arc::clone(&system));
    Ok((system, routes))
}

impl Enabley {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StandIn for Enabley {
    fn name(&self) -> &'static str {
        ENABLEY
    }

    fn base_path(&self) -> &'static str {
        ""
    }

    fn settings(&self) -> Vec<(&'static str, &'static str)> {
        vec![("client_key", CLIENT_KEY), ("secret", SECRET)]
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
        let mut books = json!({"system": ENABLEY, "tokens": self.tokens.books()});
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
