//! From the body of a request to a message: text, embeds, components, mentions ("Create Message", "Allowed Mentions").
//! Where the message goes is decided by the methods; the limits of its parts are in `parts`.

use serde_json::Value;

use super::error::ApiError;
use super::message::{COMPONENTS_V2, EPHEMERAL, Mentions, SUPPRESS_EMBEDS, SUPPRESS_NOTIFICATIONS};
use super::parts;
use super::snowflake::Snowflake;

/// Characters of a text.
pub const MAX_CONTENT: usize = 2000;
const MAX_NONCE: usize = 25;

/// Who may be pinged by a text.
#[derive(Debug, Clone)]
pub struct Allowed {
    users: Names,
    roles: Names,
    everyone: bool,
    replied: bool,
}

#[derive(Debug, Clone)]
enum Names {
    All,
    These(Vec<Snowflake>),
}

impl Names {
    fn holds(&self, id: Snowflake) -> bool {
        match self {
            Names::All => true,
            Names::These(ids) => ids.contains(&id),
        }
    }
}

impl Allowed {
    /// What holds when nothing is said: on a message of a bot, everything pings.
    pub fn everything() -> Self {
        Allowed { users: Names::All, roles: Names::All, everyone: true, replied: true }
    }

    /// What holds for answers to interactions when nothing is said.
    pub fn people() -> Self {
        Allowed { roles: Names::These(Vec::new()), everyone: false, ..Allowed::everything() }
    }

