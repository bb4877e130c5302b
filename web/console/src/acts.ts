// What a person does: verbs, words, presence; each a call, with what went wrong said in words.
// Not here: keys (keys.ts), how it looks (parts/).

import { signal } from "@preact/signals";
import { Refused, get, post, put, remove } from "./api.ts";
import {
  announce, chats, current, detail, dialog, drafted, editing, keep, loadMe, loadOne, loadRoster, me, messages, myself, nameOf, now, open, own, selected, shown, suggestionAsked, suggesting, toast, view, watchers,
} from "./state.ts";
import type { Draft } from "./parts/Composer.tsx";
import type { Conversation, Message, Presence, Ticket, Upload, Watcher, Written } from "./types.ts";

export async function trying(act: () => Promise<unknown>): Promise<boolean> {
  try {
    await act();
    return true;
  } catch (error) {
    toast(error instanceof Error ? error.message : "That did not work.", { bad: true });
    return false;
  }
}

function took(written: Written) {
  keep([written.conversation]);
  if (selected.value === written.conversation.id) void trying(() => loadOne(written.conversation.id));
}

const DONE: Record<string, string> = {
  accept: "It is yours", decline: "Declined", handback: "Handed back to the assistant", resolve: "Resolved", reopen: "Reopened",
  ticket: "A ticket is being opened", summary: "The summary is being written", leave: "You left", backup: "Your colleagues are called", join: "You joined", takeover: "You took it over", csat: "The requester is asked for a rating",
};

/** `body`: the verb's argument. */
export function verb(name: string, body: object = {}, id = selected.value): Promise<boolean> {
  if (id === null) return Promise.resolve(false);
  return trying(async () => {
    const written = await post<Written>(`/conversations/${id}/actions/${name}`, body);
    took(written);
    if ((name === "accept" || name === "takeover") && written.conversation.assignee === own.value) view.value = "mine";
    const text = written.toast ?? DONE[name];
    // Labels and priority show at once where they were set.
    if (name === "label" || name === "priority") announce(plain(text ?? ""));
    else if (text && name !== "info") toast(plain(text), {}, 4_000);
  });
}

