// Conversation Window: who and how long, who else is here, the timeline with states, the composer.

import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { attend, fate, isOwn, marks, press } from "../acts.ts";
import { Icon } from "../icons.tsx";
import { Markdown, bare } from "../markdown.tsx";
import { channelOf, current, detail, dialog, editing, levelName, messages, now, open, own, panel, query } from "../state.ts";
import { clock, day, full, size, waited } from "../time.ts";
import type { Action, Attachment, Conversation, Message } from "../types.ts";
import { Composer } from "./Composer.tsx";
import { Due } from "./ChatList.tsx";
import { pressing, typing, who } from "./listing.ts";
import { Edit, Tools } from "./Own.tsx";

export function ConversationWindow() {
  const chat = current.value;
  if (!chat) {
    return (
      <section class="window none" id="conversation" tabIndex={-1} aria-label="Conversation">
        <div class="hint">
          <Icon name="chat" />
          <h2>Choose a conversation</h2>
          <p><kbd>J</kbd> <kbd>K</kbd> move · <kbd>Ctrl K</kbd> search or run · <kbd>?</kbd> all keys</p>
        </div>
      </section>
    );
  }
  return (
    <section class="window" id="conversation" tabIndex={-1} aria-label={`Conversation ${chat.reference} with ${chat.requester.name}`}>
      <Head chat={chat} />
      <Timeline key={chat.id} />
      <Typing chat={chat} />
      <Composer key={`composer-${chat.id}`} chat={chat} />
    </section>
  );
}

/** Those that people look for stand in the bar; the rest is in the palette and under its keys. */
const SHOWN = ["accept", "decline", "takeover", "handback", "transfer", "invite", "snooze", "ticket", "resolve", "reopen"];
const LABEL: Record<string, string> = { handback: "Hand back", snooze: "Snooze", ticket: "Ticket", takeover: "Take over" };
const KEY: Record<string, string> = { accept: "A", decline: "Shift+A", transfer: "T", invite: "I", snooze: "S", ticket: "Shift+T", resolve: "E" };

function buttons(chat: Conversation): Action[] {
  const given = new Map(chat.actions.map((one) => [one.id.split(":")[0] ?? one.id, one]));
  const mine = chat.assignee === own.value;
  const found = new Map<string, Action>();
  const add = (id: string) => found.set(id, given.get(id) ?? { id, label: id.charAt(0).toUpperCase() + id.slice(1) });
  for (const id of SHOWN) if (given.has(id)) add(id);
  if (mine) for (const id of ["handback", "invite", "transfer", "snooze", "resolve"]) add(id);
  if (chat.stage === "assigned" && !mine && !chat.co_repliers.includes(own.value)) add("takeover");
  if (chat.stage === "assisting") add("takeover");
  if (chat.stage === "closed") add("reopen");
  if (chat.offer?.to !== own.value && chat.transfer_to !== own.value) found.delete("decline");
  return SHOWN.filter((id) => found.has(id)).map((id) => ({ id: found.get(id)?.id ?? id, label: LABEL[id] ?? found.get(id)?.label ?? id }));
}

function Head({ chat }: { chat: Conversation }) {
  const here = who(chat.id);
  const first = chat.stage === "handover" ? "accept" : "resolve";
  return (
    <header class="head">
      <div class="who">
        <button type="button" class="quiet back" aria-label="Back to the list" onClick={() => open(null)}><Icon name="back" /></button>
        <div>
          <h2>{chat.requester.name} <span class="muted">· {channelOf(chat)} · {chat.reference}</span></h2>
          <p class="state" data-state={chat.state}>
            <span class="dot" aria-hidden="true" /> {chat.status}
            {chat.waiting_since && <strong class="wait"> waiting {waited(chat.waiting_since, now.value)}</strong>}
            {chat.answer_by && <Wait chat={chat} />}
            <span class="muted"> · {chat.queue}</span>
            {chat.requester.away && <span class="badge">requester is away</span>}
          </p>
          <Marks chat={chat} />
        </div>
        <button type="button" class="quiet" aria-label="Summary, ticket and requester" aria-pressed={panel.value} onClick={() => (panel.value = !panel.value)}><Icon name="panel" /></button>
      </div>
      <div class="acts" role="toolbar" aria-label="Actions">
        {buttons(chat).map((one) => {
          const name = one.id.split(":")[0] ?? one.id;
          return <button key={one.id} type="button" class={name === first ? "primary" : ""} aria-keyshortcuts={KEY[name]} title={KEY[name] ? `Key: ${KEY[name]}` : undefined} onClick={() => press(name)}>{one.label}</button>;
        })}
        <button type="button" class="quiet" aria-label="More actions" onClick={() => (dialog.value = "palette")}><Icon name="more" /></button>
      </div>
      {here.length > 0 && <p class="here">👁 {here.map((one) => `${one.name} ${DOING[one.doing]}`).join(" · ")}</p>}
    </header>
  );
}

