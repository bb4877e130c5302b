// The demo page: keeps a copy of the simulated platforms, shows two sides of it, and does what the visitor does.
// Not here: how things look (view.js). It talks to the demo's own routes only.

import { Guide } from "./guide.js";
import { Log, el, fillCard, keepFocus, messageNode, nameOf, stateChip, threadNode, whisperNode } from "./view.js";

const BASE = new URL(".", import.meta.url).href;
const $ = (id) => document.getElementById(id);

/** channel -> { seq, style, rooms: room -> { threads, messages } , whispers } */
const worlds = new Map();
let people = [];
let desk = { channel: "", room: "" };
/** In place of a requester: the page with the widget, whose visitor is nobody that is simulated. */
const PORTAL = "portal";
/** In place of a technician's thread: the console, where Ana works. */
const CONSOLE = "console";
const STYLES = { telegram: "Telegram", slack: "Slack", teams: "Teams", discord: "Discord", widget: "web chat" };
const chosen = { requester: null, technician: null, thread: null, portal: false, console: false };
let portal = null;
let door = null;
const seen = new Map();
const guide = new Guide($("guide"), $("steps"), $("step"), $("guide-close"));

// --- the copy ---

function roomOf(channel, room) {
  const world = worlds.get(channel);
  if (!world) return { threads: new Map(), messages: new Map() };
  if (!world.rooms.has(room)) world.rooms.set(room, { threads: new Map(), messages: new Map() });
  return world.rooms.get(room);
}

function load(stage) {
  people = stage.people;
  desk = stage.desk;
  guide.resume(stage.run);
  worlds.clear();
  for (const w of stage.worlds) {
    const rooms = new Map();
    for (const r of w.rooms) {
      const byId = (list) => new Map(list.map((x) => [x.id, x]));
      rooms.set(r.id, { threads: byId(r.threads), messages: byId(r.messages) });
    }
    worlds.set(w.channel, { seq: w.seq, style: w.style, rooms, whispers: w.whispers });
  }
  const first = (side) => people.find((p) => p.side === side)?.id ?? null;
  chosen.requester ??= first("requester");
  chosen.technician ??= first("technician");
  if (stage.portal && !portal) openPortal(stage.portal);
  $("console").hidden = !stage.console;
  if (stage.console) $("console").href = stage.console;
  door = stage.console ?? null;
}

function apply(live) {
  const world = worlds.get(live.channel);
  // What the snapshot holds already comes again after a reconnect.
  if (!world || live.seq <= world.seq) return;
  if (live.seq > world.seq + 1) return void refresh();
  world.seq = live.seq;
  if (live.kind === "message") roomOf(live.channel, live.room).messages.set(live.message.id, live.message);
  else if (live.kind === "thread") roomOf(live.channel, live.room).threads.set(live.thread.id, live.thread);
  else if (live.kind === "whisper") world.whispers.push(live.whisper);
  else if (live.kind === "toast") toastFor(live.toast.to, live.toast.text);
  else if (live.kind === "typing") showTyping(live);
  draw();
}

/** The first that is shown: the widget tells by events what its visitor does. */
function openPortal(path) {
  portal = path;
  chosen.portal = true;
  const frame = $("portal");
  frame.addEventListener("load", () => {
    frame.contentWindow.addEventListener("deskbridge:message:sent", () => {
      guide.sent = true;
      draw();
    });
  });
  frame.src = path;
}

// --- the wire ---

let queue = null;

async function refresh() {
  // Changes that arrive while the snapshot is on its way are kept, and applied on top of it.
  if (queue) return;
  queue = [];
  try {
    const answer = await fetch(`${BASE}state`);
    load(await answer.json());
  } catch {
    setLink("lost");
  }
  const waiting = queue;
  queue = null;
  for (const live of waiting) apply(live);
  draw();
}

function setLink(state) {
  const words = { live: "live", wait: "connecting…", lost: "connection lost, trying again…" };
  $("link").dataset.state = state;
  $("link").textContent = words[state];
}

function connect() {
  const source = new EventSource(`${BASE}events`);
  source.addEventListener("hello", () => {
    setLink("live");
    refresh();
  });
  source.addEventListener("change", (e) => {
    const live = JSON.parse(e.data);
    if (queue) queue.push(live);
    else apply(live);
  });
  source.addEventListener("resync", refresh);
  source.addEventListener("error", () => {
    setLink("lost");
    // A closed source does not come back by itself.
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, 2000);
  });
}

