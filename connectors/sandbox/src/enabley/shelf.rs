//! Things in the order in which they were made, found by the identifier the customer gave them.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

/// What stands on a shelf.
pub(super) trait Named {
    /// The customer's own identifier; users made by hand in Enabley have none.
    fn identifier(&self) -> Option<&str>;
}

#[derive(Serialize, Deserialize)]
#[serde(from = "BTreeMap<u64, T>", into = "BTreeMap<u64, T>")]
#[serde(bound(serialize = "T: Named + Clone + Serialize", deserialize = "T: Named + Deserialize<'de>"))]
pub(super) struct Shelf<T> {
    things: BTreeMap<u64, T>,
    places: HashMap<String, u64>,
}

// Derived, it would ask for clones of what only one shelf needs.
impl<T: Clone> Clone for Shelf<T> {
    fn clone(&self) -> Self {
        Self { things: self.things.clone(), places: self.places.clone() }
    }
}

impl<T: Named> From<BTreeMap<u64, T>> for Shelf<T> {
    fn from(things: BTreeMap<u64, T>) -> Self {
        let places =
            things.iter().filter_map(|(place, thing)| Some((thing.identifier()?.to_owned(), *place))).collect();
        Self { things, places }
    }
}

impl<T> From<Shelf<T>> for BTreeMap<u64, T> {
    fn from(shelf: Shelf<T>) -> Self {
        shelf.things
    }
}

impl<T: Named> FromIterator<T> for Shelf<T> {
    fn from_iter<I: IntoIterator<Item = T>>(things: I) -> Self {
        (1..).zip(things).collect::<BTreeMap<_, _>>().into()
    }
}

impl<T: Named> Shelf<T> {
    pub(super) fn get(&self, identifier: &str) -> Option<&T> {
        self.things.get(self.places.get(identifier)?)
    }

    pub(super) fn get_mut(&mut self, identifier: &str) -> Option<&mut T> {
        self.things.get_mut(self.places.get(identifier)?)
    }

    pub(super) fn has(&self, identifier: &str) -> bool {
        self.places.contains_key(identifier)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.things.values()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.things.values_mut()
    }

    /// Puts a new thing behind the others.
    pub(super) fn add(&mut self, thing: T) {
        let place = self.things.keys().next_back().map_or(1, |last| last + 1);
        if let Some(identifier) = thing.identifier() {
            self.places.insert(identifier.to_owned(), place);
        }
        self.things.insert(place, thing);
    }

    pub(super) fn remove(&mut self, identifier: &str) -> Option<T> {
        self.things.remove(&self.places.remove(identifier)?)
    }

    /// Lets a thing be found by another identifier; the thing itself is renamed by `rename`.
    pub(super) fn rename(&mut self, from: &str, to: &str, rename: impl FnOnce(&mut T)) {
        if let Some(place) = self.places.remove(from) {
            self.places.insert(to.to_owned(), place);
            if let Some(thing) = self.things.get_mut(&place) {
                rename(thing);
            }
        }
    }
}
