// Everything that is shown, as signals; and the calls that fill them.
// Not here: events from the server (live.ts), what a person does (acts.ts).

import { batch, computed, signal } from "@preact/signals";
import { all, get, page, setCsrf } from "./api.ts";
import type { Article, Canned, Conversation, Detail, Me, Message, Queue, Similar, Technician, Ticket, TicketLink, Typist, Watcher } from "./types.ts";

export type View = "mine" | "unassigned" | "assistant" | "snoozed" | "all" | "closed";
export const VIEWS: { id: View; label: string; key: string }[] = [
  { id: "mine", label: "Mine", key: "m" },
  { id: "unassigned", label: "Unassigned", key: "u" },
  { id: "assistant", label: "AI", key: "i" },
  { id: "snoozed", label: "Snoozed", key: "z" },
  { id: "all", label: "All", key: "a" },
  { id: "closed", label: "Closed", key: "c" },
];

export const me = signal<Me | null | undefined>(undefined);
export const route = signal<"chat" | "settings">("chat");
export const view = signal<View>("mine");
export const chats = signal<Map<number, Conversation>>(new Map());
export const closedLoaded = signal(false);
export const selected = signal<number | null>(null);
export const detail = signal<Detail | null>(null);
export const messages = signal<Message[]>([]);
export const ticket = signal<{ link: TicketLink; ticket: Ticket | null } | null>(null);
export const earlier = signal<Conversation[]>([]);
export const articles = signal<Article[]>([]);
export const technicians = signal<Technician[]>([]);
export const queues = signal<Queue[]>([]);
export const canned = signal<Canned[]>([]);
export const similar = signal<Similar[]>([]);
/** Who types now, by conversation; each word of it holds for a few seconds. */
export const typists = signal<Map<number, Typist[]>>(new Map());
/** The own message that is being changed. */
export const editing = signal<string | null>(null);
/** What stands in the reply composer of the conversation that is open. */
export const drafted = signal("");
export const watchers = signal<Map<number, { who: Watcher[]; until: number }>>(new Map());
export const unread = signal<Map<number, number>>(new Map());
export const link = signal<"connecting" | "online" | "offline">("connecting");
export const now = signal(Date.now());
export const said = signal("");
export const suggesting = signal(false);
export const query = signal("");
export const panel = signal(window.innerWidth >= 1100);
export type Dialog = "palette" | "help" | "transfer" | "invite" | "snooze" | "labels" | "priority" | "password" | "factor" | "erase" | null;
export const dialog = signal<Dialog>(null);

export interface Toast { id: number; text: string; bad?: boolean; act?: { label: string; run: () => void } }
export const toasts = signal<Toast[]>([]);
let count = 0;

export function toast(text: string, more: Partial<Toast> = {}, ms = 6_000): () => void {
  const id = (count += 1);
  toasts.value = [...toasts.value.slice(-3), { id, text, ...more }];
  const close = () => (toasts.value = toasts.value.filter((one) => one.id !== id));
  setTimeout(close, ms);
  return close;
}

/** Told to screen readers, politely. */
export function announce(text: string) {
  said.value = "";
  queueMicrotask(() => (said.value = text));
}

export const own = computed(() => me.value?.technician?.id ?? "");
export const myself = computed(() => technicians.value.find((one) => one.id === own.value));
export const nameOf = (id: string | null) => technicians.value.find((one) => one.id === id)?.name ?? id ?? "";

export function channelOf(chat: Conversation): string {
  const requester = chat.sessions.find((one) => one.role === "requester" && one.state === "active");
  return (requester ?? chat.sessions.find((one) => one.role === "requester"))?.channel ?? "";
}

const offered = (chat: Conversation) =>
  chat.offer?.to === own.value || chat.transfer_to === own.value || chat.co_repliers.includes(own.value);

export function inView(chat: Conversation, which: View): boolean {
  switch (which) {
    case "mine":
      return chat.state !== "snoozed" && ((chat.stage === "assigned" && chat.assignee === own.value) || (chat.stage !== "closed" && offered(chat)));
    case "unassigned":
      return chat.stage === "handover";
    case "assistant":
      return chat.stage === "assisting";
    case "snoozed":
      return chat.state === "snoozed";
    case "all":
      return chat.stage !== "closed";
    case "closed":
      return chat.stage === "closed";
  }
}

/** Waiting ones first, oldest wait on top; then the newest. */
export function order(a: Conversation, b: Conversation): number {
  if (a.waiting_since && b.waiting_since) return b.priority - a.priority || a.waiting_since.localeCompare(b.waiting_since);
  if (a.waiting_since || b.waiting_since) return a.waiting_since ? -1 : 1;
  return (unread.value.get(b.id) ?? 0) - (unread.value.get(a.id) ?? 0) || b.id - a.id;
}