/** The queue's longest wait, as far as it has passed. */
function Wait({ chat }: { chat: Conversation }) {
  const found = pressing(chat, now.value);
  return found && <> <meter class="sla" min={0} max={1} high={0.75} optimum={0} value={found.passed} aria-label="Of the queue's longest wait" /><Due chat={chat} /></>;
}

/** Priority and labels; a press shows those that share one. */
function Marks({ chat }: { chat: Conversation }) {
  return (
    <p class="marks">
      <button type="button" class="mark" data-level={Math.min(chat.priority, 3)} title="Key: P" aria-label={`Priority: ${levelName(chat.priority)}. Change`} onClick={() => (dialog.value = "priority")}>{levelName(chat.priority)}</button>
      {chat.labels.map((label) => <button key={label} type="button" class="mark" title={`Show all with ${label}`} aria-label={`Label ${label}: show all`} onClick={() => (query.value = `label:${label} `)}>#{label}</button>)}
      <button type="button" class="mark add" title="Key: L" onClick={() => (dialog.value = "labels")}>{chat.labels.length > 0 ? "Labels" : "+ Label"}</button>
    </p>
  );
}

function Typing({ chat }: { chat: Conversation }) {
  const names = typing(chat.id).map((one) => one.name);
  if (names.length === 0) return null;
  return <p class="typing"><span class="dots" aria-hidden="true"><i /><i /><i /></span> {names.join(", ")} {names.length === 1 ? "is" : "are"} typing…</p>;
}

const DOING = { viewing: "is viewing", replying: "is writing a reply", noting: "is writing a note" };

function Timeline() {
  const list = messages.value.filter((one) => one.audience !== "private");
  const box = useRef<HTMLDivElement>(null);
  const bottom = useRef(true);
  const shown = useRef(0);
  const ready = Boolean(detail.value) || list.length > 0;
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const mine = list[list.length - 1]?.author.id === own.value;
    if (bottom.current || (mine && list.length > shown.current)) element.scrollTop = element.scrollHeight;
    shown.current = list.length;
  }, [list.length, detail.value?.seq]);
  useEffect(() => attend("viewing"), []);
  // The last word stays in sight when the bar, the composer or a picture grows.
  useEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const grown = new ResizeObserver(() => {
      if (bottom.current) element.scrollTop = element.scrollHeight;
    });
    grown.observe(element);
    return () => grown.disconnect();
  }, [ready]);
  const scrolled = () => {
    const element = box.current;
    if (element) bottom.current = element.scrollHeight - element.scrollTop - element.clientHeight < 60;
  };
  if (!ready) return <div class="timeline"><p class="loading">Loading…</p></div>;
  return (
    <div class="timeline" ref={box} onScroll={scrolled} role="log" aria-live="polite" aria-relevant="additions" aria-label="Messages" tabIndex={0}>
      {list.map((one, at) => <Item key={one.id} message={one} before={list[at - 1]} />)}
      {detail.value?.stage === "closed" && <p class="event">{detail.value.status}{detail.value.rating ? ` · rated ${detail.value.rating}/5` : ""}</p>}
    </div>
  );
}

