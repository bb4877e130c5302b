//! Clauses about what goes out: C5, C6, C7, C8, C12.
//!
//! Not here: what relayed text may do (C13).

use std::time::Duration;

use super::run::{Findings, Run, open_thread};
use super::subject::{Act, Breakage};
use crate::address::Address;
use crate::capabilities::{OperationKind, Resend, Support};
use crate::content::{Action, Content};
use crate::error::SendError;
use crate::outbound::{Mark, Outbound, OutboundOp};

/// C5. What `resend` promises for posts and threads holds.
pub(super) async fn same_delivery_shows_once(run: &mut Run<'_>, found: &mut Findings) {
    let home = run.subject.home();
    let marker = "suite C5: once, please";
    let out = run.post(&home, Content::text(marker));
    promised(run, &out, found).await;
    let seen = run.subject.shown(&home).await.iter().filter(|s| s.text.contains(marker)).count();
    if run.repeats_safely(OperationKind::Post) {
        found.check(seen == 1, || format!("the same post sent twice shows {seen} times"));
    } else {
        found.check(seen >= 1, || "the post does not show".into());
    }
    if let Some(desk) = run.subject.desk() {
        let out = run.outbound(&desk, open_thread());
        promised(run, &out, found).await;
    }
}

/// Sends, and does what the policy allows after an ambiguous attempt.
async fn promised(run: &mut Run<'_>, out: &Outbound, found: &mut Findings) {
    let kind = out.op.kind();
    let adapter = run.adapter.clone();
    if adapter.resend(kind) == Resend::ReadBack {
        match adapter.find(out).await {
            Ok(None) => {}
            Ok(Some(_)) => found.fault(format!("find sees a {kind:?} that was never sent")),
            Err(error) => found.fault(format!("find failed for {kind:?}: {error}")),
        }
    }
    let Some(first) = run.must_send(out, found).await else { return };
    match adapter.resend(kind) {
        Resend::SameIdIsSafe => {
            let Some(second) = run.must_send(out, found).await else { return };
            found.check(first == second, || format!("the same {kind:?} sent twice gave two results"));
        }
        Resend::ReadBack => match adapter.find(out).await {
            Ok(Some(seen)) => {
                let same = seen.message == first.message && seen.address == first.address;
                found.check(same, || format!("find gave another message than send, for {kind:?}"));
            }
            Ok(None) => found.fault(format!("find does not see a {kind:?} that was sent")),
            Err(error) => found.fault(format!("find failed for {kind:?}: {error}")),
        },
        Resend::MayDuplicate => found.note(format!("nothing is promised for {kind:?}")),
    }
}

/// C6. As long, as many and as odd as the capabilities say.
pub(super) async fn within_limits_is_accepted(run: &mut Run<'_>, found: &mut Findings) {
    let home = run.subject.home();
    let caps = run.adapter.capabilities(&home).clone();
    let most = caps.max_actions.min(100);
    let id = |n: usize| format!("suite:a-long-id-of-48-bytes-exactly-{n:0>12}");
    let actions = (0..most).map(|n| Action::new(id(n), format!("Choice {n}"))).collect();
    let contents = [
        ("the longest text", Content::text(words(caps.max_text))),
        ("the longest text, beyond the basic plane", Content::text("😀".repeat(caps.max_text / 2))),
        ("one letter", Content::text("x")),
        ("every kind of formatting", Content::text(FORMATTED)),
        ("an open code fence", Content::text("```\nfn main() {")),
        (
            "right-to-left, combining and zero-width letters",
            Content::text("שלום\u{200d} e\u{301} \u{202e}abc\u{202c}"),
        ),
        ("the most buttons", Content::text("Choose one").with_actions(actions)),
    ];
    for (what, content) in contents {
        let out = run.post(&home, content);
        match run.send(&out).await {
            Ok(sent) => found.check(sent.message.is_some(), || format!("{what}: no message id came back")),
            Err(error) => found.check(false, || format!("{what}: {error}")),
        };
    }
}

/// Words of five letters, so that nothing is one endless word.
fn words(units: usize) -> String {
    "words ".chars().cycle().take(units.saturating_sub(1)).chain(std::iter::once('.')).collect()
}

const FORMATTED: &str = "# Steps\n\n1. **Open** the *client*\n2. Run `vpn --reset`\n\n- one\n- two\n  - three\n\n> said \
                         ~~before~~\n\n```sh\necho \"a < b && c > d\"\n```\n\n[guide](https://example.org/vpn?a=1&b=(2)) \\*literal\\*";

/// C7. In a private chat and in a thread.
pub(super) async fn answers_arrive_at_sent_address(run: &mut Run<'_>, found: &mut Findings) {
    let home = run.subject.home();
    answered(run, &home, found).await;
    let Some(desk) = run.subject.desk() else {
        found.note("no threads on this platform");
        return;
    };
    let Some(thread) = run.must_open_thread(&desk, found).await else { return };
    let stays = thread.address.channel == desk.channel && thread.address.room == desk.room;
    found.check(stays, || "OpenThread opened it in another room".into());
    answered(run, &thread.address, found).await;
}

/// People answer where they read the message, so that is where they are made to write.
async fn answered(run: &mut Run<'_>, at: &Address, found: &mut Findings) {
    let Some((sent, message)) = run.must_post(at, Content::text("where do you answer?"), found).await else {
        return;
    };
    let seen = run.shown(&sent.address, &message).await.is_some();
    found.check(seen, || format!("sent said {:?}, and the message is not there", sent.address));
    for reply_to in [None, Some(message)] {
        let act = Act::Say { at: at.clone(), text: "here".into(), reply_to };
        let Some((_, came)) = run.cause(&act, found).await else { continue };
        found.check(came.address == sent.address, || {
            format!("sent said {:?}, the answer came from {:?}", sent.address, came.address)
        });
    }
}