const plain = (text: string) => text.replace(/[*_`]/g, "");

/** Buttons of the card name a verb, and sometimes more: `snooze:2h`. */
export function press(id: string) {
  const [name, argument] = id.split(":");
  if (name === "transfer") dialog.value = "transfer";
  else if (name === "invite") dialog.value = "invite";
  else if (name === "snooze") argument ? void verb("snooze", { for: argument }) : (dialog.value = "snooze");
  else if (name === "suggest") suggest();
  else if (name === "send") void verb("send", { message: argument });
  else if (name) void verb(name);
}

export function may(action: string): boolean {
  return current.value?.actions.some((one) => one.id.split(":")[0] === action) ?? false;
}

export function suggest() {
  const id = selected.value;
  if (id === null || suggesting.value) return;
  suggestionAsked();
  setTimeout(() => {
    if (suggesting.value && selected.value === id) {
      suggesting.value = false;
      toast("No article fits; nothing is suggested.");
    }
  }, 20_000);
  void trying(() => post(`/conversations/${id}/suggestions`)).then((good) => {
    if (!good) suggesting.value = false;
  });
}

/** Until when the latest reply can be taken back. */
export const undoable = signal<{ id: number; until: number; close: () => void } | null>(null);

export async function undo() {
  const last = undoable.value;
  if (!last || Date.now() > last.until) return;
  last.close();
  undoable.value = null;
  const before = lastSent;
  if (await verb("undo", {}, last.id)) restore.value = { id: last.id, text: before };
}

let lastSent = "";
/** Words that were taken back, for the composer. */
export const restore = signal<{ id: number; text: string } | null>(null);

export interface Sending { id: number; kind: keyof Draft; text: string; files: Upload[]; key: string }

/** `false`: nothing was sent, and the words stay where they are. */
export async function send({ id, kind, text, files, key }: Sending): Promise<boolean> {
  const body: Record<string, unknown> = {};
  if (text.trim()) body["text"] = text;
  if (files.length > 0) body["attachments"] = files.map((one) => one.id);
  return trying(async () => {
    const written = await post<Written>(`/conversations/${id}/${kind === "reply" ? "messages" : "notes"}`, body, key);
    took(written);
    if (written.message?.audience === "internal" && kind === "reply") toast("Kept internal.");
    else if (kind === "reply") hold(id, text);
    if (written.toast) toast(plain(written.toast));
  });
}

function hold(id: number, text: string) {
  const seconds = me.value?.undo_window ?? 0;
  if (seconds <= 0) return;
  lastSent = text;
  undoable.value?.close();
  const close = toast(`Goes out in ${seconds} s`, { act: { label: "Undo", run: () => void undo() } }, seconds * 1_000);
  undoable.value = { id, until: Date.now() + seconds * 1_000, close };
}

export async function resolveAndNext() {
  const list = shown.value;
  const at = list.findIndex((one) => one.id === selected.value);
  if (await verb("resolve")) open((list[at + 1] ?? list[at - 1])?.id ?? null);
}

export function setPresence(to: Presence) {
  return trying(async () => {
    await put(`/technicians/${own.value}/presence`, { presence: to });
    await loadRoster();
  });
}

/** One's own message in other words, wherever it is shown. */
export async function edit(message: Message, text: string): Promise<boolean> {
  const id = selected.value;
  if (id === null) return false;
  return trying(async () => took(await put<Written>(`/conversations/${id}/messages/${message.id}`, { text })));
}

export async function erase(message: Message): Promise<boolean> {
  const id = selected.value;
  if (id === null) return false;
  return trying(async () => took(await remove<Written>(`/conversations/${id}/messages/${message.id}`)));
}

export const isOwn = (message: Message) => message.author.kind === "technician" && message.author.id === own.value && !message.deleted;

/** Opens the latest of one's own messages; `false` when there is none. */
export function editLatest(): boolean {
  const latest = messages.value.findLast((one) => isOwn(one) && one.text !== null);
  if (latest) editing.value = latest.id;
  return Boolean(latest);
}

export type How = "reword" | "shorten" | "translate";
/** What is being made of the draft. */
export const rewriting = signal<How | null>(null);

/** The draft in other words, in its place; what stood there comes back by a word. */
export async function rewrite(how: How) {
  const id = selected.value;
  const before = drafted.value;
  if (id === null || !before.trim() || rewriting.value) return;
  rewriting.value = how;
  await trying(async () => {
    const { text } = await post<{ text: string }>(`/conversations/${id}/rewrite`, { text: before, how });
    // Somebody who wrote on meanwhile keeps what they wrote.
    if (selected.value !== id || drafted.value !== before) return toast("You wrote on, so your words were left as they are.");
    replaceDraft(text);
    return toast("Read it before you send it.", { act: { label: "My words again", run: () => selected.value === id && replaceDraft(before) } }, 20_000);
  });
  rewriting.value = null;
}

const replaceDraft = (text: string) => window.dispatchEvent(new CustomEvent("deskbridge:replace", { detail: text }));

/** Whether a suggestion helped. */
export function judge(message: string, helpful: boolean) {
  const id = selected.value;
  if (id === null) return;
  void trying(async () => {
    await put(`/conversations/${id}/suggestions/${message}`, { helpful });
    messages.value = messages.value.map((one) => (one.id === message ? { ...one, helpful } : one));
  });
}

/** For good; what is on the screen is read again. */
export async function forgetPerson(chat: Conversation): Promise<boolean> {
  return trying(async () => {
    const erased = await post<{ conversations: number }>(`/requesters/${encodeURIComponent(chat.requester.id)}/erase`);
    const ones = [...chats.value.values()].filter((one) => one.requester.id === chat.requester.id);
    for (const one of ones) keep([await get<Conversation>(`/conversations/${one.id}`)]);
    if (selected.value !== null) await loadOne(selected.value);
    announce(`Erased: ${erased.conversations} conversations`);
    toast(erased.conversations === 1 ? "Erased, with one conversation." : `Erased, with ${erased.conversations} conversations.`);
  });
}

export const toggleDuty = () => setPresence(myself.value?.presence === "available" ? "offline" : "available");

export function step(by: number) {
  const list = shown.value;
  if (list.length === 0) return;
  const at = list.findIndex((one) => one.id === selected.value);
  const next = at < 0 ? 0 : Math.min(list.length - 1, Math.max(0, at + by));
  const chat = list[next];
  if (chat) open(chat.id);
}

export async function upload(id: number, file: File): Promise<Upload | null> {
  if (file.size > 25 * 1024 * 1024) {
    toast(`${file.name} is larger than 25 MB`, { bad: true });
    return null;
  }
  let found: Upload | null = null;
  await trying(async () => {
    found = await post<Upload>(`/conversations/${id}/files?name=${encodeURIComponent(file.name || "pasted.png")}`, file);
  });
  return found;
}

let told = { id: 0, doing: "", at: 0 };

/** Tells colleagues, at most every few seconds. */
export function attend(doing: "viewing" | "replying" | "noting" | "gone", id = selected.value) {
  if (id === null || !own.value) return;
  const every = doing === "viewing" ? 8_000 : 4_000;
  if (told.id === id && told.doing === doing && Date.now() - told.at < every) return;
  told = { id, doing, at: Date.now() };
  post<{ others: Watcher[] }>(`/conversations/${id}/attention`, { doing }).then(({ others }) => {
    const next = new Map(watchers.value);
    next.set(id, { who: others, until: Date.now() + 16_000 });
    watchers.value = next;
  }, () => {});
}

export async function signIn(login: string, password: string, code: string) {
  await post("/session", code ? { login, password, code } : { login, password });
  await loadMe();
}

export async function signOut() {
  await trying(() => remove("/session"));
  location.assign("/console/");
}

/** To the conversation of a ticket. */
export async function jumpToTicket(number: string) {
  const found = await get<Ticket>(`/tickets/${number}`).catch(() => null);
  if (found?.conversation) await jump(found.conversation);
  else toast(`There is no ticket ${number} for you.`, { bad: true });
}


/** Opens a conversation by its number, also one that no list holds. */
export async function jump(id: number) {
  if (!chats.value.has(id)) {
    try {
      keep([await get<Conversation>(`/conversations/${id}`)]);
    } catch (error) {
      toast(error instanceof Refused && error.status === 404 ? `There is no #${id} for you.` : String(error), { bad: true });
      return;
    }
  }
  open(id);
}

