// Chat List Panel and Search Bar: views with counts, one line per conversation, live; and what a search finds.

import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { page } from "../api.ts";
import { jump } from "../acts.ts";
import { Icon } from "../icons.tsx";
import { bare } from "../markdown.tsx";
import { drop, save, saved, unsaved } from "../saved.ts";
import { VIEWS, channelOf, counts, keep, levelName, loadClosed, now, open, parsed, pressing, query, queues, selected, shown, technicians, typing, unread, view, who } from "./listing.ts";
import { ago, waited } from "../time.ts";
import type { Conversation, Hit, Person, Ticket } from "../types.ts";

const hits = signal<Hit[]>([]);
const tickets = signal<Ticket[]>([]);
const people = signal<Person[]>([]);

export function ChatList() {
  return (
    <section class="list" aria-label="Chat list">
      <SearchBar />
      <Views />
      <List />
      <SavedViews />
      <footer class="list-foot">
        {queues.value.map((queue) => (
          <span key={queue.name} title={queue.open ? "" : `opens ${queue.reopens ?? "later"}`}>
            {queue.name} <strong>{queue.waiting}</strong> waiting{queue.open ? "" : " · closed"}
          </span>
        ))}
      </footer>
    </section>
  );
}

function SearchBar() {
  const { words, label, person } = parsed(query.value);
  // Also those that no list holds.
  useEffect(() => {
    if (!label) return undefined;
    const wait = setTimeout(() => {
      page<Conversation>(`/conversations?label=${encodeURIComponent(label)}&limit=100`).then((found) => keep(found.data), () => {});
    }, 200);
    return () => clearTimeout(wait);
  }, [label]);
  useEffect(() => {
    if (words.length < 2) {
      hits.value = [];
      tickets.value = [];
      return undefined;
    }
    const wait = setTimeout(() => {
      page<Hit>(`/search?q=${encodeURIComponent(words.slice(0, 400))}&limit=20`).then((found) => (hits.value = found.data), () => (hits.value = []));
      page<Ticket>(`/tickets?q=${encodeURIComponent(words.slice(0, 200))}&limit=8`).then((found) => (tickets.value = found.data), () => (tickets.value = []));
    }, 200);
    return () => clearTimeout(wait);
  }, [words]);
  const name = person ?? words;
  useEffect(() => {
    if (name.length < 2) {
      people.value = [];
      return undefined;
    }
    const wait = setTimeout(() => {
      page<Person>(`/people?q=${encodeURIComponent(name.slice(0, 200))}&limit=8`).then((found) => (people.value = found.data), () => (people.value = []));
    }, 200);
    return () => clearTimeout(wait);
  }, [name]);
  return (
    <search class="search">
      <Icon name="search" />
      <input id="search" type="search" value={query.value} placeholder="Search: words, @name, label:…" aria-label="Search people, messages and tickets"
        autocomplete="off" spellcheck={false} onInput={(event) => (query.value = event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape" && query.value) {
            event.preventDefault();
            query.value = "";
          } else if (event.key === "ArrowDown" || event.key === "Enter") {
            event.preventDefault();
            document.querySelector<HTMLElement>(".chats [role=option], .found button")?.focus();
          }
        }} />
    </search>
  );
}

