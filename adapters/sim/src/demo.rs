//! The demo page's router: a requester and the technicians' room, side by side and live.
//!
//! Not here: the bridge. Everything the page does is what people do on the simulated platforms; nothing it shows comes
//! from anywhere else.

mod acts;
mod assets;
mod files;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, OriginalUri, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Redirect};
use axum::routing::{get, post};
use axum::{Json, Router};
use deskbridge_contract::{Address, ChannelName, RemoteUserId, RoomId, Sender, SenderKind};
use futures_util::{Stream, StreamExt, stream};
use serde::Serialize;
use tokio::sync::watch;
use tokio_stream::wrappers::BroadcastStream;

use crate::BRIDGE;
use crate::view::Snapshot;
use crate::world::World;

/// Largest JSON body, in bytes.
const MAX_JSON: usize = 64 * 1024;
/// Largest upload with everything around it, in bytes.
const MAX_UPLOAD: usize = 5 * 1024 * 1024;

/// Who may act on the page, and where.
#[derive(Clone)]
pub struct Demo {
    requesters: World,
    desk: World,
    desk_room: Address,
    people: Vec<Person>,
    /// The channel whose widget is on a page of the demo's own.
    portal: Option<ChannelName>,
    /// Where a technician is let into the console.
    console: Option<String>,
    closing: Option<watch::Receiver<bool>>,
}

/// Somebody whom the visitor can play.
#[derive(Clone, Debug, Serialize)]
pub struct Person {
    pub id: RemoteUserId,
    pub name: String,
    pub side: Side,
    /// A requester on the technicians' own platform.
    #[serde(skip)]
    beside: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    Requester,
    Technician,
}

impl Demo {
    /// Maria and João write on `requesters`, Ana and Bob work in a room of `desk`. Both may be the same world.
    pub fn new(requesters: World, desk: World, desk_room: &str) -> Self {
        let mut demo = Demo {
            desk_room: desk.room(desk_room),
            requesters,
            desk,
            people: Vec::new(),
            portal: None,
            console: None,
            closing: None,
        };
        for (id, name) in [("maria", "Maria Costa"), ("joao", "João Lima")] {
            demo = demo.with_person(id, name, Side::Requester);
        }
        for (id, name) in [("ana", "Ana"), ("bob", "Bob")] {
            demo = demo.with_person(id, name, Side::Technician);
        }
        for world in [&demo.requesters, &demo.desk] {
            world.introduce(person(BRIDGE, "IT Support", SenderKind::Bot));
        }
        demo
    }

    /// One more to play. The `id` is the person's id on the platform, for the technicians' `identities`.
    pub fn with_person(mut self, id: &str, name: &str, side: Side) -> Self {
        self.world_of(side).introduce(person(id, name, SenderKind::Human));
        self.people.push(Person { id: id.into(), name: name.to_owned(), side, beside: false });
        self
    }

    /// A requester who writes to the bridge on the technicians' platform.
    pub fn with_colleague(mut self, id: &str, name: &str) -> Self {
        self.desk.introduce(person(id, name, SenderKind::Human));
        self.people.push(Person {
            id: id.into(),
            name: name.to_owned(),
            side: Side::Requester,
            beside: true,
        });
        self
    }

    /// Shows a page with the widget of this channel first; the host serves the widget itself.
    pub fn with_portal(mut self, site: ChannelName) -> Self {
        self.portal = Some(site);
        self
    }

    /// A pane of the technicians' side, and a link: the host lets its own pages have the console in a frame.
    pub fn with_console(mut self, path: &str) -> Self {
        self.console = Some(path.to_owned());
        self
    }

    /// Ends the live streams when the value becomes true, so that a graceful shutdown need not wait for open pages.
    pub fn close_when(mut self, closing: watch::Receiver<bool>) -> Self {
        self.closing = Some(closing);
        self
    }

    /// The page under a prefix such as `/demo`, with and without a slash at its end.
    pub fn router_at(self, prefix: &str) -> Router {
        let prefix = prefix.trim_end_matches('/').to_owned();
        let with_slash = format!("{prefix}/");
        let to_page = Redirect::permanent(&prefix);
        Router::new().route(&with_slash, get(|| async { to_page })).nest(&prefix, self.router())
    }

