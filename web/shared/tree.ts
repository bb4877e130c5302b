// Message bodies as the server sends them: a text, or [element, attributes, …children]. Built as elements, never parsed
// as HTML, so there is nothing to inject into.
import { type ComponentChild, h } from "preact";

export type Node = string | [string, Record<string, unknown>, ...Node[]];

const PLAIN = new Set(["p", "strong", "em", "del", "code", "pre", "blockquote", "ul", "li", "table", "thead", "tr", "td", "br", "hr"]);

function link(href: unknown): string | undefined {
  return typeof href === "string" && /^(https?:|mailto:)/i.test(href) ? href : undefined;
}

export function tree(nodes: Node[]): ComponentChild[] {
  return nodes.map((node) => {
    if (typeof node === "string") return node;
    if (!Array.isArray(node)) return null;
    const [name, attributes, ...children] = node;
    const inside = tree(children);
    if (name === "a") {
      const href = link(attributes?.href);
      return href ? h("a", { href, title: href, target: "_blank", rel: "noopener noreferrer nofollow" }, ...inside) : inside;
    }
    if (name === "ol") return h("ol", { start: Number(attributes?.start) || 1 }, ...inside);
    if (name === "h") return h("p", { class: "h" }, ...inside);
    if (name === "pre") return h("pre", { tabIndex: 0 }, h("code", {}, ...inside));
    return PLAIN.has(name) ? h(name, {}, ...inside) : inside;
  });
}
