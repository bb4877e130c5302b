//! The routes of the console's own things: accounts, settings, tokens, canned replies, drafts, files.
//!
//! Not here: conversations (`routes.rs`), signing in (`signin.rs`).

use super::{Act, Field, Kind, Method, Param, Route, Shape, get, optional, param, post};
use crate::http::api::{
    accounts, attention, canned, drafts, factor, people, settings, sites, tokens, uploads,
};
use crate::http::auth::Scope;

macro_rules! act {
    ($function:path) => {
        |api, call| Box::pin($function(api, call))
    };
}

pub(super) const fn needed(name: &'static str, longest: usize, about: &'static str) -> Field {
    Field { name, kind: Kind::Text(longest), required: true, about }
}
const fn free(name: &'static str, about: &'static str) -> Field {
    Field { name, kind: Kind::Free(100_000), required: false, about }
}
const fn list(name: &'static str, about: &'static str) -> Field {
    Field { name, kind: Kind::Texts(100), required: false, about }
}

pub(super) const NOTHING: &[Field] = &[];
const SETTING: &[Field] = &[
    needed("path", 200, "like `queues.network.allocation`"),
    Field {
        name: "value",
        kind: Kind::Any,
        required: true,
        about: "as in the file; null takes the default again",
    },
];
const ROLES: &[&str] = &["technician", "supervisor", "admin"];
const TECHNICIAN: &[Field] = &[
    needed("name", 100, "the name that requesters see"),
    optional("email", 200, "by which platforms are matched, and to sign in with"),
    Field { name: "role", kind: Kind::Choice(ROLES), required: false, about: "technician unless given" },
    Field { name: "capacity", kind: Kind::Number(1_000), required: false, about: "conversations at once" },
    list("skills", "what queues may ask for"),
    list("languages", "like `en`"),
    list("queues", "names of queues; empty: every queue that names no technicians"),
    list("identities", "`<channel>:<user id>`"),
];
const ACCOUNT: &[Field] =
    &[Field { name: "disabled", kind: Kind::Flag, required: true, about: "true ends every session at once" }];
const TOKEN: &[Field] = &[
    needed("name", 100, "what it is for"),
    Field { name: "scopes", kind: Kind::Texts(7), required: true, about: "what it allows" },
    optional("technician", 100, "on whose behalf it acts"),
    Field {
        name: "days",
        kind: Kind::Number(3_650),
        required: false,
        about: "good for; until revoked unless given",
    },
];
const CANNED: &[Field] = &[
    needed("shortcut", 40, "what is typed behind `/`"),
    needed("text", 20_000, "CommonMark; `{{requester}}` and `{{technician}}` are filled in by the console"),
    Field {
        name: "shared",
        kind: Kind::Flag,
        required: false,
        about: "everybody's; supervisors and admins only",
    },
];
const DRAFT: &[Field] = &[free("reply", "what is written so far"), free("note", "what is written so far")];
const ATTENTION: &[Field] = &[Field {
    name: "doing",
    kind: Kind::Choice(attention::DOINGS),
    required: true,
    about: "told to colleagues for 15 seconds",
}];

pub(super) const fn write(
    method: Method,
    path: &'static str,
    scope: Option<Scope>,
    summary: &'static str,
    fields: &'static [Field],
    name: &'static str,
    act: Act,
) -> Route {
    let status = if matches!(method, Method::Post) { 201 } else { 200 };
    Route { method, scope, shape: Shape::One(name), ..post(path, summary, fields, status, act) }
}

const ADMIN: Option<Scope> = Some(Scope::Admin);
const CHATS: Option<Scope> = Some(Scope::ChatsWrite);

