//! `deskbridge openapi`: the description of the API, as the running program serves it at `/openapi.json`.
//!
//! Not here: making it (`http::openapi`).

use super::failure::Outcome;
use super::out;
use crate::http::openapi;

#[derive(clap::Args, Debug)]
pub struct Args {}

pub fn run(_: &Args) -> Outcome {
    out::data(&openapi::text());
    Ok(())
}