    /// The page and its routes, to be merged at the root or nested.
    pub fn router(self) -> Router {
        let acts = Router::new()
            .route("/say", post(acts::say))
            .route("/press", post(acts::press))
            .route("/react", post(acts::react))
            .route("/edit", post(acts::edit))
            .route("/delete", post(acts::delete))
            .route("/typing", post(acts::typing))
            .route("/read", post(acts::read))
            .layer(DefaultBodyLimit::max(MAX_JSON));
        let upload =
            Router::new().route("/file", post(files::upload)).layer(DefaultBodyLimit::max(MAX_UPLOAD));
        let posts = acts.merge(upload).layer(axum::middleware::from_fn(acts::only_from_the_page));
        Router::new()
            .route("/", get(assets::page))
            .route("/demo.css", get(assets::css))
            .route("/portal", get(assets::portal))
            .route("/portal.css", get(assets::portal_css))
            .route("/icon.svg", get(assets::icon))
            .route("/demo.js", get(assets::demo_js))
            .route("/view.js", get(assets::view_js))
            .route("/guide.js", get(assets::guide_js))
            .route("/markdown.js", get(assets::markdown_js))
            .route("/state", get(state))
            .route("/events", get(events))
            .route("/file/{channel}/{id}", get(files::download))
            .merge(posts)
            .with_state(Arc::new(self))
    }

    fn world_of(&self, side: Side) -> &World {
        match side {
            Side::Requester => &self.requesters,
            Side::Technician => &self.desk,
        }
    }

    /// Where a requester writes.
    fn home_of(&self, person: &Person) -> (&World, Address) {
        let world = if person.beside { &self.desk } else { self.world_of(person.side) };
        (world, world.direct(person.id.as_str()))
    }

    /// One world or two.
    fn worlds(&self) -> Vec<&World> {
        if Arc::ptr_eq(&self.requesters.inner, &self.desk.inner) {
            vec![&self.desk]
        } else {
            vec![&self.requesters, &self.desk]
        }
    }
}

fn person(id: &str, name: &str, kind: SenderKind) -> Sender {
    Sender {
        id: id.into(),
        display_name: Some(name.to_owned()),
        email: None,
        email_verified: false,
        picture: None,
        language: None,
        kind,
    }
}

/// Everything that the page shows.
#[derive(Serialize)]
struct Stage {
    /// Another number is another run of the demo: what the page remembers is over.
    run: u32,
    people: Vec<Placed>,
    desk: Place,
    worlds: Vec<Snapshot>,
    /// The page with the widget.
    portal: Option<String>,
    console: Option<String>,
}

#[derive(Serialize)]
struct Placed {
    #[serde(flatten)]
    person: Person,
    #[serde(flatten)]
    place: Place,
}

#[derive(Serialize)]
struct Place {
    channel: ChannelName,
    room: RoomId,
}

impl From<Address> for Place {
    fn from(address: Address) -> Self {
        Place { channel: address.channel, room: address.room }
    }
}

async fn state(State(demo): State<Arc<Demo>>, OriginalUri(uri): OriginalUri) -> impl IntoResponse {
    let place = |person: &Person| match person.side {
        Side::Requester => demo.home_of(person).1.into(),
        Side::Technician => demo.desk_room.clone().into(),
    };
    let people = demo.people.iter().map(|p| Placed { person: p.clone(), place: place(p) }).collect();
    let worlds = demo.worlds().into_iter().map(World::snapshot).collect();
    let base = assets::base(uri.path().trim_end_matches("/state"));
    let portal = demo.portal.as_ref().map(|_| format!("{base}portal"));
    let (desk, console) = (demo.desk_room.clone().into(), demo.console.clone());
    let stage = Stage { run: std::process::id(), people, desk, worlds, portal, console };
    ([("cache-control", "no-store")], Json(stage))
}

/// Events without data are never dispatched by browsers, so all have some. First `hello`, after which no change is missed; then every change; `resync` when the page was too slow.
async fn events(State(demo): State<Arc<Demo>>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let changes = demo.worlds().into_iter().map(|world| BroadcastStream::new(world.subscribe()));
    let live = stream::select_all(changes).map(|change| {
        let sse = Event::default();
        Ok(match change {
            Ok(live) => sse
                .event("change")
                .json_data(live)
                .unwrap_or_else(|_| Event::default().event("resync").data("{}")),
            Err(_) => sse.event("resync").data("{}"),
        })
    });
    let hello = stream::iter([Ok(Event::default().event("hello").data("{}"))]);
    let closing = demo.closing.clone();
    let until = async move {
        match closing {
            Some(mut closing) => {
                // A dropped sender is a shutdown as well.
                let _ = closing.wait_for(|closed| *closed).await;
            }
            None => std::future::pending().await,
        }
    };
    let stream = hello.chain(live).take_until(until);
    Sse::new(stream).keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))
}