/** How near the queue's longest wait is: milliseconds that are left, and the share that has passed; `null` while nobody waits. */
export function pressing(chat: Conversation, at: number): { left: number; passed: number } | null {
  if (!chat.waiting_since || !chat.answer_by) return null;
  const [from, to] = [Date.parse(chat.waiting_since), Date.parse(chat.answer_by)];
  return { left: to - at, passed: to > from ? Math.min(1, Math.max(0, (at - from) / (to - from))) : 1 };
}
/** From here on it is nearly late. */
const SOON = 0.75;
/** What counts by the clock is looked at again this often, not each second. */
const tens = computed(() => Math.floor(now.value / 10_000) * 10_000);

const WORD = /(status|queue|channel|assignee|label|priority|due):(\S+)/g;
const PERSON = /(?:^|\s)@(\S+)/g;

interface Parsed { words: string; label: string | undefined; person: string | undefined; fits: (chat: Conversation) => boolean; filtered: boolean }

/** `status:open label:vpn @ana dock`: the words that are left, and whether a conversation passes. */
export function parsed(text: string): Parsed {
  const wanted: [string, string][] = [];
  const want = (name: string) => (_: string, ...found: string[]) => {
    wanted.push([name || (found[0] ?? ""), (found[name ? 0 : 1] ?? "").toLowerCase()]);
    return " ";
  };
  const words = text.replace(WORD, want("")).replace(PERSON, want("person")).trim().toLowerCase();
  const one = (chat: Conversation, [name, value]: [string, string]) => {
    if (name === "queue") return chat.queue.includes(value);
    if (name === "channel") return channelOf(chat).toLowerCase().includes(value);
    if (name === "assignee") return value === "me" ? chat.assignee === own.value : (chat.assignee ?? "").includes(value);
    if (name === "label") return chat.labels.includes(value);
    if (name === "priority") return chat.priority === (LEVELS.find((level) => level.name.toLowerCase() === value)?.level ?? Number(value.replace(/^p/, "")));
    if (name === "person") return `${chat.requester.name} ${chat.assignee ?? ""} ${nameOf(chat.assignee)}`.toLowerCase().includes(value);
    if (name === "due") {
      const found = pressing(chat, tens.value);
      return found !== null && (value === "late" ? found.left < 0 : found.passed >= SOON);
    }
    if (value === "open") return chat.stage !== "closed";
    return chat.stage === value || chat.state === value;
  };
  const has = (chat: Conversation) =>
    words === "" || `${chat.reference} ${chat.requester.name} ${chat.subject} ${chat.ticket.number ?? ""}`.toLowerCase().includes(words);
  const first = (name: string) => wanted.find(([found]) => found === name)?.[1];
  const [label, person] = [first("label"), first("person")];
  return { words, label, person, filtered: wanted.length > 0, fits: (chat) => has(chat) && wanted.every((filter) => one(chat, filter)) };
}

/** How priorities are called; queues may use any number to 255. */
export const LEVELS = [
  { level: 0, name: "Normal" },
  { level: 1, name: "High" },
  { level: 2, name: "Urgent" },
  { level: 3, name: "Critical" },
];
export const levelName = (level: number) => LEVELS.find((one) => one.level === level)?.name ?? `P${level}`;

/** Labels that are in use, the most used first. */
export const labelsInUse = computed(() => {
  const count = new Map<string, number>();
  for (const chat of chats.value.values()) for (const label of chat.labels) count.set(label, (count.get(label) ?? 0) + 1);
  return [...count].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0])).map(([label]) => label);
});

export const shown = computed(() => {
  const { fits, filtered, words } = parsed(query.value);
  const searching = filtered || words !== "";
  const found = [...chats.value.values()].filter((chat) => (searching ? true : inView(chat, view.value)) && fits(chat));
  return found.sort(order);
});

export const counts = computed(() => {
  const found = Object.fromEntries(VIEWS.map((one) => [one.id, 0])) as Record<View, number>;
  for (const chat of chats.value.values()) for (const one of VIEWS) if (inView(chat, one.id)) found[one.id] += 1;
  return found;
});

export const current = computed(() => (selected.value === null ? null : (chats.value.get(selected.value) ?? null)));

export function keep(found: Conversation[]) {
  const next = new Map(chats.value);
  for (const chat of found) if ((next.get(chat.id)?.seq ?? -1) <= chat.seq) next.set(chat.id, chat);
  chats.value = next;
}

export function forget(id: number) {
  const next = new Map(chats.value);
  next.delete(id);
  batch(() => {
    chats.value = next;
    if (selected.value === id) selected.value = null;
  });
}