    fn read(given: &Value, usual: &Allowed) -> Result<Self, ApiError> {
        if given.is_null() {
            return Ok(usual.clone());
        }
        let parse: Vec<&str> =
            given["parse"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        if let Some(wrong) = parse.iter().find(|it| !["users", "roles", "everyone"].contains(it)) {
            let text = format!("Value \"{wrong}\" must be one of {{'users', 'roles', 'everyone'}}.");
            return Err(ApiError::form("allowed_mentions.parse.0", "BASE_TYPE_CHOICES", &text));
        }
        let names = |kind: &str| {
            let ids: Vec<Snowflake> =
                given[kind].as_array().into_iter().flatten().filter_map(Snowflake::of).collect();
            match (parse.contains(&kind), ids.is_empty()) {
                (true, true) => Ok(Names::All),
                (true, false) => {
                    let text = format!("parse:[\"{kind}\"] and {kind}: [ids...] are mutually exclusive.");
                    Err(ApiError::form("allowed_mentions", "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", &text))
                }
                (false, _) => Ok(Names::These(ids)),
            }
        };
        let everyone = parse.contains(&"everyone");
        Ok(Allowed {
            users: names("users")?,
            roles: names("roles")?,
            everyone,
            replied: given["replied_user"] == true,
        })
    }

    /// Whom this text pings. `replied` wrote what it answers.
    pub fn mentions(&self, text: &str, replied: Option<Snowflake>) -> Mentions {
        let named = mentioned(text);
        let mut users: Vec<Snowflake> = named.users.into_iter().filter(|id| self.users.holds(*id)).collect();
        if let Some(replied) = replied.filter(|id| self.replied && !users.contains(id)) {
            users.push(replied);
        }
        let roles = named.roles.into_iter().filter(|id| self.roles.holds(*id)).collect();
        Mentions { users, roles, everyone: named.everyone && self.everyone }
    }
}

/// Everything in a text that reads as a mention; Discord looks into code and behind backslashes no less than here.
pub(super) fn mentioned(text: &str) -> Mentions {
    let mut found =
        Mentions { everyone: text.contains("@everyone") || text.contains("@here"), ..Mentions::default() };
    for piece in text.split("<@").skip(1) {
        let Some((inside, _)) = piece.split_once('>') else { continue };
        if let Some(role) = inside.strip_prefix('&') {
            found.roles.extend(role.parse::<Snowflake>().ok());
        } else {
            found.users.extend(inside.trim_start_matches('!').parse::<Snowflake>().ok());
        }
    }
    found.users.sort();
    found.users.dedup();
    found.roles.sort();
    found.roles.dedup();
    found
}

/// What a request wants to be written.
#[derive(Debug, Clone)]
pub struct Draft {
    pub content: String,
    pub embeds: Vec<Value>,
    pub components: Vec<Value>,
    pub flags: u64,
    pub allowed: Allowed,
    pub nonce: Option<Value>,
    pub enforce_nonce: bool,
    /// `message_reference`: channel, message, `fail_if_not_exists`.
    pub answers: Option<(Option<Snowflake>, Snowflake, bool)>,
}

impl Draft {
    /// # Errors
    /// `50035`, and `50006` for a message with nothing in it.
    pub fn read(body: &Value, files: usize, usual: &Allowed) -> Result<Self, ApiError> {
        if !body.is_object() && !body.is_null() {
            return Err(ApiError::form(
                "",
                "DICT_TYPE_CONVERT",
                "Only dictionaries may be used in a DictType",
            ));
        }
        let content = content_of(&body["content"])?.unwrap_or_default();
        let flags = flags_of(&body["flags"])?;
        let embeds = parts::embeds(&body["embeds"])?;
        let components = parts::components(&body["components"], flags & COMPONENTS_V2 != 0)?;
        if flags & COMPONENTS_V2 != 0 && (!content.is_empty() || !embeds.is_empty()) {
            let text = "The 'content' field cannot be used when using MessageFlags.IS_COMPONENTS_V2";
            return Err(ApiError::form(
                "content",
                "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
                text,
            ));
        }
        let has_more = ["sticker_ids", "poll"].iter().any(|name| !body[*name].is_null());
        let empty = content.trim().is_empty() && embeds.is_empty() && components.is_empty();
        if empty && files == 0 && !has_more {
            return Err(ApiError::coded(50_006));
        }
        let allowed = Allowed::read(&body["allowed_mentions"], usual)?;
        let nonce = nonce_of(&body["nonce"])?;
        let answers = reference_of(&body["message_reference"])?;
        let enforce_nonce = body["enforce_nonce"] == true;
        Ok(Draft { content, embeds, components, flags, allowed, nonce, enforce_nonce, answers })
    }
}

/// # Errors
/// `50035` for what is no text, or too long a one.
pub(super) fn content_of(given: &Value) -> Result<Option<String>, ApiError> {
    let text = match given {
        Value::Null => return Ok(None),
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return Err(ApiError::form("content", "STRING_TYPE_CONVERT", "Could not interpret as string.")),
    };
    if text.chars().count() > MAX_CONTENT {
        return Err(ApiError::too_long("content", MAX_CONTENT));
    }
    // Blanks around a text do not survive.
    Ok(Some(text.trim().to_owned()))
}

fn flags_of(given: &Value) -> Result<u64, ApiError> {
    let flags = given.as_u64().unwrap_or(0);
    // Others are ignored by some routes and refused by others; the fake refuses what nobody may set.
    let settable = SUPPRESS_EMBEDS | EPHEMERAL | SUPPRESS_NOTIFICATIONS | COMPONENTS_V2;
    if flags & !settable != 0 {
        return Err(ApiError::form("flags", "INVALID_BITFIELD_FLAG", "The bitfield contains invalid flags."));
    }
    Ok(flags)
}

fn nonce_of(given: &Value) -> Result<Option<Value>, ApiError> {
    match given {
        Value::Null => Ok(None),
        Value::String(text) if text.chars().count() > MAX_NONCE => {
            Err(ApiError::too_long("nonce", MAX_NONCE))
        }
        Value::String(_) => Ok(Some(given.clone())),
        Value::Number(number) if number.is_i64() || number.is_u64() => Ok(Some(given.clone())),
        _ => Err(ApiError::form("nonce", "NONCE_TYPE_CONVERT", "Must be a string or an integer.")),
    }
}

type Answers = Option<(Option<Snowflake>, Snowflake, bool)>;

fn reference_of(given: &Value) -> Result<Answers, ApiError> {
    if given.is_null() {
        return Ok(None);
    }
    let message = Snowflake::of(&given["message_id"]);
    let message = message.ok_or_else(|| ApiError::required("message_reference.message_id"))?;
    let strict = given["fail_if_not_exists"] != false;
    Ok(Some((Snowflake::of(&given["channel_id"]), message, strict)))
}
