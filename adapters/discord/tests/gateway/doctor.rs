//! `doctor discord` and `discord setup`: each known mistake is found and named with what to do, and what can be done is done.
//!
//! Not here: how checks are shown (the program).

use deskbridge_contract::RoomId;
use deskbridge_contract::check::{Check, Outcome};
use deskbridge_platforms::discord::{Overwrite, permissions};

use super::*;

const TAGS: [&str; 8] =
    ["Assistant", "Waiting", "Offered", "In progress", "Snoozed", "Resolved", "Closed", "Priority"];
/// What is used, and nothing else.
const USED: u64 = permissions::VIEW_CHANNEL
    | permissions::SEND_MESSAGES
    | permissions::SEND_MESSAGES_IN_THREADS
    | permissions::MANAGE_THREADS
    | permissions::READ_MESSAGE_HISTORY
    | permissions::ADD_REACTIONS
    | permissions::EMBED_LINKS
    | permissions::ATTACH_FILES
    | permissions::MANAGE_WEBHOOKS;

impl Office {
    async fn tagged() -> Office {
        let mut office = Office::open(Settings::default()).await;
        office.forum = office.acme.forum("help", &TAGS);
        office.app.permissions(&office.acme, USED);
        // Only what its own role grants counts from here on.
        office.fake.change(|world| {
            for role in world.guilds.values_mut().flat_map(|guild| &mut guild.roles) {
                if role.name == "@everyone" {
                    role.permissions = permissions::VIEW_CHANNEL;
                }
            }
        });
        office
    }

    fn configured(&self, more: serde_json::Value) -> DiscordAdapter {
        let mut section = json!({ "token": self.app.token, "api_base": self.fake.api_url() });
        for (key, value) in more.as_object().into_iter().flatten() {
            section[key] = value.clone();
        }
        let Ok(config) = Config::from_value(section) else { panic!("sound") };
        DiscordAdapter::new("discord".into(), config, Arc::new(|| Timestamp::EPOCH)).expect("an adapter")
    }

    fn room(&self) -> RoomId {
        RoomId::new(self.forum.to_string())
    }

    async fn examined(&self) -> Vec<Check> {
        self.configured(json!({})).doctor(&[self.room()]).await
    }
}

fn of<'c>(checks: &'c [Check], id: &str) -> &'c Check {
    checks.iter().find(|check| check.id == id).unwrap_or_else(|| panic!("no {id} in {checks:#?}"))
}

/// What it says, all of it, when it ends like this.
fn ended(checks: &[Check], id: &str, outcome: Outcome) -> String {
    let check = of(checks, id);
    assert_eq!(check.outcome, outcome, "{check:?}");
    if outcome != Outcome::Pass {
        assert!(!check.why.is_empty() && !check.fix.is_empty(), "{check:?}");
    }
    format!("{} | {} | {}", check.detail, check.why, check.fix)
}

