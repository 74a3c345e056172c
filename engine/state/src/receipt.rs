//! The words of the journal: what is meant to be sent, what came back, what is known.

use chrono::{DateTime, Utc};
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use serde_json::Value as Json;

use crate::RunId;

/// What is known of the latest attempt to write a record. The numbers are stored: they never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Meant to be sent, and no answer is on record: it may have left or not.
    Intent = 0,
    /// The target has it.
    Confirmed = 1,
    /// The target turned it down.
    Refused = 2,
    /// Sent, and the answer does not tell whether the target has it.
    Unknown = 3,
}

impl Outcome {
    /// Whether it is certain what the target did.
    pub fn is_settled(self) -> bool {
        matches!(self, Self::Confirmed | Self::Refused)
    }
}

impl ToSql for Outcome {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(*self as i64))
    }
}

impl FromSql for Outcome {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_i64()? {
            0 => Ok(Self::Intent),
            1 => Ok(Self::Confirmed),
            2 => Ok(Self::Refused),
            3 => Ok(Self::Unknown),
            other => Err(FromSqlError::OutOfRange(other)),
        }
    }
}

/// A record that is about to be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Intent {
    /// Hash of the key: what makes it the same record in every run.
    pub key_hash: [u8; 16],
    /// The key itself, for people and for verification. No secrets.
    pub key: Json,
    /// Hash of what is sent.
    pub payload_hash: [u8; 16],
    /// What the fields of it hash to, as whoever sends it wants it back to find out which differ; may be empty.
    pub content: Vec<u8>,
}

/// The answer to an intent.
#[derive(Debug, Clone, PartialEq)]
pub struct ReceiptIn {
    /// Hash of the key, as in the intent.
    pub key_hash: [u8; 16],
    /// What the answer says; never [`Outcome::Intent`].
    pub outcome: Outcome,
    /// The fields taken from the answer (ids that were created), or null.
    pub fields: Json,
    /// The target's words, where it refused or the outcome is unknown.
    pub message: Option<String>,
}

/// What is written to the journal together.
#[derive(Debug, Clone, Copy, Default)]
pub struct Entries<'a> {
    /// Records about to be sent.
    pub intents: &'a [Intent],
    /// Answers to records that were sent.
    pub receipts: &'a [ReceiptIn],
    /// Hashes of keys with an intent of this run of which nothing was sent: they stand as before the intent. What was open
    /// then is unknown again; that an earlier attempt was refused is forgotten.
    pub withdrawn: &'a [[u8; 16]],
}

impl Entries<'_> {
    /// Whether there is nothing to be written.
    pub fn is_empty(&self) -> bool {
        self.intents.is_empty() && self.receipts.is_empty() && self.withdrawn.is_empty()
    }
}

/// What the journal knows of a key.
#[derive(Debug, Clone, PartialEq)]
pub struct Receipt {
    /// Hash of what the latest attempt sent.
    pub payload_hash: [u8; 16],
    /// What its fields hash to, as it was given with the intent; empty where nobody said.
    pub content: Vec<u8>,
    /// What became of it.
    pub outcome: Outcome,
    /// The fields of its answer; null without one.
    pub fields: Json,
    /// The target's words about it.
    pub message: Option<String>,
    /// The run that wrote this.
    pub run: RunId,
    /// When.
    pub at: DateTime<Utc>,
    /// How often the record may have left since its state was last certain; 0 when it is settled.
    pub attempts: u32,
    /// The last confirmed write of the key. Equal to the above when the outcome is confirmed; an older one when a later
    /// attempt was refused or is unsettled.
    pub confirmed: Option<Confirmed>,
}

impl Receipt {
    /// Whether the target is known to hold this payload now: it was the last to be confirmed, and nothing that may have
    /// changed it is unsettled.
    pub fn holds(&self, payload_hash: &[u8; 16]) -> bool {
        self.outcome.is_settled()
            && self.confirmed.as_ref().is_some_and(|confirmed| confirmed.payload_hash == *payload_hash)
    }
}

/// A confirmed write.
#[derive(Debug, Clone, PartialEq)]
pub struct Confirmed {
    /// Hash of what was sent.
    pub payload_hash: [u8; 16],
    /// What its fields hash to, as it was given with the intent; empty where nobody said.
    pub content: Vec<u8>,
    /// The fields of the answer.
    pub fields: Json,
    /// The run that wrote it.
    pub run: RunId,
    /// When it was confirmed.
    pub at: DateTime<Utc>,
}

/// A record of which it is not certain whether the target has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Unsettled {
    /// The sink that sent it.
    pub sink: String,
    /// Where to.
    pub target: String,
    /// Hash of its key.
    pub key_hash: [u8; 16],
    /// Its key.
    pub key: Json,
    /// What is known. Its outcome is an intent or unknown.
    pub receipt: Receipt,
}

/// How many keys are in which state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OutcomeCounts {
    /// Intents without a receipt.
    pub intents: u64,
    /// Confirmed.
    pub confirmed: u64,
    /// Refused.
    pub refused: u64,
    /// Unknown.
    pub unknown: u64,
}

/// The counts of one sink and target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SinkCounts {
    /// The sink.
    pub sink: String,
    /// Where it writes.
    pub target: String,
    /// Keys by state.
    pub counts: OutcomeCounts,
}
