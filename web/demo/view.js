// How messages, whispers, cards and threads look. Everything is built from nodes and text, never from HTML.
// Not here: where they come from, and what a press does; the caller gives `ctx` with the acts.

import { render } from "./markdown.js";

export const MARKS = {
  delivered: ["📨", "delivered"],
  seen: ["👁️", "seen"],
  internal: ["🔒", "kept internal"],
  held: ["⏳", "held, sent in a moment"],
  failed: ["⚠️", "failed"],
};

const ARRIVALS = {
  sending: ["◌", "sending"],
  received: ["✓", "received"],
  refused: ["⚠️", "not received yet"],
};

/** Makes an element: `el("p", { className: "x" }, "text", node)`. Properties with a dash are attributes. */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.includes("-") || name === "role") node.setAttribute(name, value);
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node[name] = value;
  }
  node.append(...children.filter((c) => c !== null && c !== undefined && c !== false));
  return node;
}

/** Microseconds to the time of day. */
export function clock(at) {
  return new Date(at / 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

function size(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 * 1024) return `${Math.round(bytes / 1024)} KB`;
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

function initials(name) {
  const words = name.split(/\s+/).filter(Boolean);
  if (words[0]?.length === 2) return words[0];
  return words.slice(0, 2).map((w) => [...w][0]).join("").toUpperCase();
}

/** The name over a message, and whether the AI wrote it. */
export function nameOf(message, bridge) {
  const { author } = message;
  return { name: author.name ?? bridge, ai: author.assistant === true, own: author.by === "person" };
}

function avatar(name, kind) {
  // The colour depends on the name alone, so a person keeps it on both sides.
  const hue = [...name].reduce((sum, c) => sum + c.codePointAt(0), 0) % 6;
  return el("span", { className: `avatar ${kind ?? `hue-${hue}`}`, "aria-hidden": "true" }, kind === "ai" ? "✨" : initials(name));
}

function files(message, ctx) {
  const made = message.files.map((file) => {
    const href = `${ctx.base}file/${encodeURIComponent(ctx.channel)}/${encodeURIComponent(file.id)}`;
    const label = `${file.name} · ${size(file.size)}`;
    if (file.kind === "image") {
      const image = el("img", { src: href, alt: file.name, loading: "lazy" });
      return el("a", { className: "file image", href, target: "_blank", rel: "noopener" }, image, el("span", {}, label));
    }
    return el("a", { className: "file", href, download: file.name }, `📄 ${label}`);
  });
  for (const { name, source } of message.content.attachments ?? []) {
    if (source.missing) made.push(el("p", { className: "file missing" }, `📄 ${name}: ${source.missing.why}`));
  }
  return made;
}

function buttons(actions, press, why) {
  if (!actions?.length) return null;
  const make = (a) =>
    el("button", { type: "button", className: buttonKind(a), "data-key": `press-${a.id}`, onclick: () => press(a.id) }, a.label);
  return el("div", { className: "actions", role: "group", "aria-label": why }, ...actions.map(make));
}

/** The first thing to do stands out. */
function buttonKind(action) {
  return /accept|human|technician|^yes\b/i.test(`${action.id} ${action.label}`) ? "primary" : "";
}

function reactions(message, ctx) {
  const by = new Map();
  for (const r of message.reactions) by.set(r.emoji, [...(by.get(r.emoji) ?? []), r.by]);
  const chip = ([emoji, who]) => {
    const mine = who.includes(ctx.me);
    const label = `${emoji} ${who.length}${mine ? ", yours" : ""}`;
    const onclick = () => ctx.react(message, emoji, !mine);
    const props = { type: "button", className: "reaction", "aria-pressed": String(mine), "aria-label": label, onclick };
    return el("button", { ...props, "data-key": `react-${emoji}` }, `${emoji} ${who.length}`);
  };
  return by.size === 0 ? null : el("div", { className: "reactions" }, ...[...by].map(chip));
}

function tools(message, ctx) {
  const own = message.author.by === "person" && message.author.id === ctx.me;
  const tool = (key, sign, label, onclick) =>
    el("button", { type: "button", "data-key": key, "aria-label": label, title: label, onclick }, sign);
  return el(
    "div",
    { className: "tools" },
    tool("tool-react", "👍", "React with thumbs up", () => ctx.react(message, "👍", true)),
    tool("tool-reply", "↩", "Reply to this message", () => ctx.reply(message)),
    own && tool("tool-edit", "✎", "Edit this message", () => ctx.edit(message)),
    own && tool("tool-delete", "✕", "Delete this message", () => ctx.remove(message)),
  );
}

function quote(message, ctx) {
  const target = message.reply_to && ctx.find(message.reply_to);
  if (!target) return null;
  const { name } = nameOf(target, ctx.bridge);
  const text = target.deleted ? "deleted message" : target.content.text.replace(/\s+/g, " ").slice(0, 90);
  return el("p", { className: "quote" }, el("strong", {}, name), ` ${text}`);
}

/** What stands under a message: time, edits, marks, how far it got. */
function foot(message, ctx) {
  const parts = [el("time", {}, clock(message.at))];
  if (message.edits.length > 0 && !message.content.card) parts.push(el("span", {}, "edited"));
  const own = message.author.by === "person" && message.author.id === ctx.me;
  const state = (MARKS[message.mark] ?? (own && ARRIVALS[message.arrival])) || null;
  if (state) {
    const kind = `state ${message.mark ?? message.arrival}`;
    parts.push(el("span", { className: kind, title: state[1] }, el("span", { "aria-hidden": "true" }, state[0]), ` ${state[1]}`));
  }
  return el("p", { className: "foot" }, ...parts);
}

/** One message as an article. */
export function messageNode(message, ctx) {
  const { name, ai, own } = nameOf(message, ctx.bridge);
  const mine = own && message.author.id === ctx.me;
  const notice = !own && message.author.name === null;
  const kind = ai ? "ai" : notice ? "bot" : null;
  const classes = ["message", mine && "mine", notice && "notice", ai && "by-ai", message.mark === "internal" && "internal", ctx.latest === message.id && "latest"];
  const head = el("p", { className: "name" }, name, ai && el("span", { className: "badge" }, "AI"));
  if (message.deleted) {
    const gone = el("p", { className: "deleted" }, "Message deleted");
    return el("article", { className: "message deleted" }, avatar(name, kind), el("div", { className: "bubble" }, head, gone));
  }
  const body = el("div", { className: "text" });
  for (const m of message.content.mentions ?? []) body.append(el("span", { className: "mention" }, `@${m.name}`), " ");
  body.append(render(message.content.text));
  if (message.content.card) body.append(...cardParts(message.content.card));
  const press = (action) => ctx.press({ message: message.id, action });
  const bubble = el("div", { className: "bubble" }, head, quote(message, ctx), body, ...files(message, ctx));
  return el(
    "article",
    // Focusable by touch, so that the tools show where nothing hovers.
    { className: classes.filter(Boolean).join(" "), "aria-label": `${name}${ai ? " (AI)" : ""}`, tabIndex: -1 },
    avatar(name, kind),
    el(
      "div",
      { className: "column" },
      bubble,
      buttons(message.content.actions, press, "Choices"),
      reactions(message, ctx),
      foot(message, ctx),
    ),
    tools(message, ctx),
  );
}

/** Seen by one person only. */
export function whisperNode(whisper, ctx) {
  const press = (action) => ctx.press({ whisper: whisper.number, action });
  const text = el("div", { className: "text" });
  text.append(render(whisper.content.text));
  return el(
    "article",
    { className: "message whisper", "aria-label": "Only you can see this" },
    avatar(ctx.bridge, "bot"),
    el(
      "div",
      { className: "column" },
      el("p", { className: "only muted small" }, "👁 Only you can see this"),
      el("div", { className: "bubble" }, text),
      buttons(whisper.content.actions, press, "Choices"),
      el("p", { className: "foot" }, el("time", {}, clock(whisper.at))),
    ),
  );
}

export function stateChip(state) {
  return el("span", { className: `chip ${state}` }, state);
}

function cardParts(card) {
  const fact = (f) => el("div", {}, el("dt", {}, f.label), el("dd", {}, f.value));
  const summary = el("div", { className: "text summary" });
  if (card.summary) summary.append(render(card.summary));
  return [
    card.facts.length > 0 && el("dl", { className: "facts" }, ...card.facts.map(fact)),
    card.summary && summary,
  ].filter(Boolean);
}

/** The card of a conversation, with its buttons. */
export function fillCard(node, message, ctx) {
  const { card, actions } = message.content;
  const head = el(
    "header",
    {},
    el("strong", {}, `${card.reference} · ${card.title}`),
    stateChip(card.state),
    el("p", { className: "muted small" }, `${card.requester} · ${card.status}`),
  );
  const press = (action) => ctx.press({ message: message.id, action });
  const parts = [head, ...cardParts(card), buttons(actions, press, "Actions of the card"), reactions(message, ctx)];
  keepFocus(node, () => node.replaceChildren(...parts.filter(Boolean)));
}

/** One conversation in the list. */
export function threadNode(thread, { selected, unread, at, onclick }) {
  const { title } = thread;
  const name = title.reference ? `${title.reference} ${title.requester}` : title.text;
  return el(
    "li",
    {},
    el(
      "button",
      { type: "button", className: "pick", "aria-current": selected ? "true" : null, "data-key": thread.id, onclick },
      el("span", { className: "line" }, el("strong", {}, name), unread && el("span", { className: "dot", title: "new" }, "new")),
      el("span", { className: "subject" }, title.reference ? title.subject || "no subject yet" : "opened by hand"),
      el("span", { className: "line" }, stateChip(thread.closed && title.state !== "resolved" ? "closed" : title.state), at && el("time", { className: "muted small" }, clock(at))),
    ),
  );
}

/** Runs a change of `node`, and gives the focus back to the control that had it. */
export function keepFocus(node, change) {
  const focused = node.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  change();
  if (focused) node.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}

/** A log that changes in place: only what is new is added, so only that is read aloud. */
export class Log {
  constructor(node) {
    this.node = node;
    this.known = new Map();
    this.of = null;
    // Whoever scrolls up to read is left there. Content that grows below is no scrolling up.
    this.atEnd = true;
    this.top = 0;
    node.addEventListener("scroll", () => {
      const end = node.scrollHeight - node.scrollTop - node.clientHeight < 80;
      if (end) this.atEnd = true;
      else if (node.scrollTop < this.top) this.atEnd = false;
      this.top = node.scrollTop;
    });
    new ResizeObserver(() => this.follow()).observe(node);
    // A picture has its height only when it is there.
    node.addEventListener("load", () => this.follow(), true);
  }

  follow() {
    if (this.atEnd) this.node.scrollTop = this.node.scrollHeight;
  }

  /** Shows `items` of `{ key, version, make }`. Another `of` is another conversation: nothing of it is announced. */
  show(of, items) {
    const fresh = this.of !== of;
    if (fresh) {
      this.atEnd = true;
      this.node.setAttribute("aria-live", "off");
      this.node.replaceChildren();
      this.known.clear();
      this.of = of;
    }
    let before = null;
    for (const { key, version, make } of items) {
      let entry = this.known.get(key);
      if (!entry || entry.version !== version) entry = this.renew(key, version, make, entry, before);
      before = entry.node;
    }
    const keys = new Set(items.map((i) => i.key));
    for (const [key, entry] of this.known) {
      if (keys.has(key)) continue;
      entry.node.remove();
      this.known.delete(key);
    }
    this.follow();
    if (fresh) requestAnimationFrame(() => this.node.removeAttribute("aria-live"));
  }

  renew(key, version, make, old, before) {
    const node = make();
    if (old) {
      const focused = old.node.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
      old.node.replaceWith(node);
      if (focused) node.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
    } else if (before) before.after(node);
    else this.node.prepend(node);
    const entry = { version, node };
    this.known.set(key, entry);
    return entry;
  }
}
