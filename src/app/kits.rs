//! The kits of the adapters in this build.
//!
//! Not here: what a kit is (`kits.rs`), how an adapter is made (`app.rs`).

use std::sync::Arc;

use deskbridge_contract::{Capabilities, Timestamp};
use deskbridge_discord as discord;
use deskbridge_slack as slack;
use deskbridge_teams as teams;
use deskbridge_telegram as telegram;
use deskbridge_widget as widget;

use crate::kits::{Answer, Ask, Check, Invite, InviteWish, Kit, Manifest, ManifestWish, PackageWish, Setup};

/// Every adapter of this build.
pub const KITS: &[Kit] = &[
    Kit {
        name: "discord",
        keys: &discord::Config::KEYS,
        aliases: &[("bot_token", "token")],
        check: |keys| discord::Config::from_value(keys).err().unwrap_or_default(),
        api_base: "https://discord.com/api/v10/",
        answers_in_response: false,
        unsigned: None,
        example: discord::EXAMPLE,
        asks: &[
            Ask {
                key: "token",
                says: "The bot token of your Discord application, from the developer portal, under Bot",
                answer: Answer::Secret,
            },
            Ask {
                key: "desk.room",
                says: "The technicians' forum by its id, like 123456789012345678 (empty: they use the console)",
                answer: Answer::Optional,
            },
        ],
        doctor: |setup| Box::pin(discord_live(setup, false)),
        setup: |setup| Box::pin(discord_live(setup, true)),
        manifest: None,
        package: None,
        invite: Some(discord_invite),
    },
    Kit {
        name: "slack",
        keys: &slack::Config::KEYS,
        aliases: &[("token", "bot_token"), ("mode", "receive")],
        check: |keys| slack::Config::from_value(keys).err().unwrap_or_default(),
        api_base: "https://slack.com/api/",
        answers_in_response: false,
        unsigned: None,
        example: slack::EXAMPLE,
        asks: &[
            Ask {
                key: "bot_token",
                says: "The bot token of your Slack app, xoxb-… (deskbridge slack manifest makes the app)",
                answer: Answer::Secret,
            },
            Ask {
                key: "app_token",
                says: "The app-level token, xapp-…, with the scope connections:write",
                answer: Answer::Secret,
            },
            Ask {
                key: "desk.room",
                says: "The technicians' channel by its id, like C0123456789 (empty: they use the console)",
                answer: Answer::Optional,
            },
        ],
        doctor: |setup| Box::pin(slack_live(setup, false)),
        setup: |setup| Box::pin(slack_live(setup, true)),
        manifest: Some(slack_manifest),
        package: None,
        invite: None,
    },
    Kit {
        name: "telegram",
        keys: &telegram::Config::KEYS,
        aliases: &[("bot_token", "token")],
        check: |keys| telegram::Config::from_value(keys).err().unwrap_or_default(),
        api_base: "https://api.telegram.org",
        answers_in_response: false,
        unsigned: None,
        example: telegram::EXAMPLE,
        asks: &[
            Ask { key: "token", says: "The bot's token, from @BotFather", answer: Answer::Secret },
            Ask {
                key: "desk.room",
                says: "The technicians' group with topics, like -1001234567890 (empty: they use the console)",
                answer: Answer::Optional,
            },
        ],
        doctor: |setup| Box::pin(telegram_live(setup, false)),
        setup: |setup| Box::pin(telegram_live(setup, true)),
        manifest: None,
        package: None,
        invite: None,
    },
    Kit {
        name: "teams",
        keys: &teams::Config::KEYS,
        aliases: &[("client_id", "app_id"), ("client_secret", "app_password")],
        check: |keys| teams::Config::from_value(keys).err().unwrap_or_default(),
        api_base: "https://smba.trafficmanager.net/teams/",
        answers_in_response: false,
        unsigned: Some("development"),
        example: teams::EXAMPLE,
        asks: &[
            Ask {
                key: "app_id",
                says: "The application (client) id of the bot's registration in Entra ID",
                answer: Answer::Optional,
            },
            Ask {
                key: "tenant",
                says: "The directory (tenant) id of your organisation",
                answer: Answer::Optional,
            },
            Ask {
                key: "app_password",
                says: "A client secret of the bot's registration",
                answer: Answer::Secret,
            },
            Ask {
                key: "desk.room",
                says: "The technicians' channel, like 19:…@thread.tacv2 (empty: they use the console)",
                answer: Answer::Optional,
            },
        ],
        doctor: |setup| Box::pin(teams_live(setup)),
        // An administrator uploads the package; nothing can be set up from here.
        setup: |setup| Box::pin(teams_live(setup)),
        manifest: None,
        package: Some(teams_package),
        invite: None,
    },
    Kit {
        name: "teams-webhook",
        keys: &teams::WebhookConfig::KEYS,
        aliases: &[("client_id", "app_id"), ("client_secret", "app_password")],
        check: |keys| teams::WebhookConfig::from_value(keys).err().unwrap_or_default(),
        api_base: "",
        answers_in_response: true,
        unsigned: None,
        example: teams::WEBHOOK_EXAMPLE,
        asks: &[Ask {
            key: "security_token",
            says: "The security token that Teams showed when the outgoing webhook was made",
            answer: Answer::Secret,
        }],
        doctor: |setup| Box::pin(webhook_live(setup)),
        // Both are made in Teams, by hand.
        setup: |setup| Box::pin(webhook_live(setup)),
        manifest: None,
        package: None,
        invite: None,
    },
    Kit {
        name: "widget",
        keys: &widget::Config::KEYS,
        aliases: &[],
        check: |keys| widget::Config::from_value(keys).err().unwrap_or_default(),
        api_base: "",
        answers_in_response: false,
        unsigned: None,
        example: widget::EXAMPLE,
        asks: &[
            Ask {
                key: "origins",
                says: "The origins of the pages that show it",
                // Where /try is, unless another address is chosen.
                answer: Answer::Several("http://127.0.0.1:8080,http://localhost:8080"),
            },
            Ask { key: "identity_key", says: "", answer: Answer::Random },
        ],
        doctor: |setup| Box::pin(async move { widget_checks(setup) }),
        setup: |setup| Box::pin(async move { widget_checks(setup) }),
        manifest: None,
        package: None,
        invite: None,
    },
];

