//! The app package for Teams: a zip of a manifest and two icons, made without any other tool. Pure.
//!
//! Not here: uploading it, which an administrator does. Source: "App manifest schema" 1.16 and "Resource-specific consent".

mod examine;

use serde_json::{Value, json};
use url::Url;

pub(crate) use examine::examine;

/// Why there is no package.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PackageError {
    #[error("app_id is not a GUID, which the manifest needs")]
    NotAGuid,
}

/// Permissions over single teams and chats (RSC), which whoever installs the app agrees to. None unless they are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// To read all messages of a channel, by which technicians may just write in a thread; without it they use the card's text
    /// box, or call the bot.
    pub channels: bool,
    /// To be told what was read in a chat with the bot.
    pub receipts: bool,
}

/// The zip's bytes.
///
/// # Errors
/// Where `app_id` is none.
pub fn package(
    app_id: &str,
    name: &str,
    public_url: Option<&str>,
    rights: Rights,
) -> Result<Vec<u8>, PackageError> {
    if !crate::config::is_guid(app_id) {
        return Err(PackageError::NotAGuid);
    }
    let manifest = format!("{:#}\n", manifest(app_id, name, public_url, rights));
    Ok(zip(&[
        ("manifest.json", manifest.into_bytes()),
        ("color.png", png(192, |_, _| [0x2b, 0x57, 0x9a, 0xff])),
        ("outline.png", png(32, |x, y| if speech(x, y) { [0xff; 4] } else { [0xff, 0xff, 0xff, 0] })),
    ]))
}

/// The edge of a speech bubble.
fn speech(x: u32, y: u32) -> bool {
    let edge = |v: u32, from: u32, to: u32| v >= from && v <= to;
    let inside = edge(x, 4, 27) && edge(y, 6, 21);
    let hollow = edge(x, 6, 25) && edge(y, 8, 19);
    let tail = y > 21 && y < 27 && x >= 8 && x + y < 36;
    (inside && !hollow) || tail
}

fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

fn manifest(app_id: &str, name: &str, public_url: Option<&str>, rights: Rights) -> Value {
    let site = public_url.unwrap_or("https://example.org");
    let host = public_url.and_then(|url| Url::parse(url).ok()?.host_str().map(str::to_owned));
    let asked = [
        (rights.receipts, "ChatMessageReadReceipt.Read.Chat"),
        (rights.channels, "ChannelMessage.Read.Group"),
    ];
    let permissions: Vec<Value> = asked
        .into_iter()
        .filter(|(wanted, _)| *wanted)
        .map(|(_, name)| json!({ "name": name, "type": "Application" }))
        .collect();
    let mut made = json!({
        "$schema": "https://developer.microsoft.com/json-schemas/teams/v1.16/MicrosoftTeams.schema.json",
        "manifestVersion": "1.16",
        "version": "1.0.0",
        "id": app_id,
        "developer": {
            "name": cut(name, 32), "websiteUrl": site, "privacyUrl": site, "termsOfUseUrl": site,
        },
        "icons": { "color": "color.png", "outline": "outline.png" },
        "name": { "short": cut(name, 30), "full": cut(name, 100) },
        "description": {
            "short": "Help from IT, here in Teams.",
            "full": "Write to the bot to get help. An assistant answers first, and people of IT take over when you wish.",
        },
        "accentColor": "#2B579A",
        "bots": [{
            "botId": app_id,
            "scopes": ["personal", "team", "groupchat"],
            "supportsFiles": true,
            "isNotificationOnly": false,
            "commandLists": [{
                "scopes": ["team"],
                "commands": [
                    { "title": "accept", "description": "Take the conversation of this thread" },
                    { "title": "note", "description": "Write a note that stays in the desk" },
                    { "title": "ticket", "description": "Open a ticket" },
                    { "title": "resolve", "description": "The matter is done" },
                    { "title": "help", "description": "All verbs" },
                ],
            }],
        }],
        "composeExtensions": [{
            "botId": app_id,
            "commands": [{
                "id": crate::extension::COMMAND,
                "type": "action",
                "title": "Create ticket",
                "description": "Turn this message into a ticket",
                "context": ["message", "compose", "commandBox"],
                "fetchTask": true,
                "initialRun": false,
            }],
        }],
        "validDomains": host.as_deref().into_iter().collect::<Vec<_>>(),
        "webApplicationInfo": { "id": app_id, "resource": site },
    });
    if !permissions.is_empty() {
        made["authorization"] = json!({ "permissions": { "resourceSpecific": permissions } });
    }
    made
}

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

