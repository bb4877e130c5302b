//! The schemas of signing in, accounts, settings, tokens, canned replies, drafts and files.
//!
//! Not here: conversations (`schemas.rs`).

use serde_json::{Value, json};

use super::{flag, list, maybe, maybe_time, number, object, one_of, reference, text, time};

pub(super) fn all() -> Vec<(&'static str, Value)> {
    let role = || one_of(&["technician", "supervisor", "admin"]);
    vec![
        ("Done", object(json!({"done": flag()}))),
        ("SignedIn", object(json!({"technician": text(), "name": text(), "role": role(), "csrf": text()}))),
        (
            "Ways",
            object(json!({
                "provider": {"type": ["string", "null"], "description": "What people know the company's provider by"}
            })),
        ),
        ("SignInAddress", object(json!({"address": {"type": "string", "description": "Of the provider"}}))),
        ("Invitation", object(json!({"first": flag(), "name": maybe("string"), "login": maybe("string")}))),
        (
            "Account",
            object(json!({
                "technician": text(),
                "name": text(),
                "role": role(),
                "login": maybe("string"),
                "state": one_of(&["none", "invited", "active", "disabled"]),
                "fixed": {"type": "boolean", "description": "The technician stands in the file"},
                "factor": {"type": "boolean", "description": "Asked for a second factor when they sign in by their password"},
                "provider": {"type": "boolean", "description": "Signs in with the company's provider"}
            })),
        ),
        (
            "LoginLink",
            object(json!({
                "path": {"type": "string", "description": "Behind the console's own address"},
                "expires": time()
            })),
        ),
        (
            "Setting",
            object(json!({
                "path": text(),
                "value": {"description": "As in the file, in JSON"},
                "from": one_of(&["default", "file", "environment", "console"]),
                "editable": flag()
            })),
        ),
        ("Factor", object(json!({"enabled": flag(), "recovery": number()}))),
        (
            "Enrolment",
            object(json!({
                "secret": {"type": "string", "description": "Base32, for typing"},
                "uri": {"type": "string", "description": "otpauth://…"},
                "path": {"type": "string", "description": "The QR code, as the `d` of one SVG path"},
                "size": {"type": "integer", "description": "Modules on each side of it"}
            })),
        ),
        ("Recovery", object(json!({"codes": list(text())}))),
        (
            "Erased",
            object(json!({
                "conversations": number(),
                "messages": number(),
                "files": number(),
                "overwritten": {"type": "boolean", "description": "What was deleted is overwritten in the database's files, too"},
                "stays": {
                    "type": "array",
                    "items": {"type": "string"},
                    "description": "What still says something of them, by design or out of reach: for people, a sentence each"
                }
            })),
        ),
        (
            "Token",
            object(json!({
                "id": text(),
                "name": text(),
                "scopes": list(text()),
                "technician": maybe("string"),
                "created": time(),
                "expires": maybe_time(),
                "state": one_of(&["good", "expired", "revoked"])
            })),
        ),
        ("NewToken", object(json!({"token": {"type": "string", "description": "Shown once"}, "id": text()}))),
        ("Canned", object(json!({"id": text(), "shortcut": text(), "text": text(), "shared": flag()}))),
        ("Rewritten", object(json!({"text": {"type": "string", "description": "CommonMark"}}))),
        (
            "Similar",
            object(json!({
                "conversation": reference("Conversation"),
                "answer": {"type": "string", "description": "What the technician said last; CommonMark"}
            })),
        ),
        (
            "Person",
            object(json!({
                "id": text(),
                "name": text(),
                "language": text(),
                "latest": reference("Conversation")
            })),
        ),
        (
            "WidgetSite",
            object(json!({
                "name": text(),
                "tag": {"type": "string", "description": "For the site's pages"},
                "settings": list(reference("Setting"))
            })),
        ),
        ("Draft", object(json!({"reply": text(), "note": text()}))),
        (
            "Attention",
            object(json!({
                "others": list(object(json!({
                    "technician": text(),
                    "name": text(),
                    "doing": one_of(crate::http::api::DOINGS)
                })))
            })),
        ),
        (
            "Upload",
            object(json!({"id": text(), "name": text(), "mime": text(), "size": number(), "url": text()})),
        ),
    ]
}
