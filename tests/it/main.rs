//! ONE integration binary: scenarios, simulation, architecture, end to end.

mod api;
mod architecture;
mod command_line;
mod core_properties;
mod e2e;
mod harness;
mod scenarios;
mod simulation;