async function post(path, body, side) {
  const form = body instanceof FormData;
  const headers = { "x-deskbridge-demo": "1", ...(form ? {} : { "content-type": "application/json" }) };
  try {
    const answer = await fetch(BASE + path, { method: "POST", headers, body: form ? body : JSON.stringify(body) });
    if (answer.ok) return;
    const type = answer.headers.get("content-type") ?? "";
    const { error } = type.includes("json") ? await answer.json() : { error: `refused (${answer.status})` };
    if (side) toast(side, error, true);
  } catch {
    if (side) toast(side, "The demo cannot be reached.", true);
  }
}

// --- toasts and typing ---

const timers = new Map();

/** Shows something for a few seconds. */
function briefly(key, show, hide, ms) {
  clearTimeout(timers.get(key));
  show();
  timers.set(key, setTimeout(hide, ms));
}

function toast(side, text, bad = false) {
  const node = $(`${side}-toast`);
  node.classList.toggle("bad", bad);
  briefly(node, () => (node.textContent = text), () => (node.textContent = ""), 6000);
}

function toastFor(user, text) {
  if (user === chosen.technician) toast("desk", text);
  if (user === chosen.requester) toast("phone", text);
}

function showTyping({ channel, room, thread }) {
  const me = person(chosen.requester);
  const onPhone = me && channel === me.channel && room === me.room;
  const onDesk = channel === desk.channel && room === desk.room && thread === chosen.thread;
  const side = onPhone ? "phone" : onDesk ? "desk" : null;
  if (!side) return;
  const node = $(`${side}-typing`);
  const title = roomOf(desk.channel, desk.room).threads.get(chosen.thread)?.title;
  const name = side === "phone" ? "IT Support" : title?.requester || "The requester";
  node.querySelector("[data-name]").textContent = `${name} is typing`;
  briefly(node, () => (node.hidden = false), () => (node.hidden = true), 5000);
}

function stopTyping(side) {
  $(`${side}-typing`).hidden = true;
}

// --- what the visitor does ---

/** Whether a thread is about somebody whom the visitor plays; the others are people of the samples. */
const isVisitors = ({ title }) =>
  title.requester.startsWith("Visitor") || people.some((p) => p.side === "requester" && p.name === title.requester);
const person = (id) => people.find((p) => p.id === id);

/** Everything that view.js needs for one side. */
function context(side) {
  const phone = side === "phone";
  const me = phone ? chosen.requester : chosen.technician;
  const place = phone ? person(me) : desk;
  const who = { who: me, thread: phone ? null : chosen.thread };
  return {
    me,
    base: BASE,
    channel: place.channel,
    bridge: phone ? "IT Support" : "deskbridge",
    find: (id) => roomOf(place.channel, place.room).messages.get(id),
    press: (what) => post("press", { ...who, ...what }, side),
    react: (m, emoji, on) => post("react", { ...who, message: m.id, emoji, on }, side),
    edit: (m) => composers[side].begin("edit", m),
    reply: (m) => composers[side].begin("reply", m),
    remove: (m) => post("delete", { ...who, message: m.id }, side),
    who,
  };
}

/** A text field that sends with Enter, edits, replies and attaches. */
class Composer {
  constructor(side) {
    this.side = side;
    this.form = $(`${side}-form`);
    this.field = $(`${side}-text`);
    this.mode = null;
    this.typed = 0;
    const file = this.form.querySelector("input[type=file]");
    this.form.querySelector("[data-attach]").addEventListener("click", () => file.click());
    file.addEventListener("change", () => {
      if (file.files.length > 0) this.attach(file.files[0]);
      file.value = "";
    });
    this.form.addEventListener("submit", (e) => {
      e.preventDefault();
      this.send();
    });
    this.field.addEventListener("keydown", (e) => this.key(e));
    this.field.addEventListener("input", () => this.typing());
    this.field.addEventListener("paste", (e) => {
      const pasted = e.clipboardData?.files[0];
      if (pasted) this.attach(pasted);
    });
  }

  key(e) {
    if (e.key === "Enter" && !e.shiftKey && !e.isComposing) {
      e.preventDefault();
      this.send();
    } else if (e.key === "Escape" && this.mode) this.end();
  }

  typing() {
    this.fit();
    const now = Date.now();
    if (people.length === 0 || now - this.typed < 4000 || this.field.value.trim() === "") return;
    this.typed = now;
    post("typing", context(this.side).who, null);
  }

