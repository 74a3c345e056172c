//! All that this Human Focus holds and can change.
//!
//! It is saved as it stands, so a field added here is saved too; only what follows from other fields is left out
//! and worked out again.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    files::File,
    groups::{Groups, Kind},
    trainings::{self, Training},
    uploads::Upload,
    users::Users,
};
use crate::{RestoreProblem, seed::Seed};

/// The id the next provider gets.
const NEXT_PROVIDER: u64 = 1673;

#[derive(Serialize, Deserialize)]
pub(super) struct State {
    pub users: Users,
    pub groups: [Groups; 3],
    pub providers: BTreeMap<u64, String>,
    /// The id of a training is its place here, counted from [`trainings::FIRST_ID`].
    pub trainings: Vec<Training>,
    pub uploads: Vec<Upload>,
    /// The places of a user's uploads.
    #[serde(skip)]
    pub uploads_of: HashMap<u64, Vec<usize>>,
    pub refused_uploads: u64,
    pub files: Vec<File>,
}

impl State {
    pub(super) fn of(seed: &Seed) -> Self {
        let providers =
            [(22, "Test"), (249, "St John Ambulance"), (451, "Warm ")].map(|(id, name)| (id, name.to_owned()));
        Self {
            users: Users::of(seed),
            groups: [Kind::UserGroup, Kind::Site, Kind::Department].map(Groups::of),
            providers: BTreeMap::from(providers),
            trainings: trainings::seeded(seed),
            uploads: Vec::new(),
            uploads_of: HashMap::new(),
            refused_uploads: 0,
            files: Vec::new(),
        }
    }

    /// The state [`save`](Self::save) gave, in the same world.
    pub(super) fn restored(seed: &Seed, saved: Value) -> Result<Self, RestoreProblem> {
        let mut state: Self =
            serde_json::from_value(saved).map_err(|error| RestoreProblem::Damaged(error.to_string()))?;
        state.users = state.users.in_world(seed);
        for (place, upload) in state.uploads.iter().enumerate() {
            state.uploads_of.entry(upload.user).or_default().push(place);
        }
        Ok(state)
    }

    pub(super) fn save(&self) -> Value {
        // Fails for maps whose keys are not texts or numbers and for types that refuse; there are none.
        serde_json::to_value(self).unwrap_or_default()
    }

    pub(super) fn groups(&mut self, kind: Kind) -> &mut Groups {
        &mut self.groups[kind as usize]
    }

    pub(super) fn next_provider(&self) -> u64 {
        self.providers.keys().next_back().map_or(NEXT_PROVIDER, |last| (last + 1).max(NEXT_PROVIDER))
    }

    pub(super) fn training(&self, id: u64) -> Option<&Training> {
        self.trainings.get(usize::try_from(id.checked_sub(trainings::FIRST_ID)?).ok()?)
    }

    pub(super) fn provider_name(&self, id: u64) -> &str {
        self.providers.get(&id).map(String::as_str).unwrap_or_default()
    }

    pub(super) fn write_books(&self, books: &mut Value) {
        books["users"] = self.users.books(&self.groups[Kind::UserGroup as usize]);
        books["user_groups"] = self.groups[Kind::UserGroup as usize].books();
        books["site_locations"] = self.groups[Kind::Site as usize].books();
        books["departments"] = self.groups[Kind::Department as usize].books();
        books["providers"] =
            self.providers.iter().map(|(id, name)| json!({"ProviderId": id, "ProviderName": name})).collect();
        books["trainings"] = (0..).zip(&self.trainings).map(|(place, training)| training.books(place, self)).collect();
        books["uploads"] = self.uploads.iter().map(|upload| upload.books(self)).collect();
        books["refused_uploads"] = self.refused_uploads.into();
        books["files"] = self.files.iter().map(File::books).collect();
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    #[test]
    fn an_upload_takes_few_bytes_when_saved() {
        const UPLOADS: usize = 100_000;
        let seed = Seed::default();
        let mut state = State::of(&seed);
        let empty = state.save().to_string().len();
        for number in 0..UPLOADS {
            state.uploads.push(Upload {
                user: 110_022 + number as u64 % 24,
                training: trainings::FIRST_ID,
                completed: DateTime::from_timestamp_millis(1_776_331_800_123).unwrap_or_default(),
                expiry: None,
                validity: 24,
                certificate: None,
            });
        }
        let saved = state.save();
        let text = saved.to_string();
        assert!(text.len() - empty < 64 * UPLOADS, "{} bytes", text.len());
        let restored = State::restored(&seed, saved).expect("what was saved");
        assert_eq!(restored.save().to_string(), text);
        assert_eq!(restored.uploads_of.len(), 24);
    }
}
