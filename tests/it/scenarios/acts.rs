//! What people do in a talk: `who@channel > something`.
//!
//! Not here: what happens to them (`orders`).
//!
//! `ana@telegram` is her private room, `bob@slack#1` the first thread of the room `desk`, `bob@slack/second#1` of another
//! room, `bob@slack#0` the room itself, `bob@console#1` conversation 1 in the console. What is done there:
//! `words`, `(Button)`, `edit: words`, `edit “old”: words`, `delete`, `delete “old”`, `react 👍`, `react “old” 👍`,
//! `unreact …`, `react-card 👀`, `re “old”: words`, `file a.txt words`, `files a.txt,b.txt words`, `lost-file a.txt words`,
//! `late-file a.txt words` (three fetches fail), `stuck-file a.txt words` (all of them do),
//! `album a.txt,b.txt,|c.txt words` (a message each, one of them late), `/start`, `delete-thread`, `types`, `reads` (up to the bridge's latest).

use std::task::Poll;

use deskbridge_contract::{
    Address, Album, AttachmentSource, Content, RemoteMessageId, ThreadChange, ThreadId,
};
use deskbridge_conversation::verbs::{Names, Parsed, parse};
use deskbridge_conversation::{
    ConversationId, DeskActor, DeskEvent, EventBody, PostIntent, TechnicianId, Via,
};
use deskbridge_sim::{Author, Message, Pushed, SimError, World};
use deskbridge_store::{Applied, Apply, Cause, Refs, Target};

use crate::harness::Town;

pub async fn act(town: &Town, who: &str, what: &str) {
    if let Some((technician, conversation)) = who.split_once("@console#") {
        return console(town, technician, conversation, what).await;
    }
    let (person, world, at) = place(town, who);
    match perform(world, &person, &at, what).await {
        Ok(_) => {}
        // While the bridge is down the platform keeps it; `redeliver telegram rest` hands it in.
        Err(SimError::Push(_)) if town.running.is_none() => {}
        Err(error) => panic!("{who} > {what}: {error:?}"),
    }
}

/// `bob@slack/second#1`: who, where they are, and the address.
pub fn place<'t>(town: &'t Town, who: &str) -> (String, &'t World, Address) {
    let (person, at) = who.split_once('@').unwrap_or_else(|| panic!("somebody@channel, not {who}"));
    let (at, thread) = at.split_once('#').map_or((at, None), |(at, thread)| (at, Some(thread)));
    let (channel, room) = at.split_once('/').unwrap_or((at, "desk"));
    let world = town.world(channel);
    let Some(thread) = thread else { return (person.to_owned(), world, world.direct(person)) };
    let room = world.room(room);
    let n: usize = thread.parse().expect("a thread number");
    if n == 0 {
        return (person.to_owned(), world, room);
    }
    let threads = world.threads(&room);
    let thread = threads.get(n - 1).unwrap_or_else(|| panic!("there is no thread {n} at {at} yet"));
    (person.to_owned(), world, Address { thread: Some(ThreadId(thread.id.0.clone())), ..room })
}

async fn perform(world: &World, person: &str, at: &Address, what: &str) -> Result<Pushed, SimError> {
    if let Some(label) = what.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        return press(world, person, at, label).await;
    }
    if what == "types" {
        return world.type_something(person, at).await;
    }
    if what == "reads" {
        return world.read(person, at, &found(world, at, "", Message::is_by_bridge)).await;
    }
    if what == "/start" {
        return world.start(person, None).await;
    }
    if what == "delete-thread" {
        return world.change_thread(person, at, ThreadChange::Deleted).await;
    }
    if let Some((quoted, words)) = quoting(what, "re") {
        let answered = found(world, at, &quoted, |_| true);
        return world.post(person, at, Content::text(words.trim_start_matches(": ")), Some(answered)).await;
    }
    if let Some((quoted, words)) = quoting(what, "edit") {
        let own = found(world, at, &quoted, is_by(person));
        return world.edit(person, at, &own, words.trim_start_matches(": ")).await;
    }
    if let Some(words) = what.strip_prefix("edit: ") {
        return world.edit(person, at, &found(world, at, "", is_by(person)), words).await;
    }
    if let Some((quoted, _)) = quoting(what, "delete") {
        return world.delete(person, at, &found(world, at, &quoted, is_by(person))).await;
    }
    if what == "delete" {
        return world.delete(person, at, &found(world, at, "", is_by(person))).await;
    }
    if let Some(done) = react(world, person, at, what).await {
        return done;
    }
    if let Some((names, words)) =
        what.strip_prefix("album ").map(|rest| rest.split_once(' ').unwrap_or((rest, "")))
    {
        return album(world, person, at, names, words).await;
    }
    let Some(content) = with_files(world, what) else { return world.say(person, at, what).await };
    let files = content.attachments.clone();
    let mut posting = std::pin::pin!(world.post(person, at, content, None));
    let at_once = futures_util::poll!(&mut posting);
    if what.starts_with("lost-file") {
        // It is on the platform while it is written, and gone before the bridge comes for it.
        for file in &files {
            if let AttachmentSource::Remote(id) = &file.source {
                world.lose_file(id);
            }
        }
    }
    for (verb, failures) in [("late-file", 3), ("stuck-file", u32::MAX)] {
        for file in files.iter().filter(|_| what.starts_with(verb)) {
            if let AttachmentSource::Remote(id) = &file.source {
                world.delay_file(id, failures);
            }
        }
    }
    match at_once {
        Poll::Ready(posted) => posted,
        Poll::Pending => posting.await,
    }
}

