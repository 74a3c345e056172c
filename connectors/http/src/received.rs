//! Bodies of answers, read as a whole: bounded in size and in time.

use bytes::{Bytes, BytesMut};
use reqwest::Response;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// A body has to be complete within so many times the connection's `timeout`: a byte now and then does not keep a run waiting
/// for ever.
pub(crate) const PATIENCE: u32 = 20;

/// Room that is made for a body before any of it has come.
const ROOM: usize = 1 << 20;

/// How much of an answer that is an error is read.
const HEAD: usize = 64 << 10;

/// Why a body is not whole.
pub(crate) enum Broken {
    /// The connection was cut, or nothing came for too long.
    Cut(reqwest::Error),
    /// It is larger than the limit.
    TooLarge,
    /// It was not complete in time.
    Late,
}

/// How long a body may take.
pub(crate) fn patience(timeout: Duration) -> Duration {
    timeout.saturating_mul(PATIENCE)
}

/// The whole body, of `limit` bytes at the most, complete before `end`.
pub(crate) async fn whole(response: &mut Response, limit: usize, end: Instant) -> Result<Bytes, Broken> {
    // What the head says of the length saves growing, and is believed up to a point.
    let told = response.content_length().and_then(|told| usize::try_from(told).ok());
    let mut body = BytesMut::with_capacity(told.unwrap_or_default().min(limit).min(ROOM));
    loop {
        let next = timeout_at(end, response.chunk()).await.map_err(|_| Broken::Late)?;
        let Some(piece) = next.map_err(Broken::Cut)? else { return Ok(body.freeze()) };
        if body.len() + piece.len() > limit {
            return Err(Broken::TooLarge);
        }
        body.extend_from_slice(&piece);
    }
}

/// What there is of a body until `end`, for a message; a cut one is as good as any.
pub(crate) async fn head(response: &mut Response, end: Instant) -> Bytes {
    let mut body = BytesMut::new();
    while body.len() < HEAD {
        let Ok(Ok(Some(piece))) = timeout_at(end, response.chunk()).await else { break };
        body.extend_from_slice(&piece);
    }
    body.freeze()
}