/** Searches under a name: one press shows them, with how many there are. */
function SavedViews() {
  const [naming, setNaming] = useState(false);
  const words = query.value.trim();
  const one = saved.value.find((found) => found.query === words);
  return (
    <div class="saved" role="group" aria-label="Saved views">
      {saved.value.map((found) => (
        <button key={found.name} type="button" class="mark" aria-pressed={found.query === words} onClick={() => (query.value = found.query === words ? "" : found.query)}>{found.name}{found.count > 0 && <span class="n"> {found.count}</span>}</button>
      ))}
      {one?.own && <button type="button" class="quiet small" aria-label={`Forget the view ${one.name}`} onClick={() => drop(one.name)}><Icon name="close" /></button>}
      {unsaved.value && !naming && <button type="button" class="mark add" onClick={() => setNaming(true)}>Save this search</button>}
      {unsaved.value && naming && (
        <form class="row" onSubmit={(event) => { event.preventDefault(); save(String(new FormData(event.currentTarget).get("name") ?? "")); setNaming(false); }}
          onKeyDown={(event) => { if (event.key === "Escape") { event.preventDefault(); setNaming(false); } }}>
          <input name="name" aria-label="Name of the view" required maxLength={40} autofocus autocomplete="off" ref={(input) => input?.focus()} /><button class="primary">Save</button>
        </form>
      )}
    </div>
  );
}

function Views() {
  const move = (event: KeyboardEvent) => {
    const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (by === 0) return;
    event.preventDefault();
    const at = VIEWS.findIndex((one) => one.id === view.value);
    const next = VIEWS[(at + by + VIEWS.length) % VIEWS.length];
    if (next) choose(next.id);
    requestAnimationFrame(() => document.querySelector<HTMLElement>(".views [aria-selected=true]")?.focus());
  };
  const choose = (id: typeof view.value) => {
    view.value = id;
    if (id === "closed") void loadClosed();
  };
  return (
    <div class="views" role="tablist" aria-label="Views" onKeyDown={move}>
      {VIEWS.map((one) => (
        <button key={one.id} type="button" role="tab" aria-selected={view.value === one.id} aria-controls="chats" tabIndex={view.value === one.id ? 0 : -1} onClick={() => choose(one.id)}>
          {one.label}{one.id !== "closed" && counts.value[one.id] > 0 && <span class="n">{counts.value[one.id]}</span>}
        </button>
      ))}
    </div>
  );
}

function List() {
  const list = shown.value;
  const box = useRef<HTMLDivElement>(null);
  const rover = list.some((one) => one.id === selected.value) ? selected.value : list[0]?.id;
  const move = (event: KeyboardEvent) => {
    const options = [...(box.current?.querySelectorAll<HTMLElement>("[role=option]") ?? [])];
    const at = options.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: options.length - 1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      options[Math.max(0, Math.min(options.length - 1, to))]?.focus();
    } else if ((event.key === "Enter" || event.key === " ") && at >= 0) {
      event.preventDefault();
      options[at]?.click();
    }
  };
  const searching = query.value.trim() !== "";
  return (
    <div class="chats" id="chats" ref={box}>
      {searching && <h2 class="section">Conversations</h2>}
      {list.length > 0 ? (
        <div role="listbox" aria-label={searching ? "Found conversations" : `${VIEWS.find((one) => one.id === view.value)?.label} conversations`} onKeyDown={move}>
          {list.map((chat) => <Line key={chat.id} chat={chat} tabIndex={chat.id === rover ? 0 : -1} />)}
        </div>
      ) : (
        <p class="empty">{searching ? "No conversation fits." : EMPTY[view.value]}</p>
      )}
      {searching && <Found />}
    </div>
  );
}

const EMPTY = {
  mine: "Nothing is yours at the moment. New chats wait under Unassigned.",
  unassigned: "Nobody waits.",
  assistant: "The assistant talks to nobody now.",
  snoozed: "Nothing is snoozed.",
  all: "No open conversations.",
  closed: "Nothing was closed yet.",
};

const SIGN = { assisting: "✨", waiting: "🟡", offered: "🟡", assigned: "🟢", snoozed: "💤", resolved: "✅", closed: "⚪" };

