//! Records of unknown outcome, looked up in the other system: `on_unknown: verify`.
//!
//! What is there gets its receipt late and is not sent again; what is not there is sent. Where several fit, or the other
//! system cannot be asked, the record is held as before.

use crate::deliver::{Delivery, only_creates, other_content};
use crate::records::Parcel;
use crate::runner::Runner;
use futures::stream::{self, StreamExt};
use serde_json::Value as Json;
use std::sync::Arc;
use towpath_connector::{Record, Result, Verified};
use towpath_state::{Outcome, Receipt, ReceiptIn};

/// A record whose last attempt nobody knows the outcome of.
pub(crate) struct Doubtful {
    pub parcel: Parcel,
    pub receipt: Receipt,
}

impl Runner {
    /// Looks what became of records; gives those that are to be sent.
    pub(crate) async fn verify_all(
        self: &Arc<Self>,
        delivery: &Delivery<'_>,
        doubtful: Vec<Doubtful>,
    ) -> Result<Vec<Parcel>> {
        let mut looked = stream::iter(doubtful)
            .map(|doubtful| async move {
                let verified = self.verify(delivery, &doubtful.parcel.payload).await;
                (doubtful, verified)
            })
            .buffer_unordered(delivery.sink.concurrency);
        let mut due = Vec::new();
        while let Some((Doubtful { parcel, receipt }, verified)) = looked.next().await {
            match verified {
                Ok(Verified::Found { fields }) => due.extend(self.found(delivery, parcel, &receipt, fields).await?),
                Ok(Verified::NotFound) => due.push(parcel),
                Ok(Verified::Ambiguous { candidates }) => {
                    let message =
                        format!("its outcome is unknown since run {}, and {candidates} records fit", receipt.run);
                    self.hold(delivery, &parcel, &message)?;
                }
                Err(error) => {
                    let message =
                        format!("its outcome is unknown since run {}, and verifying failed: {error}", receipt.run);
                    self.hold(delivery, &parcel, &message)?;
                }
            }
        }
        self.go_on()?;
        Ok(due)
    }

    async fn verify(&self, delivery: &Delivery<'_>, payload: &Record) -> Result<Verified> {
        let mut failed = 0;
        loop {
            self.go_on()?;
            match delivery.operation.verify(payload).await {
                Ok(verified) => return Ok(verified),
                Err(error) => {
                    failed += 1;
                    self.wait_or_fail(delivery.node, error, failed).await?;
                }
            }
        }
    }

    /// It was written; with other content than it is to have now, it is sent once more where it can be changed.
    async fn found(
        &self,
        delivery: &Delivery<'_>,
        parcel: Parcel,
        receipt: &Receipt,
        fields: Record,
    ) -> Result<Option<Parcel>> {
        let kept = if fields.is_empty() { Json::Null } else { Json::Object(fields.clone()) };
        let late = ReceiptIn { key_hash: parcel.key_hash, outcome: Outcome::Confirmed, fields: kept, message: None };
        delivery.desk.receive(late).wait().await?;
        if receipt.payload_hash == parcel.payload_hash {
            self.unchanged(delivery, &parcel, fields)?;
            return Ok(None);
        }
        if only_creates(delivery.operation.info()) {
            let differing = parcel.differing(&receipt.content);
            let message = other_content(delivery.operation.info(), &receipt.run, differing);
            self.changed(delivery, parcel, message)?;
            return Ok(None);
        }
        Ok(Some(parcel))
    }
}