/// C8. One break after the other, each mended before the next.
pub(super) async fn failures_map(run: &mut Run<'_>, found: &mut Findings) {
    let home = run.subject.home();
    let after = Duration::from_secs(7);
    let moved = Address { room: format!("{}-moved", home.room).as_str().into(), ..home.clone() };
    let thread = match run.subject.desk() {
        Some(desk) => run.must_open_thread(&desk, found).await.map(|sent| sent.address),
        None => None,
    };
    let required = [
        Breakage::RateLimited { after },
        Breakage::ServerError,
        Breakage::NoAnswer,
        Breakage::BadCredentials,
        Breakage::Blocked,
    ];
    for how in required {
        if !broken(run, &home, &how, found).await {
            found.fault(format!("{how:?} cannot be made here, and every platform has it"));
        }
    }
    for how in [Breakage::NoConnection, Breakage::BadFormatting, Breakage::RoomMoved { to: moved }] {
        if !broken(run, &home, &how, found).await {
            found.note(format!("not on this platform: {how:?}"));
        }
    }
    if let Some(thread) = thread
        && !broken(run, &thread, &Breakage::ThreadDeleted, found).await
    {
        found.note("threads cannot be deleted on this platform");
    }
    run.must_post(&home, Content::text("all is well again"), found).await;
}

/// False when the break does not exist here.
async fn broken(run: &mut Run<'_>, at: &Address, how: &Breakage, found: &mut Findings) -> bool {
    if !run.subject.break_sends(how).await {
        return false;
    }
    let before = run.subject.requests().await;
    let out = run.post(at, Content::text("**suite C8**: this goes wrong"));
    let answer = run.send(&out).await;
    let requests = run.subject.requests().await;
    run.subject.mend().await;
    let right = match (&answer, how) {
        (Err(SendError::Retry { after: Some(waits), .. }), Breakage::RateLimited { after }) => {
            // Adapters may round up, and must never ask too early.
            *waits >= *after && *waits <= *after + Duration::from_secs(2)
        }
        (Err(SendError::Ambiguous { .. }), Breakage::ServerError | Breakage::NoAnswer)
        | (Err(SendError::Retry { .. }), Breakage::NoConnection)
        | (Err(SendError::Unauthorized { .. }), Breakage::BadCredentials)
        | (Err(SendError::Gone { .. }), Breakage::Blocked)
        | (Err(SendError::ThreadGone { .. }), Breakage::ThreadDeleted)
        | (Err(SendError::Rejected { fixable: true, .. }), Breakage::BadFormatting) => true,
        (Err(SendError::Moved { to }), Breakage::RoomMoved { to: new }) => to.room == new.room,
        _ => false,
    };
    found.check(right, || format!("{how:?} became {answer:?}"));
    if let (Some(before), Some(after)) = (before, requests) {
        // A credential may be refreshed once; nothing else may be tried again inside.
        let allowed = if matches!(how, Breakage::BadCredentials) { 2 } else { 1 };
        let made = after.saturating_sub(before);
        found.check(made <= allowed, || format!("{how:?} was answered by {made} requests: retried inside"));
    }
    true
}

/// C12. On a message that `send` has just returned.
pub(super) async fn sent_messages_can_be_changed(run: &mut Run<'_>, found: &mut Findings) {
    let home = run.subject.home();
    let caps = run.adapter.capabilities(&home).clone();
    let first = Content::text("suite C12: before");
    let Some((sent, message)) = run.must_post(&home, first, found).await else { return };
    let at = sent.address.clone();
    if supports(caps.edits, "edits", found) {
        let content = Content::text("suite C12: after");
        let op = OutboundOp::Edit { message: message.clone(), content, persona: None };
        twice_where_safe(run, &at, op, found).await;
        let text = run.shown(&at, &message).await.map(|s| s.text);
        found.check(text.as_deref().is_some_and(|t| t.contains("after")), || {
            format!("edited, it reads {text:?}")
        });
    }
    if supports(caps.reactions, "reactions", found) {
        for on in [true, false] {
            let op = OutboundOp::React { message: message.clone(), emoji: "👍".into(), on };
            twice_where_safe(run, &at, op, found).await;
            let seen = run.shown(&at, &message).await.is_some_and(|s| s.reactions.iter().any(|r| r == "👍"));
            found.check(seen == on, || format!("reaction set to {on}, and people see {seen}"));
        }
    }
    if supports(caps.marks, "marks", found)
        && let Some((_, inbound, theirs)) = run.say(&home, "mark this", found).await
    {
        for mark in [Mark::Held, Mark::Delivered, Mark::Seen, Mark::Internal, Mark::Failed] {
            let op = OutboundOp::Mark { message: theirs.clone(), mark };
            twice_where_safe(run, &inbound.address, op, found).await;
        }
    }
    if supports(caps.deletes, "deletions", found) {
        let op = OutboundOp::Delete { message: message.clone() };
        twice_where_safe(run, &at, op, found).await;
        let gone = run.shown(&at, &message).await.is_none();
        found.check(gone, || "deleted, and people still see it".into());
    }
}

fn supports(support: Support, what: &str, found: &mut Findings) -> bool {
    match support {
        Support::Native | Support::Emulate => true,
        Support::Drop => {
            found.note(format!("no {what} on this platform"));
            false
        }
    }
}

/// Where the policy says that repeating is safe, the runtime will repeat.
async fn twice_where_safe(run: &mut Run<'_>, at: &Address, op: OutboundOp, found: &mut Findings) {
    let out = run.outbound(at, op);
    if run.must_send(&out, found).await.is_some() && run.repeats_safely(out.op.kind()) {
        run.must_send(&out, found).await;
    }
}
