//! The routes of signing in: passwords, the company's provider, one-time links, one's own password and second factor.
//!
//! Not here: other people's accounts (`staff.rs`).

use super::staff::{NOTHING, needed, write};
use super::{Act, Field, Method, Route, Shape, get, optional, post};
use crate::http::api::{factor, oidc, signin};
use crate::http::auth::Scope;
use crate::http::passwords;

macro_rules! act {
    ($function:path) => {
        |api, call| Box::pin($function(api, call))
    };
}

const PASSWORD: usize = passwords::LONGEST;
const CODE: Field =
    optional("code", 40, "of the authenticator, or a recovery code; where the account has a second factor");
const SURE: &[Field] = &[needed("password", PASSWORD, "the password once more")];
const CONFIRM: &[Field] = &[needed("code", 40, "what the authenticator shows")];
const OFF: &[Field] = &[needed("password", PASSWORD, "the password once more"), CODE];
const LOGIN: &[Field] = &[
    needed("login", 200, "the e-mail address of the account"),
    needed("password", PASSWORD, "its password"),
    CODE,
];
const LINK: &[Field] = &[needed("link", 200, "the secret of a one-time link")];
const RETURNED: &[Field] = &[
    needed("state", 200, "as it came back"),
    optional("code", 4_096, "as it came back"),
    optional("iss", 2_000, "as it came back, where it did (RFC 9207)"),
    optional("error", 200, "as it came back, where it did"),
];
const CLAIM: &[Field] = &[
    needed("link", 200, "the secret of a one-time link"),
    needed("password", PASSWORD, "the password that is chosen; 12 characters or more"),
    optional("name", 100, "for the first admin: the name that requesters see"),
    optional("login", 200, "for an account without one: an e-mail address"),
    CODE,
];
const CHANGE: &[Field] =
    &[needed("old", PASSWORD, "the password so far"), needed("new", PASSWORD, "12 characters or more")];

const fn open(
    path: &'static str,
    summary: &'static str,
    fields: &'static [Field],
    status: u16,
    name: &'static str,
    act: Act,
) -> Route {
    Route { scope: None, open: true, shape: Shape::One(name), ..post(path, summary, fields, status, act) }
}

pub(super) const SIGNING_IN: &[Route] = &[
    open(
        "/session",
        "Sign in; answers with the session's cookie",
        LOGIN,
        201,
        "SignedIn",
        act!(signin::sign_in),
    ),
    write(
        Method::Delete,
        "/session",
        None,
        "Sign out; the session is worthless at once",
        NOTHING,
        "Done",
        act!(signin::sign_out),
    ),
    Route {
        scope: None,
        open: true,
        ..get(
            "/session/ways",
            Scope::ChatsRead,
            "How one can sign in beside a password",
            Shape::One("Ways"),
            act!(oidc::ways),
        )
    },
    open(
        "/session/oidc",
        "Begin to sign in with the company's provider: answers where the browser is to go, and with a cookie for the way back",
        NOTHING,
        201,
        "SignInAddress",
        act!(oidc::start),
    ),
    open(
        "/session/oidc/finish",
        "Bring what the provider gave the browser; answers with the session's cookie",
        RETURNED,
        201,
        "SignedIn",
        act!(oidc::finish),
    ),
    open("/session/link", "What a one-time link is for", LINK, 200, "Invitation", act!(signin::invitation)),
    open(
        "/session/claim",
        "Choose a password by a one-time link, and sign in",
        CLAIM,
        201,
        "SignedIn",
        act!(signin::claim),
    ),
    write(
        Method::Put,
        "/session/password",
        None,
        "Change one's password; ends one's other sessions",
        CHANGE,
        "Done",
        act!(signin::change_password),
    ),
    Route {
        scope: None,
        ..get(
            "/session/factor",
            Scope::ChatsRead,
            "One's second factor, and how many recovery codes are left",
            Shape::One("Factor"),
            act!(factor::get),
        )
    },
    Route {
        status: 200,
        ..write(
            Method::Post,
            "/session/factor",
            None,
            "Begin with a second factor: the secret for an authenticator, shown once",
            SURE,
            "Enrolment",
            act!(factor::begin),
        )
    },
    write(
        Method::Put,
        "/session/factor",
        None,
        "Show that the authenticator has it: it is on from now; answers recovery codes, shown once",
        CONFIRM,
        "Recovery",
        act!(factor::confirm),
    ),
    write(
        Method::Delete,
        "/session/factor",
        None,
        "Turn one's second factor off",
        OFF,
        "Done",
        act!(factor::turn_off),
    ),
];
