// A small, safe part of Markdown as DOM nodes: paragraphs, lists, quotes, code, bold, italic, links to http(s).
// Not here: HTML. Text only ever becomes text nodes; whatever is not understood is shown as it was written.

/** Builds nodes for a text. `doc` is the document that makes them. */
export function render(text, doc = document) {
  // Looking for pairs costs the square of the length, and nobody formats that much.
  if (text.length > 10_000) {
    const whole = doc.createElement("p");
    plain(text, whole, doc);
    return whole;
  }
  const out = doc.createDocumentFragment();
  for (const block of blocks(text)) out.append(blockNode(block, doc));
  return out;
}

const FENCE = /^ {0,3}(```+|~~~+)/;
const ITEM = /^ {0,3}(?:([-*+])|(\d{1,9})[.)])\s+(.*)$/;
const HEADING = /^ {0,3}#{1,6}\s+(.*?)\s*#*$/;
const QUOTE = /^ {0,3}> ?(.*)$/;

/** Cuts a text into blocks. Every line is in exactly one. */
export function blocks(text) {
  const lines = String(text).replace(/\r\n?/g, "\n").split("\n");
  const found = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at];
    const fence = FENCE.exec(line);
    if (fence) {
      const body = [];
      for (at += 1; at < lines.length && !lines[at].trim().startsWith(fence[1]); at += 1) body.push(lines[at]);
      at += 1;
      found.push({ kind: "code", text: body.join("\n") });
    } else if (line.trim() === "") {
      at += 1;
    } else if (HEADING.test(line)) {
      found.push({ kind: "heading", text: HEADING.exec(line)[1] });
      at += 1;
    } else if (QUOTE.test(line)) {
      const body = [];
      for (; at < lines.length && QUOTE.test(lines[at]); at += 1) body.push(QUOTE.exec(lines[at])[1]);
      found.push({ kind: "quote", text: body.join("\n") });
    } else if (ITEM.test(line)) {
      at = list(lines, at, found);
    } else {
      const body = [];
      const plain = (l) => l.trim() !== "" && !FENCE.test(l) && !HEADING.test(l) && !QUOTE.test(l) && !ITEM.test(l);
      for (; at < lines.length && plain(lines[at]); at += 1) body.push(lines[at]);
      found.push({ kind: "paragraph", text: body.join("\n") });
    }
  }
  return found;
}

/** One list, with its items' further lines. Returns the first line after it. */
function list(lines, from, found) {
  const first = ITEM.exec(lines[from]);
  const block = { kind: "list", ordered: first[2] !== undefined, start: Number(first[2] ?? 1), items: [] };
  let at = from;
  for (; at < lines.length; at += 1) {
    const item = ITEM.exec(lines[at]);
    const more = /^\s+\S/.test(lines[at]);
    if (item && (item[2] !== undefined) === block.ordered) {
      block.items.push(item[3]);
    } else if (more && block.items.length > 0 && !item) {
      block.items[block.items.length - 1] += `\n${lines[at].trim()}`;
    } else if (lines[at].trim() === "" && ITEM.test(lines[at + 1] ?? "")) {
      continue;
    } else {
      break;
    }
  }
  found.push(block);
  return at;
}

function blockNode(block, doc) {
  if (block.kind === "code") {
    const pre = doc.createElement("pre");
    const code = doc.createElement("code");
    code.textContent = block.text;
    pre.append(code);
    return pre;
  }
  if (block.kind === "list") {
    const node = doc.createElement(block.ordered ? "ol" : "ul");
    if (block.ordered && block.start !== 1) node.start = block.start;
    for (const text of block.items) {
      const item = doc.createElement("li");
      inline(text, item, doc);
      node.append(item);
    }
    return node;
  }
  if (block.kind === "quote") {
    const node = doc.createElement("blockquote");
    node.append(render(block.text, doc));
    return node;
  }
  const node = doc.createElement("p");
  if (block.kind === "heading") {
    const strong = doc.createElement("strong");
    inline(block.text, strong, doc);
    node.append(strong);
  } else {
    inline(block.text, node, doc);
  }
  return node;
}

// In the order in which they are tried at each place. A backslash takes the meaning from a sign.
const INLINE = new RegExp(
  [
    String.raw`\\([!-/:-@[-\`{-~])`,
    "(`+)([^`]|[^`][^]*?[^`])\\2(?!`)",
    String.raw`\*\*(?=\S)([^]*?\S)\*\*`,
    String.raw`(?<!\w)__(?=\S)([^]*?\S)__(?!\w)`,
    String.raw`~~(?=\S)([^]*?\S)~~`,
    String.raw`\*(?=[^\s*])([^*]*?[^\s*])\*`,
    String.raw`(?<!\w)_(?=[^\s_])([^_]*?[^\s_])_(?!\w)`,
    String.raw`!?\[([^\]\n]*)\]\((\S+?)(?:\s+"[^"]*")?\)`,
    String.raw`<(https?:\/\/[^\s<>]+)>`,
    String.raw`(https?:\/\/[^\s<>()\[\]]+[^\s<>()\[\].,;:!?'"*_])`,
  ].join("|"),
  "g",
);

/** Fills `node` with the inline content of a text. */
function inline(text, node, doc) {
  let done = 0;
  for (const m of text.matchAll(INLINE)) {
    plain(text.slice(done, m.index), node, doc);
    done = m.index + m[0].length;
    const [, escaped, , code, bold, bold2, struck, italic, italic2, label, target, auto, bare] = m;
    if (escaped !== undefined) plain(escaped, node, doc);
    else if (code !== undefined) wrap("code", null, code.trim(), node, doc);
    else if (bold ?? bold2) wrap("strong", bold ?? bold2, null, node, doc);
    else if (struck) wrap("s", struck, null, node, doc);
    else if (italic ?? italic2) wrap("em", italic ?? italic2, null, node, doc);
    else if (target !== undefined) link(label, target, node, doc, m[0]);
    else link("", auto ?? bare, node, doc, m[0]);
  }
  plain(text.slice(done), node, doc);
}

function wrap(tag, inner, literal, node, doc) {
  const made = doc.createElement(tag);
  if (literal === null) inline(inner, made, doc);
  else made.textContent = literal;
  node.append(made);
}

function plain(text, node, doc) {
  text.split("\n").forEach((line, n) => {
    if (n > 0) node.append(doc.createElement("br"));
    if (line !== "") node.append(doc.createTextNode(line));
  });
}

/** A link shows where it leads; anything but http(s) stays the text that it was. */
function link(label, target, node, doc, written) {
  const url = safe(target);
  if (!url) {
    plain(written, node, doc);
    return;
  }
  const anchor = doc.createElement("a");
  anchor.href = url.href;
  anchor.target = "_blank";
  anchor.rel = "noopener noreferrer";
  anchor.textContent = label || target;
  node.append(anchor);
  if (label && !label.includes(url.host)) {
    const host = doc.createElement("span");
    host.className = "host";
    host.textContent = ` (${url.host})`;
    node.append(host);
  }
}

function safe(target) {
  try {
    const url = new URL(target);
    return url.protocol === "https:" || url.protocol === "http:" ? url : null;
  } catch {
    return null;
  }
}