  fit() {
    this.field.rows = Math.min(6, this.field.value.split("\n").length);
  }

  begin(kind, message) {
    this.end();
    this.mode = { kind, message };
    const { name } = nameOf(message, context(this.side).bridge);
    const label = kind === "edit" ? "Editing your message" : `Replying to ${name}`;
    const stop = el("button", { type: "button", className: "quiet", onclick: () => this.end() }, "Cancel");
    this.form.before(el("p", { className: "mode", id: `${this.side}-mode` }, label, stop));
    if (kind === "edit") this.field.value = message.content.text;
    this.fit();
    this.field.focus();
  }

  end() {
    if (this.mode?.kind === "edit") this.field.value = "";
    this.mode = null;
    $(`${this.side}-mode`)?.remove();
    this.field.focus();
  }

  send() {
    const text = this.field.value.trim();
    if (text === "" || people.length === 0) return;
    const { who } = context(this.side);
    const { mode } = this;
    if (mode) this.end();
    this.field.value = "";
    this.fit();
    if (mode?.kind === "edit") post("edit", { ...who, message: mode.message.id, text }, this.side);
    else post("say", { ...who, text, reply_to: mode?.message.id ?? null }, this.side);
  }

  attach(file) {
    const { who } = context(this.side);
    if (file.size > 4 * 1024 * 1024) return toast(this.side, "At most 4 MB in the demo.", true);
    const form = new FormData();
    form.set("who", who.who);
    if (who.thread) form.set("thread", who.thread);
    form.set("text", this.field.value.trim());
    form.set("file", file, file.name);
    this.field.value = "";
    post("file", form, this.side);
  }
}

// --- drawing ---

const logs = { phone: new Log($("phone-log")), desk: new Log($("desk-log")) };
const composers = { phone: new Composer("phone"), desk: new Composer("desk") };
let planned = false;

function draw() {
  if (planned) return;
  planned = true;
  requestAnimationFrame(() => {
    planned = false;
    if (people.length === 0) return;
    drawWho("phone", "requester");
    drawWho("desk", "technician");
    if (!chosen.portal) drawPhone();
    drawThreads();
    drawThread();
    const me = person(chosen.requester);
    guide.at(chosen.portal ? "portal" : "chat");
    guide.look([...roomOf(me.channel, me.room).messages.values()], roomOf(desk.channel, desk.room), isVisitors);
  });
}

function drawWho(side, role) {
  const node = $(`${side}-who`);
  const place = side === "phone" ? person(chosen[role]) : desk;
  const style = worlds.get(place.channel)?.style;
  const onPortal = side === "phone" && chosen.portal;
  const inConsole = side === "desk" && chosen.console;
  $(`${side}-style`).textContent = onPortal ? "the real widget" : inConsole ? "the real console" : `as on ${STYLES[style] ?? place.channel}`;
  if (side === "desk") {
    // It is loaded when somebody wants to see it, and stays.
    if (inConsole && !$("console-pane").src) $("console-pane").src = door;
    $("console-pane").hidden = !inConsole;
    $("room").hidden = inConsole;
  }
  if (side === "phone") {
    $("portal").hidden = !onPortal;
    $("chat").hidden = onPortal;
    $("chat").dataset.style = style;
  }
  if (node.querySelector("input")) return;
  const add = (id, title, label, checked) => {
    const pick = () => {
      if (side === "phone") chosen.portal = id === PORTAL;
      else chosen.console = id === CONSOLE;
      if (id !== PORTAL && id !== CONSOLE) chosen[role] = id;
      $(`${side}-toast`).textContent = "";
      draw();
    };
    const input = el("input", { type: "radio", name: role, value: id, checked, onchange: pick });
    node.append(el("label", {}, input, el("span", { title }, label)));
  };
  if (side === "phone" && portal) add(PORTAL, "A visitor of a web page", "Visitor · portal", chosen.portal);
  for (const p of people.filter((p) => p.side === role)) {
    const name = p.name.split(" ")[0];
    const label = side === "phone" && portal ? `${name} · ${STYLES[worlds.get(p.channel)?.style] ?? p.channel}` : name;
    add(p.id, p.name, label, !onPortal && p.id === chosen[role]);
  }
  if (side === "desk" && door) add(CONSOLE, "Ana, in the console", "Ana · console", false);
}

