// A small, safe part of Markdown as elements: paragraphs, headings, lists, quotes, code, bold, italic, strike, links.
// Not here: HTML, images. Text only ever becomes text; what is not understood is shown as it was written.

import type { ComponentChildren } from "preact";

const FENCE = /^ {0,3}(```+|~~~+)/;
const ITEM = /^ {0,3}(?:([-*+])|(\d{1,9})[.)])\s+(.*)$/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*$/;
const QUOTE = /^ {0,3}> ?(.*)$/;
/** Longer ones are shown as plain text: looking for pairs costs time, and nobody formats that much. */
const LONGEST = 20_000;
const LINES = 2_000;

export function Markdown({ text }: { text: string }) {
  if (text.length > LONGEST) return <div class="md"><p class="plain">{text}</p></div>;
  const lines = text.replace(/\r\n?/g, "\n").split("\n");
  if (lines.length > LINES) return <div class="md"><p class="plain">{text}</p></div>;
  return <div class="md">{blocks(lines, 0)}</div>;
}

function blocks(lines: string[], depth: number): ComponentChildren[] {
  const found: ComponentChildren[] = [];
  let at = 0;
  const plain = (line: string) => line.trim() !== "" && !FENCE.test(line) && !HEADING.test(line) && !QUOTE.test(line) && !ITEM.test(line);
  while (at < lines.length) {
    const line = lines[at] ?? "";
    const fence = FENCE.exec(line)?.[1];
    const heading = HEADING.exec(line);
    if (fence) {
      const body: string[] = [];
      for (at += 1; at < lines.length && !(lines[at] ?? "").trim().startsWith(fence); at += 1) body.push(lines[at] ?? "");
      at += 1;
      found.push(<pre tabIndex={0}><code>{body.join("\n")}</code></pre>);
    } else if (line.trim() === "") {
      at += 1;
    } else if (heading) {
      found.push(<p class="heading">{inline(heading[2] ?? "")}</p>);
      at += 1;
    } else if (QUOTE.test(line)) {
      const body: string[] = [];
      for (; at < lines.length; at += 1) {
        const quoted = QUOTE.exec(lines[at] ?? "");
        if (!quoted) break;
        body.push(quoted[1] ?? "");
      }
      found.push(<blockquote>{depth < 5 ? blocks(body, depth + 1) : body.join("\n")}</blockquote>);
    } else if (ITEM.test(line)) {
      const first = ITEM.exec(line);
      const ordered = first?.[2] !== undefined;
      const items: string[] = [];
      for (; at < lines.length; at += 1) {
        const item = ITEM.exec(lines[at] ?? "");
        if (item && (item[2] !== undefined) === ordered) items.push(item[3] ?? "");
        else if (!item && /^\s{2,}\S/.test(lines[at] ?? "") && items.length > 0) items[items.length - 1] += `\n${(lines[at] ?? "").trim()}`;
        else if ((lines[at] ?? "").trim() === "" && ITEM.test(lines[at + 1] ?? "")) continue;
        else break;
      }
      const children = items.map((item) => <li>{inline(item)}</li>);
      found.push(ordered ? <ol start={Number(first?.[2] ?? 1)}>{children}</ol> : <ul>{children}</ul>);
    } else {
      const body: string[] = [];
      for (; at < lines.length && plain(lines[at] ?? ""); at += 1) body.push(lines[at] ?? "");
      found.push(<p>{inline(body.join("\n"))}</p>);
    }
  }
  return found;
}

/** Tried in this order at every place: code, link, address, then pairs of marks. */
const CODE = /^(`+)([^`](?:.*?[^`])?)\1(?!`)/s;
const LINK = /^\[([^[\]\n]{1,500})\]\((<[^<>\n]{1,2000}>|[^\s()<>]{1,2000})(?:\s+"[^"\n]*")?\)/;
const AUTO = /^<?(https?:\/\/[^\s<>"']{1,2000})/;
const PAIRS: [RegExp, "strong" | "em" | "s"][] = [
  [/^\*\*(?=\S)(.{1,2000}?\S|\S)\*\*/s, "strong"],
  [/^__(?=\S)(.{1,2000}?\S|\S)__(?!\w)/s, "strong"],
  [/^~~(?=\S)(.{1,2000}?\S|\S)~~/s, "s"],
  [/^\*(?=[^\s*])(.{1,2000}?[^\s*]|[^\s*])\*(?!\*)/s, "em"],
  [/^_(?=[^\s_])(.{1,2000}?[^\s_]|[^\s_])_(?!\w)/s, "em"],
];

/** Where a text is shown as it is: without the escapes of Markdown. */
export const bare = (text: string) => text.replace(/\\([!-/:-@[-`{-~])/g, "$1");

export function inline(text: string, depth = 0): ComponentChildren[] {
  const found: ComponentChildren[] = [];
  let plain = "";
  const flush = () => {
    if (plain) found.push(...broken(plain));
    plain = "";
  };
  let at = 0;
  while (at < text.length) {
    const c = text.charAt(at);
    if (c === "\\" && /[!-/:-@[-`{-~]/.test(text.charAt(at + 1))) {
      plain += text.charAt(at + 1);
      at += 2;
      continue;
    }
    const special = "`[<h*_~".includes(c) && depth < 6 && !("_h".includes(c) && /\w/.test(text.charAt(at - 1)));
    const took = special ? one(text.slice(at, at + 4_100), depth) : null;
    if (took) {
      flush();
      found.push(took.shown);
      at += took.length;
    } else {
      plain += c;
      at += 1;
    }
  }
  flush();
  return found;
}

function one(rest: string, depth: number): { shown: ComponentChildren; length: number } | null {
  const code = CODE.exec(rest);
  if (code) return { shown: <code>{code[2]?.trim()}</code>, length: code[0].length };
  const link = LINK.exec(rest);
  if (link) {
    const target = safe((link[2] ?? "").replace(/^<|>$/g, ""));
    const label = inline(link[1] ?? "", depth + 1);
    return { shown: target ? <A to={target}>{label}</A> : <>{link[0]}</>, length: link[0].length };
  }
  const auto = AUTO.exec(rest);
  if (auto) {
    const bare = (auto[1] ?? "").replace(/[.,;:!?)\]*_~]+$/, "");
    const target = safe(bare);
    const closed = rest.startsWith("<") && rest.charAt(bare.length + 1) === ">";
    const length = rest.startsWith("<") ? bare.length + (closed ? 2 : 1) : bare.length;
    if (target) return { shown: <>{rest.startsWith("<") && !closed ? "<" : ""}<A to={target}>{bare}</A></>, length };
  }
  for (const [pattern, tag] of PAIRS) {
    const pair = pattern.exec(rest);
    if (!pair) continue;
    const Tag = tag;
    return { shown: <Tag>{inline(pair[1] ?? "", depth + 1)}</Tag>, length: pair[0].length };
  }
  return null;
}

/** Only where a browser goes to look; the address is shown before it is followed. */
export function safe(target: string): string | null {
  try {
    const url = new URL(target);
    return ["http:", "https:", "mailto:"].includes(url.protocol) && !url.username ? url.href : null;
  } catch {
    return null;
  }
}

function A({ to, children }: { to: string; children: ComponentChildren }) {
  return <a href={to} target="_blank" rel="noopener noreferrer nofollow" title={to}>{children}</a>;
}

function broken(text: string): ComponentChildren[] {
  return text.split("\n").flatMap((line, n) => (n === 0 ? [line] : [<br />, line]));
}