export async function loadMe(): Promise<boolean> {
  try {
    const found = await get<Me>("/me");
    setCsrf(found.csrf);
    me.value = found;
    return true;
  } catch {
    me.value = null;
    return false;
  }
}

/** Reads what lists show; at the start, and whenever something may have been missed. */
export async function loadAll() {
  const stages = closedLoaded.value ? ["handover", "assigned", "assisting", "closed"] : ["handover", "assigned", "assisting"];
  const [people, places, ...lists] = await Promise.all([
    get<Technician[]>("/technicians"),
    get<Queue[]>("/queues"),
    ...stages.map((stage) => (stage === "closed" ? page<Conversation>("/conversations?stage=closed&limit=100").then((one) => one.data) : all<Conversation>(`/conversations?stage=${stage}`))),
  ]);
  const next = new Map<number, Conversation>();
  for (const chat of lists.flat()) next.set(chat.id, chat);
  const open = selected.value;
  const held = open === null ? undefined : chats.value.get(open);
  if (held && !next.has(held.id)) next.set(held.id, held);
  batch(() => {
    technicians.value = people;
    queues.value = places;
    chats.value = next;
  });
  if (open !== null) await loadOne(open);
}

export async function loadClosed() {
  if (closedLoaded.value) return;
  closedLoaded.value = true;
  keep((await page<Conversation>("/conversations?stage=closed&limit=100")).data);
}

export async function loadCanned() {
  canned.value = await get<Canned[]>("/canned");
}

export async function loadRoster() {
  const [people, places] = await Promise.all([get<Technician[]>("/technicians"), get<Queue[]>("/queues")]);
  batch(() => {
    technicians.value = people;
    queues.value = places;
  });
}

let turn = 0;

/** The conversation that is open: its state, and what was said. */
export async function loadOne(id: number) {
  const own = (turn += 1);
  const [found, list] = await Promise.all([get<Detail>(`/conversations/${id}`), all<Message>(`/conversations/${id}/messages`)]);
  keep([found]);
  if (own !== turn || selected.value !== id) return;
  batch(() => {
    detail.value = found;
    messages.value = list;
    if (list.some((one) => isDraft(one) && Date.parse(one.stored) > asked)) suggesting.value = false;
  });
}

/** When the latest suggestion was asked for. */
let asked = 0;
export function suggestionAsked() {
  asked = Date.now() - 2_000;
  suggesting.value = true;
}

export const isDraft = (one: Message) => one.audience === "private" && one.author.kind === "assistant" && one.text !== null;

/** What stands beside a conversation; less urgent than the words. */
export async function loadAside(id: number) {
  const chat = chats.value.get(id);
  const [found, before, related, alike] = await Promise.all([
    get<{ link: TicketLink; ticket: Ticket | null }>(`/conversations/${id}/ticket`).catch(() => null),
    chat ? page<Conversation>(`/conversations?requester=${encodeURIComponent(chat.requester.id)}&limit=10`).then((one) => one.data).catch(() => []) : [],
    chat?.subject ? get<Article[]>(`/kb/search?q=${encodeURIComponent(chat.subject.slice(0, 200))}`).catch(() => []) : [],
    get<Similar[]>(`/conversations/${id}/similar`).catch(() => []),
  ]);
  if (selected.value !== id) return;
  batch(() => {
    ticket.value = found;
    earlier.value = before.filter((one) => one.id !== id);
    articles.value = related.slice(0, 3);
    similar.value = alike.slice(0, 3);
  });
}

export function open(id: number | null) {
  if (selected.value === id) return;
  batch(() => {
    selected.value = id;
    detail.value = null;
    messages.value = [];
    ticket.value = null;
    earlier.value = [];
    articles.value = [];
    similar.value = [];
    editing.value = null;
    drafted.value = "";
    suggesting.value = false;
    if (id !== null && unread.value.has(id)) setUnread(id, 0);
  });
  const hash = id === null ? "" : `#${id}`;
  if (location.hash !== hash) history.replaceState(null, "", location.pathname + hash);
  if (id === null) return;
  loadOne(id).then(() => loadAside(id)).catch((error: Error) => {
    toast(error.message, { bad: true });
    if (selected.value === id) open(null);
  });
}

export function setUnread(id: number, n: number) {
  const next = new Map(unread.value);
  if (n > 0) next.set(id, n);
  else next.delete(id);
  unread.value = next;
  try {
    localStorage.setItem("deskbridge.unread", JSON.stringify([...next].slice(-500)));
  } catch {
    // A full or forbidden storage costs only the badges.
  }
}

export function recallUnread() {
  try {
    const stored = JSON.parse(localStorage.getItem("deskbridge.unread") ?? "[]") as [number, number][];
    unread.value = new Map(stored.filter((one) => Array.isArray(one)));
  } catch {
    unread.value = new Map();
  }
}
