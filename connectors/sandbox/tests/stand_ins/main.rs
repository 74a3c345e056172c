//! The stand-ins over real HTTP, as a connector meets them.
#![allow(clippy::unwrap_used)]

mod admin;
mod client;
mod faults;
mod history;
mod human_focus;
mod saved;
mod uploads;
