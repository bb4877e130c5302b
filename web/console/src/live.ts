// What happens on the server, as it happens: server-sent events, with Last-Event-ID by the browser itself.
// Not here: what a change means for people (notify.ts).

import { all } from "./api.ts";
import { arrived } from "./notify.ts";
import { chats, forget, keep, link, loadAll, loadAside, loadOne, loadRoster, me, own, selected, setUnread, toast, typists, unread, watchers } from "./state.ts";
import { get } from "./api.ts";
import type { Conversation, Message, Typist, Watcher } from "./types.ts";

interface Said { conversation: number; seq: number; stage: string; before: string | null; messages: string[]; edited: string[] }

let source: EventSource | null = null;
let failures = 0;
let again: ReturnType<typeof setTimeout> | undefined;
let opened = false;

/** Resolves when it listens, or cannot: what is read from then on and what is told leave nothing out between them. */
export function start(): Promise<void> {
  stop();
  const listening = new Promise<void>((resolve) => (heard = resolve));
  connect();
  window.addEventListener("online", connect);
  document.addEventListener("visibilitychange", wake);
  window.addEventListener("pageshow", wake);
  return listening;
}

let heard = () => {};

export function stop() {
  source?.close();
  source = null;
  clearTimeout(again);
  opened = false;
  window.removeEventListener("online", connect);
  document.removeEventListener("visibilitychange", wake);
  window.removeEventListener("pageshow", wake);
}

/** A machine that slept may hold a connection that is long dead. */
function wake() {
  if (document.visibilityState === "visible" && link.value !== "online") connect();
}

function connect() {
  if (!me.value) return;
  clearTimeout(again);
  source?.close();
  source = new EventSource("/api/v1/events");
  source.onopen = () => {
    failures = 0;
    link.value = "online";
    heard();
    // The first time everything is about to be read; afterwards something may have been missed whatever was replayed.
    if (opened) refresh();
    opened = true;
  };
  source.onerror = () => {
    heard();
    link.value = "offline";
    if (source?.readyState !== EventSource.CLOSED) return;
    failures += 1;
    const wait = Math.min(30_000, 500 * 2 ** failures) * (0.7 + Math.random() * 0.6);
    again = setTimeout(reconnect, wait);
  };
  for (const name of ["conversation.created", "conversation.status_changed", "conversation.updated"]) {
    source.addEventListener(name, (event) => changed(JSON.parse((event as MessageEvent<string>).data) as Said));
  }
  source.addEventListener("conversation.hidden", (event) => {
    forget((JSON.parse((event as MessageEvent<string>).data) as { conversation: number }).conversation);
  });
  source.addEventListener("conversation.attention", (event) => {
    const { conversation, watchers: who } = JSON.parse((event as MessageEvent<string>).data) as { conversation: number; watchers: Watcher[] };
    const next = new Map(watchers.value);
    next.set(conversation, { who: who.filter((one) => one.technician !== own.value), until: Date.now() + 16_000 });
    watchers.value = next;
  });
  source.addEventListener("conversation.typing", (event) => {
    const { conversation, technician, name } = JSON.parse((event as MessageEvent<string>).data) as { conversation: number } & Omit<Typist, "until">;
    if (technician !== own.value) typed(conversation, { technician, name, until: Date.now() + TYPING });
  });
  source.addEventListener("roster.changed", () => soon("roster", () => loadRoster()));
  source.addEventListener("resync", refresh);
}

/** How long one hint of typing holds, milliseconds. */
const TYPING = 6_000;

function typed(id: number, typist: Typist | null) {
  const next = new Map(typists.value);
  const others = (next.get(id) ?? []).filter((one) => one.until > Date.now() && typist && one.technician !== typist.technician);
  next.set(id, typist ? [...others, typist] : []);
  typists.value = next;
}

/** The stream was refused: the session may be over, which any call says. */
function reconnect() {
  get("/me").then(connect, () => {
    if (me.value) again = setTimeout(reconnect, 3_000);
  });
}

/** And what has come meanwhile is told as if it came now. */
function refresh() {
  soon("all", async () => {
    const before = chats.value;
    await loadAll();
    for (const chat of chats.value.values()) if ((before.get(chat.id)?.seq ?? -1) < chat.seq) arrived(before.get(chat.id), chat, 0);
  });
}

const waiting = new Map<string, ReturnType<typeof setTimeout>>();

/** Many changes at once are one look. */
function soon(name: string, look: () => Promise<unknown>) {
  if (waiting.has(name)) return;
  const run = () => {
    waiting.delete(name);
    look().catch((error: Error) => {
      if (me.value && link.value === "online") toast(error.message, { bad: true });
    });
  };
  waiting.set(name, setTimeout(run, 60));
}

function changed(event: Said) {
  const id = event.conversation;
  const before = chats.value.get(id);
  const visible = selected.value === id && document.visibilityState === "visible";
  // Whoever said something has stopped typing it.
  if (event.messages.length > 0 && typists.value.get(id)?.length) typed(id, null);
  if (event.messages.length > 0 && !visible) fresh.set(id, (fresh.get(id) ?? 0) + event.messages.length);
  soon(`one-${id}`, async () => {
    const n = fresh.get(id) ?? 0;
    fresh.delete(id);
    const isOpen = selected.value === id;
    if (isOpen) await loadOne(id);
    else keep([await get<Conversation>(`/conversations/${id}`)]);
    if (isOpen && event.stage !== event.before) void loadAside(id);
    const chat = chats.value.get(id);
    if (!chat) return;
    let others = n;
    if (n > 0 && !isOpen) {
      // What is said of it must not hang on what it says.
      const last = await all<Message>(`/conversations/${id}/messages`).catch(() => []);
      others = last.slice(-n).filter((one) => one.author.kind === "requester" || (one.author.kind === "technician" && one.author.id !== own.value)).length;
      if (others > 0) setUnread(id, (unread.value.get(id) ?? 0) + others);
    }
    arrived(before, chat, others);
  });
}

const fresh = new Map<number, number>();
