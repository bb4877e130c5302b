//! Whether a package is one that Teams takes: the zip, its three files, the manifest's fields with their limits, the icons.
//!
//! Not here: making one (`package.rs`). Source: "App manifest schema" 1.16 and "Create an app package".

use serde_json::Value;
use url::Url;

use super::crc;

/// Longest address in a manifest.
const MAX_URL: usize = 2048;

/// What a good package asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Contents {
    pub app_id: String,
    /// Permissions over single teams and chats (RSC), by name.
    pub permissions: Vec<String>,
}

/// Everything that is wrong with it, in words.
pub(crate) fn examine(package: &[u8]) -> Result<Contents, Vec<String>> {
    let files = unzip(package).map_err(|why| vec![format!("not a sound zip: {why}")])?;
    let mut names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    if names != ["color.png", "manifest.json", "outline.png"] {
        return Err(vec![format!("expected manifest.json, color.png and outline.png, got {names:?}")]);
    }
    let file =
        |wanted: &str| files.iter().find(|(name, _)| name == wanted).map_or(&[][..], |(_, bytes)| *bytes);
    let mut faults = Vec::new();
    for (name, side) in [("color.png", 192), ("outline.png", 32)] {
        if png_size(file(name)) != Some((side, side)) {
            faults.push(format!("{name} is no PNG of {side} × {side} points"));
        }
    }
    let manifest: Value = serde_json::from_slice(file("manifest.json")).unwrap_or_default();
    check(&manifest, &mut faults);
    if !faults.is_empty() {
        return Err(faults);
    }
    let granted = manifest.pointer("/authorization/permissions/resourceSpecific").and_then(Value::as_array);
    let names = granted.into_iter().flatten().filter_map(|one| one["name"].as_str());
    let app_id = manifest["id"].as_str().unwrap_or_default().to_owned();
    Ok(Contents { app_id, permissions: names.map(str::to_owned).collect() })
}

fn check(manifest: &Value, faults: &mut Vec<String>) {
    let mut fault = |path: &str, what: &str| faults.push(format!("manifest.json: {path}: {what}"));
    let text = |path: &str| manifest.pointer(path).and_then(Value::as_str);
    for (path, most) in [
        ("/version", 256),
        ("/developer/name", 32),
        ("/name/short", 30),
        ("/name/full", 100),
        ("/description/short", 80),
        ("/description/full", 4000),
    ] {
        let length = text(path).map_or(0, |text| text.trim().encode_utf16().count());
        if length == 0 || length > most {
            fault(path, &format!("expected 1 to {most} letters, got {length}"));
        }
    }
    for path in ["/developer/websiteUrl", "/developer/privacyUrl", "/developer/termsOfUseUrl"] {
        let good = text(path).is_some_and(|url| {
            url.len() <= MAX_URL && Url::parse(url).is_ok_and(|url| url.scheme() == "https")
        });
        if !good {
            fault(path, "expected an https address");
        }
    }
    for (path, wanted) in
        [("/manifestVersion", "1.16"), ("/icons/color", "color.png"), ("/icons/outline", "outline.png")]
    {
        if text(path) != Some(wanted) {
            fault(path, &format!("expected {wanted}"));
        }
    }
    for path in ["/id", "/bots/0/botId", "/composeExtensions/0/botId", "/webApplicationInfo/id"] {
        if !text(path).is_some_and(crate::config::is_guid) || text(path) != text("/id") {
            fault(path, "expected the app's GUID");
        }
    }
    lists(manifest, &mut fault);
    let color = text("/accentColor").and_then(|color| color.strip_prefix('#'));
    if !color.is_some_and(|hex| hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit())) {
        fault("/accentColor", "expected a colour like #2B579A");
    }
}

/// What there may be several of.
fn lists(manifest: &Value, fault: &mut impl FnMut(&str, &str)) {
    let scopes = list(manifest, "/bots/0/scopes");
    let known =
        |scope: &Value| ["personal", "team", "groupchat"].contains(&scope.as_str().unwrap_or_default());
    if scopes.is_empty() || !scopes.iter().all(known) {
        fault("/bots/0/scopes", "expected personal, team or groupchat");
    }
    for path in ["/bots/0/commandLists/0/commands", "/composeExtensions/0/commands"] {
        let commands = list(manifest, path);
        let short = |command: &Value, key: &str, most: usize| {
            command[key].as_str().is_some_and(|text| !text.is_empty() && text.encode_utf16().count() <= most)
        };
        let good = |command: &Value| short(command, "title", 32) && short(command, "description", 128);
        if commands.is_empty() || commands.len() > 10 || !commands.iter().all(good) {
            fault(
                path,
                "expected 1 to 10 commands, with a title of 32 letters and a description of 128 at most",
            );
        }
    }
    let domains = list(manifest, "/validDomains");
    let is_host =
        |domain: &Value| domain.as_str().is_some_and(|host| !host.is_empty() && !host.contains('/'));
    if domains.len() > 16 || !domains.iter().all(is_host) {
        fault("/validDomains", "expected at most 16 hosts");
    }
}