function item(key, value, make) {
  return { key, version: JSON.stringify(value), make };
}

function drawPhone() {
  const me = person(chosen.requester);
  const ctx = context("phone");
  const messages = [...roomOf(me.channel, me.room).messages.values()];
  const last = messages.at(-1);
  ctx.latest = last?.id;
  logs.phone.show(me.id, messages.map((m) => item(m.id, [m, m === last], () => messageNode(m, ctx))));
  if (last?.author.by === "bridge" && last.content.text) {
    const key = `phone ${me.id} ${last.id}`;
    if (!seen.has(key)) stopTyping("phone");
    const shown = document.visibilityState === "visible" && $("phone-log").offsetParent !== null;
    if (shown && !seen.has(key)) {
      seen.set(key, true);
      if (!last.read_by.includes(me.id)) post("read", { who: me.id, message: last.id }, null);
    }
  }
}

/** The threads of the desk room with their messages, what needs somebody first. */
function threadsOf(room) {
  const found = [...room.threads.values()].filter((t) => !t.deleted);
  const byThread = new Map(found.map((t) => [t.id, []]));
  for (const m of room.messages.values()) byThread.get(m.thread)?.push(m);
  const done = (t) => t.closed || ["resolved", "closed"].includes(t.title.state);
  const last = (t) => byThread.get(t.id).at(-1)?.at ?? 0;
  found.sort((a, b) => done(a) - done(b) || last(b) - last(a));
  return found.map((thread) => ({ thread, messages: byThread.get(thread.id), at: last(thread) }));
}

function drawThreads() {
  const all = threadsOf(roomOf(desk.channel, desk.room));
  if (!all.some((t) => t.thread.id === chosen.thread)) chosen.thread = all[0]?.thread.id ?? null;
  $("no-threads").hidden = all.length > 0;
  const current = all.find((t) => t.thread.id === chosen.thread);
  if (current) seen.set(current.thread.id, current.messages.length);
  const nodes = all.map(({ thread, messages, at }) =>
    threadNode(thread, {
      selected: thread.id === chosen.thread,
      unread: messages.length > (seen.get(thread.id) ?? 0),
      at,
      onclick: () => {
        chosen.thread = thread.id;
        stopTyping("desk");
        draw();
      },
    }),
  );
  keepFocus($("threads"), () => $("threads").replaceChildren(...nodes));
}

function drawThread() {
  const room = roomOf(desk.channel, desk.room);
  const thread = room.threads.get(chosen.thread);
  $("thread-view").hidden = !thread;
  $("thread-empty").hidden = Boolean(thread);
  if (!thread) return;
  const ctx = context("desk");
  const title = thread.title.reference ? `${thread.title.reference} · ${thread.title.requester}` : thread.title.text;
  const subject = thread.title.subject ? el("span", { className: "muted" }, thread.title.subject) : "";
  $("thread-title").replaceChildren(title, " ", stateChip(thread.title.state), " ", subject);
  const messages = [...room.messages.values()].filter((m) => m.thread === thread.id);
  const card = messages.findLast((m) => m.content.card && !m.deleted);
  $("card").hidden = !card;
  const version = JSON.stringify([card, ctx.me]);
  if (card && $("card").dataset.version !== version) {
    fillCard($("card"), card, ctx);
    $("card").dataset.version = version;
  }
  $("hint").textContent = card?.content.card.hint ?? "";
  const whispers = (worlds.get(desk.channel)?.whispers ?? []).filter(
    (w) => w.to === ctx.me && w.room === desk.room && (w.thread ?? null) === thread.id,
  );
  const items = [
    ...messages.filter((m) => m !== card).map((m) => [m.at, item(m.id, m, () => messageNode(m, ctx))]),
    ...whispers.map((w) => [w.at, item(`whisper ${w.number}`, w, () => whisperNode(w, ctx))]),
  ];
  items.sort(([a], [b]) => a - b);
  logs.desk.show(`${thread.id} ${ctx.me}`, items.map(([, i]) => i));
}

// --- start ---

for (const button of document.querySelectorAll("[data-show]")) {
  button.addEventListener("click", () => {
    document.querySelector("main").dataset.shown = button.dataset.show;
    for (const b of document.querySelectorAll("[data-show]")) b.setAttribute("aria-pressed", String(b === button));
    draw();
  });
}
document.addEventListener("visibilitychange", draw);
connect();
