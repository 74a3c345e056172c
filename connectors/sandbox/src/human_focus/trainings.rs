//! Trainings: the vendor's own catalogue (operation 13) and external ones (15, 16).

use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Value, json};

use super::{
    HumanFocus, ORGAN_ID,
    fields::{Answer, Fields, Refusal, refuse},
    state::State,
};
use crate::seed::Seed;

/// The id of the first external training.
pub(super) const FIRST_ID: u64 = 123_456;

/// A training as it is saved: title, provider, duration.
type Row = (String, u64, i64);

/// An external training.
#[derive(Deserialize)]
#[serde(from = "Row")]
pub(super) struct Training {
    pub title: String,
    pub provider: u64,
    pub duration: i64,
    /// What a search compares with.
    lower: String,
}

impl Training {
    fn new(title: &str, provider: u64, duration: i64) -> Self {
        Self { title: title.to_owned(), provider, duration, lower: title.to_lowercase() }
    }

    pub(super) fn books(&self, place: u64, state: &State) -> Value {
        json!({
            "TrainingId": FIRST_ID + place,
            "TrainingCourse": self.title,
            "ProviderId": self.provider,
            "ProviderName": state.provider_name(self.provider),
        })
    }
}

impl From<Row> for Training {
    fn from((title, provider, duration): Row) -> Self {
        Self::new(&title, provider, duration)
    }
}

impl Serialize for Training {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (&self.title, self.provider, self.duration).serialize(serializer)
    }
}

/// External trainings there from the start; three bear titles of the history, but under another provider.
pub(super) fn seeded(seed: &Seed) -> Vec<Training> {
    let traps = [0, 1, 4].map(|number| Training::new(&seed.title(number), 249, 2));
    let others = (0..seed.uploaded_trainings)
        .map(|number| Training::new(&format!("Toolbox talk {}", number + 1), [22, 249, 451][number % 3], -1));
    traps.into_iter().chain(others).collect()
}

/// Title and id of a training of the vendor's own; some ids are words.
pub(super) fn own(number: u64) -> (String, String) {
    let id = if number.is_multiple_of(17) { format!("Test{number}") } else { (1650 + number).to_string() };
    (id, format!("Human Focus course {}", number + 1))
}

/// Operation 13: pages from 0, `Status` an empty text.
pub(super) fn catalogue(system: &HumanFocus, fields: &Fields<'_>) -> Answer {
    fields.organisation("OrganID")?;
    fields.text("UserStatus")?;
    let total = system.seed.trainings;
    let page = Page::of(system, fields, 0)?;
    let rows: Vec<Value> = (0..total as u64)
        .skip(page.skip)
        .take(page.take)
        .map(|number| {
            let (id, title) = own(number);
            json!({"ContentID": id, "ContentTitle": title, "CourseFounderID": null, "CourseFounderTitle": "Human Focus"})
        })
        .collect();
    Ok(json!({"GetAllTrainingsByOrganID": rows, "TotalRecords": [{"Total": total}], "Status": ""}))
}

/// Operation 15: no id comes back, and the same title twice makes two trainings.
pub(super) fn add(system: &HumanFocus, fields: &Fields<'_>) -> Answer {
    let list = fields.list("trainingDetailsList")?;
    let mut state = system.state();
    let mut added = Vec::with_capacity(list.len());
    for item in list {
        let Some(item) = item.as_object() else {
            return refuse("trainingDetailsList must hold objects.");
        };
        let item = Fields(item);
        let provider = item.number("ExtTrainPrvID")?;
        if !state.providers.contains_key(&provider) {
            return refuse(format!("ExtTrainPrvID {provider} was not found."));
        }
        added.push(Training::new(
            item.text("ExtTrainTitle")?,
            provider,
            item.signed("ExtTrainDuration")?.unwrap_or(-1),
        ));
    }
    if added.is_empty() {
        return refuse("trainingDetailsList is empty.");
    }
    state.trainings.append(&mut added);
    Ok(json!({"Status": true, "Result": ""}))
}

/// Operation 16: pages from 1; the search finds any title that contains the text.
pub(super) fn uploaded(system: &HumanFocus, fields: &Fields<'_>) -> Answer {
    fields.organisation("OrganID")?;
    let search = fields.optional_text("SearchText")?.unwrap_or_default().to_lowercase();
    let page = Page::of(system, fields, 1)?;
    let state = system.state();
    let found = || (FIRST_ID..).zip(&state.trainings).filter(|(_, training)| training.lower.contains(&search));
    let rows: Vec<Value> = found()
        .skip(page.skip)
        .take(page.take)
        .map(|(id, training)| {
            json!({
                "OrganID": ORGAN_ID,
                "TrainingId": id,
                "ProviderId": training.provider,
                "ProviderName": state.provider_name(training.provider),
                "TrainingCourse": training.title,
                "UserGroupId": null,
                "UserGroup": null,
                "ValidDuration": training.duration,
                "TrainingDescription": null,
                "HasUserGroup": "Yes",
            })
        })
        .collect();
    Ok(json!({"UploadedTrainings": {"TotalRecords": found().count(), "UploadedTraining": rows}, "Status": true}))
}

struct Page {
    skip: usize,
    take: usize,
}

impl Page {
    fn of(system: &HumanFocus, fields: &Fields<'_>, first: u64) -> Result<Self, Refusal> {
        let (size, index) = (fields.number("PageSize")?, fields.number("PageIndex")?);
        if size == 0 {
            return refuse("PageSize must be greater than 0.");
        }
        let Some(before) = index.checked_sub(first) else {
            return refuse(format!("PageIndex must be at least {first}."));
        };
        let take = (size as usize).min(system.page_cap);
        Ok(Self { skip: take.saturating_mul(before as usize), take })
    }
}
