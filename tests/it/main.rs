//! ONE integration binary: scenarios, simulation, architecture, end to end.

mod harness;
mod scenarios;
