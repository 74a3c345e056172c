//! The stand-ins over real HTTP, as a connector meets them.
#![allow(clippy::unwrap_used)]

mod admin;
mod client;
mod enabley;
mod faults;
mod healthier_business;
mod history;
mod human_focus;
mod one_file;
mod people_fluent;
mod saved;
mod uploads;