function Line({ chat, tabIndex }: { chat: Conversation; tabIndex: number }) {
  const n = unread.value.get(chat.id) ?? 0;
  const writing = who(chat.id).find((one) => one.doing !== "viewing");
  const types = typing(chat.id)[0];
  return (
    <div id={`chat-${chat.id}`} role="option" class="chat" tabIndex={tabIndex} aria-selected={selected.value === chat.id} data-state={chat.state} data-unread={n > 0} onClick={() => open(chat.id)}>
      <span class="sign" role="img" aria-label={chat.status}>{SIGN[chat.state]}</span>
      <span class="name">{chat.requester.name}</span>
      <span class="when">
        {chat.waiting_since ? <><span class="wait" title="waiting">{waited(chat.waiting_since, now.value)}</span><Due chat={chat} /></> : chat.snoozed_until ? `→ ${new Date(chat.snoozed_until).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}` : ago(chat.opened, now.value)}
      </span>
      <span class="subject">{chat.subject || "…"}</span>
      <span class="where">
        <span class="channel">{channelOf(chat)}</span> {chat.reference}
        {chat.priority > 0 && <span class="badge" data-level={Math.min(chat.priority, 3)}>{levelName(chat.priority)}</span>}
        {chat.labels.slice(0, 3).map((label) => <span key={label} class="badge">#{label}</span>)}
        {types && <span class="writing">{types.name} is typing…</span>}
        {!types && writing && <span class="writing">{writing.name} ✍</span>}
        {!types && !writing && chat.assignee && <span> · {nameShort(chat)}</span>}
      </span>
      {n > 0 && <span class="count" aria-label={`${n} unread`}>{n}</span>}
    </div>
  );
}

/** How long until it should be somebody's: the queue's longest wait. */
export function Due({ chat }: { chat: Conversation }) {
  const found = pressing(chat, now.value);
  if (!found) return null;
  const minutes = Math.max(1, Math.ceil(Math.abs(found.left) / 60_000));
  const text = minutes < 100 ? `${minutes}m` : `${Math.round(minutes / 60)}h`;
  const late = found.left < 0;
  return <span class="due" data-late={late || found.passed >= 0.75} title={late ? "later than the queue's longest wait" : "until the queue's longest wait"}> <span class="hidden">{late ? "late by" : "due in"}</span><span aria-hidden="true">{late ? "⏰" : "⏳"}</span>{text}</span>;
}

const nameShort = (chat: Conversation) => chat.status.replace(/ has it.*/, "");

function Found() {
  const { person } = parsed(query.value);
  const colleagues = person ? technicians.value.filter((one) => `${one.id} ${one.name}`.toLowerCase().includes(person)).slice(0, 8) : [];
  return (
    <div class="found">
      {colleagues.length > 0 && <h2 class="section">Technicians</h2>}
      {colleagues.map((one) => (
        <button key={one.id} type="button" onClick={() => (query.value = `assignee:${one.id} `)}>
          <strong>{one.name}</strong> <span class="muted">{one.presence} · {one.load}/{one.capacity} · shows what they have</span>
        </button>
      ))}
      {people.value.length > 0 && <h2 class="section">People</h2>}
      {people.value.map(({ id, name, latest }) => (
        <button key={id} type="button" onClick={() => void jump(latest.id)}>
          <strong>{name}</strong> <span>{latest.reference} {latest.subject}</span> <span class="muted">{channelOf(latest)} · {latest.status}</span>
        </button>
      ))}
      {hits.value.length > 0 && <h2 class="section">Messages</h2>}
      {hits.value.map((hit) => (
        <button key={hit.message} type="button" onClick={() => void jump(hit.conversation)}>
          <strong>#{hit.conversation}</strong> <span>{bare(hit.snippet).replace(/[*_`]/g, "")}</span> <span class="muted">{ago(hit.at, now.value)}</span>
        </button>
      ))}
      {tickets.value.length > 0 && <h2 class="section">Tickets</h2>}
      {tickets.value.map((one) => (
        <button key={one.number} type="button" disabled={one.conversation === null} onClick={() => one.conversation !== null && void jump(one.conversation)}>
          <strong>{one.number}</strong> <span>{one.summary}</span> <span class="muted">{one.status}</span>
        </button>
      ))}
    </div>
  );
}
