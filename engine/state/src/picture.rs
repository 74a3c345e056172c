//! What a run has under way, remembered, so that an answer is checked against its intent without looking it up.
//!
//! Only the holder of a scope's lock changes what its journal says, and every write checks the lock's token. So what
//! this process remembers of its own writes under a token is what the database says for as long as the token holds, whoever
//! enters lines in bulk meanwhile. Whenever a transaction does not come to its end, everything is forgotten and looked up again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::rules::Hash;
use crate::{Outcome, Scope};

/// The pictures of all scopes that this process writes.
#[derive(Default)]
pub(crate) struct Pictures(Mutex<HashMap<Scope, Picture>>);

/// How a key stands that has lines under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// So.
    Is(Outcome),
    /// As before an intent that was withdrawn: the database has to be asked, after everything was entered.
    AsBefore,
}

/// What is known of one scope under one token.
#[derive(Default)]
pub(crate) struct Picture {
    token: i64,
    /// Every line of the scope that is under way is in here.
    pub(crate) whole: bool,
    /// By route.
    keys: HashMap<i64, HashMap<Hash, Standing>>,
}

impl Picture {
    /// How a key stands; none if nothing of it is under way (in a picture that is whole).
    pub(crate) fn of(&self, route: i64, key: &Hash) -> Option<Standing> {
        self.keys.get(&route)?.get(key).copied()
    }

    /// Notes how a key stands.
    pub(crate) fn note(&mut self, route: i64, key: Hash, standing: Standing) {
        self.keys.entry(route).or_default().insert(key, standing);
    }

    /// The number of keys.
    pub(crate) fn len(&self) -> usize {
        self.keys.values().map(HashMap::len).sum()
    }

    /// Everything was entered: nothing is under way.
    pub(crate) fn clear(&mut self) {
        self.keys.values_mut().for_each(HashMap::clear);
        self.whole = true;
    }
}

impl Pictures {
    /// The picture of `scope` as its holder under `token` has it, handed to `work`.
    pub(crate) fn with<T>(&self, scope: &Scope, token: i64, work: impl FnOnce(&mut Picture) -> T) -> T {
        let mut pictures = self.all();
        let picture = pictures.entry(scope.clone()).or_default();
        if picture.token != token {
            *picture = Picture { token, ..Picture::default() };
        }
        work(picture)
    }

    /// The token under which it is certain that none of `keys` has a line under way, if there is one.
    pub(crate) fn token_without(&self, scope: &Scope, keys: &[Hash]) -> Option<i64> {
        let pictures = self.all();
        let picture = pictures.get(scope).filter(|picture| picture.whole)?;
        let met = |key| picture.keys.values().any(|known| known.contains_key(key));
        (!keys.iter().any(met)).then_some(picture.token)
    }

    /// Drops what is remembered of a scope.
    pub(crate) fn forget(&self, scope: &Scope) {
        self.all().remove(scope);
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Scope, Picture>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Changes of a picture whose transaction is not committed. Unless it is kept, the picture is forgotten.
pub(crate) struct Draft {
    pictures: Arc<Pictures>,
    scope: Scope,
    kept: bool,
}

impl Draft {
    /// Made before the first change.
    pub(crate) fn new(pictures: Arc<Pictures>, scope: Scope) -> Self {
        Self { pictures, scope, kept: false }
    }

    /// The transaction is on disk.
    pub(crate) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.kept {
            self.pictures.forget(&self.scope);
        }
    }
}