#[tokio::test]
async fn what_is_set_up_passes() {
    let office = Office::tagged().await;
    let setup = office.configured(json!({})).setup(&[office.room()]).await;
    assert!(setup.iter().all(|check| check.outcome == Outcome::Pass), "{setup:#?}");
    let checks = office.examined().await;
    let ids: Vec<&str> = checks.iter().map(|check| check.id.as_str()).collect();
    let all = ["token", "intents", "gateway", "interactions", "commands", "forum", "permissions", "tags"];
    assert_eq!(ids, all.map(|name| format!("discord.{name}")));
    assert!(checks.iter().all(|check| check.outcome == Outcome::Pass), "{checks:#?}");
    assert_eq!(office.fake.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn the_application_is_looked_at() {
    let office = Office::tagged().await;
    let checks = office.examined().await;
    assert!(ended(&checks, "discord.commands", Outcome::Warn).contains("not published"));
    office.app.privileged(0);
    let checks = office.examined().await;
    assert!(ended(&checks, "discord.intents", Outcome::Fail).contains("Message Content Intent"));
    let without_desk = office.configured(json!({})).doctor(&[]).await;
    ended(&without_desk, "discord.intents", Outcome::Pass);
    office.fake.settings(|settings| settings.identifies = 40);
    let checks = office.examined().await;
    assert!(ended(&checks, "discord.gateway", Outcome::Warn).contains("40 of 40"));
    let adapter = office.configured(json!({}));
    office.app.reset_token();
    let checks = adapter.doctor(&[office.room()]).await;
    assert_eq!(checks.len(), 1, "without a token nothing else can be known: {checks:#?}");
    let said = ended(&checks, "discord.token", Outcome::Fail);
    assert!(!said.contains(&office.app.token), "{said}");
}

/// Buttons go to one place: to the gateway, or to the address in the portal.
#[tokio::test]
async fn the_address_of_interactions() {
    let office = Office::tagged().await;
    let key = office.app.public_key.as_str();
    let with_key = json!({ "public_key": key, "public_url": "https://it.example.org/base/" });
    let check = async |more: serde_json::Value| office.configured(more).doctor(&[]).await;
    let interactions = "discord.interactions";
    assert!(ended(&check(with_key.clone()).await, interactions, Outcome::Pass).contains("gateway"));
    office.app.post_to("https://elsewhere.example.org/hooks/discord");
    let said = ended(&check(json!({})).await, interactions, Outcome::Fail);
    assert!(said.contains("elsewhere.example.org") && said.contains("public_key"), "{said}");
    let said = ended(&check(with_key.clone()).await, interactions, Outcome::Fail);
    assert!(said.contains("https://it.example.org/base/hooks/discord"), "{said}");
    office.app.post_to("https://it.example.org/base/hooks/discord/");
    assert!(ended(&check(with_key).await, interactions, Outcome::Pass).contains("by HTTP"));
}

#[tokio::test]
async fn rooms_that_are_no_forum() {
    let office = Office::tagged().await;
    let adapter = office.configured(json!({}));
    let lobby = office.acme.text("lobby").to_string();
    let other = office.fake.server("Elsewhere").forum("theirs", &[]).to_string();
    for (room, word) in [
        (lobby.as_str(), "#lobby is no forum"),
        ("1290000000000000001", "does not exist"),
        (&other, "invite"),
        ("it-desk", "no id"),
    ] {
        let checks = adapter.doctor(&[RoomId::new(room)]).await;
        let said = ended(&checks, "discord.forum", Outcome::Fail);
        assert!(said.contains(word), "{room}: {said}");
        assert!(!checks.iter().any(|check| check.id == "discord.permissions"), "{checks:#?}");
    }
}

/// Setting up makes the tags that are missing, where it may, keeps those that are there, and says it where it may not.
#[tokio::test]
async fn tags_are_found_missing_and_made() {
    let mut office = Office::tagged().await;
    office.forum = office.acme.forum("half", &["waiting", "Hardware"]);
    let said = ended(&office.examined().await, "discord.tags", Outcome::Warn);
    assert!(
        said.contains("Resolved") && !said.contains("Waiting") && said.contains("discord setup"),
        "{said}"
    );
    let adapter = office.configured(json!({}));
    let setup = adapter.setup(&[office.room()]).await;
    assert!(ended(&setup, "discord.tags", Outcome::Warn).contains("by hand"));
    ended(&setup, "discord.commands", Outcome::Pass);
    office.app.permissions(&office.acme, USED | permissions::MANAGE_CHANNELS);
    ended(&adapter.setup(&[office.room()]).await, "discord.tags", Outcome::Pass);
    let there = office.fake.read(|world| {
        let tags = world.channel(office.forum).tags.iter();
        tags.map(|tag| (tag.name.clone(), tag.emoji.is_some())).collect::<Vec<_>>()
    });
    let names: Vec<&str> = there.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names[..2], ["waiting", "Hardware"], "those of before stay, in front");
    assert_eq!(names.len(), 2 + TAGS.len() - 1, "{names:?}");
    assert!(there[2..].iter().all(|(_, emoji)| *emoji), "{there:?}");
    ended(&office.examined().await, "discord.tags", Outcome::Pass);
    let changes = office.fake.requests("update_channel").len();
    adapter.setup(&[office.room()]).await;
    assert_eq!(office.fake.requests("update_channel").len(), changes, "there is nothing left to do");
}

#[tokio::test]
async fn permissions_that_are_missing_are_named() {
    let office = Office::tagged().await;
    let permissions_are = |granted: u64| office.app.permissions(&office.acme, granted);
    let examined = async |outcome| ended(&office.examined().await, "discord.permissions", outcome);
    permissions_are(USED & !permissions::MANAGE_THREADS & !permissions::ATTACH_FILES);
    let said = examined(Outcome::Fail).await;
    assert!(said.contains("Manage Posts, Attach Files") && !said.contains("Send Messages"), "{said}");
    permissions_are(USED & !permissions::MANAGE_WEBHOOKS);
    assert!(
        examined(Outcome::Warn).await.contains("Manage Webhooks"),
        "without it, it works in its own name"
    );
    permissions_are(USED | permissions::ADMINISTRATOR);
    assert!(examined(Outcome::Warn).await.contains("administrator"));
    // The forum takes away what the role grants.
    permissions_are(USED);
    let bot = office.app.bot;
    let overwrite = Overwrite { id: bot, member: true, allow: 0, deny: permissions::SEND_MESSAGES };
    office.acme.overwrite(office.forum, overwrite);
    assert!(examined(Outcome::Fail).await.contains("missing in #help: Send Messages"));
}