async fn react(world: &World, person: &str, at: &Address, what: &str) -> Option<Result<Pushed, SimError>> {
    let (verb, rest) = what.split_once(' ')?;
    let on = match verb {
        "react" | "react-card" => true,
        "unreact" => false,
        _ => return None,
    };
    let (message, emoji) = match quoting(what, verb) {
        Some((quoted, emoji)) => (found(world, at, &quoted, |_| true), emoji),
        None if verb == "react-card" => {
            (found(world, at, "", |message| message.content.card.is_some()), rest.to_owned())
        }
        None => (found(world, at, "", Message::is_by_bridge), rest.to_owned()),
    };
    Some(world.react(person, at, &message, emoji.trim(), on).await)
}

/// The content with its files, when some are sent.
fn with_files(world: &World, what: &str) -> Option<Content> {
    let (verb, rest) = what.split_once(' ')?;
    let (names, text) = rest.split_once(' ').unwrap_or((rest, ""));
    if !matches!(verb, "file" | "files" | "lost-file" | "late-file" | "stuck-file") {
        return None;
    }
    let upload = |name: &str| world.upload(name, "text/plain", format!("content of {name}"));
    let attachments = names.split(',').map(upload).collect();
    Some(Content { text: text.to_owned(), attachments, ..Content::default() })
}

/// One message each, the first with the words, as some platforms do it; `|` stands for a pause of two seconds.
async fn album(
    world: &World,
    person: &str,
    at: &Address,
    names: &str,
    words: &str,
) -> Result<Pushed, SimError> {
    let id = format!("{person}-{names}");
    let mut last = None;
    for (n, name) in names.split(',').enumerate() {
        let text = if n == 0 { words } else { "" }.to_owned();
        let late = name.strip_prefix('|');
        if late.is_some() {
            tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        }
        let name = late.unwrap_or(name);
        let attachments = vec![world.upload(name, "text/plain", format!("content of {name}"))];
        let album = Some(Album::part_of(&id));
        let content = Content { text, attachments, album, ..Content::default() };
        last = Some(world.post(person, at, content, None).await?);
    }
    Ok(last.expect("an album has a first part"))
}

/// `verb “quoted” rest`.
fn quoting(what: &str, verb: &str) -> Option<(String, String)> {
    let rest = what.strip_prefix(verb)?.strip_prefix(" “")?;
    let (quoted, rest) = rest.split_once('”')?;
    Some((quoted.to_owned(), rest.to_owned()))
}

fn is_by(person: &str) -> impl Fn(&Message) -> bool + '_ {
    move |message| matches!(&message.author, Author::Person { id, .. } if id.as_str() == person)
}

/// The newest message at an address that holds these words.
fn found(world: &World, at: &Address, quoted: &str, which: impl Fn(&Message) -> bool) -> RemoteMessageId {
    let fits =
        |message: &Message| !message.deleted && which(message) && message.content.text.contains(quoted);
    let newest = world.messages(at).into_iter().rfind(fits);
    newest.unwrap_or_else(|| panic!("there is no such message “{quoted}” at {at:?}")).id
}

/// The newest button with this label: under a whisper to the person, or under a message.
async fn press(world: &World, person: &str, at: &Address, label: &str) -> Result<Pushed, SimError> {
    let whispers = world.whispers(person);
    let whispered = whispers.iter().rev().find_map(|whisper| {
        let action = whisper.content.actions.iter().find(|action| action.label == label)?;
        (whisper.thread == at.thread).then(|| (whisper.number, action.id.clone()))
    });
    if let Some((number, action)) = whispered {
        return world.press_whisper(person, number, &action).await;
    }
    let Some((message, action)) = world.find_button(at, label) else {
        panic!("{person} sees no button “{label}” at {at:?}");
    };
    world.press(person, at, &message, &action.id).await
}

/// What somebody does in the console: a verb, a note, or words for the requester.
async fn console(town: &Town, technician: &str, conversation: &str, what: &str) {
    let bridge = &town.running().bridge;
    let policy = bridge.policy.current();
    let available = |who: &TechnicianId| bridge.board.is_available(who);
    let names = Names::new(&policy.policy, &available);
    let posted = |intent| DeskEvent::Posted { remote: None, intent, reply_to: None };
    let (what, text) = match parse(what, &names) {
        Some(Parsed::Verb(verb)) => (DeskEvent::Verb { verb }, None),
        Some(Parsed::Note { text }) => (posted(PostIntent::Note), Some(text)),
        Some(Parsed::Reply { text }) => (posted(PostIntent::Reply), Some(text)),
        Some(Parsed::Bad { why, .. }) => (DeskEvent::Misread { why }, None),
        None => (posted(PostIntent::Reply), Some(what.to_owned())),
    };
    let id = ConversationId(conversation.parse().expect("a conversation's number"));
    let body = EventBody::Desk { by: DeskActor::Technician(technician.into()), via: Via::Console, what };
    apply(town, id, body, text.map(Content::text)).await;
}

/// An event from the console or from a ticket desk, under a key of its own.
pub async fn apply(
    town: &Town,
    conversation: ConversationId,
    body: EventBody,
    content: Option<Content>,
) -> Applied {
    let bridge = &town.running().bridge;
    let rows = bridge.read.log(conversation, 1, 10_000).await.expect("readable");
    let apply = Apply {
        cause: Cause::Console(format!("talk:{conversation}:{}", rows.len())),
        target: Target::Conversation(conversation),
        at: bridge.now(),
        body,
        content,
        refs: Refs::default(),
        guard: None,
    };
    bridge.writer.apply(apply).await.expect("stored")
}
