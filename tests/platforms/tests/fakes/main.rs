//! The fakes tested with a plain HTTP client and, as a second opinion, with teloxide and aiogram (Telegram), slack_sdk
//! and @slack/socket-mode (Slack), discord.js (Discord).
//! Nothing of the bridge itself is here.

mod aiogram;
mod client;
mod discord_app;
mod discord_gateway;
mod discord_interactions;
mod discord_js;
mod discord_messages;
mod openai;
mod openai_faults;
mod slack_app;
mod slack_events;
mod slack_messages;
mod slack_sdk;
mod slack_sockets;
mod telegram_control;
mod telegram_faults;
mod telegram_messages;
mod telegram_people;
mod telegram_topics;
mod telegram_updates;
mod telegram_webhook;
mod teloxide;