/// What every channel can carry, by place.
pub fn declared() -> Vec<(&'static str, &'static str, Capabilities)> {
    let discord = discord::declared().into_iter().map(|(place, can)| ("Discord", place, can.clone()));
    let slack = slack::declared().into_iter().map(|(place, can)| ("Slack", place, can.clone()));
    let telegram = telegram::declared().into_iter().map(|(place, can)| ("Telegram", place, can.clone()));
    let teams = teams::declared().into_iter().map(|(place, can)| ("Teams", place, can.clone()));
    let webhooks = teams::declared_webhooks().into_iter();
    let webhooks = webhooks.map(|(place, can)| ("Teams webhook", place, can.clone()));
    slack
        .chain(telegram)
        .chain(teams)
        .chain(discord)
        .chain(webhooks)
        .chain(widget::declared().into_iter().map(|(place, can)| ("Widget", place, can.clone())))
        .collect()
}

/// The simulated platform of `demo`. Not listed: it has no place in a configuration that people write.
pub const SIM: Kit = Kit {
    name: "sim",
    keys: &["style"],
    aliases: &[],
    check: |_| Vec::new(),
    api_base: "",
    answers_in_response: false,
    unsigned: None,
    example: "",
    asks: &[],
    doctor: |_| Box::pin(async { Vec::new() }),
    setup: |_| Box::pin(async { Vec::new() }),
    manifest: None,
    package: None,
    invite: None,
};

/// What keeps a channel from being made at all, with the whole of its own faults.
fn cannot(id: &str, faults: Vec<(String, String)>) -> Vec<Check> {
    let all: Vec<String> = faults.into_iter().map(|(key, what)| format!("{key}: {what}")).collect();
    unmade(id, all.join("; "))
}

fn unmade(id: &str, what: String) -> Vec<Check> {
    vec![Check::fail(id, what, "the channel cannot be made", "deskbridge check")]
}

fn clock() -> Arc<dyn Fn() -> Timestamp + Send + Sync> {
    Arc::new(|| Timestamp(jiff::Timestamp::now().as_microsecond()))
}