fn list<'a>(value: &'a Value, path: &str) -> &'a [Value] {
    value.pointer(path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The files of a zip whose files are stored as they are, by its directory, with their checksums verified.
fn unzip(zip: &[u8]) -> Result<Vec<(String, &[u8])>, &'static str> {
    let number = |at: usize, bytes: usize| -> Result<usize, &'static str> {
        let field = zip.get(at..at.saturating_add(bytes)).ok_or("it is cut short")?;
        Ok(field.iter().rev().fold(0, |number, byte| (number << 8) | usize::from(*byte)))
    };
    let is = |at: usize, sign: &[u8]| zip.get(at..at.saturating_add(4)) == Some(sign);
    let end = zip.len().checked_sub(22).filter(|end| is(*end, b"PK\x05\x06")).ok_or("it has no end")?;
    let (count, mut at) = (number(end + 10, 2)?, number(end + 16, 4)?);
    if at.saturating_add(number(end + 12, 4)?) != end {
        return Err("its directory is not before its end");
    }
    let mut files = Vec::new();
    for _ in 0..count {
        if !is(at, b"PK\x01\x02") {
            return Err("its directory is broken");
        }
        let (method, sum, size) = (number(at + 10, 2)?, number(at + 16, 4)?, number(at + 24, 4)?);
        let (name_length, local) = (number(at + 28, 2)?, number(at + 42, 4)?);
        let more = number(at + 30, 2)? + number(at + 32, 2)?;
        let name = zip.get(at + 46..at + 46 + name_length).ok_or("it is cut short")?;
        if method != 0 || !is(local, b"PK\x03\x04") {
            return Err("a file is not where the directory says");
        }
        let start = local + 30 + number(local + 26, 2)? + number(local + 28, 2)?;
        let bytes = zip.get(start..start.saturating_add(size)).ok_or("it is cut short")?;
        if usize::try_from(crc(bytes)) != Ok(sum) {
            return Err("a checksum is wrong");
        }
        files.push((String::from_utf8_lossy(name).into_owned(), bytes));
        at += 46 + name_length + more;
    }
    Ok(files)
}

/// Width and height by the picture's own word.
fn png_size(png: &[u8]) -> Option<(u32, u32)> {
    let rest = png.strip_prefix(b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR")?;
    let number = |at: usize| Some(u32::from_be_bytes(rest.get(at..at + 4)?.try_into().ok()?));
    Some((number(0)?, number(4)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::{Rights, package};
    use super::*;

    const APP: &str = "00000000-1111-2222-3333-444444444444";

    #[test]
    fn what_we_make_is_good() {
        let url = Some("https://desk.example.org");
        let all = Rights { channels: true, receipts: true };
        for (rights, names) in [
            (Rights::default(), vec![]),
            (Rights { channels: true, ..Rights::default() }, vec!["ChannelMessage.Read.Group"]),
            (all, vec!["ChatMessageReadReceipt.Read.Chat", "ChannelMessage.Read.Group"]),
        ] {
            let contents = examine(&package(APP, &"x".repeat(200), url, rights).unwrap()).unwrap();
            assert_eq!(
                (contents.app_id.as_str(), contents.permissions),
                (APP, names.iter().map(|n| (*n).to_owned()).collect())
            );
        }
        // An address that is not https is in the manifest where Teams takes none.
        let faults = examine(&package(APP, "Desk", Some("http://127.0.0.1:8080"), all).unwrap()).unwrap_err();
        assert_eq!(faults.len(), 3, "{faults:?}");
        assert!(faults.iter().all(|fault| fault.contains("https")), "{faults:?}");
    }

    #[test]
    fn every_byte_that_is_lost_is_seen() {
        let good = package(APP, "Desk", None, Rights::default()).unwrap();
        for at in (0..good.len()).step_by(977).chain([good.len() - 30, good.len() - 1]) {
            assert!(examine(&good[..at]).is_err(), "cut at {at}");
        }
        let mut broken = good.clone();
        broken[200] ^= 1;
        assert!(examine(&broken).unwrap_err()[0].contains("checksum"));
    }

    #[test]
    fn limits_of_the_manifest() {
        let good: Value = {
            let zip = package(APP, "Desk", None, Rights::default()).unwrap();
            let files = unzip(&zip).unwrap();
            serde_json::from_slice(files.iter().find(|(name, _)| name == "manifest.json").unwrap().1).unwrap()
        };
        for (path, bad) in [
            ("/name/short", json!("x".repeat(31))),
            ("/name/short", json!("")),
            ("/description/short", json!("x".repeat(81))),
            ("/developer/websiteUrl", json!("http://example.org")),
            ("/id", json!("not-a-guid")),
            ("/bots/0/botId", json!("99999999-1111-2222-3333-444444444444")),
            ("/accentColor", json!("blue")),
            ("/bots/0/scopes", json!(["everywhere"])),
            ("/bots/0/commandLists/0/commands/0/title", json!("x".repeat(33))),
            ("/validDomains", json!(["https://example.org/"])),
            ("/manifestVersion", json!(null)),
        ] {
            let mut manifest = good.clone();
            *manifest.pointer_mut(path).unwrap() = bad;
            let mut faults = Vec::new();
            check(&manifest, &mut faults);
            assert!(!faults.is_empty(), "{path}");
        }
        let mut faults = Vec::new();
        check(&good, &mut faults);
        assert_eq!(faults, Vec::<String>::new());
    }

    proptest! {
        #[test]
        fn examining_is_total(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in 0..60_usize) {
            let _ = examine(&bytes);
            let mut zip = package(APP, "Desk", None, Rights::default()).unwrap();
            let end = zip.len() - 22 - at.min(20);
            zip[end..end + bytes.len().min(22)].copy_from_slice(&bytes[..bytes.len().min(22)]);
            let _ = examine(&zip);
        }
    }
}