pub(super) const STAFF: &[Route] = &[
    write(
        Method::Delete,
        "/technicians/{technician}/factor",
        ADMIN,
        "Take away the second factor of somebody who lost it; their sessions end",
        NOTHING,
        "Done",
        act!(factor::reset),
    ),
    write(
        Method::Delete,
        "/technicians/{technician}/provider",
        ADMIN,
        "Forget by which account of the company's provider somebody signs in; their sessions end",
        NOTHING,
        "Done",
        act!(accounts::unbind),
    ),
    get("/accounts", Scope::Admin, "Who can sign in", Shape::List("Account"), act!(accounts::list)),
    write(
        Method::Put,
        "/technicians/{technician}/account",
        ADMIN,
        "Disable an account, or enable it again",
        ACCOUNT,
        "Account",
        act!(accounts::disable),
    ),
    write(
        Method::Post,
        "/technicians/{technician}/login-link",
        ADMIN,
        "A one-time link by which a technician chooses a password",
        NOTHING,
        "LoginLink",
        act!(accounts::link),
    ),
    write(
        Method::Post,
        "/technicians",
        ADMIN,
        "Add a technician",
        TECHNICIAN,
        "Setting",
        act!(settings::add_technician),
    ),
    write(
        Method::Put,
        "/technicians/{technician}",
        ADMIN,
        "Change a technician who is not in the file",
        TECHNICIAN,
        "Setting",
        act!(settings::change_technician),
    ),
    write(
        Method::Delete,
        "/technicians/{technician}",
        ADMIN,
        "Remove a technician who is not in the file",
        NOTHING,
        "Done",
        act!(settings::remove_technician),
    ),
    get(
        "/settings",
        Scope::Admin,
        "What is in effect, where it comes from, and whether it can be changed here",
        Shape::List("Setting"),
        act!(settings::list),
    ),
    write(
        Method::Put,
        "/settings",
        ADMIN,
        "Change a setting that the file leaves open",
        SETTING,
        "Setting",
        act!(settings::change),
    ),
    get(
        "/widget-sites",
        Scope::Admin,
        "The sites that show the widget, as they are set, with the tag for their pages",
        Shape::List("WidgetSite"),
        act!(sites::list),
    ),
    Route {
        status: 200,
        slow: true,
        ..write(
            Method::Post,
            "/requesters/{requester}/erase",
            ADMIN,
            "Erase a requester for good: words, files, names, and whatever channels keep of them; what they write afterwards is new",
            NOTHING,
            "Erased",
            act!(people::erase),
        )
    },
    get("/tokens", Scope::Admin, "Tokens, without what they are", Shape::List("Token"), act!(tokens::list)),
    write(
        Method::Post,
        "/tokens",
        ADMIN,
        "Make a token; it is shown once",
        TOKEN,
        "NewToken",
        act!(tokens::create),
    ),
    write(
        Method::Delete,
        "/tokens/{token}",
        ADMIN,
        "Make a token worthless at once",
        NOTHING,
        "Done",
        act!(tokens::revoke),
    ),
    get(
        "/canned",
        Scope::ChatsRead,
        "Canned replies: everybody's and one's own",
        Shape::List("Canned"),
        act!(canned::list),
    ),
    write(Method::Post, "/canned", CHATS, "Add a canned reply", CANNED, "Canned", act!(canned::add)),
    write(
        Method::Put,
        "/canned/{canned}",
        CHATS,
        "Change a canned reply",
        CANNED,
        "Canned",
        act!(canned::change),
    ),
    write(
        Method::Delete,
        "/canned/{canned}",
        CHATS,
        "Remove a canned reply",
        NOTHING,
        "Done",
        act!(canned::remove),
    ),
    get(
        "/conversations/{conversation}/draft",
        Scope::ChatsRead,
        "What the caller has written and not sent",
        Shape::One("Draft"),
        act!(drafts::get),
    ),
    write(
        Method::Put,
        "/conversations/{conversation}/draft",
        CHATS,
        "Keep what is written and not sent",
        DRAFT,
        "Draft",
        act!(drafts::put),
    ),
    Route {
        status: 200,
        ..write(
            Method::Post,
            "/conversations/{conversation}/attention",
            CHATS,
            "Tell colleagues that one looks at it, or writes",
            ATTENTION,
            "Attention",
            act!(attention::tell),
        )
    },
    Route {
        upload: true,
        query: &[Param { required: true, ..param("name", "the file's name") }],
        ..write(
            Method::Post,
            "/conversations/{conversation}/files",
            CHATS,
            "Upload a file, to be sent with a message",
            NOTHING,
            "Upload",
            act!(uploads::put),
        )
    },
];