async fn slack_live(setup: Setup, change: bool) -> Vec<Check> {
    const ID: &str = "slack.config";
    let config = match slack::Config::from_value(setup.keys) {
        Ok(config) => config,
        Err(faults) => return cannot(ID, faults),
    };
    match slack::SlackAdapter::new(setup.channel, config, clock()) {
        Ok(adapter) if change => adapter.setup(&setup.desks).await,
        Ok(adapter) => adapter.doctor(&setup.desks).await,
        Err(error) => unmade(ID, error.to_string()),
    }
}

async fn discord_live(setup: Setup, change: bool) -> Vec<Check> {
    const ID: &str = "discord.config";
    let config = match discord::Config::from_value(setup.keys) {
        Ok(config) => config,
        Err(faults) => return cannot(ID, faults),
    };
    match discord::DiscordAdapter::new(setup.channel, config, clock()) {
        Ok(adapter) if change => adapter.setup(&setup.desks).await,
        Ok(adapter) => adapter.doctor(&setup.desks).await,
        Err(error) => unmade(ID, error.to_string()),
    }
}

fn discord_invite(wish: &InviteWish) -> Result<Invite, String> {
    let made = match (&wish.application, &wish.keys) {
        (Some(id), _) => discord::Invite::new(id)?,
        (None, Some(keys)) => {
            let told = |(key, what): &(String, String)| format!("{key}: {what}");
            let config = discord::Config::from_value(keys.clone())
                .map_err(|faults| faults.iter().map(told).collect::<Vec<_>>().join("; "))?;
            discord::Invite::of(&config)?
        }
        (None, None) => return Err("say which application: --application ID".into()),
    };
    let permissions = made.permissions.iter().map(|(name, what)| ((*name).to_owned(), (*what).to_owned()));
    Ok(Invite { link: made.link, permissions: permissions.collect() })
}

fn slack_manifest(wish: &ManifestWish) -> Result<Manifest, String> {
    let (http, public_url) = (wish.http.as_deref(), wish.public_url.as_deref());
    let made = slack::Manifest::new(&slack::Wish::new(http, &wish.channel, public_url, wish.minimal)?);
    Ok(Manifest { json: made.json, link: made.link.into() })
}

async fn telegram_live(setup: Setup, change: bool) -> Vec<Check> {
    const ID: &str = "telegram.config";
    let config = match telegram::Config::from_value(setup.keys) {
        Ok(config) => config,
        Err(faults) => return cannot(ID, faults),
    };
    match telegram::TelegramAdapter::new(setup.channel, config, clock()) {
        Ok(adapter) if change => adapter.setup().await,
        Ok(adapter) => adapter.doctor(&setup.desks).await,
        Err(error) => unmade(ID, error.to_string()),
    }
}

fn teams_package(wish: &PackageWish) -> Result<Vec<u8>, String> {
    let app_id = wish.keys.get("app_id").and_then(serde_json::Value::as_str).unwrap_or_default();
    let public_url = wish.public_url.as_deref();
    let rights = teams::Rights { channels: wish.reads_channels, receipts: wish.reads_receipts };
    teams::package(&app_id.trim().to_ascii_lowercase(), &wish.name, public_url, rights)
        .map_err(|error| error.to_string())
}

async fn teams_live(setup: Setup) -> Vec<Check> {
    const ID: &str = "teams.config";
    let config = match teams::Config::from_value(setup.keys) {
        Ok(config) => config,
        Err(faults) => return cannot(ID, faults),
    };
    match teams::TeamsAdapter::new(setup.channel, config, clock()) {
        Ok(adapter) => adapter.doctor(&setup.desks, setup.shelf).await,
        Err(error) => unmade(ID, error.to_string()),
    }
}

async fn webhook_live(setup: Setup) -> Vec<Check> {
    const ID: &str = "teams-webhook.config";
    let config = match teams::WebhookConfig::from_value(setup.keys) {
        Ok(config) => config,
        Err(faults) => return cannot(ID, faults),
    };
    match teams::WebhookAdapter::new(setup.channel, config, clock()) {
        Ok(adapter) => adapter.doctor(&setup.desks).await,
        Err(error) => unmade(ID, error.to_string()),
    }
}

fn widget_checks(setup: Setup) -> Vec<Check> {
    match widget::Config::from_value(setup.keys) {
        Ok(config) => widget::WidgetAdapter::doctor(&config, &setup.desks),
        Err(faults) => cannot("widget.config", faults),
    }
}
