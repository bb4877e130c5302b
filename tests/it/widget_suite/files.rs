//! Files that visitors hand in: what they are is looked at, and none runs anywhere (S50, S51).
//!
//! Not here: how a browser hands them in and shows them (`browser`).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use deskbridge_contract::suite::{Recorder, Subject as _};
use deskbridge_contract::{BlobId, ByteStream, FileError, FileStore, Inbox, SendError, StoredFile};
use futures_util::{StreamExt as _, stream};
use serde_json::Value;

use super::portal::{ORIGIN, Portal};

/// Keeps files in memory.
#[derive(Default)]
struct Cupboard(Mutex<BTreeMap<String, Vec<u8>>>);

#[async_trait]
impl FileStore for Cupboard {
    async fn put(&self, _: &str, _: &str, mut bytes: ByteStream, _: u64) -> Result<StoredFile, FileError> {
        let mut all = Vec::new();
        while let Some(piece) = bytes.next().await {
            all.extend_from_slice(&piece.map_err(|error| FileError::Source(error.to_string()))?);
        }
        let mut kept = self.0.lock().unwrap();
        let id = format!("{:032x}", kept.len() + 1);
        let size = all.len() as u64;
        kept.insert(id.clone(), all);
        Ok(StoredFile { id: BlobId(id), size, mime: "application/octet-stream".into() })
    }

    async fn open(&self, id: &BlobId) -> Result<ByteStream, SendError> {
        let bytes = self.0.lock().unwrap().get(&id.0).cloned().ok_or_else(|| SendError::rejected("none"))?;
        Ok(stream::iter([Ok(bytes.into())]).boxed())
    }
}

