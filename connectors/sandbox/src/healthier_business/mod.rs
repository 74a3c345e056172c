//! Healthier Business: the portal's versions 1 and 2, the services and the academy, 45 operations with state.
//!
//! Version 1 is let in by two headers, version 2 by a bearer token that is refreshed. Version 1 answers in lists of one
//! wrapper and in texts for everything; its statuses mean more than elsewhere: 202 there already, 204 no data, 304 nothing
//! changed, 403 not valid.

mod bookings;
mod candidates;
mod health;
mod limit;
mod references;
mod router;
mod tokens;
mod training;
mod webhooks;
mod world;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use serde_json::{Value, json};

use self::{limit::Limit, tokens::Pairs};
use crate::{FaultSwitch, HEALTHIER_BUSINESS, Options, RestoreProblem, StandIn, seed::Seed, tables::Tables};

pub(crate) use world::candidate_ref;

const BASE_PATH: &str = "/api";
const API_KEY: &str = "sandbox-api-key";
const CLIENT_ID: &str = "4711";

/// The stand-in.
pub(crate) struct HealthierBusiness {
    seed: Seed,
    origin: String,
    page_cap: usize,
    pairs: Pairs,
    limit: Limit,
    faults: FaultSwitch,
    state: Mutex<Tables>,
}

/// The stand-in as the seed invents it, or as [`StandIn::save`] left it.
pub(crate) fn stand_in(
    options: &Options,
    state: Option<Value>,
    faults: FaultSwitch,
    port: u16,
) -> Result<(Arc<dyn StandIn>, Router), RestoreProblem> {
    let state = match state {
        None => world::of(&options.seed),
        Some(saved) => serde_json::from_value(saved).map_err(|error| RestoreProblem::Damaged(error.to_string()))?,
    };
    let system = Arc::new(HealthierBusiness {
        seed: options.seed.clone(),
        origin: format!("http://127.0.0.1:{port}{BASE_PATH}"),
        page_cap: options.page_cap.max(1),
        pairs: Pairs::new(options.token_lifetime),
        limit: Limit::new(options.most_a_minute),
        faults,
        state: Mutex::new(state),
    });
    let routes = router::routes(Arc::clone(&system));
    Ok((system, routes))
}

impl HealthierBusiness {
    fn state(&self) -> MutexGuard<'_, Tables> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StandIn for HealthierBusiness {
    fn name(&self) -> &'static str {
        HEALTHIER_BUSINESS
    }

    fn base_path(&self) -> &'static str {
        BASE_PATH
    }

    fn settings(&self) -> Vec<(&'static str, &'static str)> {
        // The vendor's limit is not this stand-in's, unless it is told to have one.
        vec![("api_key", API_KEY), ("client_id", CLIENT_ID), ("rate", "10000/s")]
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
        let mut books = json!({"system": HEALTHIER_BUSINESS, "tokens": self.pairs.books()});
        self.state().write_books(&mut books);
        books
    }

    fn save(&self) -> Value {
        serde_json::to_value(&*self.state()).unwrap_or_default()
    }

    fn reset(&self) {
        *self.state() = world::of(&self.seed);
        self.pairs.clear();
        self.limit.clear();
    }

    fn revoke_tokens(&self) -> bool {
        self.pairs.revoke();
        true
    }
}