export const marks: Record<string, { sign: string; say: string }> = {
  held: { sign: "⏳", say: "held, can be taken back" },
  queued: { sign: "◌", say: "on its way" },
  attempting: { sign: "◌", say: "on its way" },
  accepted: { sign: "✓", say: "accepted" },
  sent: { sign: "✓", say: "sent" },
  delivered: { sign: "✓✓", say: "delivered" },
  seen: { sign: "👁", say: "seen" },
  unknown: { sign: "?", say: "unknown whether it arrived" },
  failed: { sign: "⚠", say: "failed" },
  cancelled: { sign: "↩", say: "taken back" },
};

/** What became of a message on its way to the requester. */
export function fate(message: Message): { state: string; error: string | null } | null {
  const requester = new Set(detail.value?.sessions.filter((one) => one.role === "requester").map((one) => one.id) ?? []);
  const posts = message.deliveries.filter((one) => one.operation === "post" && requester.has(one.session));
  const last = posts[posts.length - 1];
  if (!last) return null;
  const held = last.state === "queued" && last.held_until !== null && Date.parse(last.held_until) > now.value;
  return { state: held ? "held" : last.state, error: last.error };
}

export function who(id: string | null): string {
  return id === own.value ? "You" : nameOf(id);
}

export function go(to: typeof view.value) {
  view.value = to;
}
