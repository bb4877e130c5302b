//! The routes of words that were said already, of words that the assistant has for technicians, and of people by name.
//!
//! Not here: saying something (`routes.rs`).

use super::staff::{NOTHING, needed, write};
use super::{Field, Kind, LIMIT, Method, Q, Route, Shape, TEXT, get, optional};
use crate::http::api::{drafting, edits, people};
use crate::http::auth::Scope;

macro_rules! act {
    ($function:path) => {
        |api, call| Box::pin($function(api, call))
    };
}

const CHATS: Option<Scope> = Some(Scope::ChatsWrite);
const EDIT: &[Field] =
    &[needed("text", TEXT, "CommonMark; 🔒 before it makes a note of it and takes it back")];
const FEEDBACK: &[Field] =
    &[Field { name: "helpful", kind: Kind::Flag, required: true, about: "kept beside the suggestion" }];
const REWRITE: &[Field] = &[
    needed("text", 8_000, "the draft, CommonMark"),
    Field { name: "how", kind: Kind::Choice(drafting::HOWS), required: true, about: "what is wanted of it" },
    optional("language", 10, "translate: into this one, like `de`; the requester's unless given"),
];

pub(super) const WORDS: &[Route] = &[
    write(
        Method::Put,
        "/conversations/{conversation}/messages/{message}",
        CHATS,
        "Change one's own words, everywhere they are shown",
        EDIT,
        "Written",
        act!(edits::edit),
    ),
    write(
        Method::Delete,
        "/conversations/{conversation}/messages/{message}",
        CHATS,
        "Delete one's own words, everywhere they are shown",
        NOTHING,
        "Written",
        act!(edits::delete),
    ),
    write(
        Method::Put,
        "/conversations/{conversation}/suggestions/{message}",
        CHATS,
        "Say whether a suggestion helped",
        FEEDBACK,
        "Done",
        act!(drafting::feedback),
    ),
    Route {
        status: 200,
        ..write(
            Method::Post,
            "/conversations/{conversation}/rewrite",
            CHATS,
            "A draft in other words, by the configured model; nothing is sent",
            REWRITE,
            "Rewritten",
            act!(drafting::rewrite),
        )
    },
    get(
        "/conversations/{conversation}/similar",
        Scope::ChatsRead,
        "Resolved conversations about much the same, the most alike first",
        Shape::List("Similar"),
        act!(drafting::similar),
    ),
    Route {
        query: &[Q, LIMIT],
        ..get(
            "/people",
            Scope::ChatsRead,
            "Requesters by name, the latest to write first, with their latest conversation",
            Shape::List("Person"),
            act!(people::list),
        )
    },
];