/// A square picture with four bytes a point. Its data is not compressed: the icons are small.
fn png(side: u32, point: impl Fn(u32, u32) -> [u8; 4]) -> Vec<u8> {
    let mut rows = Vec::new();
    for y in 0..side {
        rows.push(0);
        (0..side).for_each(|x| rows.extend_from_slice(&point(x, y)));
    }
    let mut data = vec![0x78, 0x01];
    let mut blocks = rows.chunks(0xffff).peekable();
    while let Some(block) = blocks.next() {
        data.push(u8::from(blocks.peek().is_none()));
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        data.extend_from_slice(&length.to_le_bytes());
        data.extend_from_slice(&(!length).to_le_bytes());
        data.extend_from_slice(block);
    }
    let (mut a, mut b) = (1_u32, 0_u32);
    for byte in &rows {
        a = (a + u32::from(*byte)) % 65521;
        b = (b + a) % 65521;
    }
    data.extend_from_slice(&((b << 16) | a).to_be_bytes());
    let mut head = Vec::new();
    head.extend_from_slice(&side.to_be_bytes());
    head.extend_from_slice(&side.to_be_bytes());
    head.extend_from_slice(&[8, 6, 0, 0, 0]);
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, body) in [(b"IHDR", head), (b"IDAT", data), (b"IEND", Vec::new())] {
        out.extend_from_slice(&u32::try_from(body.len()).unwrap_or(0).to_be_bytes());
        let chunk = [kind.as_slice(), &body].concat();
        out.extend_from_slice(&chunk);
        out.extend_from_slice(&crc(&chunk).to_be_bytes());
    }
    out
}

/// Files stored as they are, with a fixed date: the same input gives the same bytes.
fn zip(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let size = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
    let mut out = Vec::new();
    let mut directory = Vec::new();
    for (name, bytes) in files {
        let at = size(out.len());
        let mut common = Vec::new();
        // Version 2.0, no flags, stored, 1 January 1980.
        [20_u16, 0, 0, 0, 0x21].iter().for_each(|field| common.extend_from_slice(&field.to_le_bytes()));
        [crc(bytes), size(bytes.len()), size(bytes.len())]
            .iter()
            .for_each(|field| common.extend_from_slice(&field.to_le_bytes()));
        let name_length = u16::try_from(name.len()).unwrap_or(0);
        common.extend_from_slice(&name_length.to_le_bytes());
        common.extend_from_slice(&0_u16.to_le_bytes());
        out.extend_from_slice(b"PK\x03\x04");
        out.extend_from_slice(&common);
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(bytes);
        directory.extend_from_slice(b"PK\x01\x02\x14\x00");
        directory.extend_from_slice(&common);
        // No comment, disk 0, no attributes.
        directory.extend_from_slice(&[0; 10]);
        directory.extend_from_slice(&at.to_le_bytes());
        directory.extend_from_slice(name.as_bytes());
    }
    let (start, count) = (size(out.len()), u16::try_from(files.len()).unwrap_or(0));
    out.extend_from_slice(&directory);
    out.extend_from_slice(b"PK\x05\x06\x00\x00\x00\x00");
    out.extend_from_slice(&count.to_le_bytes());
    out.extend_from_slice(&count.to_le_bytes());
    out.extend_from_slice(&size(directory.len()).to_le_bytes());
    out.extend_from_slice(&start.to_le_bytes());
    out.extend_from_slice(&0_u16.to_le_bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const APP: &str = "00000000-1111-2222-3333-444444444444";

    #[test]
    fn a_package_is_for_one_app() {
        assert_eq!(package("bot-1", "Desk", None, Rights::default()), Err(PackageError::NotAGuid));
        let rights = Rights { channels: true, receipts: false };
        let made = package(APP, "Desk", Some("https://desk.example.org"), rights).unwrap();
        assert_eq!(made, package(APP, "Desk", Some("https://desk.example.org"), rights).unwrap());
        let text = String::from_utf8_lossy(&made).into_owned();
        for part in [APP, "desk.example.org", "ChannelMessage.Read.Group", "color.png", "outline.png"] {
            assert!(text.contains(part), "{part}");
        }
        assert!(!text.contains("ReadReceipt"));
        // Nothing is asked for that nobody wanted.
        let plain = package(APP, "Desk", None, Rights::default()).unwrap();
        assert!(!String::from_utf8_lossy(&plain).contains("resourceSpecific"));
    }

    #[test]
    fn names_are_within_the_manifests_limits() {
        let manifest = manifest(APP, &"x".repeat(200), None, Rights::default());
        assert_eq!(manifest["name"]["short"].as_str().map(str::len), Some(30));
        assert_eq!(manifest["name"]["full"].as_str().map(str::len), Some(100));
    }

    #[test]
    fn checksums() {
        assert_eq!(crc(b"123456789"), 0xcbf4_3926);
        assert_eq!(&png(32, |_, _| [0; 4])[..8], b"\x89PNG\r\n\x1a\n");
    }
}
