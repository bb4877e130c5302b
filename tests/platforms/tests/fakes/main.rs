//! The fakes tested with a plain HTTP client and, for Telegram, with teloxide as a second opinion.
//! Nothing of the bridge itself is here.

mod aiogram;
mod client;
mod openai;
mod openai_faults;
mod telegram_control;
mod telegram_faults;
mod telegram_messages;
mod telegram_people;
mod telegram_topics;
mod telegram_updates;
mod telegram_webhook;
mod teloxide;
