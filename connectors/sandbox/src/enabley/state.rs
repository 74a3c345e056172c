//! All that this Enabley holds and can change, and how the seed invents it.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    certificates::{self, Certificate},
    channels::{Channel, Master},
    groups::Group,
    profiles::Profile,
    shelf::Shelf,
    users::User,
    world,
};
use crate::{RestoreProblem, seed::Seed};

#[derive(Serialize, Deserialize)]
pub(super) struct State {
    pub users: Shelf<User>,
    pub groups: Shelf<Group>,
    pub channels: Shelf<Channel>,
    pub masters: Shelf<Master>,
    pub certificates: Shelf<Certificate>,
    pub profiles: Shelf<Profile>,
}

impl State {
    pub(super) fn of(seed: &Seed) -> Self {
        let (channels, masters) = (world::channels(seed), world::masters(seed));
        Self {
            users: world::users(seed),
            groups: world::groups(),
            channels,
            masters,
            certificates: certificates::seeded(seed),
            profiles: world::profiles(),
        }
    }

    /// The state [`save`](Self::save) gave.
    pub(super) fn restored(saved: Value) -> Result<Self, RestoreProblem> {
        serde_json::from_value(saved).map_err(|error| RestoreProblem::Damaged(error.to_string()))
    }

    pub(super) fn save(&self) -> Value {
        // Fails for maps whose keys are not texts or numbers and for types that refuse; there are none.
        serde_json::to_value(self).unwrap_or_default()
    }

    pub(super) fn write_books(&self, books: &mut Value) {
        books["users"] = self.users.iter().map(User::books).collect();
        books["groups"] = self.groups.iter().map(Group::shown).collect();
        books["channels"] = self.channels.iter().map(|channel| channel.shown(true)).collect();
        books["masters"] = self.masters.iter().map(Master::shown).collect();
        books["certificates"] = self.certificates.iter().map(Certificate::shown).collect();
        books["profiles"] = self.profiles.iter().map(Profile::shown).collect();
        books["sub_accounts"] = json!(world::SUB_ACCOUNTS);
    }
}

/// `2017-12-13T13:14:28.317Z`, the form all dates have.
pub(super) fn written(moment: DateTime<Utc>) -> String {
    moment.to_rfc3339_opts(SecondsFormat::Millis, true)
}