function Item({ message, before }: { message: Message; before: Message | undefined }) {
  const today = day(message.stored, now.value);
  const newDay = !before || day(before.stored, now.value) !== today;
  const joined = before && !newDay && before.author.kind === message.author.kind && before.author.id === message.author.id && before.audience === message.audience && Date.parse(message.stored) - Date.parse(before.stored) < 120_000;
  if (message.author.kind === "assistant" && message.audience === "internal") {
    return (
      <>
        {newDay && <p class="day"><span>{today}</span></p>}
        <details class="event for-desk"><summary>Summary by the assistant · {clock(message.stored)}</summary><Markdown text={message.text ?? ""} /></details>
      </>
    );
  }
  if (message.author.kind === "desk") {
    return (
      <>
        {newDay && <p class="day"><span>{today}</span></p>}
        <div class="event" title={full(message.stored)}><Markdown text={message.text ?? "(deleted)"} /></div>
      </>
    );
  }
  return (
    <>
      {newDay && <p class="day"><span>{today}</span></p>}
      <Bubble message={message} joined={Boolean(joined)} />
    </>
  );
}

function Bubble({ message, joined }: { message: Message; joined: boolean }) {
  const { author, audience } = message;
  const mine = author.id === own.value && author.kind === "technician";
  const side = author.kind === "requester" || author.kind === "outsider" ? "in" : "out";
  const internal = audience === "internal";
  const answered = message.reply_to ? messages.value.find((one) => one.id === message.reply_to) : undefined;
  return (
    <article class="item" data-side={side} data-audience={audience} data-author={author.kind} data-joined={joined}>
      <p class={joined ? "hidden" : "by"}>
        {internal && <span class="tag note-tag"><Icon name="lock" /> Internal</span>}
        {author.kind === "assistant" && <span class="tag ai-tag">AI</span>}
        {author.kind === "outsider" && <span class="tag">not a technician</span>}
        <strong>{mine ? "You" : author.kind === "assistant" ? "Assistant" : author.name}</strong>
        {audience === "requester" && <span class="muted"> (only the requester sees this)</span>}
      </p>
      <div class="bubble">
        {answered && <blockquote class="answered">{bare(answered.text ?? "(deleted)").slice(0, 140)}</blockquote>}
        {message.deleted ? <p class="muted"><em>Deleted</em></p> : editing.value === message.id ? <Edit message={message} /> : message.text ? <Markdown text={message.text} /> : null}
        {message.attachments.map((one, at) => <Attached key={at} file={one} />)}
        <p class="meta"><time dateTime={message.stored} title={full(message.stored)}>{clock(message.stored)}</time>{message.edited && !message.deleted && <span> · edited</span>} <Judged message={message} /> <Fate message={message} /></p>
      </div>
      {isOwn(message) && editing.value !== message.id && <Tools message={message} />}
    </article>
  );
}

/** What the requester said about an answer of the assistant. */
function Judged({ message }: { message: Message }) {
  if (message.helpful === null || message.author.kind !== "assistant") return null;
  return <span role="img" aria-label={message.helpful ? "helpful, the requester says" : "not helpful, the requester says"}>{message.helpful ? "👍" : "👎"}</span>;
}

function Fate({ message }: { message: Message }) {
  if (message.author.kind !== "technician" || message.audience !== "public") return null;
  const found = fate(message);
  if (!found) return null;
  const mark = marks[found.state] ?? marks["unknown"];
  return (
    <span class="fate" data-state={found.state}>
      <span role="img" aria-label={mark?.say} title={mark?.say}>{mark?.sign}</span>
      {found.state === "failed" && <span> not delivered{found.error ? `: ${found.error}` : ""}</span>}
    </span>
  );
}

const SHOWN_INSIDE = ["image/png", "image/jpeg", "image/gif", "image/webp"];

function Attached({ file }: { file: Attachment }) {
  if (!file.url) return <p class="attached muted"><Icon name="file" /> {file.name} · {file.missing}</p>;
  return (
    <a class="attached" href={file.url} download={file.name}>
      {SHOWN_INSIDE.includes(file.mime) && file.size < 8_000_000 ? <img src={file.url} alt={file.name} loading="lazy" /> : <Icon name="file" />}
      <span>{file.name} <span class="muted">{size(file.size)}</span></span>
    </a>
  );
}

