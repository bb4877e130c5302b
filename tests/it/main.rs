//! ONE integration binary: scenarios, simulation, architecture, end to end.

#![allow(clippy::print_stdout, reason = "a skipped test and a failing seed say so on standard output")]

mod api;
mod architecture;
mod browser;
mod command_line;
mod command_line_init;
mod console_browser;
mod console_provider;
mod core_properties;
mod e2e;
mod erasures;
mod fairness;
mod harness;
mod moments;
mod parts;
mod reports;
mod scenarios;
mod simulation;
mod teams_pace;
mod telegram_suite;
mod widget_suite;
