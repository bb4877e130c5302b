//! The table: every route of the API, once. The router is made from it, and so are the checks and the description, so that
//! none can be missing from either.
//!
//! Not here: what the routes do.

mod method;
mod signin;
mod staff;
mod words;

use std::sync::Arc;

use super::call::{Acting, Call};
pub use super::input::{Field, Kind};
use super::{
    Api, actions, admin, blobs, conversations, deliveries, events, me, messages, queues, search, technicians,
    tickets, timeline,
};
use crate::http::auth::Scope;
pub use method::Method;

/// Characters of one text.
const TEXT: usize = 100_000;

/// One name of the query.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    pub name: &'static str,
    pub about: &'static str,
    pub required: bool,
}

const fn param(name: &'static str, about: &'static str) -> Param {
    Param { name, about, required: false }
}

/// What a route answers when all is well.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// `{data}`
    One(&'static str),
    /// `{data: […]}`
    List(&'static str),
    /// `{data: […], next_cursor}`
    Page(&'static str),
    Bytes,
    Stream,
}

#[derive(Clone, Copy)]
pub struct Route {
    pub method: Method,
    /// Below `/api/v1`. What a name in braces stands for is said by the name: `{conversation}`, `{ticket}`, `{technician}`,
    /// `{blob}`, `{verb}`, `{token}`, `{canned}`, `{message}`, `{requester}`.
    pub path: &'static str,
    /// `None`: any good token or session.
    pub scope: Option<Scope>,
    /// Before signing in: nobody need be known.
    pub open: bool,
    /// The body is a file's bytes.
    pub upload: bool,
    /// May take minutes.
    pub slow: bool,
    pub summary: &'static str,
    pub query: &'static [Param],
    /// Of the body; `None`: the route reads none.
    pub fields: Option<&'static [Field]>,
    pub status: u16,
    pub shape: Shape,
    pub act: fn(Arc<Api>, Call) -> Acting,
}

impl Route {
    /// Makes something that is no event of a conversation, so that its key has to be remembered here, with the answer.
    pub fn is_once(&self) -> bool {
        let made =
            !self.path.starts_with("/conversations/") || self.upload || self.path.ends_with("/rewrite");
        // What is done to one's own session takes a password: of such a body nothing is kept, not even a hash.
        let own = self.path.starts_with("/session");
        matches!(self.method, Method::Post) && !self.open && !own && made
    }

    /// Its answer is shown once, and never kept on a disk (S82).
    pub fn tells_a_secret(&self) -> bool {
        matches!(self.shape, Shape::One("NewToken" | "LoginLink" | "Enrolment"))
    }
}

macro_rules! act {
    ($function:path) => {
        |api, call| Box::pin($function(api, call))
    };
}

const CURSOR: Param = param("cursor", "`next_cursor` of the page before");
const LIMIT: Param = param("limit", "1 to 200; 50 unless given");
const Q: Param = Param { required: true, ..param("q", "words; all must occur") };
const PAGED: &[Param] = &[CURSOR, LIMIT];
const SEARCHED: &[Param] = &[Q, CURSOR, LIMIT];
const FILTERED: &[Param] = &[
    param("stage", "assisting, handover, assigned or closed"),
    param("queue", "name of a queue"),
    param("assignee", "id of a technician"),
    param("requester", "id of a requester"),
    param("label", "one label"),
    CURSOR,
    LIMIT,
];

const NOTHING: &[Field] = &[];
const fn optional(name: &'static str, longest: usize, about: &'static str) -> Field {
    Field { name, kind: Kind::Text(longest), required: false, about }
}
const FILES: Field = Field {
    name: "attachments",
    kind: Kind::Texts(10),
    required: false,
    about: "ids of files uploaded to this conversation; then `text` may be missing",
};
const REPLY: &[Field] = &[
    optional("text", TEXT, "CommonMark, as the requester is to read it"),
    optional("reply_to", 64, "id of the message that is answered"),
    FILES,
];
const NOTE: &[Field] = &[
    optional("text", TEXT, "CommonMark; stays with the technicians"),
    optional("reply_to", 64, "id of the message that is meant"),
    FILES,
];
const ACTION: &[Field] = &[
    optional("to", 200, "transfer, invite: `@technician`; transfer also `#queue`"),
    optional("for", 60, "snooze: 30m, 2h, 1d, tomorrow; an hour unless given"),
    Field {
        name: "silently",
        kind: Kind::Flag,
        required: false,
        about: "resolve: the requester is not told",
    },
    optional("message", TEXT, "reply, note: the text; send: the message's id"),
    optional("level", 20, "priority: normal, high, urgent, critical, or 0 to 255"),
    optional("labels", 1_000, "label: words to put on; with `-` before one, it is taken off"),
];
const PRESENCE: &[Field] = &[Field {
    name: "presence",
    kind: Kind::Choice(technicians::PRESENCES),
    required: true,
    about: "only `available` is offered conversations",
}];

const fn get(path: &'static str, scope: Scope, summary: &'static str, shape: Shape, act: Act) -> Route {
    Route {
        method: Method::Get,
        path,
        scope: Some(scope),
        open: false,
        upload: false,
        slow: false,
        summary,
        query: &[],
        fields: None,
        status: 200,
        shape,
        act,
    }
}
const fn post(
    path: &'static str,
    summary: &'static str,
    fields: &'static [Field],
    status: u16,
    act: Act,
) -> Route {
    Route {
        method: Method::Post,
        path,
        scope: Some(Scope::ChatsWrite),
        open: false,
        upload: false,
        slow: false,
        summary,
        query: &[],
        fields: Some(fields),
        status,
        shape: Shape::One("Written"),
        act,
    }
}
type Act = fn(Arc<Api>, Call) -> Acting;

pub static TABLE: &[Route] = &ALL;
static ALL: [Route; TALK.len() + words::WORDS.len() + signin::SIGNING_IN.len() + staff::STAFF.len()] =
    joined([TALK, words::WORDS, signin::SIGNING_IN, staff::STAFF]);

/// One after the other.
const fn joined<const N: usize>(lists: [&[Route]; 4]) -> [Route; N] {
    let mut all = [lists[0][0]; N];
    let (mut n, mut list) = (0, 0);
    while list < lists.len() {
        let mut at = 0;
        while at < lists[list].len() {
            all[n] = lists[list][at];
            (n, at) = (n + 1, at + 1);
        }
        list += 1;
    }
    all
}

/// Conversations and what belongs to them.
const TALK: &[Route] = &[
    Route {
        scope: None,
        ..get("/me", Scope::ChatsRead, "What the token is", Shape::One("Me"), act!(me::get))
    },
    Route {
        query: FILTERED,
        ..get(
            "/conversations",
            Scope::ChatsRead,
            "Conversations, newest first; those that the caller may see",
            Shape::Page("Conversation"),
            act!(conversations::list),
        )
    },
    get(
        "/conversations/{conversation}",
        Scope::ChatsRead,
        "One conversation, with what its card says; the ETag is its seq",
        Shape::One("ConversationDetail"),
        act!(conversations::get),
    ),
    Route {
        query: PAGED,
        ..get(
            "/conversations/{conversation}/messages",
            Scope::ChatsRead,
            "What was said, in order, with what became of each delivery",
            Shape::Page("Message"),
            act!(messages::list),
        )
    },
    post(
        "/conversations/{conversation}/messages",
        "Reply to the requester; accepts a conversation that nobody has",
        REPLY,
        201,
        act!(messages::reply),
    ),
    post(
        "/conversations/{conversation}/notes",
        "Write a note that only technicians see",
        NOTE,
        201,
        act!(messages::note),
    ),
    Route {
        query: PAGED,
        ..get(
            "/conversations/{conversation}/deliveries",
            Scope::ChatsRead,
            "What went where, and how it ended",
            Shape::Page("Delivery"),
            act!(deliveries::list),
        )
    },
    Route {
        query: PAGED,
        ..get(
            "/conversations/{conversation}/timeline",
            Scope::ChatsRead,
            "The log, event by event; it holds no text",
            Shape::Page("Event"),
            act!(timeline::list),
        )
    },
    post(
        "/conversations/{conversation}/actions/{verb}",
        "Use a verb: accept, transfer, resolve and the others, as in every desk room",
        ACTION,
        200,
        act!(actions::act),
    ),
    get(
        "/conversations/{conversation}/summary",
        Scope::ChatsRead,
        "The four-part summary; null until it is written",
        Shape::One("Summary"),
        act!(conversations::summary),
    ),
    post(
        "/conversations/{conversation}/suggestions",
        "Ask for a draft reply; it comes as a private message of the caller",
        NOTHING,
        202,
        act!(actions::suggest),
    ),
    get(
        "/conversations/{conversation}/ticket",
        Scope::TicketsRead,
        "The ticket of a conversation, and how it is linked",
        Shape::One("LinkedTicket"),
        act!(conversations::ticket_of),
    ),
    Route {
        scope: Some(Scope::TicketsWrite),
        ..post(
            "/conversations/{conversation}/ticket",
            "Open a ticket, unless there is one",
            NOTHING,
            202,
            act!(actions::open_ticket),
        )
    },
    Route {
        query: &[
            param("q", "beginnings of words of number, summary and requester; all must occur"),
            CURSOR,
            LIMIT,
        ],
        ..get(
            "/tickets",
            Scope::TicketsRead,
            "Tickets, newest first",
            Shape::Page("Ticket"),
            act!(tickets::list),
        )
    },
    get(
        "/tickets/{ticket}",
        Scope::TicketsRead,
        "One ticket, by its number",
        Shape::One("Ticket"),
        act!(tickets::get),
    ),
    get(
        "/technicians",
        Scope::ChatsRead,
        "Technicians of the caller's queues, with presence and load",
        Shape::List("Technician"),
        act!(technicians::list),
    ),
    Route {
        method: Method::Put,
        scope: Some(Scope::PresenceWrite),
        shape: Shape::One("Technician"),
        ..post(
            "/technicians/{technician}/presence",
            "Set the presence of oneself; supervisors also that of others",
            PRESENCE,
            200,
            act!(technicians::set_presence),
        )
    },
    get(
        "/queues",
        Scope::ChatsRead,
        "The caller's queues, and who waits",
        Shape::List("Queue"),
        act!(queues::queues),
    ),
    get(
        "/channels",
        Scope::ChatsRead,
        "Channels and their health",
        Shape::List("Channel"),
        act!(queues::channels),
    ),
    Route {
        query: SEARCHED,
        ..get(
            "/search",
            Scope::ChatsRead,
            "Search what was said, newest first",
            Shape::Page("Hit"),
            act!(search::list),
        )
    },
    Route {
        query: &[Q],
        ..get(
            "/kb/search",
            Scope::ChatsRead,
            "Search the articles",
            Shape::List("Article"),
            act!(queues::articles),
        )
    },
    get("/blobs/{blob}", Scope::ChatsRead, "An attachment, for download", Shape::Bytes, act!(blobs::get)),
    get(
        "/events",
        Scope::ChatsRead,
        "What changes, as it changes; Last-Event-ID replays, or `resync` says to read again",
        Shape::Stream,
        act!(events::listen),
    ),
    Route {
        query: &[LIMIT],
        ..get(
            "/quarantine",
            Scope::Admin,
            "Events of platforms that could not be read",
            Shape::List("Quarantined"),
            act!(admin::quarantine),
        )
    },
    Route {
        query: &[LIMIT],
        ..get(
            "/audit",
            Scope::Admin,
            "The audit trail, newest first",
            Shape::List("Audited"),
            act!(admin::audit),
        )
    },
];