/// What becomes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Refused,
    /// Kept, and only ever saved: no browser opens it.
    Download,
    Picture(&'static str),
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0";
const JPEG: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0<script>alert(1)</script>";
const GIF_AND_JS: &[u8] = b"GIF89a/*\x00\x00\x00\x00*/=1;alert(document.domain)//";
const WEBP: &[u8] = b"RIFF\x24\0\0\0WEBPVP8 \x18\0\0\0";
const PDF: &[u8] = b"%PDF-1.7\n1 0 obj<</Type/Catalog/OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj";
const ZIP: &[u8] = b"PK\x03\x04\x14\0\x06\0\x08\0\0\0!\0\0\0\0\0\0\0\0\0\0\0\0\0\x13\0\0\0[Content_Types].xmlword/vbaProject.bin";
const OLE: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
const LNK: &[u8] = b"L\0\0\0\x01\x14\x02\0\0\0\0\0\xc0\0\0\0\0\0\0F\x9b\0\x08\0";
const ELF: &[u8] = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
const CLASS: &[u8] = b"\xca\xfe\xba\xbe\0\0\0\x34\0\x1d\x0a\0\x06";
const WASM: &[u8] = b"\0asm\x01\0\0\0";

/// What it is called, what it is, what it is said to be; and under which name it is kept.
fn table() -> Vec<(&'static str, Vec<u8>, Fate, &'static str)> {
    let exe = [b"MZ\x90\0\x03\0\0\0".as_slice(), &[0; 256]].concat();
    vec![
        ("shot.png", PNG.into(), Fate::Picture("image/png"), "shot.png"),
        ("photo.JPG", JPEG.into(), Fate::Picture("image/jpeg"), "photo.JPG"),
        ("moving.webp", WEBP.into(), Fate::Picture("image/webp"), "moving.webp"),
        // Two things at once: as a picture it is harmless, and as a picture it is served.
        ("polyglot.js", GIF_AND_JS.into(), Fate::Picture("image/gif"), "polyglot.js.gif"),
        ("polyglot.gif", GIF_AND_JS.into(), Fate::Picture("image/gif"), "polyglot.gif"),
        // The last ending is the one that counts when somebody opens it.
        ("cat.jpg.html", JPEG.into(), Fate::Picture("image/jpeg"), "cat.jpg.html.jpg"),
        ("cat.hta", PNG.into(), Fate::Picture("image/png"), "cat.hta.png"),
        ("cat", PNG.into(), Fate::Picture("image/png"), "cat.png"),
        ("cat.jpg.html", b"<!DOCTYPE html><script>alert(1)</script>".into(), Fate::Refused, ""),
        ("page.png", b"<!doctype html><script>alert(1)</script>".into(), Fate::Refused, ""),
        ("page.txt", b"\xef\xbb\xbf  <HTML><body onload=alert(1)>".into(), Fate::Refused, ""),
        (
            "drawing.svg",
            b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>".into(),
            Fate::Refused,
            "",
        ),
        ("drawing.png", b"<?xml version='1.0'?><svg onload='alert(1)'/>".into(), Fate::Refused, ""),
        ("tool.exe", exe.clone(), Fate::Refused, ""),
        ("tool.txt", exe, Fate::Refused, ""),
        ("tool.pdf", ELF.into(), Fate::Refused, ""),
        ("Tool.class", CLASS.into(), Fate::Refused, ""),
        ("tool.wasm", WASM.into(), Fate::Refused, ""),
        ("report.pdf.lnk", LNK.into(), Fate::Refused, ""),
        ("report.pdf", LNK.into(), Fate::Refused, ""),
        ("report.pdf", PDF.into(), Fate::Download, "report.pdf"),
        ("macro.docm", ZIP.into(), Fate::Download, "macro.docm"),
        ("macro.doc", OLE.into(), Fate::Download, "macro.doc"),
        ("script.js", b"alert(1)".into(), Fate::Download, "script.js"),
        ("script.png", b"alert(1)".into(), Fate::Download, "script.png"),
        ("x.html", b"no page at all".into(), Fate::Download, "x.html"),
        ("log.txt", b"line 1\nline 2\n".into(), Fate::Download, "log.txt"),
    ]
}

#[tokio::test]
async fn s51_what_a_file_is_decides_and_not_what_it_is_called() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut portal = Portal::new();
    let recorder = Arc::new(Recorder::default());
    let inbox =
        Inbox::new("widget".into(), recorder.clone(), recorder).with_files(Arc::new(Cupboard::default()));
    portal.start(inbox).await;
    for (n, (name, bytes, fate, kept_as)) in table().into_iter().enumerate() {
        // Twenty an hour is what one visitor has (S92).
        if n % 15 == 0 {
            let begun =
                portal.http.post(format!("{}/session", portal.base)).header("origin", ORIGIN).body("{}");
            let begun: Value = begun.send().await.unwrap().json().await.unwrap();
            portal.token = begun["token"].as_str().unwrap().to_owned();
        }
        // Every one of them is said to be a picture.
        let request =
            portal.http.post(format!("{}/uploads?name={name}", portal.base)).header("origin", ORIGIN);
        let request =
            request.bearer_auth(&portal.token).header("content-type", "image/png").body(bytes.clone());
        let answer = request.send().await.unwrap();
        if fate == Fate::Refused {
            assert_eq!(answer.status(), 415, "{name}");
            continue;
        }
        assert_eq!(answer.status(), 200, "{name}");
        let uploaded: Value = answer.json().await.unwrap();
        assert_eq!(uploaded["name"], kept_as, "{name}");
        let url = format!("{}/{}", portal.base, uploaded["url"].as_str().unwrap());
        let shown = portal.http.get(url).send().await.unwrap();
        let header = |name: &str| shown.headers()[name].to_str().unwrap().to_owned();
        let (kind, how) = match fate {
            Fate::Picture(kind) => (kind, "inline"),
            Fate::Download | Fate::Refused => ("application/octet-stream", "attachment"),
        };
        assert_eq!(header("content-type"), kind, "{name}");
        assert_eq!(header("content-disposition"), format!("{how}; filename*=UTF-8''{kept_as}"), "{name}");
        // S50: whatever it is, nothing of it runs, and nobody takes it for something else.
        assert_eq!(header("x-content-type-options"), "nosniff", "{name}");
        assert!(header("content-security-policy").starts_with("sandbox;"), "{name}");
        assert_eq!(shown.bytes().await.unwrap(), bytes, "{name}");
    }
}
