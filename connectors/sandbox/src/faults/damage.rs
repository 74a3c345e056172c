//! Damage to a body, done while it streams: no answer is ever held in memory for it.

use std::io;

use axum::{
    body::{Body, Bytes, HttpBody},
    http::header,
    response::Response,
};
use bytes::BytesMut;
use futures::{StreamExt, stream};

/// Where damage is done to a body of unknown length when the rule does not say.
const DEFAULT_PLACE: usize = 2000;
/// Breaks JSON, within a text (a control character) and outside, and XML (an end tag nobody opened).
const BROKEN: &[u8] = b"\x00\"}</sandbox-broke-this><";
/// A sequence of two whose second byte cannot follow, and a byte that never occurs.
const NOT_UTF8: &[u8] = b"\xC3\x28\xFF";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Damage {
    Cut,
    End,
    BreakSyntax,
    BreakUtf8,
}

struct Progress {
    body: axum::body::BodyDataStream,
    seen: usize,
    place: usize,
    damage: Damage,
    xml: bool,
    state: Stage,
}

#[derive(PartialEq, Eq)]
enum Stage {
    Whole,
    /// The first part is out; what the damage does next is due.
    Due,
    Done,
}

pub(super) fn damaged(response: Response, bytes: Option<usize>, damage: Damage) -> Response {
    let (mut parts, body) = response.into_parts();
    let xml = parts.headers.get(header::CONTENT_TYPE).is_some_and(|value| {
        value.as_bytes().ends_with(b"xml") || value.as_bytes().windows(4).any(|part| part == b"xml;")
    });
    let length = body.size_hint().exact();
    let place = bytes.unwrap_or_else(|| length.map_or(DEFAULT_PLACE, |length| length as usize / 2));
    match length {
        // The length that was promised is kept: the client must notice that bytes are missing.
        Some(length) if damage == Damage::Cut => {
            parts.headers.insert(header::CONTENT_LENGTH, length.into());
        }
        _ => {
            parts.headers.remove(header::CONTENT_LENGTH);
        }
    }
    let progress = Progress { body: body.into_data_stream(), seen: 0, place, damage, xml, state: Stage::Whole };
    Response::from_parts(parts, Body::from_stream(stream::unfold(progress, step)))
}

async fn step(mut progress: Progress) -> Option<(io::Result<Bytes>, Progress)> {
    if progress.state == Stage::Due {
        progress.state = Stage::Done;
        return match progress.damage {
            // Lets the first part leave before the connection goes, so that the client sees a torn answer.
            Damage::Cut => {
                tokio::task::yield_now().await;
                Some((Err(io::Error::other("cut by a fault")), progress))
            }
            _ => None,
        };
    }
    let chunk = match progress.body.next().await {
        Some(Ok(chunk)) => chunk,
        Some(Err(error)) => return Some((Err(io::Error::other(error)), progress)),
        None if progress.state == Stage::Whole && progress.inserts() => {
            progress.state = Stage::Done;
            return Some((Ok(Bytes::from_static(progress.insertion())), progress));
        }
        None => return None,
    };
    let before = progress.seen;
    progress.seen += chunk.len();
    if progress.state == Stage::Done || progress.seen <= progress.place {
        return Some((Ok(chunk), progress));
    }
    let from = progress.place.saturating_sub(before);
    if !progress.inserts() {
        progress.state = Stage::Due;
        return Some((Ok(chunk.slice(..from)), progress));
    }
    let Some(at) = progress.anchor(&chunk, from) else {
        return Some((Ok(chunk), progress));
    };
    progress.state = Stage::Done;
    let mut whole = BytesMut::with_capacity(chunk.len() + BROKEN.len());
    whole.extend_from_slice(&chunk[..at]);
    whole.extend_from_slice(progress.insertion());
    whole.extend_from_slice(&chunk[at..]);
    Some((Ok(whole.freeze()), progress))
}

impl Progress {
    fn inserts(&self) -> bool {
        matches!(self.damage, Damage::BreakSyntax | Damage::BreakUtf8)
    }

    fn insertion(&self) -> &'static [u8] {
        if self.damage == Damage::BreakUtf8 { NOT_UTF8 } else { BROKEN }
    }

    /// A place at or after `from` where the insertion cannot go unnoticed: for JSON behind a quotation mark, for XML
    /// between records, or (text that is not UTF-8) where the text of an element begins.
    fn anchor(&self, chunk: &[u8], from: usize) -> Option<usize> {
        let found = match (self.xml, self.damage) {
            (false, _) => chunk[from..].iter().position(|byte| *byte == b'"'),
            (true, Damage::BreakUtf8) => {
                chunk[from..].windows(2).position(|pair| pair[0] == b'>' && pair[1] != b'<' && pair[1] > b' ')
            }
            (true, _) => chunk[from..].iter().position(|byte| *byte == b'\n'),
        };
        found.map(|at| from + at + 1)
    }
}
